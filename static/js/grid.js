// A server-rendered table that stays alive: rows keyed by id, and nothing moves under the reader.
//
//   <section data-grid="orders" data-topic="order" data-most="200">
//     <button type="button" data-pill hidden></button>
//     <table role="grid" aria-label="Orders">
//       <thead>…</thead>
//       <tbody><tr data-id="01J…" data-v="7"><td data-c="symbol">SPX</td>…</tr></tbody>
//     </table>
//     <template><tr><td data-c="symbol"></td>…</tr></template>
//   </section>
//
// A cell names its field (data-c) and its form (data-as, see fmt.js); data-v of a cell is its exact
// value. data-steps of the section ("SPX:0.01 IXIC:0.01") are the tick sizes prices are shown by. Cells and rows are filled by text nodes and attributes only. While the pointer or the
// focus is inside, or the list is scrolled away from its newest end, cells of present rows change
// in place but no row comes, goes or moves: new ones wait behind the pill. The section fires
// `grid:open` (Enter) and `grid:select` with ids in detail.

import { on, write } from "./live.js";

const MOST_ROWS = 200;
const PAGE = 10;

/** One table of the page. */
export class Grid {
  #section;
  #table;
  #body;
  #template;
  #pill;
  #scroller;
  #rows = new Map();        // id -> tr
  #waiting = new Map();     // id -> {id, v, row}: new rows held back, newest last
  #leaving = new Set();     // ids that go once nobody is looking
  #selected = new Set();
  #anchor = null;
  #current = null;          // the cell that has the tab stop
  #hasPointer = false;
  #most;
  #steps;

  constructor(section) {
    this.#section = section;
    this.#table = section.querySelector("table");
    this.#body = this.#table.tBodies[0];
    this.#template = section.querySelector("template").content.querySelector("tr");
    this.#pill = section.querySelector("[data-pill]");
    this.#scroller = section.querySelector("[data-scroll]") ?? section;
    this.#most = Number(section.dataset.most ?? MOST_ROWS);
    const steps = (section.dataset.steps ?? "").split(/\s+/).filter(Boolean);
    this.#steps = new Map(steps.map((pair) => pair.split(":")));
    for (const tr of this.#body.rows) {
      if (tr.dataset.id === undefined) continue;
      this.#adopt(tr);
    }
    this.#number();
    this.#listen();
    this.#showPill();
    if (section.dataset.topic) on(section.dataset.topic, (row) => this.upsert(row));
  }

  /** How many rows wait behind the pill. */
  get waiting() {
    return this.#waiting.size;
  }

  /** The ids selected, in the order of the table. */
  get selected() {
    return [...this.#rows.keys()].filter((id) => this.#selected.has(id));
  }

  /** Insert a row at the newest end or bring it up to date; an older version changes nothing. */
  upsert({ id, v, row }) {
    const tr = this.#rows.get(id);
    if (tr) {
      if (Number(tr.dataset.v) < v) this.#fill(tr, v, row);
      return;
    }
    const held = this.#waiting.get(id);
    if (held && held.v >= v) return;
    if (this.#isHeld()) {
      this.#waiting.set(id, { id, v, row });
      this.#showPill();
    } else {
      this.#insert([{ id, v, row }]);
    }
  }

  /** Take a row out; while somebody is looking it stays, dimmed. */
  remove(id) {
    this.#waiting.delete(id);
    const tr = this.#rows.get(id);
    if (tr && this.#isHeld()) {
      tr.dataset.gone = "";
      this.#leaving.add(id);
    } else if (tr) {
      this.#drop(id);
      this.#number();
    }
    this.#showPill();
  }

  /** Show what waits. */
  release() {
    for (const id of this.#leaving) this.#drop(id);
    this.#leaving.clear();
    const rows = [...this.#waiting.values()];
    this.#waiting.clear();
    this.#insert(rows);
    this.#showPill();
  }

  // --- rows

  #isHeld() {
    return this.#hasPointer || this.#table.contains(document.activeElement)
      || this.#scroller.scrollTop > 0;
  }

  #adopt(tr) {
    this.#rows.set(tr.dataset.id, tr);
    tr.setAttribute("aria-selected", "false");
    for (const cell of tr.cells) {
      cell.setAttribute("role", "gridcell");
      cell.tabIndex = -1;
      if (cell.dataset.c !== undefined) {
        cell.dataset.v ??= cell.textContent.trim();
      }
    }
    this.#paint(tr);
  }

  #paint(tr) {
    const symbol = [...tr.cells].find((cell) => cell.dataset.c === "symbol")?.dataset.v;
    const step = this.#steps.get(symbol);
    for (const cell of tr.cells) {
      if (cell.dataset.c === undefined) continue;
      if (cell.dataset.as === "px" && step !== undefined) cell.dataset.step = step;
      write(cell, cell.dataset.v);
    }
  }

