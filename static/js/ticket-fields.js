// What the fields of the ticket understand beside digits, and which of them an order is asked for.
// Arrows step by lot or tick (Shift: ten of them), single letters stand for prices and parts of a
// position. Letters are worked out by the server; a step moves the digits of the text and never
// passes through a float. Which field goes with which type the server wrote on the form.

const DECIMAL = /^\d{1,12}(?:\.\d{1,12})?$/;
const WORDS = { "t-price": "bma", "t-order_qty": "hqw" };

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
  return option?.dataset[field.dataset.step] ?? "";
}

/**
 * Obey the keys of a number field. `changed(field, isWord)` is called after a change.
 * Says whether the key was one of the field's own.
 */
export function fieldKey(event, form, changed) {
  const field = event.target;
  if (!field.dataset?.step || event.ctrlKey || event.metaKey || event.altKey) return false;
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
  const isWord = letter.length === 1 && WORDS[field.id]?.includes(letter);
  if (!isWord || event.repeat) return false;
  event.preventDefault();
  field.value = letter;
  changed(field, true);
  return true;
}

function fits({ types, times, links }, type, time, link) {
  const hasType = types === undefined || types.split(" ").includes(type);
  const hasLink = links === undefined || links.split(" ").includes(link);
  return hasType && hasLink && (!times || times.split(" ").includes(time));
}

function choosable(list) {
  if (!list.selectedOptions[0]?.disabled) return;
  const first = [...list.options].find((option) => !option.disabled);
  if (first) first.selected = true;
}

/** Show what an order of the chosen type and time in force is asked for, and offer what goes with it. */
export function fitChoices(form) {
  const { ord_type: type, time_in_force: times, qty_unit: unit, link } = form.elements;
  for (const option of times.options) {
    if (option.dataset.types === undefined) continue;
    option.disabled = "off" in option.dataset || !fits(option.dataset, type.value);
  }
  choosable(times);
  for (const option of unit.options) option.disabled = !fits(option.dataset, type.value, times.value);
  choosable(unit);
  for (const part of form.querySelectorAll("[data-row], label[data-types]")) {
    part.hidden = !fits(part.dataset, type.value, times.value, link.value);
    const input = part.querySelector("[data-hint]");
    if (input) input.placeholder = isRequired(part, type.value) ? input.dataset.hint : "optional";
  }
}

/** Empty what the new type may have and does not need: a stop of before is no trail's first stop. */
export function clearOptional(form) {
  for (const row of form.querySelectorAll("[data-row][data-types]:not([hidden])")) {
    const input = row.querySelector("[data-hint]");
    if (input && !isRequired(row, form.elements.ord_type.value)) input.value = "";
  }
}

function isRequired({ dataset }, type) {
  return dataset.links !== undefined || (dataset.required?.split(" ").includes(type) ?? false);
}

/** Whether everything an order of the chosen type cannot do without has been typed. */
export function isComplete(form) {
  const { order_qty: quantity, ord_type: type } = form.elements;
  const rows = [...form.querySelectorAll("[data-row]:not([hidden])")];
  const missing = (row) => isRequired(row, type.value) && !row.querySelector(".bl-input").value.trim();
  return Boolean(quantity.value.trim()) && !rows.some(missing);
}
