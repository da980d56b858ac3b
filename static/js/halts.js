// The halts in force, as the banner carries them: the ticket says why it cannot send, and the
// title of the tab says what the banner says.

import { apply, stop } from "./writes.js";

const WORDS = { tenant: "the whole firm" };
const MARK = /^\[\w\]/;

function inForce() {
  return [...document.querySelectorAll("#banner [data-halt]")].map(({ dataset }) => ({
    scope: dataset.halt, target: dataset.target, state: dataset.firmly, says: dataset.says,
  }));
}

/** The halt that stops an order with these names, null where it may go. */
export function halting({ account, symbol, strategy }) {
  const names = { account, instrument: symbol, strategy, venue: document.body.dataset.venue };
  const covers = ({ scope, target }) => scope === "tenant" || (target && names[scope] === target);
  return inForce().find((halt) => halt.state === "HALTED" && covers(halt)) ?? null;
}

function stoppedTickets() {
  const stopped = new Map();
  for (const form of document.querySelectorAll("form[data-ticket]")) {
    const value = (name) => form.elements[name]?.value ?? "";
    const found = halting({
      account: value("account"), symbol: value("symbol"), strategy: value("strategy"),
    });
    if (!found) continue;
    const where = WORDS[found.scope] ?? `${found.scope} ${found.target}`;
    for (const button of form.querySelectorAll("[data-send]")) {
      stopped.set(button, `Halted (${where}): ${found.says}. Cancels still pass.`);
    }
  }
  return stopped;
}

function name() {
  const kind = document.querySelector("#banner")?.dataset.kind;
  if (kind) document.title = document.title.replace(MARK, `[${kind[0].toUpperCase()}]`);
}

/** Follow the banner. */
export function start() {
  stop("halt", stoppedTickets);
  document.addEventListener("htmx:after:swap", name);
  document.addEventListener("change", (event) => {
    if (event.target.closest?.("form[data-ticket]")) apply();
  });
}