  #fill(tr, v, row) {
    tr.dataset.v = String(v);
    for (const cell of tr.cells) {
      const name = cell.dataset.c;
      if (name !== undefined && name in row) cell.dataset.v = row[name];
    }
    this.#paint(tr);
    if (row.ord_status !== undefined) tr.dataset.status = row.ord_status;
    if (row.side !== undefined) tr.dataset.side = row.side;
    tr.dataset.fresh = "";
  }

  // Rows come oldest first; the newest ends on top.
  #insert(rows) {
    if (rows.length === 0) return;
    for (const { id, v, row } of rows) {
      const tr = document.importNode(this.#template, true);
      tr.dataset.id = id;
      tr.dataset.v = "-1";
      this.#adopt(tr);
      this.#fill(tr, v, row);
      this.#body.prepend(tr);
    }
    while (this.#rows.size > this.#most) {
      const last = this.#body.querySelector("tr[data-id]:last-of-type");
      if (!last) break;
      this.#drop(last.dataset.id);
    }
    this.#number();
    this.#section.dispatchEvent(new CustomEvent("grid:rows", { bubbles: true }));
  }

  #drop(id) {
    const tr = this.#rows.get(id);
    if (!tr) return;
    if (this.#current && tr.contains(this.#current)) this.#current = null;
    tr.remove();
    this.#rows.delete(id);
    if (this.#selected.delete(id)) this.#tellSelected();
  }

  #number() {
    this.#table.setAttribute("aria-rowcount", String(this.#rows.size + 1));
    const rows = this.#body.querySelectorAll("tr[data-id]");
    rows.forEach((tr, index) => tr.setAttribute("aria-rowindex", String(index + 2)));
    for (const empty of this.#body.querySelectorAll("tr:not([data-id])")) {
      empty.hidden = rows.length > 0;
    }
    if (!this.#current?.isConnected && rows.length) this.#move(rows[0].cells[0], false);
  }

  #showPill() {
    if (!this.#pill) return;
    const count = this.#waiting.size;
    this.#pill.hidden = count === 0;
    this.#pill.textContent = count === 0 ? "" : `${count} new`;
  }

  // --- people

  #listen() {
    const table = this.#table;
    table.addEventListener("pointerenter", () => { this.#hasPointer = true; });
    table.addEventListener("pointerleave", () => { this.#hasPointer = false; this.#settle(); });
    table.addEventListener("focusout", () => setTimeout(() => this.#settle(), 0));
    table.addEventListener("focusin", ({ target }) => this.#focused(target));
    table.addEventListener("keydown", (event) => this.#key(event));
    table.addEventListener("click", (event) => this.#click(event));
    this.#scroller.addEventListener("scroll", () => this.#settle(), { passive: true });
    this.#pill?.addEventListener("click", () => {
      this.#scroller.scrollTop = 0;
      this.release();
    });
  }

  #settle() {
    if (!this.#isHeld() && (this.#waiting.size || this.#leaving.size)) this.release();
  }

  #focused(target) {
    const cell = target.closest("td, th");
    if (cell && this.#rows.get(cell.parentElement.dataset.id)) this.#move(cell, false);
  }

  #move(cell, focus = true) {
    if (this.#current) this.#current.tabIndex = -1;
    this.#current = cell;
    cell.tabIndex = 0;
    delete cell.parentElement.dataset.fresh;
    if (focus) cell.focus();
  }

  #click(event) {
    const tr = event.target.closest("tr[data-id]");
    if (!tr || event.target.closest("a, button, input, select")) return;
    if (event.shiftKey) this.#selectTo(tr.dataset.id);
    else if (event.ctrlKey || event.metaKey) this.#toggle(tr.dataset.id);
    else this.#only(tr.dataset.id);
  }

  #key(event) {
    const cell = event.target.closest("td, th");
    const tr = cell?.parentElement;
    if (!tr || !this.#rows.has(tr.dataset.id) || event.target !== cell) return;
    if (event.altKey || event.metaKey) return;
    const rows = [...this.#body.querySelectorAll("tr[data-id]")];
    const row = rows.indexOf(tr);
    const column = [...tr.cells].indexOf(cell);
    const last = tr.cells.length - 1;
    let [toRow, toColumn] = [row, column];
    switch (event.key) {
      case "ArrowDown": toRow += 1; break;
      case "ArrowUp": toRow -= 1; break;
      case "ArrowRight": toColumn += 1; break;
      case "ArrowLeft": toColumn -= 1; break;
      case "PageDown": toRow += PAGE; break;
      case "PageUp": toRow -= PAGE; break;
      case "Home": toColumn = 0; if (event.ctrlKey) toRow = 0; break;
      case "End": toColumn = last; if (event.ctrlKey) toRow = rows.length - 1; break;
      case " ": event.preventDefault(); this.#toggle(tr.dataset.id); return;
      case "Enter": this.#open(event, tr.dataset.id); return;
      default: return;
    }
    event.preventDefault();
    const target = rows[Math.min(rows.length - 1, Math.max(0, toRow))];
    this.#move(target.cells[Math.min(last, Math.max(0, toColumn))]);
    if (event.shiftKey && target !== tr) {
      this.#anchor ??= tr.dataset.id;
      this.#selectTo(target.dataset.id);
    }
  }

  #open(event, id) {
    event.preventDefault();
    const detail = { id, page: event.ctrlKey };
    this.#section.dispatchEvent(new CustomEvent("grid:open", { detail, bubbles: true }));
  }

  // --- selection

  #only(id) {
    this.#selected = new Set([id]);
    this.#anchor = id;
    this.#tellSelected();
  }

  #toggle(id) {
    if (!this.#selected.delete(id)) this.#selected.add(id);
    this.#anchor = id;
    this.#tellSelected();
  }

  #selectTo(id) {
    const ids = [...this.#body.querySelectorAll("tr[data-id]")].map((tr) => tr.dataset.id);
    const from = Math.max(0, ids.indexOf(this.#anchor ?? id));
    const to = ids.indexOf(id);
    this.#selected = new Set(ids.slice(Math.min(from, to), Math.max(from, to) + 1));
    this.#tellSelected();
  }

  #tellSelected() {
    for (const [id, tr] of this.#rows) {
      tr.setAttribute("aria-selected", String(this.#selected.has(id)));
    }
    const detail = { ids: this.selected };
    this.#section.dispatchEvent(new CustomEvent("grid:select", { detail, bubbles: true }));
  }
}

/** Bring every table of the page to life. */
export function enhanceAll(root = document) {
  return [...root.querySelectorAll("[data-grid]")].map((section) => new Grid(section));
}
