// Amending in place: the cells of quantity and price become fields of one form, whose request id the
// server made when it opened. Enter sends once; a lost answer is asked for by that id.

import { Lost, Refusal, ask } from "./ask.js";
import { isDecimal, stepped } from "./decimal.js";
import { compare, number } from "./fmt.js";
import { refusalNodes } from "./orders-note.js";
import { settled } from "./orders-lost.js";
import { toast } from "./toasts.js";

const GUARD_MS = 400;
const NAMES = {
  order_qty: "quantity", price: "price", stop_px: "stop", trail_offset: "trail",
  limit_offset: "limit offset", display_qty: "shown quantity",
};

/** The one amendment open in a grid. */
export class Amending {
  #grid;
  #notes;
  #opening = null;          // the id whose form is being fetched
  #open = null;             // {id, form, fields, isSending, confirmFrom}

  constructor(grid, notes) {
    this.#grid = grid;
    this.#notes = notes;
    grid.section.addEventListener("grid:change", ({ detail }) => this.#changed(detail.id));
    grid.section.addEventListener("note:closed", ({ detail }) => {
      if (this.#open?.id === detail.id) this.leave();
    });
  }

  /** The id of the order being amended, null while none is. */
  get id() { return this.#open?.id ?? null; }

  /** Turn a row's cells into fields. */
  async start(id) {
    if (this.#opening || this.#open?.isSending) return;
    if (this.#open) this.leave();
    const why = this.#grid.entry(id)?.row.why_not_amend;
    if (why) return this.#notes.say(id, "warn", [`It cannot be amended: ${why}`]);
    this.#opening = id;
    this.#grid.pin(id);
    try {
      const { form, ...entry } = await ask(`/orders/${id}/amend`);
      this.#grid.upsert(entry);
      const late = this.#grid.entry(id)?.row.why_not_amend;
      if (late) {
        this.#notes.say(id, "warn", [`It cannot be amended: ${late}`]);
        this.#grid.letGo(id);
      } else {
        this.#edit(id, form);
      }
    } catch (error) {
      if (!(error instanceof Refusal || error instanceof Lost)) throw error;
      this.#grid.letGo(id);
      const nodes = error instanceof Refusal
        ? refusalNodes(error.problem)
        : ["The server does not answer. Nothing was opened; press e to try again."];
      this.#notes.say(id, "error", nodes);
    } finally {
      this.#opening = null;
    }
  }

  #edit(id, form) {
    this.#grid.focus(id);
    const tr = this.#grid.node(id);
    const fields = {};
    for (const name of Object.keys(form.before)) {
      const cell = tr.querySelector(`td[data-c="${name}"]`);
      if (!cell?.checkVisibility()) continue;  // the page that amends has every term
      cell.dataset.editing = "";
      const input = document.createElement("input");
      input.className = "bl-grid__field";
      input.inputMode = "decimal";
      input.autocomplete = "off";
      input.maxLength = 40;
      input.value = form.before[name];
      input.setAttribute("aria-label", `New ${NAMES[name]}`);
      input.title = "Up and down by a step, with Shift by ten; Enter amends, Esc leaves";
      input.addEventListener("keydown", (event) => this.#key(event, name));
      input.addEventListener("input", () => this.#typed());
      cell.replaceChildren(input);
      fields[name] = input;
    }
    this.#open = { id, form, fields, isSending: false, confirmFrom: null };
    this.#diff();
    const first = fields.price ?? fields.stop_px ?? fields.order_qty;
    first.focus({ preventScroll: true });
    first.select();
  }

  #key(event, name) {
    event.stopPropagation();
    const { form, fields } = this.#open;
    if (event.key === "Enter") {
      event.preventDefault();
      this.#send();
    } else if (event.key === "Escape") {
      event.preventDefault();
      if (!this.#open.isSending) this.leave();
    } else if (event.key === "ArrowUp" || event.key === "ArrowDown") {
      event.preventDefault();
      const steps = (event.key === "ArrowUp" ? 1 : -1) * (event.shiftKey ? 10 : 1);
      fields[name].value = stepped(fields[name].value, form.steps[name], steps);
      this.#typed();
    } else if (event.key === "Tab" && Object.keys(fields).length > 1) {
      event.preventDefault();
      const names = Object.keys(fields);
      const step = event.shiftKey ? names.length - 1 : 1;
      const other = fields[names[(names.indexOf(name) + step) % names.length]];
      other.focus();
      other.select();
    }
  }

  #typed() {
    this.#open.confirmFrom = null;
    this.#diff();
  }

  #changes() {
    const { form, fields } = this.#open;
    return Object.entries(fields)
      .map(([name, { value }]) => ({ name, before: form.before[name], after: value.trim().replaceAll(",", "") }))
      .filter(({ before, after }) => !isDecimal(after) || compare(before, after) !== 0);
  }

  // Before and after, always in sight before anything is sent.
  #diff(lead = null) {
    const changes = this.#changes();
    const nodes = lead ? [lead] : [];
    for (const { name, before, after } of changes) {
      const diff = document.createElement("span");
      diff.className = "bl-diff";
      const [del, ins] = [document.createElement("del"), document.createElement("ins")];
      del.textContent = number(before);
      ins.textContent = isDecimal(after) ? number(after) : after || "nothing";
      diff.append(`${NAMES[name]} `, del, " \u2192 ", ins);
      nodes.push(diff);
    }
    const { form } = this.#open;
    const losesPlace = changes.some(({ name, before, after }) => !name.endsWith("_qty")
      || (isDecimal(after) && compare(after, before) > 0));
    if (changes.length === 0) nodes.push("Type new terms; the arrows move by a tick or a lot.");
    else if (losesPlace) nodes.push("It gives up its place in the queue.");
    else nodes.push("It keeps its place in the queue.");
    nodes.push(changes.length ? `Enter amends${form.mode === "LIVE" ? " (real money: asked once more)" : ""}, Esc leaves.` : "Esc leaves.");
    this.#notes.say(this.#open.id, lead ? "warn" : "info", nodes);
  }

  async #send() {
    const open = this.#open;
    if (open.isSending) return;
    const changes = this.#changes();
    if (changes.length === 0) return this.#diff("Nothing is changed yet.");
    if (open.confirmFrom !== null && Date.now() < open.confirmFrom) return;
    const fields = { cl_ord_id: open.form.cl_ord_id, orig_cl_ord_id: open.form.orig_cl_ord_id };
    for (const { name, after } of changes) fields[name] = after;
    if (open.confirmFrom !== null) fields.confirmed = "yes";
    open.isSending = true;
    for (const input of Object.values(open.fields)) input.readOnly = true;
    try {
      const answer = await ask(`/orders/${open.id}/amend`, fields);
      this.#grid.upsert(answer);
      this.#done(open, answer.says);
    } catch (error) {
      if (error instanceof Refusal) this.#refused(open, error.problem);
      else if (error instanceof Lost) await this.#lost(open);
      else throw error;
    } finally {
      open.isSending = false;
      for (const input of Object.values(open.fields)) input.readOnly = false;
    }
  }

  #done(open, says) {
    this.leave();
    const { row } = this.#grid.entry(open.id) ?? { row: {} };
    toast(`${row.side ?? ""} ${row.symbol ?? ""}: ${says}`);
  }

  #refused(open, problem) {
    if (problem.code === "confirm_live") {
      open.confirmFrom = Date.now() + GUARD_MS;
      return this.#diff(`${problem.detail} Enter again sends it.`);
    }
    this.#notes.say(open.id, "error", refusalNodes(problem));
    toast(`Not amended: ${problem.detail}`, "error");
  }

