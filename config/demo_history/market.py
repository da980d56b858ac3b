"""The market of the demo's past days: the replay's own history, one session a weekday.

From the first start on, the replay plays a trading day a minute. Before it the same history went
at its own pace: the last weekday stood for the session before the one the replay shows now, the
weekday before it for the session before that. Prices follow the replay's path within each session,
whose opening hours are kept. Quotes are stamped with the instant they are told and are simulated.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from marketdata import path
from marketdata.models import Bar as BarRow
from marketdata.models import CalendarSession, Instrument, Interval, ReplayClock
from marketdata.selectors import replay_position
from trading.market import Bar, Quote

EVERY = timedelta(minutes=15)
"""How often the past market speaks. Between two quotes there is no price."""


@dataclass(frozen=True, slots=True)
class Day:
    """A weekday of the past and the session of history it stands for; instants are UTC."""

    date: date
    opens_at: datetime
    closes_at: datetime
    history_opens_at: datetime
    bars: dict[str, Bar]

    @property
    def ends_at(self) -> datetime:
        """00:00 UTC: where a replayed instrument's trading day ends."""
        return datetime.combine(self.date + timedelta(days=1), datetime.min.time(), UTC)

    def at(self, part: float) -> datetime:
        """The instant, on a full minute, when ``part`` (0..1) of the session has gone."""
        minutes = (self.closes_at - self.opens_at) // timedelta(minutes=1)
        return self.opens_at + timedelta(minutes=round(minutes * part))

    def ticks(self) -> Iterator[datetime]:
        """The instants at which the market speaks, open and close included."""
        at = self.opens_at
        while at < self.closes_at:
            yield at
            at += EVERY
        yield self.closes_at


def past_days(count: int, now: datetime) -> list[Day]:
    """Return the ``count`` weekdays before today, oldest first; fewer where history is shorter."""
    clock = ReplayClock.objects.get(feed=path.REPLAY_FEED)
    position = replay_position(path.REPLAY_FEED, now)
    if position is None:
        return []
    symbols = _symbols()
    earlier = CalendarSession.objects.filter(
        calendar=clock.calendar, day__lt=position.session.day
    ).order_by("-day")[:count]
    days: list[Day] = []
    for weekday, session in zip(_weekdays_before(now.date()), earlier, strict=False):
        bars = _bars_of(session.day, symbols)
        if set(bars) != set(symbols):
            break
        opens_at = datetime.combine(weekday, session.open_at.timetz())
        closes_at = opens_at + (session.close_at - session.open_at)
        days.insert(0, Day(weekday, opens_at, closes_at, session.open_at, bars))
    return days


class PastMarket:
    """Knows one instant at a time; ``latest`` is what a reader of quotes then saw."""

    def __init__(self) -> None:
        self._quotes: dict[str, Quote] = {}
        self._tick_sizes = dict(
            Instrument.objects.filter(symbol__in=_symbols()).values_list("symbol", "tick_size")
        )

    def speak(self, day: Day, at: datetime) -> dict[str, Quote]:
        """Tell every price of the instant, and return them."""
        part = _part(day, at)
        for symbol, bar in day.bars.items():
            self._quotes[symbol] = path.quote_at(
                symbol=symbol,
                bar=bar,
                tick_size=self._tick_sizes[symbol],
                part=part,
                at=at,
                history_at=day.history_opens_at + (at - day.opens_at),
            )
        return dict(self._quotes)

    def latest(self, symbol: str) -> Quote | None:
        """The last quote told, however old."""
        return self._quotes.get(symbol)


def _part(day: Day, at: datetime) -> Fraction:
    microsecond = timedelta(microseconds=1)
    return Fraction(
        (at - day.opens_at) // microsecond, (day.closes_at - day.opens_at) // microsecond
    )


def _symbols() -> list[str]:
    rows = Instrument.objects.filter(feed=path.REPLAY_FEED, tradable=True)
    return sorted(rows.values_list("symbol", flat=True))


def _bars_of(day: date, symbols: list[str]) -> dict[str, Bar]:
    rows = BarRow.objects.filter(
        instrument__symbol__in=symbols, interval=Interval.DAY, at__date=day
    ).values_list("instrument__symbol", "at", "open", "high", "low", "close", "volume")
    return {symbol: Bar(at, *numbers) for symbol, at, *numbers in rows}


def _weekdays_before(today: date) -> Iterator[date]:
    day = today
    while True:
        day -= timedelta(days=1)
        if day.weekday() < 5:
            yield day


def moved(price: Decimal, percent: str) -> Decimal:
    """A price ``percent`` away, to one decimal: where people put their limits."""
    return (price * (1 + Decimal(percent) / 100)).quantize(Decimal("0.1"))
