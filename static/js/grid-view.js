// The table of a grid: paints rows into recycled nodes, and only those that can be seen.

import { brief, lasting, shown } from "./fmt.js";
import { serverNow } from "./live.js";

const BESIDE = 10;              // rows painted above and below what is seen
const HIDDEN = "\u2022\u2022\u2022";
const PARTS = ["c", "toneOf", "titleOf", "if", "unless", "link", "action"];
const SELECTOR = "[data-c],[data-tone-of],[data-title-of],[data-if],[data-unless],[data-link],[data-action],[data-pick]";

function hides() {
  return document.documentElement.dataset.privacy === "on";
}

function textOf(element) {
  const first = element.firstChild;
  if (first?.nodeType === Node.TEXT_NODE && first === element.lastChild) return first;
  element.textContent = "";
  return element.appendChild(document.createTextNode(""));
}

function write(element, text) {
  const node = textOf(element);
  if (node.nodeValue !== text) node.nodeValue = text;
}

function written(value, data) {
  if (data.as === "lasting") return lasting(value, serverNow());
  if (data.as === "brief") return brief(value, serverNow());
  return shown(value, data);
}

/** The rows of a table body. */
export class View {
  #body;
  #scroller;
  #template;
  #steps;
  #windowed;
  #nodes = new Map();           // id -> tr
  #parts = new WeakMap();       // tr -> elements that follow the row
  #spare = [];
  #spaces = [];
  #height = 0;

  constructor({ body, scroller, template, steps, windowed }) {
    this.#body = body;
    this.#scroller = scroller;
    this.#template = template;
    this.#steps = steps;
    this.#windowed = windowed;
  }

  /** The height of a row in pixels; 0 until one was painted. */
  get rowHeight() {
    if (!this.#height) {
      const [first] = this.#nodes.values();
      this.#height = first?.getBoundingClientRect().height ?? 0;
    }
    return this.#height;
  }

