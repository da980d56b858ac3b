"""Reads of market data."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from fractions import Fraction

from django.db.models import F, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from common.errors import NotFound
from marketdata import path, symbols
from marketdata.models import (
    Bar,
    CalendarSession,
    Instrument,
    Interval,
    ReplayClock,
    ReplayPace,
    Watchlist,
)


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


@dataclass(frozen=True, slots=True)
class HistoryDay:
    """A day of history, and in which pass through it (from 0) it was shown."""

    lap: int
    day: date


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


def history_days(feed: str, instants: Sequence[datetime]) -> list[HistoryDay | None]:
    """Return which day of history the feed's replay showed at each instant.

    None where nobody noted how its clock stood then. The clock alone decides: a quote is shown for
    half a second, so what met the last quote of a day may be counted to the day after it.
    """
    if not instants:
        return []
    clock = ReplayClock.objects.filter(feed=feed).first()
    paces = list(ReplayPace.objects.filter(feed=feed).order_by("since"))
    days = [] if clock is None else list(replay_sessions(clock).values_list("day", flat=True))
    if not days:
        return [None] * len(instants)
    return [_day_at(instant, paces, days) for instant in instants]


def _day_at(
    instant: datetime, paces: Sequence[ReplayPace], days: Sequence[date]
) -> HistoryDay | None:
    place = bisect_right([pace.since for pace in paces], instant)
    if place == 0:
        return None
    pace = paces[place - 1]
    moment = path.moment_at(
        instant - pace.started_at, seconds_per_day=pace.seconds_per_day, sessions=len(days)
    )
    return HistoryDay(lap=moment.lap, day=days[moment.session])


def first_watchlist() -> list[str]:
    """Return the symbols everybody's list starts with: what can be traded, by symbol."""
    return list(Instrument.objects.filter(tradable=True).values_list("symbol", flat=True))


def watched(membership_id: int) -> list[Instrument]:
    """Return the instruments a person watches, in their order."""
    own = Watchlist.objects.filter(membership_id=membership_id).first()
    wanted = first_watchlist() if own is None else own.symbols
    found = instruments_by_symbol(wanted)
    return [found[symbol] for symbol in wanted if symbol in found]


def recent_bars(wanted: Iterable[Instrument], now: datetime, *, count: int) -> dict[str, list[Bar]]:
    """Return the last ``count`` daily bars known of each instrument, oldest first, by symbol."""
    instruments = {one.pk: one for one in wanted}
    feeds = {one.feed for one in instruments.values() if one.is_replayed}
    unknown_yet = Q()
    for feed in feeds:
        position = replay_position(feed, now)
        day = None if position is None else datetime.combine(position.session.day, time(), UTC)
        hidden = Q(instrument__feed=feed)
        unknown_yet |= hidden if day is None else hidden & Q(at__gte=day)
    ranked = (
        Bar.objects.filter(instrument__in=instruments, interval=Interval.DAY)
        .exclude(unknown_yet)
        .annotate(age=Window(RowNumber(), partition_by=F("instrument_id"), order_by=F("at").desc()))
        .filter(age__lte=count)
        .order_by("at")
    )
    found: dict[str, list[Bar]] = {one.symbol: [] for one in instruments.values()}
    for bar in ranked:
        found[instruments[bar.instrument_id].symbol].append(bar)
    return found


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
