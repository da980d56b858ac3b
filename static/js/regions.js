// Panels that htmx reads again when something of theirs happened, and never under the reader.
//
//   <section class="bl-panel" id="positions" data-region hx-get="/desk" hx-target="this"
//            hx-trigger="live:position from:body throttle:1s, region:due">
//
// The view answers the part of that id (portal/views/pages.py). While the pointer or the focus is
// inside a panel it stays as it is and is read again afterwards (data-region="always": what only
// tells, such as the banner, does not wait). A part in a closed dialog is not read at all.

import { on, scan } from "./live.js";

const due = new Set();

function isInUse(panel) {
  return panel.matches(":hover") || panel.contains(document.activeElement);
}

// htmx tells of a request on the element that makes it; only a panel itself is held back.
function regionOf({ target }) {
  return target instanceof Element && target.matches("[data-region]") ? target : null;
}

function hold(event) {
  const panel = regionOf(event);
  if (!panel) return;
  if (panel.closest("dialog:not([open])")) return event.preventDefault();
  if (panel.dataset.region === "always" || !isInUse(panel)) return;
  event.preventDefault();
  due.add(panel);
}

// What was refused leaves the panel as it was; its strip says so until the next answer.
function refused(event) {
  const panel = regionOf(event);
  if (!panel) return;
  const { status } = event.detail.ctx.response;
  if (status < 400) return;
  event.preventDefault();
  panel.dataset.state = "error";
  const strip = panel.querySelector("[data-strip]");
  if (strip) strip.textContent = `Not brought up to date (${status}); the values are older.`;
}

function ask(panel) {
  if (panel.isConnected) panel.dispatchEvent(new CustomEvent("region:due"));
}

function catchUp() {
  for (const panel of due) {
    if (panel.isConnected && isInUse(panel)) continue;
    due.delete(panel);
    ask(panel);
  }
}

// The day of history beside a replayed price.
function dated({ k, history_at: at }) {
  const day = (at ?? "").slice(0, 10);
  for (const element of document.querySelectorAll(`[data-history="${CSS.escape(k)}"]`)) {
    if (day && element.textContent !== day) element.textContent = day;
  }
}

/** Guard the regions of the page. */
export function start() {
  document.addEventListener("htmx:config:request", hold);
  document.addEventListener("htmx:before:swap", hold);
  document.addEventListener("htmx:before:response", refused);
  document.addEventListener("htmx:after:swap", scan);
  // The element left still counts as hovered or focused while the event is told.
  const later = () => { if (due.size) setTimeout(catchUp, 0); };
  document.addEventListener("pointerout", later);
  document.addEventListener("focusout", later);
  on("quote", dated);
}
