// What panels and buttons say while the live connection is lost.
//
// Without the stream, but with the server in reach, panels are read again each few seconds and say
// so (stale). With nobody in reach they keep their values, dimmed, and nothing can be written
// (offline). Back again, they are what the server last said they are.

import { time } from "./fmt.js";
import { connection, on } from "./live.js";
import { controls, stop } from "./writes.js";

const POLL_MS = 5_000;
const LOST = new Set(["reconnecting", "offline"]);
const KEPT = new Set(["ready", "empty", "stale", "offline"]);
let reached = true;

function isLost() {
  return LOST.has(connection().name);
}

function since() {
  return time(new Date(connection().since).toISOString(), { millis: false });
}

function sentence(panel) {
  if (!reached) return `No connection since ${since()}. The values are those of then.`;
  const how = panel.matches("[data-region]") ? `read again every ${POLL_MS / 1000} s` : "as of then";
  return `No live connection since ${since()}: ${how}.`;
}

function show() {
  for (const panel of document.querySelectorAll(".bl-panel[data-state]")) {
    const strip = panel.querySelector(":scope > [data-strip]");
    if (!strip || !KEPT.has(panel.dataset.state)) continue;
    if (isLost()) {
      panel.dataset.was ??= panel.dataset.state;
      panel.dataset.state = reached ? "stale" : "offline";
      strip.textContent = sentence(panel);
    } else if (panel.dataset.was) {
      panel.dataset.state = panel.dataset.was;
      delete panel.dataset.was;
      strip.textContent = "";
    }
  }
  stop("line", stopped);
}

function stopped() {
  if (connection().name === "signed-out") return all("You are logged out: log in again.");
  return isLost() && !reached ? all(`No connection since ${since()}: nothing can be sent.`) : new Map();
}

function all(reason) {
  return new Map([...controls()].map((element) => [element, reason]));
}

async function isReached() {
  try {
    return (await fetch("/health/live", { cache: "no-store", signal: AbortSignal.timeout(POLL_MS) })).ok;
  } catch {
    return false;  // whatever the reason: nobody is in reach, and the panels say so
  }
}

async function poll() {
  if (!isLost() || document.hidden) return;
  reached = await isReached();
  show();
  if (!reached || !isLost()) return;
  for (const panel of document.querySelectorAll("[data-region]")) {
    panel.dispatchEvent(new CustomEvent("region:due"));
  }
}

/** Follow the state of the connection. */
export function start() {
  on("state", () => {
    if (!isLost()) reached = true;
    show();
    if (isLost()) poll();
  });
  document.addEventListener("htmx:after:swap", ({ target }) => {
    delete target.dataset?.was;
    show();
  });
  setInterval(poll, POLL_MS);
}
