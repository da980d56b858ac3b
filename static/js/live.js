// A page's end of the live connection: cells by data-f, lights by data-light, rows as events.
//
//   <main data-cursor="18442">                      rows are shown as they were at this position
//   <span data-f="quote:SPX.last" data-as="px" data-step="0.01">1126.33</span>
//   <span data-f="mark:PAPER-1:SPX.unrealized_pnl" data-as="signed" data-places="2"></span>
//   <section data-marks="PAPER-1">                  whose positions are marked, once a second
//   <span data-light="app"><span data-light-text></span></span>      app, feed, broker
//
// document.body receives `live:<topic>` for every row (order, execution, position, risk, break,
// account, connection), `live:quote`, `live:state`, and `live:reset`, which reloads the page unless
// a listener prevents it. Nothing from the wire ever becomes markup: text nodes only.

import { age, compare, number, shown, time } from "./fmt.js";

const QUOTE_MAX_AGE_MS = 10_000;
const FEED_GONE_MS = 60_000;
const FLASH_MS = 400;
const PING_MS = 20_000;
const RELOAD_AT_MOST_EVERY_MS = 10_000;
const RELOADED_AT = "live:reloaded";

let port = null;
let cursor = null;
let state = { name: "connecting", since: Date.now(), retryAt: null };
let beat = null;
let skew = 0;                       // the server's clock minus ours
const cells = new Map();            // "quote:SPX.last" -> Set of elements
const values = new Map();           // "quote:SPX.last" -> text
const instants = new Map();         // symbol -> when its quote was made, in ms
const markedAt = new Map();         // "PAPER-1:SPX" -> when its mark was made, in ms
const simulated = new Set();        // symbols whose quotes replay history
const pending = new Map();          // keys to paint in the next frame -> whether to flash
const flashes = new WeakMap();
let framed = false;
let followed = "";

/** The connection's state: {name, since, retryAt}. */
export function connection() {
  return state;
}

/** The server's clock as far as its heartbeats tell it, in milliseconds. */
export function serverNow() {
  return Date.now() + skew;
}

/** Call `listener(detail)` for every event of a topic; returns a function that stops it. */
export function on(topic, listener) {
  const handler = (event) => listener(event.detail);
  document.body.addEventListener(`live:${topic}`, handler);
  return () => document.body.removeEventListener(`live:${topic}`, handler);
}

function tell(topic, detail) {
  const event = new CustomEvent(`live:${topic}`, { detail, bubbles: false, cancelable: true });
  return document.body.dispatchEvent(event);
}

// --- cells

function textOf(element) {
  const first = element.firstChild;
  if (first?.nodeType === Node.TEXT_NODE && first === element.lastChild) return first;
  element.textContent = "";
  return element.appendChild(document.createTextNode(""));
}

function directionOf(value) {
  return ["down", "flat", "up"][compare(value, "0") + 1];
}

/** Write a value into an element by its data attributes; says whether the text changed. */
export function write(element, value) {
  const text = shown(value, element.dataset);
  if (element.dataset.sign !== undefined) element.dataset.sign = directionOf(value);
  const node = textOf(element);
  if (node.nodeValue === text) return false;
  node.nodeValue = text;
  return true;
}

function flash(element, direction) {
  clearTimeout(flashes.get(element));
  element.dataset.tick = direction;
  flashes.set(element, setTimeout(() => delete element.dataset.tick, FLASH_MS));
}

function set(key, value) {
  const before = values.get(key);
  if (before === value) return;
  values.set(key, value);
  if (!cells.has(key)) return;
  pending.set(key, compare(value, before ?? ""));
  if (!framed) {
    framed = true;
    requestAnimationFrame(paint);
  }
}

function paint() {
  framed = false;
  for (const [key, direction] of pending) {
    for (const element of cells.get(key) ?? []) {
      if (write(element, values.get(key)) && direction) {
        flash(element, direction > 0 ? "up" : "down");
      }
    }
  }
  pending.clear();
}

// What a cell is of: "SPX" of "quote:SPX.last", "PAPER-1:SPX" of "mark:PAPER-1:SPX.mark".
function symbolOf(key) {
  return key.slice(key.indexOf(":") + 1, key.lastIndexOf("."));
}

