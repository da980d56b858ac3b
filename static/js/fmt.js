// Text for people out of the exact strings of the API. No number type ever holds an amount here:
// digits are cut, rounded and grouped as text, so nothing is lost and nothing is computed. The
// filters of the templates (portal/templatetags/blotter.py) make the same texts.

const MINUS = "\u2212";
const NOTHING = "\u2014";
const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?$/;

const separators = new Map();

// The language of the page, not of the browser: the server has written numbers into it already.
function separatorsOf(locale = document.documentElement.lang) {
  const name = locale;
  if (!separators.has(name)) {
    const format = new Intl.NumberFormat(name || undefined, { useGrouping: true });
    const parts = format.formatToParts(-1234567.8);
    const decimal = parts.find((part) => part.type === "decimal")?.value ?? ".";
    separators.set(name, { format, decimal });
  }
  return separators.get(name);
}

// {negative, whole, fraction} of a decimal string, null if it is none.
function parsed(text) {
  const match = DECIMAL.exec(text ?? "");
  return match && { negative: match[1] === "-", whole: match[2], fraction: match[3] ?? "" };
}

// Round digits half away from zero to `places`; the digits stay text.
function rounded({ whole, fraction }, places) {
  if (fraction.length <= places) return { whole, fraction: fraction.padEnd(places, "0") };
  const kept = BigInt(whole + fraction.slice(0, places));
  const digits = String(fraction[places] >= "5" ? kept + 1n : kept).padStart(places + 1, "0");
  const cut = digits.length - places;
  return { whole: digits.slice(0, cut), fraction: digits.slice(cut) };
}

/** How many places a step such as a tick size has: "0.01" has 2, "5" has 0. */
export function placesOf(step) {
  const { fraction = "" } = parsed(step) ?? {};
  return fraction.replace(/0+$/, "").length;
}

/**
 * A decimal string, grouped for the locale.
 * places: exactly so many (rounded half away from zero); without it, every digit there is.
 * signed: print a + as well.
 */
export function number(text, { places, signed = false, locale } = {}) {
  const parts = parsed(text);
  if (!parts) return text ? String(text) : NOTHING;
  const { whole, fraction } =
    places === undefined ? parts : rounded(parts, places);
  const { format, decimal } = separatorsOf(locale);
  const isZero = !/[1-9]/.test(whole + fraction);
  const sign = isZero ? "" : parts.negative ? MINUS : signed ? "+" : "";
  return sign + format.format(BigInt(whole)) + (fraction ? decimal + fraction : "");
}

/** -1, 0 or 1 as `one` is below, equal to or above `other`; 0 if either is no number. */
export function compare(one, other) {
  const a = parsed(one);
  const b = parsed(other);
  if (!a || !b) return 0;
  const places = Math.max(a.fraction.length, b.fraction.length);
  const scaled = ({ negative, whole, fraction }) => {
    const digits = BigInt(whole + fraction.padEnd(places, "0"));
    return negative ? -digits : digits;
  };
  const [x, y] = [scaled(a), scaled(b)];
  return x < y ? -1 : x > y ? 1 : 0;
}

const clocks = new Map();

function clockOf(zone) {
  const name = zone ?? "";
  if (!clocks.has(name)) {
    clocks.set(name, new Intl.DateTimeFormat("en-GB", {
      timeZone: zone || undefined, hourCycle: "h23", year: "numeric", month: "2-digit",
      day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
      fractionalSecondDigits: 3,
    }));
  }
  return clocks.get(name);
}

function clockParts(instant, zone) {
  const parts = clockOf(zone).formatToParts(instant);
  return Object.fromEntries(parts.map(({ type, value }) => [type, value]));
}

/** `14:02:11.482` in the zone (default: the page's); one of another day shows its date as well. */
export function time(iso, { zone, now = Date.now(), millis = true } = {}) {
  zone ??= document.body?.dataset.zone;
  const instant = Date.parse(iso);
  if (Number.isNaN(instant)) return NOTHING;
  const at = clockParts(instant, zone);
  const today = clockParts(now, zone);
  const clock = `${at.hour}:${at.minute}:${at.second}${millis ? `.${at.fractionalSecond}` : ""}`;
  const isToday = at.year === today.year && at.month === today.month && at.day === today.day;
  return isToday ? clock : `${at.year}-${at.month}-${at.day} ${clock}`;
}

/** `14:02:11.482` where it was today in the page's zone, else `11-20 14:02:11`: the filter `brief`. */
export function brief(iso, now = Date.now()) {
  const instant = Date.parse(iso);
  if (Number.isNaN(instant)) return NOTHING;
  const zone = document.body?.dataset.zone;
  const [at, today] = [clockParts(instant, zone), clockParts(now, zone)];
  const isToday = ["year", "month", "day"].every((part) => at[part] === today[part]);
  const clock = `${at.hour}:${at.minute}:${at.second}`;
  return isToday ? `${clock}.${at.fractionalSecond}` : `${at.month}-${at.day} ${clock}`;
}

/** How long something has been so: `00:41`, `12:05:41`, `3 d 04:05`: the filter `lasting`. */
export function lasting(iso, now = Date.now()) {
  const since = Date.parse(iso);
  if (Number.isNaN(since)) return "";
  const seconds = Math.max(0, Math.floor((now - since) / 1000));
  const two = (number) => String(number).padStart(2, "0");
  const [days, hours] = [Math.floor(seconds / 86400), Math.floor(seconds / 3600) % 24];
  const minutes = two(Math.floor(seconds / 60) % 60);
  if (days) return `${days} d ${two(hours)}:${minutes}`;
  return `${hours ? `${hours}:` : ""}${minutes}:${two(seconds % 60)}`;
}

/** `12 s`, `4 min`, `3 h`, `2 d` for a length of time in milliseconds. */
export function age(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} d`;
}

/** The words of an API value: `PARTIALLY_FILLED` stays as it is, nothing becomes a dash. */
export function word(text) {
  return text || NOTHING;
}

/**
 * What an element shows for a value, by its data attributes:
 * data-as = px | qty | money | signed | time | brief | word (default: the text as it is),
 * data-places or data-step (a tick or lot size) for numbers, data-zone for times,
 * data-millis="off" for whole seconds, data-unit to follow a number that is known.
 */
export function shown(text, data = {}) {
  const made = plain(text, data);
  return data.unit && made !== NOTHING ? made + data.unit : made;
}

function plain(text, data) {
  const step = data.step === undefined ? undefined : placesOf(data.step);
  const places = data.places === undefined ? step : Number(data.places);
  switch (data.as) {
    case "px": case "qty": case "money": return number(text, { places });
    case "signed": return number(text, { places, signed: true });
    case "time": return time(text, { zone: data.zone, millis: data.millis !== "off" });
    case "brief": return brief(text);
    case "word": return word(text);
    default: return text ?? "";
  }
}
