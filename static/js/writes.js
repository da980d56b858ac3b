// Why a button that writes cannot be pressed just now: a halt, or no connection. The button stays
// where it is and can be focused; it says the reason, and pressing it does nothing.

const WRITES = [
  "form[method=post]:not([data-preferences]) :is(button:not([type=button]), input[type=submit])",
  "[hx-post]:not(form)",
  "[hx-delete]",
].join();
const finders = new Map();          // name -> () => Map of element -> reason

/** Every control of the page that writes. */
export function controls() {
  return document.querySelectorAll(WRITES);
}

/** Say which controls a condition stops: `find` returns a Map of element to reason. */
export function stop(name, find) {
  finders.set(name, find);
  apply();
}

/** Look again: something changed. */
export function apply() {
  const stopped = new Map();
  for (const find of finders.values()) {
    for (const [element, reason] of find()) if (!stopped.has(element)) stopped.set(element, reason);
  }
  for (const element of document.querySelectorAll("[data-stopped]")) {
    if (!stopped.has(element)) release(element);
  }
  for (const [element, reason] of stopped) hold(element, reason);
}

function whyOf(element) {
  return element.closest("form")?.querySelector("[data-why]");
}

function hold(element, reason) {
  if (element.dataset.stopped === reason) return;
  element.dataset.titled ??= element.title;
  element.dataset.stopped = reason;
  element.setAttribute("aria-disabled", "true");
  element.setAttribute("aria-description", reason);
  element.title = reason;
  const why = whyOf(element);
  if (!why) return;
  why.textContent = reason;
  why.hidden = false;
}

function release(element) {
  for (const name of ["aria-disabled", "aria-description"]) element.removeAttribute(name);
  element.title = element.dataset.titled;
  delete element.dataset.titled;
  delete element.dataset.stopped;
  const why = whyOf(element);
  if (why) why.hidden = true;
}

function refuse(event) {
  const pressed = event.type === "submit"
    ? event.submitter ?? event.target.querySelector("[data-stopped]")
    : event.target.closest?.("[data-stopped]");
  if (!pressed?.dataset.stopped) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}

/** Watch the page. Before everybody else: nothing that is stopped reaches htmx or the network. */
export function start() {
  document.addEventListener("submit", refuse, true);
  document.addEventListener("click", refuse, true);
  document.addEventListener("htmx:after:swap", apply);
}
