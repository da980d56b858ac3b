// The menu of a row (m, or the right button): what can be done with it, and why something cannot.

/** The context menu of a grid; `items(id)` lists {says, keys, why, run}. */
export class RowMenu {
  #grid;
  #box;
  #items;

  constructor(grid, items) {
    this.#grid = grid;
    this.#items = items;
    this.#box = grid.section.querySelector("[data-menu]");
    this.#box.addEventListener("keydown", (event) => this.#key(event));
    this.#box.addEventListener("focusout", ({ relatedTarget }) => {
      if (!this.#box.contains(relatedTarget)) this.#box.hidden = true;
    });
    grid.section.querySelector("table").addEventListener("contextmenu", (event) => {
      const id = event.target.closest("tr[data-id]")?.dataset.id;
      if (!id || event.shiftKey) return;
      event.preventDefault();
      grid.focus(id);
      this.open(id, { x: event.clientX, y: event.clientY });
    });
  }

  /** Open it at a point of the window, or at the row. */
  open(id, point = null) {
    const tr = this.#grid.node(id);
    if (!tr) return;
    this.#box.replaceChildren(...this.#items(id).map((item) => this.#entry(item)));
    this.#box.hidden = false;
    const frame = this.#grid.section.getBoundingClientRect();
    const row = tr.getBoundingClientRect();
    const { x, y } = point ?? { x: row.left + 120, y: row.bottom };
    const { width, height } = this.#box.getBoundingClientRect();
    const left = Math.min(x, innerWidth - width - 8) - frame.left;
    const top = Math.min(y, innerHeight - height - 8) - frame.top;
    this.#box.style.insetInlineStart = `${left}px`;
    this.#box.style.insetBlockStart = `${top}px`;
    this.#box.querySelector("button:not([aria-disabled])")?.focus();
  }

  #entry({ says, keys, why, run }) {
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("role", "menuitem");
    button.className = "bl-rowmenu__item";
    const words = document.createElement("span");
    words.textContent = says;
    button.append(words);
    if (why) {
      button.setAttribute("aria-disabled", "true");
      const reason = document.createElement("small");
      reason.textContent = why;
      button.append(reason);
    } else {
      if (keys) {
        const key = document.createElement("kbd");
        key.className = "bl-kbd";
        key.textContent = keys;
        button.append(key);
      }
      button.addEventListener("click", () => { this.#close(); run(); });
    }
    return button;
  }

  #close() {
    this.#box.hidden = true;
    this.#grid.focus();
  }

  #key(event) {
    const items = [...this.#box.querySelectorAll("button")];
    const index = items.indexOf(document.activeElement);
    const last = items.length - 1;
    const to = {
      ArrowDown: index === last ? 0 : index + 1, ArrowUp: index <= 0 ? last : index - 1, Home: 0, End: last,
    }[event.key];
    event.stopPropagation();
    if (to !== undefined) items[to].focus();
    else if (event.key === "Escape" || event.key === "Tab") this.#close();
    else return;
    event.preventDefault();
  }
}
