// What a quantity and a price field understand beside digits: arrows step by lot or tick (Shift: ten
// of them), single letters stand for prices and parts of a position. Letters are worked out by the
// server; a step moves the digits of the text and never passes through a float.

const DECIMAL = /^\d{1,12}(?:\.\d{1,12})?$/;
const WORDS = { "t-price": "bma", "t-order_qty": "hqw" };
const STEPS = { "t-price": "tick", "t-order_qty": "lot" };

function placesOf(text) {
  return (text.split(".")[1] ?? "").length;
}

function scaled(text, places) {
  const [whole, fraction = ""] = text.split(".");
  return BigInt(whole + fraction.padEnd(places, "0"));
}

function written(digits, places) {
  const text = String(digits).padStart(places + 1, "0");
  return places ? `${text.slice(0, -places)}.${text.slice(-places)}` : text;
}

/** `text` moved by `times` steps, on the grid of steps and never to zero or below; null if it is no number. */
export function stepped(text, step, times) {
  if (!DECIMAL.test(text || "0") || !DECIMAL.test(step)) return null;
  const places = Math.max(placesOf(text), placesOf(step));
  const size = scaled(step, places);
  if (size === 0n) return null;
  const now = scaled(text || "0", places);
  const grid = times > 0 ? now / size : (now + size - 1n) / size;
  const moved = (grid + BigInt(times)) * size;
  return moved > 0n ? written(moved, places) : null;
}

function stepOf(form, field) {
  const option = form.elements.symbol.selectedOptions[0];
  return option?.dataset[STEPS[field.id]] ?? "";
}

/**
 * Obey the keys of a number field. `changed(field, isWord)` is called after a change.
 * Says whether the key was one of the field's own.
 */
export function fieldKey(event, form, changed) {
  const field = event.target;
  if (!(field.id in STEPS) || event.ctrlKey || event.metaKey || event.altKey) return false;
  if (event.key === "ArrowUp" || event.key === "ArrowDown") {
    event.preventDefault();
    const times = (event.key === "ArrowUp" ? 1 : -1) * (event.shiftKey ? 10 : 1);
    const next = stepped(field.value.trim(), stepOf(form, field), times);
    if (next === null) return true;
    field.value = next;
    changed(field, false);
    return true;
  }
  const letter = event.key.toLowerCase();
  const isWord = letter.length === 1 && WORDS[field.id].includes(letter);
  if (!isWord || event.repeat) return false;
  event.preventDefault();
  field.value = letter;
  changed(field, true);
  return true;
}

/** Only times in force that go with the chosen type may be chosen; a MARKET order has no price. */
export function fitChoices(form) {
  const { ord_type: type, time_in_force: times, price } = form.elements;
  const isMarket = type.value === "MARKET";
  price.readOnly = isMarket;
  price.closest("[data-priced]").dataset.off = isMarket ? "yes" : "";
  for (const option of times.options) {
    const types = option.dataset.types;
    if (types === undefined) continue;
    option.disabled = "off" in option.dataset || !types.split(" ").includes(type.value);
  }
  if (times.selectedOptions[0]?.disabled) {
    const first = [...times.options].find((option) => !option.disabled);
    if (first) first.selected = true;
  }
}
