// The chart panel: bars and own orders from the server, the open bar from quotes, seven states.
//
//   <section id="chart" data-chart data-symbol="SPX" data-interval="1d" data-places="2" data-account>
//
// The server says which bar a fill belongs to and which day is being replayed; nothing is placed
// by a guess here. A panel that htmx replaces gets a frame of its own.

import { ChartAmend } from "./chart-amend.js";
import { Drawing } from "./chart-drawing.js";
import { compare, number, time as clock } from "./fmt.js";
import { connection, on } from "./live.js";

const SKELETON_MS = 150;
const MARKS_PAUSE_MS = 150;
const STALE_MS = 10_000;
const AGAIN_MS = 1_000;
const SHORT_MS = 5_000;
const TAG_PX = 17;
const TAG_STEP_PX = 24;                 // so far apart they can be aimed at
const TAG_TOP_PX = 40;
const TAG_COLUMN_PX = 214;
const SIDE_MARK = { B: "▲", S: "▼" };

let frame = null;

class Frame {
  #panel;
  #host;
  #drawing = null;
  #amend = null;
  #bars = [];               // {time, open, high, low, close, volume, change_pct}, strings
  #today = null;            // {day, time} of the day being replayed
  #base = null;             // the known part of the bar that today belongs to
  #marks = null;
  #quotedAt = 0;
  #hovered = null;
  #timer = 0;
  #loading = null;
  #loadedAt = 0;
  #ends = [];