/** Find the live cells and lights again after the page's content changed. */
export function scan() {
  cells.clear();
  for (const element of document.querySelectorAll("[data-f]")) {
    const key = element.dataset.f;
    if (!cells.has(key)) cells.set(key, new Set());
    cells.get(key).add(element);
    element.dataset.v ??= element.textContent.trim();
    write(element, values.get(key) ?? element.dataset.v);
  }
  for (const element of document.querySelectorAll("time[data-as][datetime]:not([data-f])")) {
    write(element, element.getAttribute("datetime"));
  }
  const symbols = wantedSymbols();
  if (port && symbols.join() !== followed) {
    followed = symbols.join();
    port.postMessage({ do: "symbols", symbols });
  }
  showAges();
}

function wantedSymbols() {
  const symbols = new Set();
  for (const key of cells.keys()) if (key.startsWith("quote:")) symbols.add(symbolOf(key));
  for (const element of document.querySelectorAll("[data-follow]")) {
    for (const symbol of element.dataset.follow.split(/\s+/)) if (symbol) symbols.add(symbol);
  }
  for (const { dataset } of document.querySelectorAll("[data-marks]")) {
    if (dataset.marks) symbols.add(`mark:${dataset.marks}`);
  }
  return [...symbols].sort();
}

// --- what arrives

function told({ data: message }) {
  switch (message.is) {
    case "state":
      state = { name: message.name, since: message.since, retryAt: message.retryAt };
      document.documentElement.dataset.live = state.name;
      showAges();
      tell("state", state);
      break;
    case "beat":
      beat = { ...message.data, at: Date.now() };
      skew = Date.parse(beat.t) - beat.at;
      showAges();
      tell("beat", message.data);
      break;
    case "quote": quoted(message.data); break;
    case "mark": marked(message.data); break;
    case "row": rowed(message); break;
    case "reset": reload(); break;
    case "rejoin": join(); break;
  }
}

function quoted(quote) {
  instants.set(quote.k, Date.parse(quote.t));
  if (quote.sim) simulated.add(quote.k);
  else simulated.delete(quote.k);
  for (const [name, value] of Object.entries(quote)) {
    if (name !== "k") set(`quote:${quote.k}.${name}`, value);
  }
  tell("quote", quote);
}

function marked(mark) {
  valued(mark.k, mark);
  tell("mark", mark);
}

function valued(k, row) {
  if (row.mark_at) markedAt.set(k, Date.parse(row.mark_at));
  for (const [name, value] of Object.entries(row)) {
    if (name !== "k") set(`mark:${k}.${name}`, value);
  }
}

function rowed({ p, topic, data }) {
  if (cursor !== null && p <= cursor) return;
  cursor = p;
  const { execution, ...row } = data;
  if (execution) tell("execution", { p, ...execution });
  if (topic === "position") valued(row.id, row.row);
  tell(topic, { p, ...row });
}

function reload() {
  if (!tell("reset", null)) return;
  const last = Number(sessionStorage.getItem(RELOADED_AT) ?? 0);
  const wait = Math.max(0, last + RELOAD_AT_MOST_EVERY_MS - Date.now());
  setTimeout(() => {
    sessionStorage.setItem(RELOADED_AT, String(Date.now()));
    location.reload();
  }, wait);
}

// --- ages and lights

function showAges() {
  const now = Date.now() + skew;
  for (const [key, elements] of cells) {
    const isMark = key.startsWith("mark:");
    const known = (isMark ? markedAt : instants).get(symbolOf(key));
    for (const element of elements) {
      if (isMark && element.dataset.at === undefined) continue;
      const made = known ?? (isMark ? Date.parse(element.dataset.at) || undefined : undefined);
      const limit = Number(element.dataset.maxAge ?? QUOTE_MAX_AGE_MS);
      if (made === undefined || now - made > limit) {
        element.dataset.stale = made === undefined ? "" : age(now - made);
      } else {
        delete element.dataset.stale;
      }
    }
  }
  light("app", ...appLight());
  light("feed", ...feedLight(now));
  light("broker", ...brokerLight());
  for (const [name, text] of Object.entries(facts())) {
    for (const element of document.querySelectorAll(`[data-health="${name}"]`)) {
      if (element.textContent !== text) element.textContent = text;
    }
  }
}

function facts() {
  const [shape, , words] = appLight();
  return {
    cursor: cursor === null ? "\u2014" : number(String(cursor)),
    state: `${shape} ${words}`,
    beat: beat ? `${age(Date.now() - beat.at)} ago` : "none yet",
  };
}

function light(name, shape, tone, words) {
  for (const element of document.querySelectorAll(`[data-light="${name}"]`)) {
    element.dataset.state = tone;
    const text = textOf(element.querySelector("[data-light-text]") ?? element);
    const said = `${shape} ${words}`;
    if (text.nodeValue !== said) text.nodeValue = said;
  }
}

