// What is said at a row: a refusal with its code and numbers, the change being made to it. It lies
// over the rows below, so that none of them moves.

import { number } from "./fmt.js";

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

/** Nodes for a problem: its code, its sentence, and each breach with value and limit. */
export function refusalNodes(problem) {
  const rows = problem.errors?.length ? problem.errors : [];
  const code = rows.length === 1 ? rows[0].code : problem.code;
  const nodes = [element("span", "bl-note__code", code), element("span", "", problem.detail)];
  for (const row of rows.filter(({ limit }) => limit !== undefined)) {
    const numbers = element("span", "bl-note__numbers");
    numbers.textContent =
      `${row.code}: ${number(row.value)} of ${number(row.limit)} ${row.unit ?? ""}`.trim();
    nodes.push(numbers);
  }
  return nodes;
}

/** The notes of one grid: at most one per row, and one in sight. */
export class Notes {
  #grid;
  #box;
  #notes = new Map();       // id -> {level, nodes}
  #shown = null;

  constructor(grid) {
    this.#grid = grid;
    this.#box = grid.section.querySelector("[data-note]");
    grid.section.addEventListener("grid:painted", () => this.#place());
    grid.section.addEventListener("focusin", ({ target }) => {
      const id = target.closest?.("tr[data-id]")?.dataset.id;
      if (id && this.#notes.has(id)) this.#show(id);
    });
  }

  /** Whether a row has a note. */
  has(id) { return this.#notes.has(id); }

  /** Say something at a row; `level` is info, warn or error. */
  say(id, level, nodes) {
    this.#notes.set(id, { level, nodes: nodes.map((one) => (one instanceof Node ? one : element("span", "", one))) });
    this.#show(id);
  }

  /** Take a row's note away; says whether there was one. */
  clear(id) {
    const was = this.#notes.delete(id);
    this.#grid.node(id)?.removeAttribute("data-note");
    if (this.#shown === id) {
      this.#shown = null;
      this.#box.hidden = true;
      this.#box.replaceChildren();
    }
    return was;
  }

  #show(id) {
    this.#shown = id;
    const { level, nodes } = this.#notes.get(id);
    this.#box.dataset.level = level;
    this.#box.replaceChildren(...nodes, this.#closer(id));
    this.#place();
  }

  #closer(id) {
    const button = element("button", "bl-note__close", "\u00d7");
    button.type = "button";
    button.title = "Put away (Esc)";
    button.setAttribute("aria-label", "Put away");
    button.addEventListener("click", () => {
      this.clear(id);
      this.#grid.section.dispatchEvent(new CustomEvent("note:closed", { detail: { id } }));
    });
    return button;
  }

  #place() {
    for (const tr of this.#grid.nodes) tr.toggleAttribute("data-note", this.#notes.has(tr.dataset.id));
    if (this.#shown === null) return;
    const tr = this.#grid.node(this.#shown);
    const frame = this.#grid.section.getBoundingClientRect();
    const lane = this.#grid.section.querySelector("[data-scroll]").getBoundingClientRect();
    const row = tr?.getBoundingClientRect();
    this.#box.hidden = !row || row.bottom < lane.top || row.top > lane.bottom;
    if (this.#box.hidden) return;
    const below = row.bottom - frame.top;
    const height = this.#box.getBoundingClientRect().height;
    const fits = row.bottom + height <= lane.bottom;
    this.#box.style.insetBlockStart = `${fits ? below : row.top - frame.top - height}px`;
  }
}
