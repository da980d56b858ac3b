// The one place that knows lightweight-charts. Strings in; floats live here only, to be drawn.

import { number, time as clock } from "./fmt.js";

const { CandlestickSeries, CrosshairMode, HistogramSeries, LineSeries, LineStyle, createChart,
  createSeriesMarkers } = window.LightweightCharts;
const FIRST_SHOWN = 120;
const RIGHT_GAP = 14;
const LETTER_PX = 6.2;

function token(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** A day stays a day, an instant becomes seconds: the two kinds of time the library draws. */
export function drawnTime(time) {
  return time.length === 10 ? time : Math.floor(Date.parse(time) / 1000);
}

// Instants are shown in the zone of the person, as everywhere on the page.
function clockOf(seconds) {
  const iso = new Date(seconds * 1000).toISOString();
  return clock(iso, { zone: document.body.dataset.zone, millis: false }).slice(-8);
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
  #spacing = 0;             // of bars, in px, when marks were last labelled

  constructor(host, { kind, places, seconds, onHover, onMark, onPaint }) {
    this.#chart = createChart(host, {
      autoSize: true,
      layout: { attributionLogo: false, fontFamily: getComputedStyle(document.body).fontFamily, fontSize: 11 },
      localization: {
        priceFormatter: (price) => number(price.toFixed(places), { places }),
        ...(seconds ? { timeFormatter: clockOf } : {}),
      },
      crosshair: { mode: CrosshairMode.Normal },
      rightPriceScale: { scaleMargins: { top: 0.26, bottom: kind === "OHLCV" ? 0.2 : 0.08 } },
      timeScale: {
        rightOffset: RIGHT_GAP, timeVisible: seconds, secondsVisible: seconds, minBarSpacing: 1,
        ...(seconds ? { tickMarkFormatter: clockOf } : {}),
      },
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
    this.#markers = createSeriesMarkers(this.#prices, [], { autoScale: false });
    this.#prices.attachPrimitive({ updateAllViews: () => requestAnimationFrame(onPaint) });
    this.#chart.timeScale().subscribeVisibleLogicalRangeChange(() => {
      if (Math.abs(this.#barSpacing() - this.#spacing) > 0.5) this.#mark();
    });
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
    this.#prices.setData(this.#bars.map((bar) => ({ ...bar })));  // the library rewrites times
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
    this.#prices.update({ ...drawn }, at >= 0 && at < last);
    for (const volume of this.#volume(bar)) this.#volumes?.update(volume, at >= 0 && at < last);
    if (at < 0 && this.#marks.length) this.#mark();
  }

  /** Own fills per bar and side; those of bars that are not drawn are not drawn either. */
  setMarks(marks) {
    this.#marks = marks;
    this.#mark();
  }

  /** Lines at prices: [{id, px, tone, dashed}]; those that are gone are removed. */
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
        price: Number(line.px), title: "", color: token(line.tone), lineWidth: 1,
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
    this.#volumes?.applyOptions({ color: `${token("line-strong")}80` });
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

  /** The price under a vertical place of the host, null where there is none. */
  priceAt(y) {
    return this.#prices.coordinateToPrice(y);
  }

  /** The vertical place of a price in the host, null while nothing is drawn. */
  placeOf(price) {
    return this.#prices.priceToCoordinate(Number(price));
  }

  /** The height in which prices are drawn. */
  get height() {
    return this.#chart.paneSize().height;
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

  #barSpacing() {
    const scale = this.#chart.timeScale();
    return Math.abs((scale.logicalToCoordinate(1) ?? 0) - (scale.logicalToCoordinate(0) ?? 0));
  }

  // Every mark has its arrow; words only where they do not run into those of a later one.
  #mark() {
    const places = new Map(this.#bars.map((bar, index) => [bar.time, index]));
    const spacing = this.#spacing = this.#barSpacing();
    const free = { B: Infinity, S: Infinity };
    const drawn = this.#marks
      .map((mark, id) => ({ ...mark, id, time: drawnTime(mark.time) }))
      .filter(({ time }) => places.has(time))
      .sort((one, other) => places.get(other.time) - places.get(one.time))
      .map(({ id, time, side, label }) => {
        const middle = places.get(time) * spacing;
        const half = (label.length * LETTER_PX) / 2;
        const hasRoom = middle + half < free[side];
        if (hasRoom) free[side] = middle - half;
        return {
          id, time, text: hasRoom ? label : "",
          position: side === "B" ? "belowBar" : "aboveBar",
          shape: side === "B" ? "arrowUp" : "arrowDown",
          color: token(side === "B" ? "buy" : "sell"),
        };
      });
    this.#markers.setMarkers(drawn.reverse());
  }
}
