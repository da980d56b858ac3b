// Keys of the page. The table is the overlay itself: [data-keys][data-act] elements, made by the
// server from portal/frame/keys.py. A sequence has a second to complete; letters never act in a field.

const SEQUENCE_MS = 1000;

let sequences = [];
let typed = [];
let timer = 0;
let act = () => {};

function pressed(event) {
  const name = event.key.length === 1 ? event.key : event.key;
  const isLetter = /^[a-z]$/i.test(name);
  if (event.ctrlKey || event.metaKey) return `Ctrl+${isLetter ? name.toUpperCase() : name}`;
  if (event.shiftKey && isLetter) return `Shift+${name.toUpperCase()}`;
  return isLetter ? name.toLowerCase() : name;
}

function isField(target) {
  return target instanceof HTMLElement
    && (target.isContentEditable || /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName))
    && !["radio", "checkbox", "button", "submit"].includes(target.type);
}

/** Whether bare letters and digits act; a person may switch them off. */
export function singleKeysAct() {
  return document.documentElement.dataset.letters !== "off";
}

function hint() {
  document.querySelector("[data-key-hint]")?.remove();
  if (typed.length === 0) return;
  const strip = document.createElement("div");
  strip.className = "bl-hint-strip";
  strip.dataset.keyHint = "";
  for (const one of sequences.filter(({ keys }) => starts(keys) && keys.length > typed.length)) {
    const key = document.createElement("kbd");
    key.className = "bl-kbd";
    key.textContent = one.keys.slice(typed.length).join(" ");
    const entry = document.createElement("span");
    entry.append(key, ` ${one.says}`);
    strip.append(entry);
  }
  document.body.append(strip);
}

function starts(keys) {
  return typed.every((key, index) => keys[index] === key);
}

function forget() {
  clearTimeout(timer);
  typed = [];
  hint();
}

// A control that walks by arrows keeps them: radio buttons, grids, the chart.
function ownsArrows({ key, target }) {
  return key.startsWith("Arrow") && target instanceof Element
    && target.closest("input, select, [role=grid], [role=application], summary") !== null;
}

function onKey(event) {
  if (event.defaultPrevented || ownsArrows(event)) return;
  if (event.isComposing || event.altKey || ["Shift", "Control", "Meta"].includes(event.key)) return;
  const key = pressed(event);
  if (isField(event.target) && !key.startsWith("Ctrl+") && key !== "Escape") return;
  if (document.querySelector("dialog:modal") && key !== "Escape") return;
  typed = [...typed, key];
  let found = sequences.find(({ keys }) => keys.length === typed.length && starts(keys));
  if (!found && !sequences.some(({ keys }) => starts(keys))) {
    typed = [key];
    found = sequences.find(({ keys }) => keys.length === 1 && starts(keys));
    if (!found && !sequences.some(({ keys }) => starts(keys))) return forget();
  }
  clearTimeout(timer);
  if (!found) {
    event.preventDefault();
    timer = setTimeout(forget, SEQUENCE_MS);
    return hint();
  }
  forget();
  if (found.single && !singleKeysAct()) return;
  if (found.act === "close") {
    if (!document.querySelector("dialog[open]")) document.activeElement?.blur?.();
    return;
  }
  event.preventDefault();
  act(found.act);
}

/** Obey the keys of this page; `perform(act)` does what a key says. */
export function start(perform) {
  act = perform;
  sequences = [...document.querySelectorAll("#keys [data-keys]")].map((element) => ({
    keys: element.dataset.keys.split(" "),
    act: element.dataset.act,
    says: element.textContent,
    single: "single" in element.dataset,
  }));
  document.addEventListener("keydown", onKey);
}
