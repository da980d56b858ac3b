// Where a person is in a grid: one tab stop, the keys of the ARIA grid pattern, the selection.

/** The cursor and the selection of one grid. */
export class Cursor {
  #grid;
  #section;
  #table;
  #view;
  #model;
  #id = null;               // the row with the tab stop
  #column = 0;              // its cell
  #selected = new Set();
  #anchor = null;

  constructor(grid, { section, table, view, model }) {
    this.#grid = grid;
    this.#section = section;
    this.#table = table;
    this.#view = view;
    this.#model = model;
    table.addEventListener("focusin", (event) => this.#focused(event));
    table.addEventListener("keydown", (event) => this.#key(event));
    table.addEventListener("click", (event) => this.#click(event));
    table.addEventListener("change", (event) => this.#ticked(event));
    table.addEventListener("pointerover", ({ target }) => {
      const id = target.closest("tr[data-id]")?.dataset.id;
      if (id) this.#grid.seen(id);
    });
  }

  get id() { return this.#id; }
  get selected() { return this.#model.ids.filter((id) => this.#selected.has(id)); }
  get column() { return this.#cellOf(this.#view.node(this.#id))?.dataset.col ?? null; }

  /** Forget the place and the selection: another list is shown. */
  forget() {
    this.#id = this.#anchor = null;
    if (this.#selected.size) this.select([]);
  }

  dropped(id) {
    if (this.#id === id) this.#id = null;
    if (this.#selected.delete(id)) this.#tellSelected();
  }

  /** What a row looks like to the cursor. */
  dress(tr, id) {
    const isSelected = this.#selected.has(id);
    tr.setAttribute("aria-selected", String(isSelected));
    const box = tr.querySelector("[data-pick]");
    if (box) box.checked = isSelected;
  }

  /** After painting there is exactly one tab stop. */
  rendered() {
    const node = this.#id === null ? null : this.#view.node(this.#id);
    if (!node) this.#id = [...this.#table.tBodies[0].rows].find((tr) => tr.dataset.id)?.dataset.id ?? null;
    const wanted = this.#cellOf(this.#view.node(this.#id));
    for (const cell of this.#table.tBodies[0].querySelectorAll("[tabindex='0']")) {
      if (cell !== wanted) cell.tabIndex = -1;
    }
    if (wanted) wanted.tabIndex = 0;
  }

  /** Move the focus to a row, and to a column of it (an index). */
  focus(id, column = this.#column) {
    const index = this.#model.indexOf(id);
    if (index < 0) return;
    this.#grid.reveal(index);
    this.#id = id;
    this.#column = column;
    if (!this.#view.node(id)) this.#grid.render();
    this.rendered();
    this.#cellOf(this.#view.node(id))?.focus({ preventScroll: this.#isWindowed });
  }

  get #isWindowed() { return "window" in this.#section.dataset; }

  /** Move by rows; from outside the table to where the tab stop is. */
  step(rows) {
    if (this.#id === null) return;
    if (!this.#grid.hasFocus) return this.focus(this.#id);
    this.#go(this.#model.indexOf(this.#id) + rows);
  }

  select(ids) {
    this.#selected = new Set(ids);
    this.#tellSelected();
  }

  // --- cells; those of columns put away are passed over

  #cells(tr) {
    return [...tr.cells].filter((cell) => cell.getClientRects().length > 0);
  }

  #cellOf(tr) {
    if (!tr) return null;
    const cell = tr.cells[this.#column];
    if (cell?.getClientRects().length) return cell;
    return this.#cells(tr)[0] ?? tr.cells[0];
  }

  #focused({ target }) {
    const cell = target.closest("td, th");
    const id = cell?.parentElement.dataset.id;
    if (!id || !this.#model.has(id)) return;
    this.#id = id;
    this.#column = cell.cellIndex;
    this.#grid.seen(id);
    this.rendered();
  }

  // --- keys

  #key(event) {
    const cell = event.target.closest("td, th");
    const tr = cell?.parentElement;
    if (!tr?.dataset.id || event.target !== cell || event.altKey || event.metaKey) return;
    const { id } = tr.dataset;
    const index = this.#model.indexOf(id);
    const cells = this.#cells(tr);
    const column = cells.indexOf(cell);
    let to = index;
    let toColumn = column;
    switch (event.key) {
      case "ArrowDown": to += 1; break;
      case "ArrowUp": to -= 1; break;
      case "ArrowRight": toColumn += 1; break;
      case "ArrowLeft": toColumn -= 1; break;
      case "PageDown": to += this.#view.page; break;
      case "PageUp": to -= this.#view.page; break;
      case "Home": toColumn = 0; if (event.ctrlKey) to = 0; break;
      case "End": toColumn = cells.length - 1; if (event.ctrlKey) to = this.#model.size - 1; break;
      case " ": event.preventDefault(); return this.#toggle(id);
      case "Enter": return this.#open(event, id);
      case "a": case "A":
        if (!event.ctrlKey) return;
        event.preventDefault();
        return this.select(this.#model.ids);
      case "Escape":
        if (this.#selected.size === 0) return;
        event.stopPropagation();
        return this.select([]);
      default: return;
    }
    event.preventDefault();
    this.#column = cells[Math.min(cells.length - 1, Math.max(0, toColumn))].cellIndex;
    this.#go(to);
    if (event.shiftKey && to !== index) {
      this.#anchor ??= id;
      this.#selectTo(this.#id);
    }
  }

  #go(index) {
    const place = Math.min(this.#model.size - 1, Math.max(0, index));
    this.focus(this.#model.at(place).id);
  }

  #open(event, id) {
    event.preventDefault();
    const detail = { id, page: event.ctrlKey };
    const told = new CustomEvent("grid:open", { detail, bubbles: true, cancelable: true });
    this.#section.dispatchEvent(told);
  }

  // --- selection

  #click(event) {
    const tr = event.target.closest("tr[data-id]");
    if (!tr || event.target.closest("a, button, input, select")) return;
    const cell = event.target.closest("td, th");
    if (cell && document.activeElement !== cell) cell.focus({ preventScroll: true });
    const { id } = tr.dataset;
    if (event.shiftKey) this.#selectTo(id);
    else if (event.ctrlKey || event.metaKey) this.#toggle(id);
    else this.#only(id);
  }

  #ticked({ target }) {
    if (!("pick" in target.dataset)) return;
    const tr = target.closest("tr");
    this.#toggle(tr.dataset.id);
    target.closest("td").focus({ preventScroll: true });
  }

  #only(id) {
    this.#anchor = id;
    this.select([id]);
  }

  #toggle(id) {
    if (!this.#selected.delete(id)) this.#selected.add(id);
    this.#anchor = id;
    this.#tellSelected();
  }

  #selectTo(id) {
    const from = Math.max(0, this.#model.indexOf(this.#anchor ?? id));
    const to = this.#model.indexOf(id);
    const ids = this.#model.ids.slice(Math.min(from, to), Math.max(from, to) + 1);
    this.select(ids);
  }

  #tellSelected() {
    for (const tr of this.#view.nodes) this.dress(tr, tr.dataset.id);
    const detail = { ids: this.selected };
    this.#section.dispatchEvent(new CustomEvent("grid:select", { detail, bubbles: true }));
  }
}
