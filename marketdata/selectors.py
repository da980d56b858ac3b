"""Reads of market data."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time
from fractions import Fraction

from django.db.models import QuerySet

from common.errors import NotFound
from marketdata import path, symbols
from marketdata.models import Bar, CalendarSession, Instrument, ReplayClock


@dataclass(frozen=True, slots=True)
class ReplayPosition:
    """Where a replay stands: which session of history, and how much of it has gone (0..1)."""

    session: CalendarSession
    part: Fraction
    lap: int

    @property
    def history_at(self) -> datetime:
        """The instant of the past that is shown."""
        return path.instant_within(self.session.open_at, self.session.close_at, self.part)


def instruments_by_symbol(wanted: Iterable[str]) -> dict[str, Instrument]:
    """Return the instruments that exist among the symbols, by symbol."""
    return {one.symbol: one for one in Instrument.objects.filter(symbol__in=set(wanted))}


def instrument(symbol: str) -> Instrument:
    """Return the instrument.

    :raises InvalidSymbol: if the text cannot be a symbol.
    :raises NotFound: if there is no such instrument.
    """
    found = Instrument.objects.filter(symbol=symbols.checked(symbol)).first()
    if found is None:
        raise NotFound
    return found


def replay_sessions(clock: ReplayClock) -> QuerySet[CalendarSession]:
    """Return the sessions one lap of the replay goes through, in order."""
    return CalendarSession.objects.filter(
        calendar=clock.calendar, day__gte=clock.history_from, day__lte=clock.history_to
    ).order_by("day")


def replay_position(feed: str, now: datetime) -> ReplayPosition | None:
    """Return where the feed's replay stands; None where it has no clock or no sessions."""
    clock = ReplayClock.objects.filter(feed=feed).first()
    if clock is None:
        return None
    sessions = replay_sessions(clock)
    count = sessions.count()
    if count == 0:
        return None
    moment = path.moment_at(
        now - clock.started_at, seconds_per_day=clock.seconds_per_day, sessions=count
    )
    return ReplayPosition(session=sessions[moment.session], part=moment.part, lap=moment.lap)


def known_bars(one: Instrument, interval: str, now: datetime) -> QuerySet[Bar]:
    """Return the instrument's bars, without hindsight.

    Of a replayed instrument only the days before the one being replayed: the later ones, and the
    rest of that very day, have not happened yet as far as its prices are concerned.
    """
    bars = Bar.objects.filter(instrument=one, interval=interval)
    if not one.is_replayed:
        return bars
    position = replay_position(one.feed, now)
    if position is None:
        return bars.none()
    return bars.filter(at__lt=datetime.combine(position.session.day, time(), UTC))
