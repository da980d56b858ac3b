// The positions panel: rows are moved through by arrows, f fills the ticket with the opposite order.
// Figures come as cells (live.js); rows come and go with the panel, which htmx reads again.

import { fill } from "./ticket.js";

const MOVES = { ArrowDown: 1, ArrowUp: -1 };

function rows() {
  return [...document.querySelectorAll("[data-positions] tbody tr[data-id]")];
}

function wayOf(row) {
  return row.querySelector("[data-flatten]")?.href ?? null;
}

// The row somebody is in, else that of the ticket's instrument, else the only one.
function meant() {
  const all = rows();
  const focused = document.activeElement?.closest?.("[data-positions] tr[data-id]");
  const symbol = document.querySelector("#ticket [name=symbol]")?.value;
  return focused ?? all.find((row) => row.dataset.symbol === symbol)
    ?? (all.length === 1 ? all[0] : null);
}

function flatten(row) {
  const address = row && wayOf(row);
  if (!address) return;
  const wanted = new URL(address).searchParams;
  fill(Object.fromEntries(
    ["symbol", "side", "ord_type", "order_qty"].map((field) => [field, wanted.get(field)]),
  ));
}

document.addEventListener("keydown", (event) => {
  const row = event.target.closest?.("[data-positions] tr[data-id]");
  const by = MOVES[event.key];
  if (!row || event.target !== row || !by || event.ctrlKey || event.altKey) return;
  event.preventDefault();
  const all = rows();
  const next = all[Math.min(all.length - 1, Math.max(0, all.indexOf(row) + by))];
  row.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
});
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("[data-flatten]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  flatten(link.closest("tr"));
});
document.body.addEventListener("page:act", ({ detail }) => {
  if (detail.verb === "flatten") flatten(meant());
});
