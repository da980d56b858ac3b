// A server-rendered table that stays alive: rows keyed by id, and nothing moves under the reader.
//
//   <section data-grid="orders" data-topic="order" data-most="200">
//     <button type="button" data-pill hidden></button>
//     <div data-scroll>
//       <table role="grid" aria-label="Orders">
//         <thead><tr><th data-col="time" aria-sort="descending"><a data-sort="time">…</a></th>…
//         <tbody><tr data-id="01J…" data-v="7"><td data-c="symbol">SPX</td>…</tr></tbody>
//       </table>
//     </div>
//     <div data-empty hidden>…</div>
//     <template><tr><td data-c="symbol"></td>…</tr></template>
//   </section>
//
// Parts of a row, cells or elements inside them, name what they follow:
//   data-c="price"              the text, written as data-as says (fmt.js); data-v holds the value
//   data-private                dots in its place while amounts are hidden
//   data-tone-of, data-title-of a field that becomes data-tone, title
//   data-if, data-unless        shown while the field is not empty, while it is
//   data-link="/orders/"        href: the id behind it, then data-link-end; data-action: formaction
//   data-pick                   a checkbox that selects the row
// data-rest of a row is JSON of fields no part carries. Text nodes and attributes only, never markup.
//
// On the section: data-topic (of live.js), data-most (rows kept), data-steps ("SPX:0.01 IXIC:0.01",
// the tick sizes prices are shown by), data-sort ("-time": newest first), data-conditions (JSON of
// what a row must be like), data-window (with a data-scroll of a fixed height and rows of one
// height: only rows in sight have nodes). Everything but the table, the body and the template may
// be left out.
//
// While the pointer or the focus is inside, or the list is scrolled away from its top, cells of
// present rows change in place but no row comes, goes or moves: new ones wait behind the pill, and
// rows that no longer belong stay, dimmed (data-gone). Events of the section, with ids in detail:
// `grid:open` {id, page} (Enter, and Ctrl Enter for the page; cancel it where you handled it),
// `grid:select` {ids}, `grid:rows`, `grid:end` (scrolled near the last row), `grid:missed` (more
// waited than are kept: the list must be read anew).

import { Cursor } from "./grid-cursor.js";
import { Model, isNewer, matches } from "./grid-model.js";
import { View } from "./grid-view.js";
import { on } from "./live.js";

const MOST_ROWS = 200;
const MOST_WAITING = 500;
const FRESH_MS = 6000;
const NEAR_END_ROWS = 40;

/** One table of the page. */
export class Grid {
  #section;
  #table;
  #pill;
  #scroller;
  #empty;
  #view;
  #model;
  #cursor;
  #conditions;
  #waiting = new Map();     // id -> entry: new rows held back, newest last
  #missed = false;          // more waited than are kept
  #leaving = new Set();     // ids that go once nobody is looking
  #fresh = new Map();       // id -> the timer after which it counts as seen
  #pinned = new Set();      // ids that keep their node and their place
  #hasPointer = false;
  #framed = false;
  #most;
  #isWindowed;

