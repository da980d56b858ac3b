// Cancels: one at once, many after one look at the list. A cancel is safe to repeat, so a lost answer
// of many is asked again as it was; what became of each order is what the stream then shows.

import { Lost, Refusal, ask, newRequestId } from "./ask.js";
import { number } from "./fmt.js";
import { settled } from "./orders-lost.js";
import { refusalNodes } from "./orders-note.js";
import { on } from "./live.js";
import { toast } from "./toasts.js";

const AT_ONCE = 100;
const ATTEMPTS = 5;
const PAUSE_MS = 2000;

/** `BUY 10 SPX at 1,100.25` of a row. */
export function titleOf(row) {
  const quantity = row.order_qty === undefined ? "" : `${number(row.order_qty)} `;
  return `${row.side} ${quantity}${row.symbol}${row.price ? ` at ${number(row.price)}` : ""}`;
}

/** Cancels one order: no dialog, it only takes risk away. */
export class Cancelling {
  #grid;
  #notes;
  #busy = new Set();

  constructor(grid, notes) {
    this.#grid = grid;
    this.#notes = notes;
  }

  async one(id) {
    const entry = this.#grid.entry(id);
    if (!entry || this.#busy.has(id)) return;
    const why = entry.row.why_not_cancel;
    if (why) return this.#notes.say(id, "warn", [`It cannot be cancelled: ${why}`]);
    this.#busy.add(id);
    const named = newRequestId();
    try {
      const answer = await ask(`/orders/${id}/cancel`, { cl_ord_id: named });
      this.#notes.clear(id);
      this.#grid.upsert(answer);
      toast(`${titleOf(entry.row)}: ${answer.says}`);
    } catch (error) {
      if (error instanceof Refusal) this.#refused(id, error.problem);
      else if (error instanceof Lost) await this.#lost(id, named);
      else throw error;
    } finally {
      this.#busy.delete(id);
    }
  }

  #refused(id, problem) {
    this.#notes.say(id, "error", refusalNodes(problem));
    toast(`Not cancelled: ${problem.detail}`, "error");
  }

  async #lost(id, named) {
    const said = (text) => this.#notes.say(id, "unknown", [text]);
    const state = await settled(id, named, said);
    if (state.entry) this.#grid.upsert(state.entry);
    if (state.is === "received") return this.#notes.say(id, "info", ["The cancel was received; its outcome follows here."]);
    if (state.is === "not_received") return this.#notes.say(id, "error", ["The server did not receive the cancel. Press x to cancel."]);
    said("Nobody answers. Whether the cancel was received is not known; pressing x again is safe.");
  }
}

/** The dialog that ends many orders. */
export class CancelMany {
  #grid;
  #dialog;
  #parts = {};
  #items = new Map();       // id -> {entry, line, state, isSettled}
  #isSending = false;
  #widen = null;

  constructor(grid) {
    this.#grid = grid;
    this.#dialog = grid.section.querySelector("[data-cancel-many]");
    if (!this.#dialog) return;
    for (const name of ["title", "says", "list", "close", "send"]) {
      this.#parts[name] = this.#dialog.querySelector(`[data-many-${name}]`);
    }
    this.#parts.send.addEventListener("click", () => this.#send());
    this.#dialog.addEventListener("keydown", (event) => {
      if (event.key === "X" && event.shiftKey && this.#widen && !this.#isSending) {
        event.preventDefault();
        event.stopPropagation();
        this.#widen();
      }
    });
    on("order", ({ id, row }) => this.#streamed(id, row));
  }

  /** Show the list; `says` tells where it comes from, `widen` asks for a longer one (Shift X). */
  open(entries, says, widen = null) {
    const able = entries.filter(({ row }) => !row.why_not_cancel);
    this.#widen = widen;
    this.#items.clear();
    this.#parts.list.replaceChildren();
    for (const entry of entries) this.#add(entry);
    this.#parts.title.textContent = able.length === 0
      ? "Nothing to cancel"
      : `Cancel ${able.length} order${able.length === 1 ? "" : "s"}`;
    this.#parts.says.textContent = says;
    this.#parts.send.textContent = this.#parts.title.textContent;
    this.#parts.send.hidden = able.length === 0;
    this.#parts.close.textContent = able.length === 0 ? "Close" : "Leave them";
    if (!this.#dialog.open) this.#dialog.showModal();
    (able.length ? this.#parts.send : this.#parts.close).focus();
  }

  #add(entry) {
    const { id, row } = entry;
    const line = document.createElement("li");
    const [what, state] = [document.createElement("span"), document.createElement("span")];
    const side = document.createElement("span");
    side.className = `bl-side bl-side--${row.side}`;
    side.textContent = row.side;
    what.append(side, ` ${titleOf(row).slice(row.side.length + 1)} \u00b7 ${row.account}`);
    state.className = "bl-many__state";
    state.textContent = row.why_not_cancel ? `not asked: ${row.why_not_cancel}` : row.status_word;
    line.append(what, state);
    line.dataset.id = id;
    this.#parts.list.append(line);
    this.#items.set(id, { entry, line, state, isAsked: false });
  }

  async #send() {
    if (this.#isSending) return;
    this.#isSending = true;
    this.#parts.send.disabled = true;
    const ids = [...this.#items].filter(([, { entry }]) => !entry.row.why_not_cancel).map(([id]) => id);
    const counts = { taken: 0, refused: 0, silent: 0 };
    for (let from = 0; from < ids.length; from += AT_ONCE) {
      await this.#sendSome(ids.slice(from, from + AT_ONCE), counts);
    }
    this.#isSending = false;
    this.#parts.send.disabled = false;
    this.#parts.send.hidden = true;
    this.#parts.close.textContent = "Close";
    this.#parts.close.focus();
    const words = [`${counts.taken} on their way`];
    if (counts.refused) words.push(`${counts.refused} not cancelled`);
    if (counts.silent) words.push(`${counts.silent} without an answer`);
    this.#parts.title.textContent = words.join(", ");
    toast(`Cancels: ${words.join(", ")}.`, counts.refused || counts.silent ? "warning" : "success");
  }

  async #sendSome(ids, counts) {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const { items, rows } = await ask("/orders/cancel", { ids: ids.join(",") });
        for (const { id, code, says } of items) {
          counts[code ? "refused" : "taken"] += 1;
          this.#tell(id, code ? `${code}: ${says}` : says, code ? "refused" : "taken");
        }
        for (const row of rows) this.#grid.upsert(row);
        return;
      } catch (error) {
        if (error instanceof Refusal) {
          counts.refused += ids.length;
          for (const id of ids) this.#tell(id, `${error.problem.code}: ${error.problem.detail}`, "refused");
          return;
        }
        if (!(error instanceof Lost)) throw error;
        const isOver = attempt === ATTEMPTS;
        const says = isOver ? "no answer; look at the row" : "no answer; asking again";
        for (const id of ids) this.#tell(id, says, "silent");
        if (isOver) {
          counts.silent += ids.length;
          return;
        }
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    }
  }

  #tell(id, says, outcome) {
    const item = this.#items.get(id);
    item.isAsked = outcome !== "refused";
    item.line.dataset.outcome = outcome;
    item.state.textContent = says;
  }

  // What the venue made of it, while the list is open.
  #streamed(id, row) {
    const item = this.#items.get(id);
    if (!item?.isAsked || row.is_open) return;
    item.line.dataset.outcome = row.ord_status === "CANCELED" ? "done" : "refused";
    item.state.textContent = row.ord_status;
  }
}