function appLight() {
  const lost = age(Date.now() - state.since);
  switch (state.name) {
    case "live": return ["●", "ok", "live"];
    case "reconnecting": return ["◐", "warn", `reconnecting ${lost}`];
    case "offline": return ["○", "off", `offline since ${clock(state.since)}`];
    case "signed-out": return ["○", "off", "logged out"];
    default: return ["◐", "warn", "connecting"];
  }
}

function clock(ms) {
  return time(new Date(ms).toISOString(), { millis: false });
}

// The feeds of the symbols on this page: the oldest tells.
function feedLight(now) {
  const made = [...instants.values()].filter((instant) => !Number.isNaN(instant));
  if (made.length === 0) return ["○", "off", "no prices"];
  const latest = Math.max(...made);
  const label = simulated.size ? " SIM" : "";
  if (now - latest <= QUOTE_MAX_AGE_MS) return ["●", "ok", `live${label}`];
  if (now - latest <= FEED_GONE_MS) return ["◐", "warn", `last price ${age(now - latest)} ago`];
  return ["○", "off", `no price since ${clock(latest - skew)}`];
}

const BROKER_WORDS = {
  UP: ["●", "ok", "live"],
  CONNECTING: ["◐", "warn", "connecting"],
  SYNCING: ["◐", "warn", "catching up"],
  DISABLED: ["○", "off", "switched off"],
  DOWN: ["○", "off", "down"],
};
const WORST_FIRST = ["DOWN", "CONNECTING", "SYNCING", "DISABLED", "UP"];

function brokerLight() {
  if (state.name !== "live" || !beat?.brokers) return ["◐", "warn", "not known"];
  const account = document.body.dataset.account;
  const states = account ? [beat.brokers[account]] : Object.values(beat.brokers);
  const known = states.filter(Boolean);
  if (known.length === 0) return ["○", "off", "no account"];
  const worst = WORST_FIRST.find((name) => known.includes(name)) ?? known[0];
  return BROKER_WORDS[worst] ?? ["◐", "warn", worst.toLowerCase()];
}

// --- the connection

function join() {
  const symbols = wantedSymbols();
  followed = symbols.join();
  port.postMessage({ do: "join", cursor, symbols });
}

function use(newPort) {
  port = newPort;
  port.onmessage = told;
  port.start();
  join();
}

function shared(url) {
  const worker = new SharedWorker(url, { type: "module", name: "live" });
  worker.onerror = () => alone(url);
  use(worker.port);
}

// Without a shared worker every tab has a connection of its own, and none while it is hidden.
async function alone(url) {
  const { LiveHub } = await import(url);
  const hub = new LiveHub();
  const { port1, port2 } = new MessageChannel();
  hub.connect(port2);
  use(port1);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) port.postMessage({ do: "bye" });
    else join();
  });
}

// Every module of the page has run by then, so nobody misses the first rows.
function pageReady() {
  if (document.readyState === "complete") return Promise.resolve();
  return new Promise((resolve) => {
    addEventListener("DOMContentLoaded", resolve, { once: true });
    addEventListener("load", resolve, { once: true });
  });
}

/** Start the page's live connection; `worker` is the address of live-worker.js. */
export async function start(worker) {
  const given = document.querySelector("[data-cursor]")?.dataset.cursor;
  cursor = given ? Number(given) : null;
  await pageReady();
  scan();
  if (typeof SharedWorker === "undefined") alone(worker);
  else shared(worker);
  setInterval(showAges, 1000);
  setInterval(() => port?.postMessage({ do: "ping" }), PING_MS);
  addEventListener("pagehide", () => port?.postMessage({ do: "bye" }));
  addEventListener("pageshow", (event) => { if (event.persisted) join(); });
  addEventListener("online", () => port?.postMessage({ do: "retry" }));
  let isQueued = false;
  new MutationObserver(() => {
    if (isQueued) return;
    isQueued = true;
    queueMicrotask(() => { isQueued = false; scanIfCellsChanged(); });
  }).observe(document.body, { childList: true, subtree: true });
}

function scanIfCellsChanged() {
  const present = document.querySelectorAll("[data-f]");
  let count = 0;
  for (const elements of cells.values()) count += elements.size;
  const isSame = count === present.length
    && [...present].every((element) => cells.get(element.dataset.f)?.has(element));
  if (!isSame || wantedSymbols().join() !== followed) scan();
}
