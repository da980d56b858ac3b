// Amending an order at its line: drag its tag, or press e on it and type; the difference is shown
// before Enter sends it. The same request and the same words as amending in the orders grid.

import { Lost, Refusal, ask } from "./ask.js";
import { isDecimal, stepped } from "./decimal.js";
import { compare, number } from "./fmt.js";
import { settled } from "./orders-lost.js";
import { toast } from "./toasts.js";

const DRAG_PX = 4;
const FORM_PX = 34;
const GUARD_MS = 400;

/** The one amendment open on a chart; `drawing` knows places and prices. */
export class ChartAmend {
  #panel;
  #drawing;
  #onDrop;
  #form;
  #ghost;
  #open = null;             // {id, label, term, form, isSending, confirmFrom}
  #drag = null;             // {tag, startY, price}

  constructor(panel, drawing, onDrop) {
    this.#panel = panel;
    this.#drawing = drawing;
    this.#onDrop = onDrop;
    this.#form = panel.querySelector("[data-chart-amend]");
    this.#ghost = panel.querySelector("[data-chart-ghost]");
    if (!this.#form) return;  // nobody trades here
    const own = panel.querySelector("[data-chart-own]");
    own.addEventListener("pointerdown", (event) => this.#press(event));
    own.addEventListener("pointermove", (event) => this.#move(event));
    own.addEventListener("pointerup", (event) => this.#release(event));
    own.addEventListener("pointercancel", () => this.#drop());
    own.addEventListener("keydown", (event) => {
      const tag = event.target.closest("[data-amends]");
      if (event.key !== "e" || !tag) return;
      event.preventDefault();
      event.stopPropagation();
      this.open(tag);
    });
    this.#form.addEventListener("submit", (event) => { event.preventDefault(); this.#send(); });
    this.#form.addEventListener("keydown", (event) => this.#key(event));
    this.#form.addEventListener("input", () => { if (this.#open) this.#typed(); });
  }

  /** Whether a tag is held: the tags must stay as they are until it is let go. */
  get isDragging() { return this.#drag !== null; }

  get #price() { return this.#form.elements.price; }

  // --- by pointer

  #press(event) {
    const tag = event.target.closest("[data-amends]");
    if (!tag || event.button || this.#open?.isSending) return;
    this.#drag = { tag, startY: event.clientY, price: null };
    tag.setPointerCapture(event.pointerId);
  }

  #move({ clientY }) {
    const drag = this.#drag;
    if (!drag || (drag.price === null && Math.abs(clientY - drag.startY) < DRAG_PX)) return;
    // By how far it was moved, not to where: a tag may stand beside its line.
    const y = this.#drawing.placeOf(drag.tag.dataset.px) + clientY - drag.startY;
    const price = this.#drawing.priceAt(Math.min(this.#drawing.height, Math.max(0, y)));
    if (price === null) return;
    const { tick } = this.#panel.dataset;
    drag.price = stepped("0", tick, Math.max(1, Math.round(price / Number(tick))));
    this.#ghost.hidden = false;
    this.#ghost.dataset.px = drag.price;
    this.#ghost.textContent = `${this.#shown(drag.tag.dataset.px)} \u2192 ${this.#shown(drag.price)}`;
    this.place();
  }

  #release() {
    const drag = this.#drag;
    if (drag && drag.price !== null) {
      // The release ends a drag: the link under the pointer was not meant.
      drag.tag.addEventListener("click", (event) => event.preventDefault(), { once: true });
      this.open(drag.tag, drag.price);
    }
    setTimeout(() => this.#drop(), 0);  // after the click that may follow
  }

  #drop() {
    if (!this.#drag) return;
    this.#drag = null;
    this.#ghost.hidden = true;
    this.#onDrop();
  }

  // --- the form

  /** Open the amendment of a tag's order, at a new price if one was dragged to. */
  async open(tag, price = null) {
    if (!this.#form || this.#open?.isSending) return;
    const { order: id, term } = tag.dataset;
    const label = tag.textContent;
    try {
      const { row, form } = await ask(`/orders/${id}/amend`);
      if (row.why_not_amend) return toast(`It cannot be amended: ${row.why_not_amend}`, "warning");
      if (!(term in form.before)) return toast("Its price follows the market and is not amended.", "warning");
      this.#open = { id, label, term, form, isSending: false, confirmFrom: null };
    } catch (error) {
      if (!(error instanceof Refusal || error instanceof Lost)) throw error;
      const why = error instanceof Refusal ? error.problem.detail : "The server does not answer.";
      return toast(`Nothing was opened. ${why}`, "error");
    }
    this.#form.action = `/orders/${id}/amend`;
    this.#form.hidden = false;
    this.#price.value = price ?? this.#open.form.before[this.#open.term];
    this.#price.readOnly = false;
    this.#typed();
    this.#price.focus({ preventScroll: true });
    this.#price.select();
  }

  #key(event) {
    event.stopPropagation();
    if (event.key === "Escape") {
      event.preventDefault();
      if (!this.#open?.isSending) this.leave();
    } else if (event.key === "ArrowUp" || event.key === "ArrowDown") {
      event.preventDefault();
      if (this.#price.readOnly) return;
      const steps = (event.key === "ArrowUp" ? 1 : -1) * (event.shiftKey ? 10 : 1);
      this.#price.value = stepped(this.#price.value, this.#open.form.steps[this.#open.term], steps);
      this.#typed();
    }
  }

  #after() { return this.#price.value.trim().replaceAll(",", ""); }

  #typed() {
    this.#open.confirmFrom = null;
    const before = this.#open.form.before[this.#open.term];
    const after = this.#after();
    this.#form.dataset.px = isDecimal(after) ? after : before;
    const isSame = isDecimal(after) && compare(before, after) === 0;
    this.#say(isSame ? "Up and down move by a tick. Esc leaves."
      : `${this.#shown(before)} \u2192 ${isDecimal(after) ? this.#shown(after) : "no price"}${this.#open.term === "price" ? "; it gives up its place in the queue" : ""}. Enter amends, Esc leaves.`);
    this.place();
  }

  async #send() {
    const open = this.#open;
    if (!open || open.isSending) return;
    if (compare(open.form.before[open.term], this.#after()) === 0) return this.#say("Nothing is changed yet. Esc leaves.");
    if (open.confirmFrom !== null && Date.now() < open.confirmFrom) return;
    const { cl_ord_id, orig_cl_ord_id } = open.form;
    const fields = { cl_ord_id, orig_cl_ord_id, [open.term]: this.#after() };
    if (open.confirmFrom !== null) fields.confirmed = "yes";
    open.isSending = this.#price.readOnly = true;
    try {
      const { says } = await ask(`/orders/${open.id}/amend`, fields);
      this.#done(open, says);
    } catch (error) {
      if (error instanceof Refusal) this.#refused(open, error.problem);
      else if (error instanceof Lost) await this.#lost(open);
      else throw error;
    } finally {
      open.isSending = this.#price.readOnly = false;
    }
  }

  #done(open, says) {
    this.leave();
    toast(`${open.label}: ${says}`);
  }

  #refused(open, problem) {
    if (problem.code === "confirm_live") {
      open.confirmFrom = Date.now() + GUARD_MS;
      return this.#say(`${problem.detail} Enter again sends it.`, "warn");
    }
    const code = problem.errors?.length === 1 ? problem.errors[0].code : problem.code;
    this.#say(`${code}: ${problem.detail}`, "error");
    toast(`Not amended: ${problem.detail}`, "error");
  }

  async #lost(open) {
    const named = open.form.cl_ord_id;
    const { is } = await settled(open.id, named, (text) => this.#say(text, "unknown"));
    if (is === "received") return this.#done(open, "the amendment was received; its outcome follows in the orders.");
    if (is === "not_received") return this.#say("The server did not receive it; the old price holds. Enter sends it again under the same id.", "warn");
    this.#say(`Nobody answers. Whether this was received is not known; its id is ${named}. Enter asks again.`, "unknown");
  }

  #say(text, tone = "info") {
    const note = this.#form.querySelector("[data-amend-note]");
    note.dataset.tone = tone;
    note.textContent = text;
  }

  #shown(price) {
    return number(price, { places: Number(this.#panel.dataset.places) });
  }

  /** Close the form; what was typed is forgotten. */
  leave() {
    if (!this.#open) return;
    const { id } = this.#open;
    this.#open = null;
    this.#form.hidden = true;
    (this.#panel.querySelector(`[data-order="${id}"]`) ?? this.#panel.querySelector("[data-chart-host]")).focus();
  }

  /** The orders that still work: an amendment of one that ended is closed and said. */
  still(ids) {
    if (!this.#open || this.#open.isSending || ids.includes(this.#open.id)) return;
    const { label } = this.#open;
    this.leave();
    toast(`${label} no longer works; nothing was amended.`, "warning");
  }

  /** Put form and ghost at their price. */
  place() {
    for (const [element, size] of [[this.#form, FORM_PX], [this.#ghost, 1]]) {
      if (!element || element.hidden) continue;
      const y = this.#drawing.placeOf(element.dataset.px);
      if (y === null) continue;
      const top = Math.max(0, Math.min(this.#drawing.height - size, y - (size === 1 ? 0 : size / 2)));
      const at = `${Math.round(top)}px`;
      if (element.style.insetBlockStart !== at) element.style.insetBlockStart = at;
    }
  }
}
