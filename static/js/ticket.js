// The ticket. Enter asks for a preview, Enter again sends; Ctrl Enter sends at once on PAPER only.
//
//   editing -> reviewed -> sending -> editing (a fresh form), or back with what refuses it
//                             \-> lost: no answer came; the server is asked by the client id
//
// The server makes every figure and every sentence; this decides only what a key means now. A form
// has one client id from its opening on, so however often it leaves, it is one order.

import { number } from "./fmt.js";
import { on } from "./live.js";
import { follow, showAck } from "./ticket-ack.js";
import { clearOptional, fieldKey, fitChoices, isComplete } from "./ticket-fields.js";
import { markRows } from "./ticket-marks.js";
import {
  clearTerms, draft, keepDraft, remember, remembered, takeDraft, termsOf, writeTerms,
} from "./ticket-memory.js";
import * as writes from "./writes.js";

const PAUSE_MS = 200;
const INERT_MS = 400;
const ANSWER_MS = 10_000;
const ASK_AGAIN_MS = [500, 1000, 2000, 5000];

let panel = null;
let state = "editing";
let armedAt = 0;                    // until then a key or a press that would send does nothing
let timer = 0;
let running = null;                 // the AbortController of the preview on its way
let emptyPreview = null;

const form = () => panel.querySelector("#ticket");
const isLive = () => panel.dataset.mode === "LIVE";

function enter(next) {
  state = next;
  panel.dataset.ticket = next;
  name();
}

function say(text, tone = "") {
  const line = form().querySelector("[data-outcome]");
  line.textContent = text;
  line.dataset.tone = tone;
}

// --- the button says what it will do

// A halt, or no connection: writes.js says so on the button.
function whyNot() {
  return form().querySelector("[data-send]").dataset.stopped ?? "";
}

function name() {
  const { side, order_qty: quantity, symbol, qty_unit: unit } = form().elements;
  const button = form().querySelector("[data-send]");
  const asks = isLive() && state !== "reviewed" && state !== "sending";
  const verb = state === "sending" ? "Sending" : asks ? "Preview" : "Send";
  const isCash = unit.value === "cash" && unit.selectedOptions[0].textContent;
  const words = [
    verb, side.value, quantity.value && number(quantity.value.trim()), isCash, symbol.value,
  ].filter(Boolean).join(" ");
  button.querySelector("[data-send-words]").textContent = words;
  const tone = isLive() ? "live" : side.value.toLowerCase();
  button.className = `bl-button bl-ticket__send bl-button--${tone}`;
  const isBusy = state === "sending" || state === "lost";
  button.disabled = isBusy;
  form().querySelector("[data-preview]").disabled = isBusy;
}

// --- requests

function asked(path, element, options = {}) {
  return fetch(path, {
    ...options,
    headers: {
      Accept: "text/html", "HX-Request": "true", "HX-Request-Type": "partial",
      "HX-Target": `section#${element}`,
    },
    credentials: "same-origin",
  });
}

function posted(path, element, signal) {
  return asked(path, element, {
    method: "POST", body: new URLSearchParams(new FormData(form())), signal,
  });
}

async function elementIn(answer, selector) {
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const found = page.querySelector(selector);
  return found && document.adoptNode(found);
}

function content() {
  return JSON.stringify(termsOf(form()));
}

// --- preview

function edited() {
  clearTimeout(timer);
  if (state === "lost" || state === "sending") return;
  form().elements.preview_id.value = "";
  enter("editing");
  say("");
  if (!isComplete(form())) {
    running?.abort();
    panel.querySelector("#ticket-preview").replaceWith(emptyPreview.cloneNode(true));
    return;
  }
  panel.querySelector("#ticket-preview").dataset.old = "";
  timer = setTimeout(() => preview(false), PAUSE_MS);
}

