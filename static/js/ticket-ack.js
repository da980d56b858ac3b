// What the venue said of the order sent last: its status, and how long the first word took.

import { number } from "./fmt.js";
import { on } from "./live.js";

const KEPT_ROWS = 100;
const rows = new Map();             // the newest row of orders seen lately, by id
const acknowledged = new Map();     // order id -> ms from taken to the venue's first word

function keep(map, key, value) {
  map.delete(key);
  map.set(key, value);
  if (map.size > KEPT_ROWS) map.delete(map.keys().next().value);
}

/** Show what is known in the `[data-sent]` of a panel, if the stream has told of that order. */
export function showAck(panel) {
  const sent = panel.querySelector("[data-sent]");
  const row = sent && rows.get(sent.dataset.sent);
  if (!row) return;
  const line = sent.querySelector("[data-ack]");
  if (row.ord_status === "PENDING_NEW") {
    if (row.unknown_since) {
      line.textContent = "? The venue's answer is unknown; the order may work there.";
    }
    return;
  }
  const isFilled = row.cum_qty && row.cum_qty !== "0";
  const filled = isFilled
    ? ` · ${number(row.cum_qty)} of ${number(row.order_qty)} at ${number(row.avg_px, { places: 2 })}`
    : "";
  const ms = acknowledged.get(sent.dataset.sent);
  const why = row.ord_status === "REJECTED" && row.text ? `: ${row.text.replaceAll("_", " ")}` : "";
  const waits = ["waiting", "kept here"].includes(row.status_word) ? `, ${row.status_word}` : "";
  line.textContent = `${row.ord_status}${why}${waits}${filled} · acknowledged in ${ms} ms`;
}

/** Follow the orders of the page for the ticket's panel. */
export function follow(panel) {
  on("order", ({ id, row }) => {
    keep(rows, id, row);
    if (row.ord_status !== "PENDING_NEW" && !acknowledged.has(id)) {
      keep(acknowledged, id, Date.parse(row.updated_at) - Date.parse(row.created_at));
    }
    showAck(panel);
  });
}
