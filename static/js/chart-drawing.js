// The one place that knows lightweight-charts. Strings in; floats live here only, to be drawn.

import { number } from "./fmt.js";

const { CandlestickSeries, CrosshairMode, HistogramSeries, LineSeries, LineStyle, createChart,
  createSeriesMarkers } = window.LightweightCharts;
const FIRST_SHOWN = 120;
const RIGHT_GAP = 6;

function token(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** A day stays a day, an instant becomes seconds: the two kinds of time the library draws. */
export function drawnTime(time) {
  return time.length === 10 ? time : Math.floor(Date.parse(time) / 1000);
}

function drawnBar(bar) {
  return {
    time: drawnTime(bar.time), open: Number(bar.open), high: Number(bar.high),
    low: Number(bar.low), close: Number(bar.close), value: Number(bar.close),
  };
}

/** A chart in `host`. `kind` is OHLCV or CLOSE, `places` the decimals of a price. */
export class Drawing {
  #chart;
  #prices;
  #volumes;
  #markers;
  #lines = new Map();       // id -> {line, px, tone, style}
  #marks = [];
  #bars = [];
  #at = null;               // the index the keys have walked to

  constructor(host, { kind, places, seconds, onHover, onMark }) {
    this.#chart = createChart(host, {
      autoSize: true,
      layout: { attributionLogo: false, fontFamily: getComputedStyle(document.body).fontFamily, fontSize: 11 },
      localization: { priceFormatter: (price) => number(price.toFixed(places), { places }) },
      crosshair: { mode: CrosshairMode.Normal },
      rightPriceScale: { scaleMargins: { top: 0.16, bottom: kind === "OHLCV" ? 0.2 : 0.08 } },
      timeScale: { rightOffset: RIGHT_GAP, timeVisible: seconds, secondsVisible: seconds, minBarSpacing: 1 },
    });
    const isLine = kind === "CLOSE";
    this.#prices = this.#chart.addSeries(isLine ? LineSeries : CandlestickSeries, {
      priceFormat: { type: "custom", minMove: 10 ** -places, formatter: (price) => number(price.toFixed(places), { places }) },
    });
    if (!isLine && !seconds) {
      this.#volumes = this.#chart.addSeries(HistogramSeries, {
        priceScaleId: "volume", lastValueVisible: false, priceLineVisible: false,
        priceFormat: { type: "volume" },
      });
      this.#chart.priceScale("volume").applyOptions({ scaleMargins: { top: 0.84, bottom: 0 } });
    }
    this.#markers = createSeriesMarkers(this.#prices, []);
    this.#chart.subscribeCrosshairMove(({ time, hoveredObjectId }) => {
      host.style.cursor = hoveredObjectId ? "pointer" : "";
      onHover(time === undefined ? null : this.#indexOf(time));
    });
    this.#chart.subscribeClick(({ hoveredObjectId }) => {
      if (hoveredObjectId !== undefined) onMark(hoveredObjectId);
    });
    this.recolour();
  }

  /** Every bar anew, oldest first. */
  setBars(bars) {
    this.#bars = bars.map(drawnBar);
    this.#prices.setData(this.#bars);
    this.#volumes?.setData(bars.flatMap((bar) => this.#volume(bar)));
    this.#chart.timeScale().setVisibleLogicalRange({
      from: bars.length - FIRST_SHOWN, to: bars.length + RIGHT_GAP,
    });
  }

  /** Replace the bar of this time, or add it at the end. */
  setBar(bar) {
    const drawn = drawnBar(bar);
    const last = this.#bars.length - 1;
    const at = this.#indexOf(drawn.time);
    if (at >= 0) this.#bars[at] = drawn;
    else this.#bars.push(drawn);
    this.#prices.update(drawn, at >= 0 && at < last);
    for (const volume of this.#volume(bar)) this.#volumes?.update(volume, at >= 0 && at < last);
    if (at < 0 && this.#marks.length) this.#mark();
  }

  /** Own fills per bar and side; those of bars that are not drawn are not drawn either. */
  setMarks(marks) {
    this.#marks = marks;
    this.#mark();
  }

  /** Lines at prices: [{id, px, label, tone, dashed}]; those that are gone are removed. */
  setLines(lines) {
    const wanted = new Map(lines.map((line) => [line.id, line]));
    for (const [id, { line }] of this.#lines) {
      if (!wanted.has(id)) {
        this.#prices.removePriceLine(line);
        this.#lines.delete(id);
      }
    }
    for (const line of lines) {
      const options = {
        price: Number(line.px), title: line.label, color: token(line.tone), lineWidth: 1,
        lineStyle: line.dashed ? LineStyle.Dotted : LineStyle.Dashed, axisLabelVisible: true,
        axisLabelTextColor: token("surface"),
      };
      const known = this.#lines.get(line.id);
      if (known) known.line.applyOptions(options);
      else this.#lines.set(line.id, { line: this.#prices.createPriceLine(options), tone: line.tone });
      this.#lines.get(line.id).tone = line.tone;
    }
  }

  /** Take the colours of the page's theme. */
  recolour() {
    const [up, down, line] = ["up", "down", "line"].map(token);
    this.#chart.applyOptions({
      layout: { background: { color: token("surface") }, textColor: token("muted") },
      grid: { vertLines: { color: line }, horzLines: { color: line } },
      rightPriceScale: { borderColor: line },
      timeScale: { borderColor: line },
      crosshair: {
        vertLine: { color: token("line-strong"), labelBackgroundColor: token("overlay") },
        horzLine: { color: token("line-strong"), labelBackgroundColor: token("overlay") },
      },
    });
    this.#prices.applyOptions({
      upColor: up, downColor: down, wickUpColor: up, wickDownColor: down, borderVisible: false,
      color: token("accent"), lineWidth: 2, priceLineColor: token("muted"),
    });
    this.#volumes?.applyOptions({ color: token("line-strong") });
    for (const { line: drawn, tone } of this.#lines.values()) {
      drawn.applyOptions({ color: token(tone), axisLabelTextColor: token("surface") });
    }
    this.#mark();
  }

  /** Walk the crosshair by bars; returns the index it stands on. */
  walk(steps) {
    const last = this.#bars.length - 1;
    if (last < 0) return null;
    this.#at = Math.min(last, Math.max(0, (this.#at ?? last + (steps < 0 ? 1 : 0)) + steps));
    const bar = this.#bars[this.#at];
    this.#chart.setCrosshairPosition(bar.close, bar.time, this.#prices);
    const range = this.#chart.timeScale().getVisibleLogicalRange();
    if (range && (this.#at < range.from || this.#at > range.to)) {
      const half = (range.to - range.from) / 2;
      this.#chart.timeScale().setVisibleLogicalRange({ from: this.#at - half, to: this.#at + half });
    }
    return this.#at;
  }

  /** Show `factor` times as many bars, the newest staying where it is. */
  zoom(factor) {
    const range = this.#chart.timeScale().getVisibleLogicalRange();
    if (!range) return;
    const span = Math.max(10, (range.to - range.from) * factor);
    this.#chart.timeScale().setVisibleLogicalRange({ from: range.to - span, to: range.to });
  }

  /** Back to the newest bars. */
  home() {
    this.#at = null;
    this.#chart.clearCrosshairPosition();
    this.#chart.timeScale().scrollToRealTime();
  }

  /** Turn the logarithmic scale on or off; says whether it is on. */
  log() {
    const scale = this.#chart.priceScale("right");
    const isLog = scale.options().mode === 1;
    scale.applyOptions({ mode: isLog ? 0 : 1 });
    return !isLog;
  }

  /** The price under a vertical place of the host, and back; null where there is none. */
  priceAt(y) {
    return this.#prices.coordinateToPrice(y);
  }

  /** The vertical place of a price. */
  placeOf(price) {
    return this.#prices.priceToCoordinate(Number(price));
  }

  /** Let the pointer move the chart, or not (while it drags something). */
  setScrollable(isOn) {
    this.#chart.applyOptions({ handleScroll: isOn, handleScale: isOn });
  }

  destroy() {
    this.#chart.remove();
  }

  #indexOf(time) {
    for (let at = this.#bars.length - 1; at >= 0; at -= 1) {
      if (this.#bars[at].time === time) return at;
      if (this.#bars[at].time < time) return -1;
    }
    return -1;
  }

  #volume({ time, volume }) {
    return volume === null || volume === undefined
      ? [] : [{ time: drawnTime(time), value: Number(volume) }];
  }

  #mark() {
    const times = new Set(this.#bars.map((bar) => bar.time));
    const drawn = this.#marks
      .map(({ time, side, label }, id) => ({
        id, time: drawnTime(time), text: label,
        position: side === "B" ? "belowBar" : "aboveBar",
        shape: side === "B" ? "arrowUp" : "arrowDown",
        color: token(side === "B" ? "buy" : "sell"),
      }))
      .filter(({ time }) => times.has(time))
      .sort((one, other) => (one.time < other.time ? -1 : one.time > other.time ? 1 : 0));
    this.#markers?.setMarkers(drawn);
  }
}