/** Ask what would become of the order; `isAsked` by the person: then the next Enter sends. */
async function preview(isAsked) {
  clearTimeout(timer);
  running?.abort();
  const mine = running = new AbortController();
  const before = content();
  let answer = null;
  let fresh = null;
  try {
    answer = await posted("/desk/ticket/preview", "ticket-preview", mine.signal);
    if (answer.ok) {
      fresh = await elementIn(answer, "#ticket-preview");
    }
  } catch (error) {
    if (error.name === "AbortError") return;
  }
  if (mine !== running || state === "sending" || state === "lost") return;
  running = null;
  if (!fresh) {
    say(answer ? `No preview (${answer.status}).` : "No preview: the server does not answer.", "warn");
    return;
  }
  panel.querySelector("#ticket-preview").replaceWith(fresh);
  if (content() !== before) return edited();
  spellOut(fresh);
  markRows(form(), fresh, isAsked);
  const isWrong = form().querySelector("[data-row]:not([hidden]) [aria-invalid=true]") !== null;
  if (isAsked && !isWrong && fresh.dataset.previewId !== undefined) {
    form().elements.preview_id.value = fresh.dataset.previewId;
    review();
  }
}

function review() {
  armedAt = performance.now() + INERT_MS;
  enter("reviewed");
  say(`Enter sends ${isLive() ? "it to the market" : "it"}.`);
}

// Words such as 1k or m become the figures they stand for.
function spellOut({ dataset }) {
  const { order_qty: quantity, price, qty_unit: unit } = form().elements;
  if (dataset.qty && quantity.value.trim() !== dataset.qty) quantity.value = dataset.qty;
  if (dataset.price && price.value.trim() !== dataset.price) price.value = dataset.price;
  if (dataset.unit) unit.value = dataset.unit;
  name();
}

// --- sending

function next() {
  if (performance.now() < armedAt) return;
  if (state === "reviewed") send();
  else if (state === "editing") preview(true);
}

async function send() {
  if (state === "sending" || state === "lost" || performance.now() < armedAt || whyNot()) return;
  if (isLive() && state !== "reviewed") return preview(true);
  clearTimeout(timer);
  running?.abort();
  running = null;
  const sent = termsOf(form());
  enter("sending");
  say("Sending.");
  let answer = null;
  try {
    answer = await posted("/desk/ticket", "ticket", AbortSignal.timeout(ANSWER_MS));
  } catch {
    return lost();  // whether it arrived, only the server knows
  }
  const outcome = answer.headers.get("X-Ticket-Outcome");
  if (!outcome) {
    if (answer.status >= 500 || answer.redirected) return lost();
    enter("editing");
    return say(`Not sent: the server refused the request (${answer.status}).`, "warn");
  }
  if (outcome === "sent") remember(sent);
  await shown(answer, outcome);
}

async function shown(answer, outcome) {
  const fresh = await elementIn(answer, "#ticket");
  if (!fresh) return lost();
  place(fresh);
  armedAt = performance.now() + INERT_MS;
  enter("editing");
  if (outcome === "sent") {
    showAck(panel);
    form().elements.order_qty.focus();
    return;
  }
  form().querySelector("[data-summary]")?.focus();
  if (form().elements.preview_id.value) review();
}

// No answer is no evidence: the form keeps its id and its terms, and the server is asked.
async function lost() {
  enter("lost");
  const { account, cl_ord_id: id } = form().elements;
  const query = new URLSearchParams({ account: account.value, cl_ord_id: id.value });
  form().inert = true;
  for (let turn = 0; ; turn += 1) {
    say("? The answer did not arrive, the outcome is unknown. Asking the server by the order's id.", "unknown");
    const pause = ASK_AGAIN_MS[Math.min(turn, ASK_AGAIN_MS.length - 1)];
    await new Promise((resolve) => setTimeout(resolve, pause));
    let answer = null;
    try {
      answer = await asked(`/desk/ticket/sent?${query}`, "ticket", { signal: AbortSignal.timeout(ANSWER_MS) });
    } catch {
      continue;
    }
    const outcome = answer.headers.get("X-Ticket-Outcome");
    if (outcome === "not_received") return notReceived();
    if (outcome) return shown(answer, outcome);
  }
}

function notReceived() {
  form().inert = false;
  form().elements.preview_id.value = "";
  const at = new Date().toISOString().slice(11, 19);
  if (isLive()) enter("editing");
  else review();
  say(`Not received: at ${at} UTC the server had no order under this id. Sending again cannot make two.`, "warn");
}

// --- drafts and presets

function place(fresh) {
  form().replaceWith(fresh);
  fitChoices(form());
  writes.apply();
}

