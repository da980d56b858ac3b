// Steps of number fields on exact decimal strings. The one place where the browser counts: by ticks
// and lots, never with amounts of money.

const DECIMAL = /^(\d{1,15})(?:\.(\d{1,12}))?$/;

function parsed(text) {
  const match = DECIMAL.exec(String(text).trim().replaceAll(",", ""));
  return match && { whole: match[1], fraction: match[2] ?? "" };
}

/** Whether a text is a decimal that is not negative. */
export function isDecimal(text) {
  return parsed(text) !== null;
}

/** `text` moved by `times` steps, not below one step; the text itself where it is no number. */
export function stepped(text, step, times) {
  const [from, by] = [parsed(text), parsed(step)];
  if (!from || !by) return text;
  const places = Math.max(from.fraction.length, by.fraction.length);
  const scaled = ({ whole, fraction }) => BigInt(whole + fraction.padEnd(places, "0"));
  const least = scaled(by);
  let moved = scaled(from) + least * BigInt(times);
  if (moved < least) moved = least;
  const digits = String(moved).padStart(places + 1, "0");
  const cut = digits.length - places;
  const fraction = digits.slice(cut);
  return fraction ? `${digits.slice(0, cut)}.${fraction}` : digits.slice(0, cut);
}
