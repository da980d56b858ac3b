// The rows of a grid in their sequence, and what a row must be like to be in it. No DOM.
//
// An entry is {id, v, p, row}: `row` holds strings as the server's presenter made them, `v` is the
// object's version and `p` the position of the stream it is not older than. Of two entries of one
// id the higher v counts, and where these are equal the higher p.

import { compare } from "./fmt.js";

const NUMBERS = new Set(["order_qty", "cum_qty", "leaves_qty", "price", "stop_px"]);
const FIELD_OF_SORT = { account: "account" };
const WORDS = ["symbol", "cl_ord_id", "order_id", "strategy", "text"];
const IDS = ["cl_ord_id", "orig_cl_ord_id", "order_id"];
const COMPARED = {
  eq: (order) => order === 0, gt: (order) => order > 0, ge: (order) => order >= 0,
  lt: (order) => order < 0, le: (order) => order <= 0,
};

const upper = (text) => String(text).toUpperCase();

// Whether an entry meets one condition of portal/orders/filter.py. A field the browser was not given
// (an amount that is hidden) cannot be judged here; the server has judged it.
function meets({ id, row }, { field, op, values }) {
  if (op === "id") return values[0] === id || IDS.some((name) => row[name] === values[0]);
  if (field === "words") {
    return WORDS.some((name) => upper(row[name] ?? "").includes(upper(values[0])));
  }
  const value = row[field];
  if (op === "yes") return Boolean(value);
  if (op === "no") return !value;
  if (value === undefined) return true;
  if (op === "in") return values.some((one) => upper(one) === upper(value));
  if (op === "has") return upper(value).includes(upper(values[0]));
  if (op === "since") return Date.parse(value) >= Date.parse(values[0]);
  return value !== "" && COMPARED[op](compare(value, values[0]));
}

/** Whether an entry meets every condition. */
export function matches(entry, conditions) {
  return conditions.every((condition) => meets(entry, condition));
}

/** Whether `given` is news about a row of which `known` is shown. */
export function isNewer(given, known) {
  return given.v > known.v || (given.v === known.v && (given.p ?? 0) >= (known.p ?? 0));
}

// The comparison of a sequence such as "-time" or "price"; ids decide where values are equal.
function comparison(sort) {
  const name = sort.replace(/^-/, "");
  const way = sort.startsWith("-") ? -1 : 1;
  const byId = (a, b) => (a.id < b.id ? -way : a.id > b.id ? way : 0);
  if (name === "time") return byId;
  const field = FIELD_OF_SORT[name] ?? name;
  if (NUMBERS.has(name)) {
    return (a, b) => way * compare(a.row[field] || "0", b.row[field] || "0") || byId(a, b);
  }
  const text = (entry) => entry.row[field] ?? "";
  return (a, b) => (text(a) < text(b) ? -way : text(a) > text(b) ? way : byId(a, b));
}

/** A list of entries in one sequence. */
export class Model {
  #entries = [];
  #places = null;               // id -> index, made when it is asked for
  #byId = new Map();
  #compare;
  #sort;
  isUnsorted = false;           // a value of the sequence's column changed in place

  constructor(sort = "-time") {
    this.sort = sort;
  }

  get size() { return this.#entries.length; }
  get sort() { return this.#sort; }
  get ids() { return this.#entries.map(({ id }) => id); }
  get last() { return this.#entries.at(-1); }

  set sort(sort) {
    this.#sort = sort;
    this.#compare = comparison(sort);
  }

  at(index) { return this.#entries[index]; }
  get(id) { return this.#byId.get(id); }
  has(id) { return this.#byId.has(id); }

  indexOf(id) {
    this.#places ??= new Map(this.#entries.map((entry, index) => [entry.id, index]));
    return this.#places.get(id) ?? -1;
  }

  /** Begin anew with entries that are in sequence already. */
  replace(entries) {
    this.#entries = [];
    this.#byId.clear();
    this.append(entries);
    this.isUnsorted = false;
  }

  /** Add entries that follow the last one; those known already stay where they are. */
  append(entries) {
    for (const entry of entries) {
      if (this.#byId.has(entry.id)) continue;
      this.#byId.set(entry.id, entry);
      this.#entries.push(entry);
    }
    this.#places = null;
  }

  /** The place a new entry takes. */
  placeFor(entry) {
    let [low, high] = [0, this.#entries.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#compare(this.#entries[middle], entry) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  insert(entry) {
    this.#entries.splice(this.placeFor(entry), 0, entry);
    this.#byId.set(entry.id, entry);
    this.#places = null;
  }

  /** Bring a present entry up to date where it stands. */
  update(entry) {
    const known = this.#byId.get(entry.id);
    const before = { ...known };
    Object.assign(known, { v: entry.v, p: entry.p, row: { ...known.row, ...entry.row } });
    if (this.#compare(before, known) !== 0) this.isUnsorted = true;
  }

  remove(id) {
    const index = this.indexOf(id);
    if (index < 0) return;
    this.#entries.splice(index, 1);
    this.#byId.delete(id);
    this.#places = null;
  }

  /** Keep the first `most` entries. */
  trim(most) {
    for (const { id } of this.#entries.splice(most)) this.#byId.delete(id);
    this.#places = null;
  }

  /** Put the entries in sequence again. */
  settle() {
    if (!this.isUnsorted) return;
    this.#entries.sort(this.#compare);
    this.#places = null;
    this.isUnsorted = false;
  }
}
