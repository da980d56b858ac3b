"""The market side of the desk: the watchlist, facts of an instrument, what a chart draws.

Amounts are the API's strings. A chart's shapes are drawn where the data say and nowhere else:
bars of days lie on days of history, own fills happened at instants of the wall clock, and the
replay's clock tells which day of history was shown then (``marketdata.selectors.history_days``).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from common.actor import Actor
from common.instants import instant_str
from common.numbers import dec_str, opt_dec_str
from marketdata import charts, quotes, selectors
from marketdata.charts import ChartBar, ChartInterval
from marketdata.models import Bar, Instrument
from oms import selectors as orders
from oms.fills import Fill, fills_in_force
from oms.present import is_working
from portal import kinds
from portal.market.sparkline import Sparkline, sparkline
from portal.templatetags.blotter import HIDDEN, number
from trading import exact
from trading.market import Quote, percent_change

SPARK_BARS = 60
YEAR_BARS = 252
BARS = 500
MOST_FILLS = 1000
_SIDE_LETTER = {"BUY": "B", "SELL": "S", "SELL_SHORT": "S"}


def places_of(step: Decimal) -> int:
    """Return how many decimals a tick size has."""
    return len(dec_str(step).partition(".")[2])


# --- the watchlist ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WatchRow:
    """One watched instrument. ``quote`` is the API's, None where nobody has quoted it.

    ``last`` and the changes are the quote's; of an instrument nobody quotes, those of its last
    known close, whose day is ``day``.
    """

    instrument: Instrument
    places: int
    quote: Mapping[str, Any] | None
    last: str | None
    change: str | None
    change_pct: str | None
    day: str
    spark: Sparkline | None
    chosen: bool


def watch_rows(
    watched: Sequence[Instrument],
    market: Mapping[str, Quote],
    history: Mapping[str, Sequence[Bar]],
    chosen: str,
) -> list[WatchRow]:
    """Return a row per watched instrument, in the order of the list."""
    return [
        _watch_row(one, market.get(one.symbol), history.get(one.symbol, ()), one.symbol == chosen)
        for one in watched
    ]


def _watch_row(
    one: Instrument, quote: Quote | None, known: Sequence[Bar], chosen: bool
) -> WatchRow:
    spark = sparkline([(bar.at.date(), bar.close) for bar in known[-SPARK_BARS:]])
    places = places_of(one.tick_size)
    if quote is not None:
        shown = quotes.quote_json(quote)
        day = day_of(shown)
        return WatchRow(
            one,
            places,
            shown,
            shown["last"],
            shown["change"],
            shown["change_pct"],
            day,
            spark,
            chosen,
        )
    if one.feed or not known:
        return WatchRow(one, places, None, None, None, None, "", spark, chosen)
    last = known[-1]
    before = known[-2].close if len(known) > 1 else None
    return WatchRow(
        one,
        places,
        None,
        dec_str(last.close),
        None if before is None else dec_str(exact.subtract(last.close, before)),
        None if before is None else opt_dec_str(percent_change(before, last.close)),
        last.at.date().isoformat(),
        spark,
        chosen,
    )


def day_of(quote: Mapping[str, Any] | None) -> str:
    """Return the day a quote of the API shows, history's where it replays; empty without one."""
    return "" if quote is None else (quote["history_at"] or quote["at"])[:10]


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one instrument: extremes of up to a year of known days, the day before."""

    instrument: Instrument
    places: int
    quote: Mapping[str, Any] | None
    year_high: str | None
    year_low: str | None
    days: int
    before: Bar | None
    has_volume: bool

    @property
    def day(self) -> str:
        """The exchange's day the quote shows, replayed or present; no zone shifts it."""
        return day_of(self.quote)


def facts_of(one: Instrument, quote: Quote | None, known: Sequence[Bar]) -> Facts:
    """Return the facts; ``known`` are the daily bars of the last year, oldest first."""
    return Facts(
        instrument=one,
        places=places_of(one.tick_size),
        quote=None if quote is None else quotes.quote_json(quote),
        year_high=dec_str(max(bar.high for bar in known)) if known else None,
        year_low=dec_str(min(bar.low for bar in known)) if known else None,
        days=len(known),
        before=known[-1] if known else None,
        has_volume=one.bar_kind == "OHLCV",
    )


# --- bars ---------------------------------------------------------------------------------------


def chart_json(one: Instrument, interval: ChartInterval, now: datetime) -> dict[str, Any]:
    """Return the bars of a chart, oldest first; ``time`` is a day or an instant.

    ``today`` names the day of history being replayed and the bar it belongs to: no bar here holds
    it, its quotes do. Its figures are the latest quote's, None where there is none of that day.
    """
    known = charts.bars(one, interval, now, count=BARS)
    return {
        "symbol": one.symbol,
        "interval": interval.value,
        "places": places_of(one.tick_size),
        "kind": one.bar_kind,
        "quoted": bool(one.feed),
        "bars": [_bar_json(bar) for bar in known],
        "today": _today(one, interval, now),
        "as_of": instant_str(now),
    }


def _bar_json(bar: ChartBar) -> dict[str, Any]:
    return {
        "time": _time_json(bar.time),
        "open": dec_str(bar.open),
        "high": dec_str(bar.high),
        "low": dec_str(bar.low),
        "close": dec_str(bar.close),
        "volume": opt_dec_str(bar.volume),
        "change_pct": opt_dec_str(bar.change_pct),
    }


def _time_json(time: date | datetime) -> str:
    return instant_str(time) if isinstance(time, datetime) else time.isoformat()


