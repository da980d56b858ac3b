// The life of an order on a page or in the drawer: read again when it moves, ages that run.
//
//   <div id="life" data-life="01J…" data-now="…Z" hx-get="/orders/01J…" hx-trigger="life:changed">
//
// The server's answer is morphed in: events grow at the end, nothing that is read moves. While an
// outcome is unknown the order is read every two seconds as well, because a look-up that found
// nothing tells nobody. `data-age` holds an instant; its element shows how long ago that was.

import { connection, on } from "./live.js";

const PAUSE_MS = 300;
const UNKNOWN_MS = 2_000;
const POLL_MS = 5_000;

const timers = new WeakMap();
let polled = 0;

function lives() {
  return [...document.querySelectorAll("[data-life]")];
}

// The first news is read soon, and whatever comes while it is read is read after it.
function changed(life) {
  if (timers.has(life)) return;
  timers.set(life, setTimeout(() => {
    timers.delete(life);
    if (life.isConnected) life.dispatchEvent(new CustomEvent("life:changed"));
  }, PAUSE_MS));
}

function clock(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const part = (value) => String(value).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const rest = `${part(Math.floor((seconds % 3600) / 60))}:${part(seconds % 60)}`;
  return hours ? `${hours}:${rest}` : rest;
}

// The server's clock counts: the page says what it was when it was made.
function showAges() {
  for (const life of lives()) {
    if (life.dataset.made !== life.dataset.now) {
      life.dataset.made = life.dataset.now;
      life.ahead = Date.parse(life.dataset.now) - Date.now();
    }
    for (const element of life.querySelectorAll("[data-age]")) {
      const text = clock(Date.now() + life.ahead - Date.parse(element.dataset.age));
      if (element.textContent !== text) element.textContent = text;
    }
  }
}

function poll() {
  showAges();
  if (document.hidden || connection().name === "signed-out") return;
  const isLost = !["live", "connecting"].includes(connection().name);
  polled += 1;
  for (const life of lives()) {
    const every = "unknown" in life.dataset ? UNKNOWN_MS : POLL_MS;
    const isDue = polled % (every / 1000) === 0;
    if (isDue && ("unknown" in life.dataset || isLost)) changed(life);
  }
}

async function copied(button) {
  const says = button.textContent;
  try {
    await navigator.clipboard.writeText(new URL(button.dataset.copy, location.href).href);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Not allowed here";  // the browser refuses without a secure address
  }
  setTimeout(() => { button.textContent = says; }, 1500);
}

/** Follow the orders shown on the page and in the drawer. */
export function start() {
  on("order", ({ id }) => {
    for (const life of lives()) if (life.dataset.life === id) changed(life);
  });
  document.addEventListener("htmx:after:swap", showAges);
  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-copy]");
    if (button) copied(button);
  });
  showAges();
  setInterval(poll, 1000);
}