  /** How many rows fit at once. */
  get page() {
    const height = this.rowHeight;
    return height ? Math.max(1, Math.floor(this.#scroller.clientHeight / height) - 2) : 10;
  }

  node(id) { return this.#nodes.get(id); }
  get nodes() { return this.#nodes.values(); }

  /** Measure again: the density changed. */
  resized() { this.#height = 0; }

  /** Take over a row the server rendered; returns its fields. */
  adopt(tr) {
    this.#nodes.set(tr.dataset.id, tr);
    this.#dress(tr);
    const row = {};
    for (const part of this.#partsOf(tr)) {
      const { c, v, toneOf, titleOf } = part.dataset;
      if (c !== undefined && !("private" in part.dataset && hides())) {
        row[c] ??= v ?? part.textContent.trim();
      }
      if (toneOf !== undefined) row[toneOf] ??= part.dataset.tone ?? "";
      if (titleOf !== undefined) row[titleOf] ??= part.title;
    }
    return { ...row, ...JSON.parse(tr.dataset.rest ?? "{}") };
  }

  /** Show the model: what is in sight, and the rows that must keep their node. */
  render(model, { kept, dress }) {
    const wanted = this.#inSight(model, kept);
    const ids = new Set(wanted.map((index) => model.at(index).id));
    for (const [id, tr] of this.#nodes) {
      if (ids.has(id)) continue;
      tr.remove();
      this.#nodes.delete(id);
      if (this.#windowed && this.#spare.length < 100) this.#spare.push(tr);
    }
    // Spaces leave first: a row that stays is then never moved, and keeps its focus.
    for (const space of this.#spaces) space.remove();
    let next = 0;
    let spaces = 0;
    let place = this.#body.firstElementChild;
    const put = (node) => {
      if (node === place) place = place.nextElementSibling;
      else this.#body.insertBefore(node, place);
    };
    for (const index of wanted) {
      if (index > next) put(this.#space(spaces++, index - next));
      const entry = model.at(index);
      let tr = this.#nodes.get(entry.id);
      if (!tr || tr.dataset.v !== `${entry.v}` || tr.dataset.p !== `${entry.p ?? ""}`) {
        tr ??= this.#made(entry.id);
        this.paint(tr, entry);
      }
      tr.setAttribute("aria-rowindex", String(index + 2));
      dress(tr, entry);
      put(tr);
      next = index + 1;
    }
    if (model.size > next) put(this.#space(spaces++, model.size - next));
  }

  #inSight(model, kept) {
    const count = model.size;
    let [from, to] = [0, count];
    const height = this.rowHeight;
    if (this.#windowed && height) {
      const top = this.#scroller.scrollTop;
      from = Math.max(0, Math.floor(top / height) - BESIDE);
      to = Math.min(count, Math.ceil((top + this.#scroller.clientHeight) / height) + BESIDE);
    } else if (this.#windowed) {
      to = Math.min(count, 60);
    }
    const wanted = new Set();
    for (let index = from; index < to; index += 1) wanted.add(index);
    for (const id of kept) {
      const index = model.indexOf(id);
      if (index >= 0) wanted.add(index);
    }
    return [...wanted].sort((a, b) => a - b);
  }

  #space(number, rows) {
    if (!this.#spaces[number]) {
      const tr = document.createElement("tr");
      tr.dataset.space = "";
      tr.setAttribute("aria-hidden", "true");
      tr.append(document.createElement("td"));
      this.#spaces[number] = tr;
    }
    this.#spaces[number].firstChild.style.blockSize = `${rows * this.rowHeight}px`;
    return this.#spaces[number];
  }

  #made(id) {
    const tr = this.#spare.pop() ?? document.importNode(this.#template, true);
    tr.dataset.id = id;
    for (const name of ["fresh", "gone", "note"]) delete tr.dataset[name];
    this.#dress(tr);
    this.#nodes.set(id, tr);
    return tr;
  }

  #dress(tr) {
    tr.setAttribute("aria-selected", "false");
    for (const cell of tr.cells) {
      cell.setAttribute("role", cell.tagName === "TH" ? "rowheader" : "gridcell");
      cell.tabIndex = -1;
    }
  }

  #partsOf(tr) {
    if (!this.#parts.has(tr)) this.#parts.set(tr, [...tr.querySelectorAll(SELECTOR)]);
    return this.#parts.get(tr);
  }

  /** Write an entry into a row: text nodes and attributes only. */
  paint(tr, { id, v, p, row }) {
    tr.dataset.v = String(v);
    tr.dataset.p = p ?? "";
    if (row.ord_status !== undefined) tr.dataset.status = row.ord_status;
    if (row.side !== undefined) tr.dataset.side = row.side;
    const step = this.#steps.get(row.symbol);
    for (const part of this.#partsOf(tr)) {
      const data = part.dataset;
      if ("pick" in data) part.value = id;
      if (PARTS.some((name) => name in data)) this.#fill(part, data, { id, row, step });
    }
  }

  #fill(part, data, { id, row, step }) {
    const isHidden = "private" in data && hides();
    if (isHidden && !("editing" in data)) {
      write(part, HIDDEN);
    } else if (!isHidden && data.c in row) {
      data.v = row[data.c];
      if (data.as === "px" && step !== undefined) data.step = step;
      if (!("editing" in data)) write(part, written(row[data.c], data));
    }
    if (data.toneOf in row) data.tone = row[data.toneOf];
    if (data.titleOf in row) part.title = row[data.titleOf];
    if (data.if in row) part.hidden = !row[data.if];
    if (data.unless in row) part.hidden = Boolean(row[data.unless]);
    if (data.link !== undefined) part.href = `${data.link}${id}${data.linkEnd ?? ""}`;
    if (data.action !== undefined) {
      part.setAttribute("formaction", `${data.action}${id}${data.actionEnd ?? ""}`);
    }
  }

  /** Let the lengths of time run on. */
  tick() {
    for (const tr of this.#nodes.values()) {
      for (const part of this.#partsOf(tr)) {
        if (part.dataset.as === "lasting" && part.dataset.v && !part.closest("[hidden]")) {
          write(part, written(part.dataset.v, part.dataset));
        }
      }
    }
  }
}