  constructor(section) {
    this.#section = section;
    this.#table = section.querySelector("table");
    this.#pill = section.querySelector("[data-pill]");
    this.#scroller = section.querySelector("[data-scroll]") ?? section;
    this.#empty = section.querySelector("[data-empty]");
    this.#isWindowed = "window" in section.dataset;
    this.#most = Number(section.dataset.most ?? (this.#isWindowed ? 2000 : MOST_ROWS));
    this.#conditions = JSON.parse(section.dataset.conditions ?? "[]");
    const body = this.#table.tBodies[0];
    const steps = (section.dataset.steps ?? "").split(/\s+/).filter(Boolean);
    this.#view = new View({
      body,
      scroller: this.#scroller,
      template: section.querySelector("template").content.querySelector("tr"),
      steps: new Map(steps.map((pair) => pair.split(":"))),
      windowed: this.#isWindowed,
    });
    this.#model = new Model(section.dataset.sort);
    this.hasMore = Boolean(section.dataset.next);
    this.#adopt(body);
    this.#cursor = new Cursor(this, { section, table: this.#table, view: this.#view, model: this.#model });
    this.#listen();
    this.render();
    if (section.dataset.topic) on(section.dataset.topic, (row) => this.upsert(row));
  }

  get section() { return this.#section; }
  get model() { return this.#model; }
  get conditions() { return this.#conditions; }

  /** How many rows wait behind the pill. */
  get waiting() { return this.#waiting.size; }

  /** The ids selected, in the order of the table. */
  get selected() { return this.#cursor.selected; }

  /** The id of the row with the tab stop, null in an empty table. */
  get current() { return this.#cursor.id; }

  /** Whether the focus is in the table. */
  get hasFocus() { return this.#table.contains(document.activeElement); }

  /** Whether rows must stay where they are. */
  get isHeld() {
    return this.#hasPointer || this.hasFocus || this.#pinned.size > 0
      || this.#scroller.scrollTop > 0;
  }

  entry(id) { return this.#model.get(id); }
  node(id) { return this.#view.node(id); }
  get nodes() { return this.#view.nodes; }
  select(ids) { this.#cursor.select(ids); }
  focus(id = this.current, column) { this.#cursor.focus(id, column); }
  step(rows) { this.#cursor.step(rows); }

  /** The name (data-col) of the column with the tab stop. */
  get column() { return this.#cursor.column; }

  /** Insert a row or bring it up to date; what is older than shown changes nothing. */
  upsert({ id, v, p, row }) {
    const entry = { id, v, p, row };
    const known = this.#model.get(id);
    if (known) return this.#change(known, entry);
    const held = this.#waiting.get(id);
    if (held && !isNewer(entry, held)) return;
    this.#waiting.delete(id);
    if (!matches(entry, this.#conditions)) return this.#showPill();
    // Below the last row loaded it comes with its page.
    if (this.hasMore && this.#model.placeFor(entry) >= this.#model.size) return;
    if (this.isHeld) {
      this.#waiting.set(id, entry);
      if (this.#waiting.size > MOST_WAITING) {
        this.#waiting.delete(this.#waiting.keys().next().value);
        this.#missed = true;
      }
      this.#showPill();
    } else {
      this.#insert([entry]);
    }
  }

  #change(known, entry) {
    if (!isNewer(entry, known)) return;
    if (entry.v > known.v) this.#markFresh(entry.id);
    this.#model.update(entry);
    if (matches(this.#model.get(entry.id), this.#conditions)) {
      this.#leaving.delete(entry.id);
      this.#section.dispatchEvent(new CustomEvent("grid:change", { detail: { id: entry.id } }));
      this.#later();
    } else {
      this.remove(entry.id);
    }
  }

  /** Take a row out; while somebody is looking it stays, dimmed. */
  remove(id) {
    this.#waiting.delete(id);
    if (this.#model.has(id)) {
      if (this.isHeld) this.#leaving.add(id);
      else this.#drop(id);
      this.#section.dispatchEvent(new CustomEvent("grid:change", { detail: { id } }));
      this.#later();
    }
    this.#showPill();
  }

  /** Show what waits, and let go what left. */
  release() {
    for (const id of [...this.#leaving]) if (!this.#pinned.has(id)) this.#drop(id);
    const rows = [...this.#waiting.values()];
    this.#waiting.clear();
    const missed = this.#missed;
    this.#missed = false;
    this.#model.settle();
    this.#insert(rows);
    this.#showPill();
    if (missed) this.#tell("missed");
  }

  /** Show another list: entries in its sequence, what it demands of a row, whether more follow. */
  replace(entries, { conditions, sort, hasMore }) {
    this.#conditions = conditions;
    this.#waiting.clear();
    this.#leaving.clear();
    this.#missed = false;
    this.#model.sort = sort;
    this.#model.replace(entries);
    this.hasMore = hasMore;
    this.#scroller.scrollTop = 0;
    this.#cursor.forget();
    this.#showPill();
    this.render();
    this.#tell("rows");
  }

  /** Add the rows that follow. */
  append(entries, { hasMore }) {
    this.hasMore = hasMore;
    this.#model.append(entries);
    this.render();
    this.#tell("rows");
  }

  /** Keep a row's node and place until it is let go: it is being worked on. */
  pin(id) { this.#pinned.add(id); }

  letGo(id) {
    this.#pinned.delete(id);
    this.#later();
    setTimeout(() => this.#settle(), 0);
  }

  /** Bring a row into sight. */
  reveal(index) {
    const height = this.#view.rowHeight;
    if (!this.#isWindowed || !height) return;
    const head = this.#table.tHead?.getBoundingClientRect().height ?? 0;
    const [top, bottom] = [index * height, (index + 1) * height];
    const seen = this.#scroller.clientHeight - head;
    if (top < this.#scroller.scrollTop) this.#scroller.scrollTop = top;
    else if (bottom > this.#scroller.scrollTop + seen) this.#scroller.scrollTop = bottom - seen;
    this.render();
  }

  /** Paint now what otherwise would be painted with the next frame. */
  render() {
    this.#framed = false;
    const kept = new Set(this.#pinned);
    if (this.hasFocus && this.#cursor.id) kept.add(this.#cursor.id);
    this.#view.render(this.#model, { kept, dress: (tr, { id }) => this.#dress(tr, id) });
    const more = this.hasMore ? -1 : this.#model.size + 1;
    this.#table.setAttribute("aria-rowcount", String(more));
    for (const row of this.#table.tBodies[0].querySelectorAll("tr:not([data-id], [data-space])")) {
      row.hidden = this.#model.size > 0;
    }
    if (this.#empty) this.#empty.hidden = this.#model.size > 0;
    this.#cursor.rendered();
    this.#tell("painted");
  }

  #adopt(body) {
    const p = Number(document.querySelector("[data-cursor]")?.dataset.cursor ?? 0);
    const entries = [];
    for (const tr of body.querySelectorAll("tr[data-id]")) {
      entries.push({ id: tr.dataset.id, v: Number(tr.dataset.v), p, row: this.#view.adopt(tr) });
    }
    this.#model.replace(entries);
  }

  #dress(tr, id) {
    tr.toggleAttribute("data-fresh", this.#fresh.has(id));
    tr.toggleAttribute("data-gone", this.#leaving.has(id));
    this.#cursor.dress(tr, id);
  }

  #insert(rows) {
    if (rows.length === 0) return this.#later();
    for (const entry of rows) {
      if (this.#model.has(entry.id)) continue;
      this.#model.insert(entry);
      this.#markFresh(entry.id);
    }
    const isCut = !this.#isWindowed || this.#model.sort === "-time";
    if (this.#model.size > this.#most && isCut && this.#scroller.scrollTop === 0) {
      this.#model.trim(this.#most);
      this.#tell("trimmed");
    }
    this.#later();
    this.#tell("rows");
  }

  #drop(id) {
    this.#leaving.delete(id);
    const index = this.#model.indexOf(id);
    const hadFocus = this.hasFocus && this.#cursor.id === id;
    this.#model.remove(id);
    this.#cursor.dropped(id);
    const heir = this.#model.at(Math.min(index, this.#model.size - 1));
    if (hadFocus && heir) this.#cursor.focus(heir.id);
  }

  // A row is marked until it was in sight for a while, or was pointed at or focused.
  #markFresh(id) {
    clearTimeout(this.#fresh.get(id));
    this.#fresh.set(id, setTimeout(() => this.seen(id), FRESH_MS));
  }

  seen(id) {
    clearTimeout(this.#fresh.get(id));
    if (this.#fresh.delete(id)) this.#view.node(id)?.removeAttribute("data-fresh");
  }

  #later() {
    if (this.#framed) return;
    this.#framed = true;
    requestAnimationFrame(() => { if (this.#framed) this.render(); });
  }

  #tell(name, detail = {}) {
    this.#section.dispatchEvent(new CustomEvent(`grid:${name}`, { detail, bubbles: true }));
  }

  #showPill() {
    if (!this.#pill) return;
    const count = this.#waiting.size;
    this.#pill.hidden = count === 0;
    this.#pill.textContent = count === 0 ? "" : `${count}${this.#missed ? "+" : ""} new`;
  }

  #listen() {
    const table = this.#table;
    table.addEventListener("pointerenter", () => { this.#hasPointer = true; });
    table.addEventListener("pointerleave", () => { this.#hasPointer = false; this.#settle(); });
    table.addEventListener("focusout", () => setTimeout(() => this.#settle(), 0));
    this.#scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.#pill?.addEventListener("click", () => {
      this.#scroller.scrollTop = 0;
      this.release();
    });
    document.body.addEventListener("view:changed", () => { this.#view.resized(); this.#later(); });
    addEventListener("resize", () => this.#later());
    setInterval(() => { if (!document.hidden) this.#view.tick(); }, 1000);
  }

  #scrolled() {
    this.#settle();
    if (!this.#isWindowed) return;
    this.#later();
    const left = this.#scroller.scrollHeight - this.#scroller.scrollTop
      - this.#scroller.clientHeight;
    if (this.hasMore && left < NEAR_END_ROWS * (this.#view.rowHeight || 24)) this.#tell("end");
  }

  #settle() {
    if (this.isHeld) return;
    if (this.#waiting.size || this.#leaving.size || this.#model.isUnsorted) this.release();
  }
}
