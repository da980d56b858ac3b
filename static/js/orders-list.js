// Which orders a blotter lists: tabs, sequence, columns, the pages that follow, counts and sums. All
// of it is in the address; a tab or a column changes the list in place and the address with it.

import { Lost, Refusal, ask } from "./ask.js";
import { number } from "./fmt.js";
import { connection, on } from "./live.js";

const PATH = "/portal/rows/orders";
const COUNT_EVERY_MS = 1000;
const POLL_MS = 5000;
const HIDDEN = "\u2022\u2022\u2022";
const SUMS = [
  ["bought", "bought"], ["sold", "sold"], ["open_buy", "open buys at limit"],
  ["open_sell", "open sells at limit"],
];

function keep(name, value) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${name}=${value}; Max-Age=31536000; Path=/; SameSite=Lax${secure}`;
}

// The part of the page's address that says what is listed.
function listed() {
  const search = new URLSearchParams(location.search);
  search.delete("order");
  search.sort();
  return search.toString();
}

/** The list behind one blotter. */
export class OrderList {
  #grid;
  #section;
  #query;               // URLSearchParams of what is listed
  #next;                // the cursor of the page that follows, or {after}
  #isReading = false;
  #turn = 0;            // counts lists asked for: only the last one is shown
  #countTimer = 0;
  #tabs;
  #address;

  constructor(grid) {
    this.#grid = grid;
    this.#section = grid.section;
    this.#query = new URLSearchParams(this.#section.dataset.query);
    this.#next = this.#section.dataset.next || null;
    this.#tabs = document.querySelector(`[data-tabs="${this.#section.dataset.grid}"]`);
    this.#section.addEventListener("grid:end", () => this.#more());
    this.#section.addEventListener("grid:missed", () => this.read());
    this.#section.addEventListener("grid:trimmed", () => {
      this.#next = { after: grid.model.last.id };
      grid.hasMore = true;
    });
    this.#section.addEventListener("grid:rows", () => this.#state());
    this.#tabs?.addEventListener("click", (event) => this.#tab(event));
    this.#section.querySelector("thead").addEventListener("click", (event) => this.#head(event));
    on("order", () => this.#countSoon());
    setInterval(() => this.#poll(), POLL_MS);
    this.#watchColumns();
    this.#watchFilters();
    this.#address = listed();
    // Back to another list is a page anew; back from an order beside this one is not.
    addEventListener("popstate", () => { if (listed() !== this.#address) location.reload(); });
    this.#state();
  }

  /** The list's query with some parameters added. */
  queryOf(added) {
    const query = new URLSearchParams(this.#query);
    for (const [name, value] of Object.entries(added)) query.set(name, value);
    return query;
  }

  /** The symbol that Shift X means first: on the desk the ticket's, elsewhere none. */
  get narrowSymbol() {
    return document.querySelector("#t-symbol")?.value ?? null;
  }

  /** Where the listed orders are, in words. */
  says(symbol) {
    const words = [];
    for (const [name, value] of this.queryOf(symbol ? { symbol } : {})) {
      if (name === "q") words.push(`with ${value}`);
      else if (name === "view") { if (value !== "all") words.push(`of the tab ${value}`); }
      else if (name !== "sort") words.push(`of ${name} ${value}`);
    }
    return words.join(", ") || "you may see";
  }

  /** Sort by a column; the same one again turns the sequence round. */
  sortBy(name) {
    const link = this.#section.querySelector(`[data-sort="${CSS.escape(name ?? "")}"]`);
    if (!link) return;
    const { sort } = this.#grid.model;
    const down = sort === name || (sort !== `-${name}` && this.#beginsDown(link));
    this.#go({ sort: down ? `-${name}` : name });
  }

  #beginsDown(link) {
    const head = link.closest("th");
    return head.classList.contains("bl-num") || head.dataset.col === "time";
  }

  #head(event) {
    const link = event.target.closest("[data-sort]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    this.sortBy(link.dataset.sort);
  }

  #tab(event) {
    const link = event.target.closest("[data-set]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    this.#go(Object.fromEntries(new URLSearchParams(link.dataset.set)));
  }

  // Show another list and make its address the page's.
  async #go(changed) {
    const query = this.queryOf(changed);
    if (!(await this.read(query))) return;
    const page = new URL(location.href);
    for (const [name, value] of Object.entries(changed)) page.searchParams.set(name, value);
    page.searchParams.delete("cursor");
    history.pushState(null, "", page);
    this.#address = listed();
    this.#marks();
  }

  /** Read the list from its beginning; says whether it is shown. */
  async read(query = this.#query) {
    const turn = this.#turn += 1;
    try {
      const told = await ask(`${PATH}?${query}`);
      if (turn !== this.#turn) return false;
      this.#query = query;
      this.#next = told.next;
      const entries = told.rows.map((row) => ({ p: told.p, ...row }));
      this.#grid.replace(entries, {
        conditions: told.conditions, sort: told.sort, hasMore: told.next !== null,
      });
      this.#counted(told);
      return true;
    } catch (error) {
      this.#failed(error);
      return false;
    }
  }

  async #more() {
    if (this.#isReading || !this.#next) return;
    this.#isReading = true;
    const turn = this.#turn;
    const place = typeof this.#next === "string" ? { cursor: this.#next } : this.#next;
    try {
      const told = await ask(`${PATH}?${this.queryOf(place)}`);
      if (turn !== this.#turn) return;
      this.#next = told.next;
      const entries = told.rows.map((row) => ({ p: told.p, ...row }));
      this.#grid.append(entries, { hasMore: told.next !== null });
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#isReading = false;
    }
  }

  // Without the live connection the list is read again each few seconds, rows in place.
  async #poll() {
    if (document.hidden || ["live", "connecting", "signed-out"].includes(connection().name)) return;
    try {
      const told = await ask(`${PATH}?${this.#query}`);
      for (const row of told.rows.reverse()) this.#grid.upsert({ p: told.p, ...row });
      this.#counted(told);
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error) {
    if (!(error instanceof Refusal || error instanceof Lost)) throw error;
    const says = error instanceof Refusal ? error.problem.detail : "the server does not answer";
    this.#say(`Not read: ${says}`);
  }

  // --- counts and sums

  #countSoon() {
    if (this.#countTimer || document.hidden) return;
    this.#countTimer = setTimeout(async () => {
      this.#countTimer = 0;
      try {
        this.#counted(await ask(`${PATH}/counts?${this.#query}`));
      } catch (error) {
        this.#failed(error);
      }
    }, COUNT_EVERY_MS);
  }

  #counted({ counts, totals }) {
    for (const cell of this.#tabs?.querySelectorAll("[data-count]") ?? []) {
      const text = String(counts[cell.dataset.count]);
      if (cell.textContent !== text) cell.textContent = text;
    }
    const lists = totals.map((sums) => this.#sumsOf(sums));
    const box = this.#section.querySelector("[data-sums]");
    const nothing = document.createElement("span");
    nothing.className = "bl-faint";
    nothing.textContent = "Nothing listed, nothing to add up.";
    box.replaceChildren(...(lists.length ? lists : [nothing]));
    this.#state();
  }

  #sumsOf(sums) {
    const list = document.createElement("dl");
    const currency = document.createElement("div");
    currency.className = "bl-blotter__currency";
    const [name, code] = [document.createElement("dt"), document.createElement("dd")];
    name.className = "bl-hidden-text";
    name.textContent = "Currency";
    code.textContent = sums.currency;
    currency.append(name, code);
    list.append(currency);
    const add = (label, name, text) => {
      const pair = document.createElement("div");
      const [dt, dd] = [document.createElement("dt"), document.createElement("dd")];
      dt.textContent = label;
      dd.textContent = text;
      dd.dataset.sum = name;
      pair.append(dt, dd);
      list.append(pair);
    };
    for (const [name, label] of SUMS) {
      add(label, name, sums[name] === undefined ? HIDDEN : number(sums[name], { places: 2 }));
    }
    if (sums.unpriced) add("open without a limit", "unpriced", sums.unpriced);
    return list;
  }

  #state() {
    const { size } = this.#grid.model;
    this.#say(size === 0 ? "" : `${size}${this.#grid.hasMore ? "+" : ""} loaded`);
  }

  #say(text) {
    const place = this.#section.querySelector("[data-grid-state]");
    if (place.textContent !== text) place.textContent = text;
  }

  // --- what the page's links and heads say about the list shown

  #marks() {
    for (const link of this.#tabs?.querySelectorAll("[data-set]") ?? []) {
      const set = new URLSearchParams(link.dataset.set);
      const isHere = [...set].every(([name, value]) => this.#query.get(name) === value);
      if (isHere) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
      link.search = `?${this.queryOf(Object.fromEntries(set))}`;
    }
    const { sort } = this.#grid.model;
    for (const head of this.#section.querySelectorAll("th[aria-sort]")) {
      const isHere = head.dataset.col === sort.replace(/^-/, "");
      const way = sort.startsWith("-") ? "descending" : "ascending";
      head.setAttribute("aria-sort", isHere ? way : "none");
    }
    const link = document.querySelector("[data-export]");
    if (link) link.search = `?${this.#query}`;
    for (const name of ["view", "sort"]) {
      const field = document.querySelector(`[data-filters] input[name=${name}]`);
      if (field) field.value = this.#query.get(name) ?? "";
    }
  }

  #watchColumns() {
    const { grid } = this.#section.dataset;
    const chooser = document.querySelector(`[data-columns="${grid}"]`);
    chooser?.addEventListener("change", () => {
      const away = [...chooser.querySelectorAll("[name=show]:not(:checked)")].map(({ value }) => value);
      this.#section.querySelector("table").dataset.away = away.join(" ");
      keep(`bl_away_${grid}`, away.join(".") || "none");
      this.#grid.render();
    });
  }

  #watchFilters() {
    const form = document.querySelector("[data-filters]");
    form?.addEventListener("change", ({ target }) => {
      if (target.tagName === "SELECT") form.requestSubmit();
    });
    // What is not filled in stays out of the address.
    form?.addEventListener("formdata", ({ formData }) => {
      for (const [name, value] of [...formData]) if (value === "") formData.delete(name);
    });
  }
}