/** Bring in a form with these terms: what may be chosen is the instrument's. */
async function reopen(wanted, focus) {
  const answer = await asked(`/desk?${new URLSearchParams(wanted)}`, "ticket").catch(() => null);
  const fresh = answer?.ok ? await elementIn(answer, "#ticket") : null;
  if (!fresh) return say("The ticket of that instrument did not come; try again.", "warn");
  place(fresh);
  enter("editing");
  if (focus) form().querySelector(focus)?.focus();
  if (isComplete(form())) edited();
}

function discard() {
  const isWorth = keepDraft(termsOf(form()));
  clearTerms(form());
  document.activeElement?.blur?.();
  edited();
  if (isWorth) offerDraft("Discarded. ");
}

function offerDraft(words) {
  const line = form().querySelector("[data-outcome]");
  const button = document.createElement("button");
  button.type = "button";
  button.className = "bl-button bl-button--small";
  button.dataset.restore = "";
  button.textContent = "Restore the draft";
  line.replaceChildren(words, button);
}

function restore() {
  const values = takeDraft();
  if (values) reopen(values, "#t-order_qty");
}

/** Fill the ticket with terms such as {side, symbol, order_qty, price}; it never sends by itself. */
export function fill(wanted) {
  if (!panel || state === "sending" || state === "lost") return;
  const { symbol } = form().elements;
  if (wanted.symbol && wanted.symbol !== symbol.value) {
    reopen({ ...remembered(wanted.symbol), ...wanted }, "#t-order_qty");
    return;
  }
  writeTerms(form(), wanted);
  fitChoices(form());
  edited();
  const quantity = form().elements.order_qty;
  quantity.focus();
  quantity.select();
}

// --- people

function onKey(event) {
  if (event.isComposing || !form()?.contains(event.target)) return;
  if (event.key === "Escape" && state !== "sending" && state !== "lost") {
    event.stopPropagation();
    return discard();
  }
  if (fieldKey(event, form(), changed)) return;
  const isButton = event.target.closest("button, a, summary");
  if (event.key !== "Enter" || isButton) return;
  event.preventDefault();
  if (event.repeat) return;
  if (event.ctrlKey || event.metaKey) {
    if (isLive()) say("Real money takes a preview first: Enter, then Enter again.", "warn");
    else send();
  } else {
    next();
  }
}

function changed(field, isWord) {
  edited();
  if (isWord) preview(false);
}

function onSubmit(event) {
  if (!event.target.matches("#ticket")) return;
  event.preventDefault();
  if (event.submitter?.matches("[data-send]")) send();
  else if (performance.now() >= armedAt && state !== "sending" && state !== "lost") preview(true);
}

function onChange({ target, type }) {
  if (!form()?.contains(target)) return;
  if (type === "change" && target.name === "symbol") {
    const focus = document.activeElement === target ? "#t-symbol" : "";
    reopen({ ...remembered(target.value), symbol: target.value }, focus);
    return;
  }
  if (type === "change" && target.tagName === "INPUT" && target.type !== "radio") return;
  fitChoices(form());
  if (type === "change" && target.name === "ord_type") clearOptional(form());
  edited();
}

function start() {
  panel = document.querySelector("[data-ticket-panel]");
  if (!panel || !form()) {
    panel = null;
    return;
  }
  emptyPreview = document.createElement("section");
  emptyPreview.id = "ticket-preview";
  emptyPreview.className = "bl-preview";
  emptyPreview.dataset.state = "empty";
  emptyPreview.append(panel.querySelector("[data-preview-hint]").content.cloneNode(true));
  fitChoices(form());
  panel.addEventListener("keydown", onKey);
  panel.addEventListener("submit", onSubmit);
  panel.addEventListener("input", onChange);
  panel.addEventListener("change", onChange);
  panel.addEventListener("click", ({ target }) => { if (target.closest("[data-restore]")) restore(); });
  document.addEventListener("ticket:fill", ({ detail }) => fill(detail));
  follow(panel);
  on("risk", () => { if (state !== "sending" && isComplete(form())) edited(); });
  enter("editing");
  if (form().querySelector("[data-summary]")) {
    if (form().elements.preview_id.value) review();
  } else if (isComplete(form())) edited();
  else if (draft()) offerDraft("A draft is kept. ");
}

start();