  constructor(panel) {
    this.#panel = panel;
    this.#host = panel.querySelector("[data-chart-host]");
    const slow = setTimeout(() => this.#enter("loading"), SKELETON_MS);
    this.load().finally(() => clearTimeout(slow));
    const { symbol } = panel.dataset;
    this.#ends.push(
      on("quote", (quote) => { if (quote.k === symbol) this.#quoted(quote); }),
      on("order", ({ row }) => { if (row.symbol === symbol) this.#askMarks(); }),
      on("execution", ({ row }) => { if (row.symbol === symbol) this.#askMarks(); }),
      on("position", ({ row }) => { if (row.symbol === symbol) this.#askMarks(); }),
      on("state", ({ name }) => { if (name === "live" && this.#loadedAt) this.load(); }),
    );
    const watch = new MutationObserver(() => this.#drawing?.recolour());
    watch.observe(document.documentElement, { attributeFilter: ["data-theme", "data-money"] });
    const age = setInterval(() => this.#age(), 1000);
    const seen = () => { if (!document.hidden && Date.now() - this.#loadedAt > STALE_MS) this.load(); };
    document.addEventListener("visibilitychange", seen);
    this.#ends.push(
      () => watch.disconnect(), () => clearInterval(age), () => clearTimeout(this.#timer),
      () => document.removeEventListener("visibilitychange", seen),
    );
    this.#host.addEventListener("keydown", (event) => this.#key(event));
  }

  get panel() { return this.#panel; }

  end() {
    for (const end of this.#ends) end();
    this.#drawing?.destroy();
    this.#drawing = null;
    this.#panel = null;
  }

  /** Read bars and own orders again; one request at a time. */
  load() {
    this.#loading ??= this.#load().finally(() => { this.#loading = null; });
    return this.#loading;
  }

  async #load() {
    const { symbol, interval } = this.#panel.dataset;
    this.#loadedAt = Date.now();
    try {
      const query = new URLSearchParams({ symbol, interval });
      const [data] = await Promise.all([read(`/desk/chart/bars?${query}`), this.#loadMarks()]);
      if (this.#panel) this.#show(data);
    } catch (error) {
      if (this.#panel) this.#fail(error);
    }
  }

  #show(data) {
    const isShort = data.interval === "5s";
    const isFirst = this.#drawing === null;
    this.#today = data.today;
    this.#bars = data.bars;
    this.#base = this.#today && this.#bars.find(({ time }) => time === this.#today.time);
    if (this.#bars.length === 0 && !this.#today?.open) {
      this.#enter("empty", `There are no bars of ${data.symbol} of this length yet.`);
      return;
    }
    this.#enter("ready");
    this.#drawing ??= new Drawing(this.#host, {
      kind: data.kind, places: data.places, seconds: isShort,
      onHover: (index) => { this.#hovered = index; this.#legend(); },
      onMark: (id) => { location.assign(this.#marks.marks[id].href); },
      onPaint: () => this.#place(),
    });
    this.#amend ??= new ChartAmend(this.#panel, this.#drawing, () => this.#drawMarks());
    if (isFirst) this.#drawing.setBars(this.#bars);
    else for (const bar of this.#bars.slice(-20)) this.#drawing.setBar(bar);
    if (this.#today?.open) this.#put(this.#merged(this.#today));
    this.#drawMarks();
    this.#legend();
  }

  // The bar the day belongs to, with the day so far in it. Digits are compared, never computed.
  #merged({ open, high, low, close, change_pct: change }) {
    const base = this.#base;
    if (!base) return { time: this.#today.time, open, high, low, close, volume: null, change_pct: change };
    return {
      time: base.time, open: base.open, close, volume: base.volume, change_pct: null,
      high: compare(high, base.high) > 0 ? high : base.high,
      low: compare(low, base.low) < 0 ? low : base.low,
    };
  }

  #put(bar) {
    const last = this.#bars.at(-1);
    if (last && last.time === bar.time) this.#bars[this.#bars.length - 1] = bar;
    else if (!last || last.time < bar.time) this.#bars.push(bar);
    else return;
    this.#drawing.setBar(bar);
  }

  #quoted(quote) {
    this.#quotedAt = Date.now();
    if (this.#panel.dataset.state === "stale") this.#enter("ready");
    if (!this.#drawing) return;
    if (this.#panel.dataset.interval === "5s") this.#put(this.#shortBar(quote));
    else if (this.#today) {
      const day = quote.history_at.slice(0, 10);
      if (day !== this.#today.day) this.#nextDay();
      else if (quote.open) this.#put(this.#merged({ ...quote, close: quote.last }));
    }
    if (this.#hovered === null) this.#legend();
  }

  // What the day that ended came to is asked of the server: its last quotes may have been missed.
  #nextDay() {
    if (Date.now() - this.#loadedAt > AGAIN_MS) this.load();
  }

  #shortBar({ t, last: price }) {
    const start = Math.floor(Date.parse(t) / SHORT_MS) * SHORT_MS;
    const time = new Date(start).toISOString();
    const last = this.#bars.at(-1);
    if (!last || Date.parse(last.time) !== start) {
      return { time, open: price, high: price, low: price, close: price, volume: null, change_pct: null };
    }
    return {
      ...last, close: price, change_pct: null,
      high: compare(price, last.high) > 0 ? price : last.high,
      low: compare(price, last.low) < 0 ? price : last.low,
    };
  }

  // --- own orders, fills, position

  #askMarks() {
    if (this.#timer) return;
    this.#timer = setTimeout(async () => {
      this.#timer = 0;
      try {
        await this.#loadMarks();
        if (this.#panel) this.#drawMarks();
      } catch (error) {
        if (this.#panel) this.#fail(error);
      }
    }, MARKS_PAUSE_MS);
  }

  async #loadMarks() {
    const { symbol, interval, account } = this.#panel.dataset;
    if (!account) return;
    const query = new URLSearchParams({ symbol, interval, account });
    this.#marks = await read(`/desk/chart/marks?${query}`);
  }

  #drawMarks() {
    if (!this.#drawing || !this.#marks || this.#amend?.isDragging) return;
    const { marks, orders, position, elsewhere, cut } = this.#marks;
    this.#drawing.setMarks(marks);
    this.#drawing.setLines([
      ...orders.map(({ id, px, side, waits }) => ({
        id, px, tone: side === "BUY" ? "buy" : "sell", dashed: waits,
      })),
      ...(position ? [{ id: "position", px: position.avg_px, tone: "accent" }] : []),
    ]);
    this.#own(orders, position);
    const list = this.#panel.querySelector("[data-chart-list]");
    list.replaceChildren(...marks.map(({ time, side, label }) => {
      const item = document.createElement("li");
      item.textContent = `${SIDE_MARK[side]}${label} ${time}`;
      return item;
    }));
    const notes = this.#panel.dataset.interval === "5s" ? ["bars of the wall clock, from recorded quotes"] : [];
    if (elsewhere) notes.push(`${elsewhere} fills of earlier passes are not drawn`);
    if (cut) notes.push("older fills are not drawn");
    this.#panel.querySelector("[data-chart-note]").textContent = notes.join(" · ");
  }

  // A tag at each line: what it is, and the way to the order.
  #own(orders, position) {
    const tags = orders.map(({ id, label, side, href, px, term }) => {
      const tag = document.createElement("a");
      tag.href = href;
      tag.dataset.order = id;
      tag.dataset.side = side;
      tag.dataset.px = px;
      tag.draggable = false;
      tag.textContent = label;
      if (term && "amends" in this.#panel.dataset) {
        tag.dataset.amends = "";
        tag.dataset.term = term;
        tag.title = "Drag to another price, or press e; Enter opens the order";
      }
      return tag;
    });
    if (position) {
      const tag = document.createElement("span");
      tag.dataset.average = "";
      tag.dataset.px = position.avg_px;
      tag.textContent = position.label;
      tags.push(tag);
    }
    const place = this.#panel.querySelector("[data-chart-own]");
    const focused = place.contains(document.activeElement) ? document.activeElement.dataset.order : null;
    place.replaceChildren(...tags);
    if (focused) place.querySelector(`[data-order="${focused}"]`)?.focus({ preventScroll: true });
    this.#amend?.still(orders.map(({ id }) => id));
    this.#place();
  }

  // Tags stand on their lines, under each other where lines lie close, at the edge beyond it.
  #place() {
    if (!this.#drawing) return;
    this.#amend?.place();
    const { height } = this.#drawing;
    const tags = [...this.#panel.querySelectorAll("[data-chart-own] > *")]
      .map((tag) => ({ tag, y: this.#drawing.placeOf(tag.dataset.px) }))
      .filter(({ y }) => y !== null)
      .sort((one, other) => one.y - other.y);
    // More than fit under each other stand in columns.
    const columns = Math.max(1, Math.ceil((tags.length * TAG_STEP_PX) / (height - TAG_TOP_PX)));
    const free = new Array(columns).fill(TAG_TOP_PX);
    for (const [index, { tag, y }] of tags.entries()) {
      const column = index % columns;
      const below = Math.ceil((tags.length - index) / columns) - 1;
      const lowest = height - TAG_PX - below * TAG_STEP_PX;
      const top = Math.max(free[column], Math.min(lowest, y - TAG_PX / 2));
      free[column] = top + TAG_STEP_PX;
      const from = `${12 + column * TAG_COLUMN_PX}px`;
      if (tag.style.insetInlineStart !== from) tag.style.insetInlineStart = from;
      tag.dataset.beyond = y < 0 ? "above" : y > height ? "below" : "";
      const at = `${Math.round(top)}px`;
      if (tag.style.insetBlockStart !== at) tag.style.insetBlockStart = at;
    }
  }

  // --- what is said in words

  #legend() {
    const bar = this.#bars[this.#hovered ?? this.#bars.length - 1];
    const line = this.#panel.querySelector("[data-chart-legend]");
    if (!bar) return line.replaceChildren();
    const places = Number(this.#panel.dataset.places);
    const day = bar.time.length === 10 ? bar.time : clock(bar.time, { zone: document.body.dataset.zone, millis: false });
    const parts = [["", day]];
    for (const [name, key] of [["O", "open"], ["H", "high"], ["L", "low"], ["C", "close"]]) {
      parts.push([name, number(bar[key], { places })]);
    }
    if (bar.change_pct) parts.push(["", `${number(bar.change_pct, { places: 2, signed: true })} %`, compare(bar.change_pct, "0")]);
    if (bar.volume) parts.push(["V", number(bar.volume)]);
    for (const { time, side, label } of this.#marks?.marks ?? []) {
      if (this.#hovered !== null && time === bar.time) parts.push(["", `${SIDE_MARK[side]}${label}`, side === "B" ? 1 : -1]);
    }
    line.replaceChildren(...parts.map(([name, text, sign]) => {
      const item = document.createElement("span");
      if (sign) item.dataset.sign = sign > 0 ? "up" : "down";
      if (name) {
        const letter = document.createElement("b");
        letter.textContent = name;
        item.append(letter);
      }
      item.append(text);
      return item;
    }));
  }

  #enter(state, words = "") {
    if (!this.#panel || (state === "loading" && this.#drawing)) return;
    this.#panel.dataset.state = state;
    const strip = this.#panel.querySelector("[data-strip]");
    if (strip.textContent !== words) strip.textContent = words;
  }

  #fail({ message, code = "unreachable", requestId = "" }) {
    this.#enter("error", `${code}: ${message}${requestId ? ` (request ${requestId})` : ""} `);
    const retry = document.createElement("button");
    retry.type = "button";
    retry.className = "bl-button bl-button--small";
    retry.textContent = "Try again";
    retry.addEventListener("click", () => this.load());
    this.#panel.querySelector("[data-strip]").append(retry);
  }

  #age() {
    const { state } = this.#panel.dataset;
    if (!["ready", "stale", "offline"].includes(state)) return;
    const { name, since } = connection();
    if (["offline", "signed-out"].includes(name)) {
      return this.#enter("offline", `Not connected since ${clock(new Date(since).toISOString(), { zone: document.body.dataset.zone, millis: false })}; the chart stands still.`);
    }
    const quiet = this.#quotedAt ? Date.now() - this.#quotedAt : 0;
    if (quiet > STALE_MS) this.#enter("stale", `No price for ${Math.floor(quiet / 1000)} s; the last bar is as it was.`);
    else if (state !== "ready") this.#enter("ready");
  }

  #key(event) {
    if (!this.#drawing || event.ctrlKey || event.metaKey || event.altKey) return;
    switch (event.key) {
      case "ArrowLeft": this.#hovered = this.#drawing.walk(-1); break;
      case "ArrowRight": this.#hovered = this.#drawing.walk(1); break;
      case "+": case "=": this.#drawing.zoom(0.7); break;
      case "-": this.#drawing.zoom(1.4); break;
      case "Home": this.#hovered = null; this.#drawing.home(); break;
      case "l": this.#drawing.log(); break;
      case "e": {
        const tag = this.#panel.querySelector("[data-chart-own] [data-amends]");
        if (!tag) return;
        this.#amend.open(tag);
        break;
      }
      case "t": this.#panel.querySelector("[data-chart-view]").click(); break;
      default: return;
    }
    event.preventDefault();
    event.stopPropagation();
    this.#legend();
  }
}

async function read(path) {
  const answer = await fetch(path, { headers: { Accept: "application/json" } });
  const body = await answer.json();
  if (answer.ok) return body;
  throw Object.assign(new Error(body.detail), { code: body.code, requestId: body.request_id });
}

function mount() {
  const panel = document.querySelector("[data-chart]");
  if (frame?.panel === panel) return;
  frame?.end();
  frame = panel ? new Frame(panel) : null;
}

// `[` and `]` choose the interval before or after the one that is shown.
document.body.addEventListener("page:act", ({ detail: { verb, object } }) => {
  if (verb === "table") return document.querySelector("[data-chart-view]")?.click();
  if (verb !== "interval") return;
  const links = [...document.querySelectorAll("#chart [data-interval]")].filter((one) => one.matches("a"));
  const at = links.findIndex((one) => one.hasAttribute("aria-current"));
  links[at + (object === "longer" ? 1 : -1)]?.click();
});
document.addEventListener("htmx:after:swap", mount);
mount();
