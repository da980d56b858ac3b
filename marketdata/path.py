"""The path a replayed day takes: a pure function of a daily bar and of how far the day has gone.

A daily bar says where prices began, how far they went and where they ended, not in which order.
The replay invents an order, always the same one, and every quote made by it is ``simulated``:

    part of the day    0/10      3/10      6/10      9/10      10/10
    price              open  ->  high  ->  low   ->  close  =  close

Between two knots the price moves in a straight line and is rounded half-even to the tick, so the
last tenth of the day stands at the official close. The bid is that price, the ask one tick above
it, the last trade is at the bid. Both displayed sizes are the day's volume // 10**7, at least 100.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from trading.market import Bar, Quote

REPLAY_FEED = "HISTORICAL REPLAY"
VOLUME_PER_UNIT_SHOWN = 10**7
SMALLEST_SIZE_SHOWN = 100

_KNOTS = (Fraction(0), Fraction(3, 10), Fraction(6, 10), Fraction(9, 10), Fraction(1))


@dataclass(frozen=True, slots=True)
class Moment:
    """Where a replay stands: the ``session``-th session of its lap, ``part`` of it gone (0..1).

    ``lap`` counts how often history has started over.
    """

    lap: int
    session: int
    part: Fraction


def moment_at(elapsed: timedelta, *, seconds_per_day: int, sessions: int) -> Moment:
    """Return where a replay of ``sessions`` sessions stands ``elapsed`` after its start.

    After the last session the first follows again. A negative ``elapsed`` (a clock set back)
    counts as zero.
    """
    days, rest = divmod(max(elapsed, timedelta(0)), timedelta(seconds=seconds_per_day))
    lap, session = divmod(days, sessions)
    microsecond = timedelta(microseconds=1)
    part = Fraction(rest // microsecond, seconds_per_day * 1_000_000)
    return Moment(lap=lap, session=session, part=part)


def price_at(bar: Bar, *, tick_size: Decimal, part: Fraction) -> Decimal:
    """Return the path's price when ``part`` (0..1) of the day has gone, on the tick."""
    values = (bar.open, bar.high, bar.low, bar.close, bar.close)
    ticks = [round(Fraction(value) / Fraction(tick_size)) for value in values]
    for leg in range(4):
        start, end = _KNOTS[leg], _KNOTS[leg + 1]
        if part <= end:
            way = (part - start) / (end - start)
            return round(ticks[leg] + (ticks[leg + 1] - ticks[leg]) * way) * tick_size
    raise ValueError(f"part {part} lies beyond the day")


def day_so_far(bar: Bar, *, tick_size: Decimal, part: Fraction) -> tuple[Decimal, Decimal, Decimal]:
    """Return open, high and low of the path when ``part`` (0..1) of the day has gone.

    The path rises to the day's high first and falls to its low next, so both follow from where it
    stands: nothing later than ``part`` enters.
    """
    opened = price_at(bar, tick_size=tick_size, part=_KNOTS[0])
    high = price_at(bar, tick_size=tick_size, part=min(part, _KNOTS[1]))
    if part <= _KNOTS[1]:
        return opened, high, opened
    return opened, high, min(opened, price_at(bar, tick_size=tick_size, part=min(part, _KNOTS[2])))


def size_at(bar: Bar) -> Decimal:
    """Return the size shown on both sides: volume // 10**7, at least 100."""
    return Decimal(max(int(bar.volume) // VOLUME_PER_UNIT_SHOWN, SMALLEST_SIZE_SHOWN))


def quote_at(
    *,
    symbol: str,
    bar: Bar,
    tick_size: Decimal,
    part: Fraction,
    at: datetime,
    history_at: datetime,
    prev_close: Decimal | None = None,
) -> Quote:
    """Return the replay's quote; ``at`` is now, ``history_at`` the instant of the past.

    ``prev_close`` is the close of the session before, where there is one.
    """
    price = price_at(bar, tick_size=tick_size, part=part)
    opened, high, low = day_so_far(bar, tick_size=tick_size, part=part)
    size = size_at(bar)
    return Quote(
        symbol=symbol,
        bid=price,
        ask=price + tick_size,
        last=price,
        bid_size=size,
        ask_size=size,
        at=at,
        feed=REPLAY_FEED,
        simulated=True,
        history_at=history_at,
        open=opened,
        high=high,
        low=low,
        prev_close=prev_close,
    )


def instant_within(open_at: datetime, close_at: datetime, part: Fraction) -> datetime:
    """Return the instant of a session when ``part`` of it has gone, to the microsecond."""
    microseconds = (close_at - open_at) // timedelta(microseconds=1)
    return open_at + timedelta(microseconds=int(microseconds * part))