def _today(one: Instrument, interval: ChartInterval, now: datetime) -> dict[str, Any] | None:
    if interval is ChartInterval.SECONDS or not one.is_replayed:
        return None
    position = selectors.replay_position(one.feed, now)
    if position is None:
        return None
    day = position.session.day
    quote = quotes.latest([one.symbol]).get(one.symbol)
    if quote is None or quote.history_at is None or quote.history_at.date() != day:
        quote = None
    return {
        "day": day.isoformat(),
        "time": charts.bucket_of(day, interval).isoformat(),
        "open": opt_dec_str(quote.open if quote else None),
        "high": opt_dec_str(quote.high if quote else None),
        "low": opt_dec_str(quote.low if quote else None),
        "close": opt_dec_str(quote.last if quote else None),
        "change_pct": opt_dec_str(quote.change_pct if quote else None),
    }


# --- own orders, fills and the position -----------------------------------------------------------


def marks_json(
    actor: Actor,
    account: str,
    one: Instrument,
    interval: ChartInterval,
    now: datetime,
    *,
    hides: bool,
) -> dict[str, Any]:
    """Return what of one account is drawn over a chart.

    ``fills`` are the trades in force, one by one, each with the ``time`` of the bar it belongs to
    (None where none does, and ``elsewhere`` counts those); ``marks`` are they together per bar and
    side; ``orders`` are the working orders. ``hides`` replaces quantities by dots.
    """
    ledger = orders.list_executions(actor=actor, account=account, symbol=one.symbol)
    rows = list(ledger.order_by("-id")[: MOST_FILLS + 1])
    fills = fills_in_force(rows[:MOST_FILLS])
    times = _times_of(fills, one, interval, now)
    places = places_of(one.tick_size)
    shown = [
        {
            "id": fill.execution.id,
            "order_id": fill.execution.order_id,
            "side": fill.execution.side,
            "qty": _qty(fill.qty, hides),
            "px": dec_str(fill.px),
            "at": instant_str(fill.execution.transact_time),
            "time": time,
        }
        for fill, time in zip(fills, times, strict=True)
    ]
    return {
        "account": account,
        "fills": shown,
        "marks": _marks(fills, times, places, hides),
        "elsewhere": sum(time is None for time in times),
        "cut": len(rows) > MOST_FILLS,
        "orders": [_line(order, places, hides) for order in _working(actor, account, one)],
    }


def _times_of(
    fills: Sequence[Fill], one: Instrument, interval: ChartInterval, now: datetime
) -> list[str | None]:
    """Return the bar each fill belongs to.

    Bars of seconds lie on the wall clock, as fills do. A bar of days holds the fills made while
    its days were replayed in the present pass; those of earlier passes belong to none.
    """
    instants = [fill.execution.transact_time for fill in fills]
    if interval is ChartInterval.SECONDS:
        return [instant_str(charts.instant_of(at)) for at in instants]
    if not one.is_replayed:
        return [charts.bucket_of(at.date(), interval).isoformat() for at in instants]
    position = selectors.replay_position(one.feed, now)
    lap = None if position is None else position.lap
    return [
        charts.bucket_of(found.day, interval).isoformat() if found and found.lap == lap else None
        for found in selectors.history_days(one.feed, instants)
    ]


def _marks(
    fills: Sequence[Fill], times: Sequence[str | None], places: int, hides: bool
) -> list[dict[str, Any]]:
    together: dict[tuple[str, str], list[Fill]] = {}
    for fill, time in zip(fills, times, strict=True):
        if time is not None:
            letter = _SIDE_LETTER[fill.execution.side]
            together.setdefault((time, letter), []).append(fill)
    return [_mark(time, letter, group, places, hides) for (time, letter), group in together.items()]


def _mark(
    time: str, letter: str, group: Sequence[Fill], places: int, hides: bool
) -> dict[str, Any]:
    qty = exact.total(fill.qty for fill in group)
    worth = exact.total(exact.multiply(fill.qty, fill.px) for fill in group)
    px = group[0].px if len(group) == 1 else exact.price(worth, qty)
    order_ids = sorted({fill.execution.order_id for fill in group})
    first = group[0].execution
    many = f" \u00d7{len(group)}" if len(group) > 1 else ""
    href = f"/orders/{order_ids[0]}"
    if len(order_ids) > 1:
        href = f"/orders?account={first.account.code}&symbol={first.symbol}"
    return {
        "time": time,
        "side": letter,
        "qty": _qty(qty, hides),
        "px": dec_str(px),
        "count": len(group),
        "label": f"{letter} {_shown(qty, hides)}@{number(px, places)}{many}",
        "href": href,
    }


def _working(actor: Actor, account: str, one: Instrument) -> Iterable[Any]:
    rows = orders.open_orders(actor=actor, account=account, symbol=one.symbol)
    return [order for order in rows if kinds.line_of(order, waits=not is_working(order))]


def _line(order: Any, places: int, hides: bool) -> dict[str, Any]:
    waits = not is_working(order)
    line = kinds.line_of(order, waits=waits)
    assert line is not None, "orders without a price are not drawn"
    what = kinds.line_words(order, waits=waits, at=lambda px: number(px, places))
    return {
        "id": order.id,
        "version": order.version,
        "side": order.side,
        "qty": _qty(order.leaves_qty, hides),
        "px": dec_str(line.px),
        "term": "" if order.list_id else line.term,  # a list's page gives its exits other prices
        "waits": waits and line.term != "price",
        "status": order.ord_status,
        "label": f"{order.side} {_shown(order.leaves_qty, hides)} {what}",
        "href": f"/orders/{order.id}",
    }


def _qty(qty: Decimal, hides: bool) -> str:
    return HIDDEN if hides else dec_str(qty)


def _shown(qty: Decimal, hides: bool) -> str:
    return HIDDEN if hides else number(qty)
