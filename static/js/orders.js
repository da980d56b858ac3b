// The orders blotter of the desk and the Orders page: what a grid of orders can do besides showing
// them. Keys come from portal/frame/keys.py by way of `page:act`; every verb also works as a plain form.

import { Amending } from "./orders-amend.js";
import { CancelMany, Cancelling } from "./orders-cancel.js";
import { OrderList } from "./orders-list.js";
import { RowMenu } from "./orders-menu.js";
import { Notes } from "./orders-note.js";
import { Refusal, Lost, ask } from "./ask.js";
import { Grid } from "./grid.js";
import { toast } from "./toasts.js";

const COPIED = [
  "id", "created_at", "account", "mode", "symbol", "side", "ord_type", "order_qty", "price",
  "time_in_force", "ord_status", "cum_qty", "leaves_qty", "avg_px", "strategy", "source",
  "cl_ord_id", "order_id", "text",
];

class Blotter {
  #grid;
  #list;
  #notes;
  #amending;
  #cancelling;
  #many;
  #menu;
  #bar;

  constructor(section) {
    this.#grid = new Grid(section);
    this.#list = new OrderList(this.#grid);
    this.#notes = new Notes(this.#grid);
    this.trades = "trades" in section.dataset;
    this.#amending = new Amending(this.#grid, this.#notes);
    this.#cancelling = new Cancelling(this.#grid, this.#notes);
    this.#many = new CancelMany(this.#grid);
    this.#menu = new RowMenu(this.#grid, (id) => this.#menuOf(id));
    this.#bar = section.querySelector("[data-bar]");
    section.addEventListener("grid:select", () => this.#showBar());
    section.addEventListener("grid:change", () => this.#showBar());
    section.addEventListener("grid:open", (event) => setTimeout(() => {
      if (!event.defaultPrevented) this.#open(event.detail);
    }, 0));
    section.addEventListener("click", (event) => this.#clicked(event));
    section.addEventListener("keydown", (event) => this.#escaped(event));
  }

  get grid() { return this.#grid; }

  /** Do a verb of the keys, the bar, the palette or the menu. */
  do(verb) {
    const id = this.#grid.current;
    switch (verb) {
      case "down": return this.#grid.step(1);
      case "up": return this.#grid.step(-1);
      case "release": return this.#grid.release();
      case "clear": return this.#grid.select([]);
      case "sort": return this.#list.sortBy(this.#grid.column);
      case "filter": return document.querySelector("#f-q")?.focus();
      case "copy": return this.#copy();
      case "cancel-all": return this.trades && this.#cancelAll();
    }
    if (id === null) return toast("There is no order to do this with.", "info");
    if (!this.#grid.hasFocus && this.#grid.selected.length === 0) {
      this.#grid.focus(id);
      return toast("Choose an order first: j and k or the arrows move, then press the key again.", "info");
    }
    if (verb === "menu") return this.#menu.open(id);
    if (!this.trades) return undefined;
    if (verb === "amend") return this.#amend();
    if (verb === "cancel") return this.#cancel();
    return undefined;
  }

  #chosen() {
    const { selected } = this.#grid;
    return selected.length ? selected : [this.#grid.current].filter(Boolean);
  }

  #amend() {
    const ids = this.#chosen();
    if (ids.length === 1) return this.#amending.start(ids[0]);
    return toast("Amend one order at a time: select a single row.", "info");
  }

  #cancel() {
    const ids = this.#chosen();
    if (ids.length === 1) return this.#cancelling.one(ids[0]);
    const entries = ids.map((id) => this.#grid.entry(id));
    return this.#many.open(entries, `The ${ids.length} orders selected.`);
  }

  // On the desk the symbol in the ticket comes first, Shift X once more widens to the account.
  async #cancelAll(isWide = false) {
    const symbol = isWide ? null : this.#list.narrowSymbol;
    const query = this.#list.queryOf(symbol ? { symbol } : {});
    try {
      const { rows } = await ask(`/portal/rows/orders/open?${query}`);
      const where = this.#list.says(symbol);
      const more = symbol ? " Shift X again takes every symbol of the account." : "";
      this.#many.open(rows, `Every open order ${where}.${more}`, symbol ? () => this.#cancelAll(true) : null);
    } catch (error) {
      if (error instanceof Refusal) toast(error.problem.detail, "error");
      else if (error instanceof Lost) toast("The server does not answer; nothing was cancelled.", "error");
      else throw error;
    }
  }

  async #copy() {
    const rows = this.#chosen().map((id) => this.#grid.entry(id));
    if (rows.length === 0) return;
    const line = ({ id, row }) => COPIED.map((name) => (name === "id" ? id : row[name] ?? "")).join("\t");
    const text = [COPIED.join("\t"), ...rows.map(line)].join("\n");
    if (!navigator.clipboard) return toast("This browser lets pages copy over https only.", "warning");
    await navigator.clipboard.writeText(text);
    toast(`${rows.length} row${rows.length === 1 ? "" : "s"} copied.`);
  }

  #menuOf(id) {
    const { row } = this.#grid.entry(id);
    const role = this.trades ? "" : "your role may look, not trade";
    return [
      { says: "Open", keys: "Enter", run: () => this.#tellOpen(id) },
      { says: "Open its own page", keys: "Ctrl Enter", run: () => this.#open({ id }) },
      { says: "Amend in place", keys: "e", why: role || row.why_not_amend, run: () => this.#amending.start(id) },
      { says: "Cancel", keys: "x", why: role || row.why_not_cancel, run: () => this.#cancelling.one(id) },
      { says: "Copy the row", keys: "c", run: () => this.#copy() },
      { says: `Only ${row.symbol}`, run: () => location.assign(`/orders?symbol=${encodeURIComponent(row.symbol)}`) },
    ];
  }

  #tellOpen(id) {
    const detail = { id, page: false };
    this.#grid.section.dispatchEvent(
      new CustomEvent("grid:open", { detail, bubbles: true, cancelable: true }),
    );
  }

  #open({ id }) {
    location.assign(`/orders/${id}`);
  }

  #clicked(event) {
    const verb = event.target.closest("[data-verb]");
    if (!verb || event.ctrlKey || event.metaKey) return;
    const id = verb.closest("tr[data-id]").dataset.id;
    event.preventDefault();
    if (verb.dataset.verb === "amend") this.#amending.start(id);
    else this.#cancelling.one(id);
  }

  #escaped(event) {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    const id = event.target.closest?.("tr[data-id]")?.dataset.id;
    if (id && this.#notes.clear(id)) event.stopPropagation();
  }

  // --- the bar: verbs that hold for all selected, the others with their reason

  #showBar() {
    if (!this.#bar) return;
    const rows = this.#grid.selected.map((id) => this.#grid.entry(id).row);
    this.#bar.hidden = rows.length === 0;
    this.#bar.parentElement.toggleAttribute("data-selecting", rows.length > 0);
    this.#bar.querySelector("[data-bar-count]").textContent = `${rows.length} selected`;
    const why = [
      this.#allow("grid:cancel", this.#hindrance(rows, "why_not_cancel", "cancel")),
      this.#allow("grid:amend", rows.length > 1 ? "Amend takes one order." : this.#hindrance(rows, "why_not_amend", "amend")),
    ].filter(Boolean);
    this.#bar.querySelector("[data-bar-why]").textContent = why.join(" ");
  }

  #hindrance(rows, field, verb) {
    const hindered = rows.filter((row) => row[field]);
    if (hindered.length === 0) return "";
    const [first] = hindered;
    const said = `${first.ord_status}: ${first[field]}`;
    if (verb === "cancel" && hindered.length < rows.length) {
      return `${hindered.length} of ${rows.length} will be left out (${said})`;
    }
    return `Cannot ${verb}: ${said}`;
  }

  #allow(act, why) {
    const button = this.#bar.querySelector(`[data-act="${act}"]`);
    button.disabled = Boolean(why) && !why.includes("left out");
    button.title = why || button.title;
    return why;
  }
}

let blotters = [];

// The blotter a key is meant for: the one with the focus, else the page's first.
function meant() {
  return blotters.find(({ grid }) => grid.section.contains(document.activeElement)) ?? blotters[0];
}

/** Bring the blotters of the page to life. */
export function start() {
  blotters = [...document.querySelectorAll("[data-blotter]")].map((section) => new Blotter(section));
  document.body.addEventListener("page:act", ({ detail: { verb, object } }) => {
    if (verb === "grid") meant()?.do(object);
  });
}