  async #lost(open) {
    const said = (text) => this.#notes.say(open.id, "unknown", [text]);
    const state = await settled(open.id, open.form.cl_ord_id, said);
    if (state.entry) this.#grid.upsert(state.entry);
    if (state.is === "received") return this.#done(open, "the amendment was received; its outcome follows here.");
    if (state.is === "not_received") {
      return this.#diff("The server did not receive it; the old terms hold. Enter sends it again under the same id.");
    }
    this.#notes.say(open.id, "unknown", [
      `Nobody answers. Whether this was received is not known; its id is ${open.form.cl_ord_id}. Enter asks again.`,
    ]);
  }

  #changed(id) {
    if (this.#open?.id !== id || this.#open.isSending) return;
    const why = this.#grid.entry(id)?.row.why_not_amend;
    if (why) this.#notes.say(id, "warn", [`Meanwhile the order changed: ${why} Esc leaves.`]);
  }

  /** Give the cells back; what was typed is forgotten. */
  leave() {
    const open = this.#open;
    if (!open) return;
    this.#open = null;
    this.#notes.clear(open.id);
    const tr = this.#grid.node(open.id);
    for (const input of Object.values(open.fields)) delete input.parentElement?.dataset.editing;
    if (tr) tr.dataset.v = "";
    this.#grid.render();
    this.#grid.focus(open.id);
    this.#grid.letGo(open.id);
  }
}
