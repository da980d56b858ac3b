"""Bars as charts show them: daily ones as stored, longer ones made of them, short ones of quotes.

Nothing is invented. Weeks and months are sums of the daily bars that are known, so the last one may
be incomplete. Five-second bars are made of the quotes the feed's stream still holds (some twenty
minutes) and lie on the wall clock, not in history: within a replayed day the daily bar says
nothing, and what was quoted is all there is.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from marketdata import quotes, selectors
from marketdata.models import Bar, BarKind, Instrument, Interval
from trading import exact
from trading.market import percent_change

_STEP = timedelta(seconds=5)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAYS_PER_BAR = {"1d": 1, "1w": 5, "1mo": 23}


class ChartInterval(StrEnum):
    """The lengths of bar a chart can be asked for."""

    SECONDS = "5s"
    DAY = "1d"
    WEEK = "1w"
    MONTH = "1mo"


@dataclass(frozen=True, slots=True)
class ChartBar:
    """One bar. ``time`` is its first day, or its first instant for bars of seconds.

    ``volume`` is None where nobody reports one; ``change_pct`` compares the close with the bar's
    before, None for the first.
    """

    time: date | datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal | None
    change_pct: Decimal | None = None


def intervals_of(one: Instrument) -> list[ChartInterval]:
    """Return the lengths there are bars of: short ones only where quotes arrive."""
    return [item for item in ChartInterval if item is not ChartInterval.SECONDS or one.feed]


def bars(one: Instrument, interval: ChartInterval, now: datetime, *, count: int) -> list[ChartBar]:
    """Return the last ``count`` bars known at ``now``, oldest first, the open one included.

    Of a replayed instrument the day being replayed is in no bar of days, weeks or months: its
    quotes tell of it.
    """
    if interval is ChartInterval.SECONDS:
        made = short_bars(quotes.recorded(one.symbol))
    else:
        rows = selectors.known_bars(one, Interval.DAY, now).order_by("-at")
        wanted = (count + 1) * _DAYS_PER_BAR[interval]
        known = list(rows[:wanted])[::-1]
        made = long_bars(known, interval, has_volume=one.bar_kind == BarKind.OHLCV)
        if len(known) == wanted and interval is not ChartInterval.DAY:
            made = made[1:]  # begun before the first row that was read
    return _with_changes(made)[-count:]


def bucket_of(day: date, interval: ChartInterval) -> date:
    """Return the first day of the bar a day belongs to: itself, its Monday, its month's first."""
    if interval is ChartInterval.WEEK:
        return day - timedelta(days=day.weekday())
    if interval is ChartInterval.MONTH:
        return day.replace(day=1)
    return day


def instant_of(moment: datetime) -> datetime:
    """Return the start of the five seconds an instant lies in."""
    return moment - (moment - _EPOCH) % _STEP


def long_bars(
    days: Iterable[Bar], interval: ChartInterval, *, has_volume: bool = True
) -> list[ChartBar]:
    """Return the bars of an interval from daily ones, oldest first."""
    made: list[ChartBar] = []
    for day in days:
        time = bucket_of(day.at.date(), interval)
        volume = day.volume if has_volume else None
        if made and made[-1].time == time:
            last = made[-1]
            made[-1] = ChartBar(
                time,
                last.open,
                max(last.high, day.high),
                min(last.low, day.low),
                day.close,
                None if last.volume is None or volume is None else exact.add(last.volume, volume),
            )
        else:
            made.append(ChartBar(time, day.open, day.high, day.low, day.close, volume))
    return made


def short_bars(trades: Sequence[tuple[datetime, Decimal]]) -> list[ChartBar]:
    """Return five-second bars of last prices, oldest first.

    The first one is left out: the stream may have been cut within it. Five seconds without a quote
    have no bar.
    """
    made: list[ChartBar] = []
    for at, price in trades:
        time = instant_of(at)
        if made and made[-1].time == time:
            last = made[-1]
            made[-1] = ChartBar(
                time, last.open, max(last.high, price), min(last.low, price), price, None
            )
        else:
            made.append(ChartBar(time, price, price, price, price, None))
    return made[1:]


def _with_changes(made: Sequence[ChartBar]) -> list[ChartBar]:
    found = []
    before: Decimal | None = None
    for bar in made:
        change = None if before is None else percent_change(before, bar.close)
        found.append(ChartBar(bar.time, bar.open, bar.high, bar.low, bar.close, bar.volume, change))
        before = bar.close
    return found
