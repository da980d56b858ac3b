// Every page behind the login: palette, keys, preferences, dialogs, toasts, and the live connection.

import * as drawer from "./drawer.js";
import { time } from "./fmt.js";
import * as halts from "./halts.js";
import * as keys from "./keys.js";
import * as live from "./live.js";
import * as order from "./order.js";
import * as panels from "./panels.js";
import * as palette from "./palette.js";
import * as preferences from "./preferences.js";
import * as regions from "./regions.js";
import * as writes from "./writes.js";

const TOAST_MS = { success: 4000, info: 4000, warning: 10000 };
const MOST_TOASTS = 3;

function show(id) {
  const dialog = document.getElementById(id);
  if (dialog && !dialog.open) {
    dialog.showModal();
    dialog.dispatchEvent(new CustomEvent("dialog:open", { bubbles: true }));
  }
  return Boolean(dialog);
}

function chooseAccount(code) {
  const select = document.querySelector("#top-account");
  if (!select) return;
  if (!code) return select.focus();
  select.value = code;
  select.form.requestSubmit();
}

/** Do what a key, a palette entry or a [data-act] element says. */
function perform(act) {
  const [verb, object] = act.split(/:(.*)/s);
  switch (verb) {
    case "go": location.assign(object); break;
    case "palette": palette.open(); break;
    case "keys": show("keys"); break;
    case "health": if (!show("health")) location.assign("/status"); break;
    case "halt":
      if (show("halt")) break;
      if (location.pathname === "/halt") document.querySelector("#h-where")?.focus();
      else location.assign("/halt");
      break;
    case "theme": case "density": case "privacy": preferences.turn(verb); break;
    case "choose": preferences.choose(...object.split(":")); break;
    case "account": chooseAccount(object); break;
    case "logout": document.querySelector("form[action='/logout']")?.requestSubmit(); break;
    case "ticket":
      document.dispatchEvent(new CustomEvent("ticket:fill", { detail: { side: object } }));
      break;
    case "press": document.querySelector(`[data-press="${CSS.escape(object)}"]`)?.click(); break;
    default: document.body.dispatchEvent(new CustomEvent("page:act", { detail: { verb, object } }));
  }
}

function onClick(event) {
  const element = event.target.closest("[data-act]:not([data-keys])");
  if (!element) return;
  if (element.dataset.act === "toast") return element.closest(".bl-toast").remove();
  if (element.dataset.act === "close") return element.closest("dialog")?.close();
  event.preventDefault();
  perform(element.dataset.act);
}

function startForms() {
  for (const form of document.querySelectorAll("form[data-auto]")) {
    form.addEventListener("change", () => form.requestSubmit());
  }
  document.querySelector("[data-summary]")?.focus();
  document.addEventListener("htmx:after:swap", ({ target }) => {
    target.querySelector?.("[data-summary]")?.focus();
  });
  document.querySelector("form[action='/logout']")?.addEventListener("submit", palette.forget);
  document.addEventListener("halt:set", ({ target }) => target.closest("dialog")?.close());
}

// A toast goes by itself unless it tells of a failure; three are kept.
function startToasts() {
  const lane = document.querySelector("[data-toasts]");
  if (!lane) return;
  const settle = () => {
    for (const toast of lane.querySelectorAll(".bl-toast:not([data-timed])")) {
      toast.dataset.timed = "";
      const time = TOAST_MS[toast.dataset.level];
      if (time) setTimeout(() => toast.remove(), time);
    }
    [...lane.children].slice(0, -MOST_TOASTS).forEach((toast) => toast.remove());
  };
  settle();
  new MutationObserver(settle).observe(lane, { childList: true });
}

function startClock() {
  const clock = document.querySelector("[data-clock]");
  if (!clock) return;
  const tick = () => {
    const now = new Date().toISOString();
    clock.textContent = time(now, { millis: false });
    clock.parentElement.setAttribute("datetime", now);
    clock.parentElement.title = now;
  };
  setInterval(tick, 1000);
}

preferences.start();
palette.start(perform);
keys.start(perform);
document.addEventListener("click", onClick);
startForms();
startToasts();
startClock();
if (document.body.dataset.worker) {
  writes.start();
  halts.start();
  regions.start();
  panels.start();
  order.start();
  drawer.start();
  live.start(document.body.dataset.worker);
}
