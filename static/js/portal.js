// Every page behind the login: palette, keys, preferences, dialogs, toasts, and the live connection.

import { time } from "./fmt.js";
import * as halts from "./halts.js";
import * as keys from "./keys.js";
import * as live from "./live.js";
import * as palette from "./palette.js";
import * as preferences from "./preferences.js";
import * as regions from "./regions.js";
import * as writes from "./writes.js";

const TOAST_MS = { success: 4000, info: 4000, warning: 10000 };
const INERT_MS = 400;
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

function openTicket(side) {
  const radio = document.querySelector(`#ticket input[name=side][value=${CSS.escape(side)}]`);
  if (!radio) return;
  radio.checked = true;
  radio.dispatchEvent(new Event("change", { bubbles: true }));
  const quantity = document.querySelector("#t-order_qty");
  quantity.focus();
  quantity.select();
}

/** Do what a key, a palette entry or a [data-act] element says. */
function perform(act) {
  const [verb, object] = act.split(/:(.*)/s);
  switch (verb) {
    case "go": location.assign(object); break;
    case "palette": palette.open(); break;
    case "keys": show("keys"); break;
    case "halt":
      if (show("halt")) break;
      if (location.pathname === "/halt") document.querySelector("#h-where")?.focus();
      else location.assign("/halt");
      break;
    case "theme": case "density": case "privacy": preferences.turn(verb); break;
    case "account": chooseAccount(object); break;
    case "ticket": openTicket(object); break;
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
  document.addEventListener("halt:set", ({ target }) => target.closest("dialog")?.close());
  startTicket();
}

// The button says what it will do; after a press it is inert for a moment, and sends once.
function startTicket() {
  const form = document.querySelector("[data-ticket]");
  if (!form) return;
  const button = form.querySelector("[data-send]");
  const { mode } = document.body.dataset;
  const account = form.elements.account.value;
  const name = () => {
    const { side, order_qty: quantity, symbol, ord_type: type } = form.elements;
    const isMarket = type.value === "MARKET";
    form.elements.price.disabled = isMarket;
    button.textContent =
      `Send ${side.value} ${quantity.value || ""} ${symbol.value} · ${mode.toUpperCase()} ${account}`;
    button.className = `bl-button bl-button--wide bl-button--${mode === "live" ? "live" : side.value.toLowerCase()}`;
  };
  form.addEventListener("input", name);
  form.addEventListener("change", name);
  if (!form.elements.confirmed) name();
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = "yes";
    setTimeout(() => delete form.dataset.sent, INERT_MS * 10);
  });
  addEventListener("pageshow", () => delete form.dataset.sent);
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
  live.start(document.body.dataset.worker);
}
