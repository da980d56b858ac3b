"""Writes of market data: loading what ships with us, keeping a replay's clock, watchlists."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar

from django.conf import settings
from django.db import connection, transaction

from common.errors import NotFound, StateConflict
from marketdata import calendars, datasets, selectors
from marketdata.models import (
    Bar,
    CalendarSession,
    Instrument,
    Interval,
    ReferenceDataset,
    ReplayClock,
    ReplayPace,
    Watchlist,
)
from marketdata.path import REPLAY_FEED

# A lap begins here: five years of chart lie behind it, fifteen of replay ahead.
REPLAY_CALENDAR = "XNYS"
REPLAY_FROM = date(2004, 1, 2)
REPLAY_TO = date(2018, 12, 31)

MOST_WATCHED = 50

_LOAD_LOCK = "marketdata.load_reference_data"


class WatchlistFull(StateConflict):
    """The list holds as many symbols as lists may."""

    code: ClassVar[str] = "watchlist_full"


def load_reference_data(*, now: datetime) -> None:
    """Bring instruments, bars, sessions and the replay's clock to the version installed here.

    One query when everything is there. Any number of processes may call it at once: the first
    loads, the others wait and find it done. An instrument that exists keeps its row (an operator
    may have edited it); its bars are replaced by the new version's.
    """
    if not _outdated():
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [_LOAD_LOCK])
        outdated = _outdated()
        for calendar in calendars.CALENDARS:
            if calendar in outdated:
                _load_calendar(calendar)
        for dataset in datasets.DATASETS:
            if dataset.name in outdated:
                _load_dataset(dataset)
        for name, version in outdated.items():
            ReferenceDataset.objects.update_or_create(
                name=name, defaults={"version": version, "loaded_at": now}
            )
        replay_clock(now=now)


def replay_clock(*, now: datetime) -> ReplayClock:
    """Return the replay's clock, made at first use, at the speed the settings ask for.

    When the speed has changed, the start moves so that the moment of history stays where it is.
    """
    wanted = settings.OMS_REPLAY_SECONDS_PER_DAY
    clock, is_new = ReplayClock.objects.get_or_create(
        feed=REPLAY_FEED,
        defaults={
            "calendar": REPLAY_CALENDAR,
            "history_from": REPLAY_FROM,
            "history_to": REPLAY_TO,
            "started_at": now.replace(microsecond=0),
            "seconds_per_day": wanted,
        },
    )
    if clock.seconds_per_day != wanted:
        clock.started_at = now - (now - clock.started_at) * wanted / clock.seconds_per_day
        clock.seconds_per_day = wanted
        clock.save(update_fields=["started_at", "seconds_per_day"])
    _note_pace(clock, since=clock.started_at if is_new else now)
    return clock


def _note_pace(clock: ReplayClock, *, since: datetime) -> None:
    """Add a row where the clock stands otherwise than the last row says.

    A clock that is older than these rows is noted from ``since`` on: how it stood before, nobody
    knows.
    """
    last = ReplayPace.objects.filter(feed=clock.feed).order_by("since").last()
    held = (clock.started_at, clock.seconds_per_day)
    if last is None or (last.started_at, last.seconds_per_day) != held:
        ReplayPace.objects.get_or_create(
            feed=clock.feed,
            since=since,
            defaults={"started_at": clock.started_at, "seconds_per_day": clock.seconds_per_day},
        )


def watch(*, membership_id: int, symbol: str) -> None:
    """Put a symbol at the end of a person's list; one that is there stays where it is.

    :raises InvalidSymbol: if the text cannot be a symbol.
    :raises NotFound: if there is no such instrument.
    :raises WatchlistFull: if the list is as long as lists get.
    """
    known = selectors.instrument(symbol).symbol
    with _own_list(membership_id) as own:
        if known in own.symbols:
            return
        if len(own.symbols) >= MOST_WATCHED:
            raise WatchlistFull(
                f"A list holds at most {MOST_WATCHED} symbols; take one off before adding {known}."
            )
        own.symbols.append(known)


def unwatch(*, membership_id: int, symbol: str) -> None:
    """Take a symbol off a person's list; one that is not on it is no error."""
    with _own_list(membership_id) as own:
        own.symbols = [one for one in own.symbols if one != symbol]


def move_watched(*, membership_id: int, symbol: str, places: int) -> None:
    """Move a symbol down its list by ``places`` (up if negative), at most to an end.

    :raises NotFound: if it is not on the list.
    """
    with _own_list(membership_id) as own:
        if symbol not in own.symbols:
            raise NotFound(f"{symbol[:32]} is not on the list.")
        place = own.symbols.index(symbol)
        own.symbols.insert(max(0, place + places), own.symbols.pop(place))


@contextmanager
def _own_list(membership_id: int) -> Iterator[Watchlist]:
    """Yield the list locked, made of what everybody starts with at first; save it afterwards."""
    with transaction.atomic():
        Watchlist.objects.get_or_create(
            membership_id=membership_id, defaults={"symbols": selectors.first_watchlist()}
        )
        own = Watchlist.objects.select_for_update().get(membership_id=membership_id)
        yield own
        own.save(update_fields=["symbols"])


def _outdated() -> dict[str, str]:
    """Return name -> version of what is installed here and not yet, or otherwise, loaded."""
    installed = dict.fromkeys(calendars.CALENDARS, calendars.version())
    installed |= {one.name: one.version for one in datasets.DATASETS if one.path is not None}
    loaded = dict(ReferenceDataset.objects.values_list("name", "version"))
    return {name: version for name, version in installed.items() if loaded.get(name) != version}


def _load_calendar(calendar: str) -> None:
    CalendarSession.objects.filter(calendar=calendar).delete()
    with (
        connection.cursor() as cursor,
        cursor.copy(
            "COPY marketdata_calendarsession (calendar, day, open_at, close_at,"
            " auction_entry_cutoff, auction_cancel_cutoff) FROM STDIN"
        ) as copy,
    ):
        for row in calendars.computed_sessions(calendar):
            copy.write_row((calendar, *row))


def _load_dataset(dataset: datasets.Dataset) -> None:
    ids = {spec.symbol: _instrument(spec).pk for spec in dataset.instruments}
    Bar.objects.filter(instrument_id__in=ids.values(), interval=Interval.DAY).delete()
    with (
        connection.cursor() as cursor,
        cursor.copy(
            "COPY marketdata_bar (instrument_id, interval, at, open, high, low, close, volume)"
            " FROM STDIN"
        ) as copy,
    ):
        for symbol, bar in dataset.bars():
            prices = (bar.open, bar.high, bar.low, bar.close)
            copy.write_row((ids[symbol], Interval.DAY.value, bar.at, *prices, bar.volume))


def _instrument(spec: datasets.InstrumentSpec) -> Instrument:
    instrument, _ = Instrument.objects.get_or_create(
        symbol=spec.symbol,
        defaults={
            "name": spec.name,
            "security_type": spec.security_type,
            "currency": "USD",
            "exchange": spec.exchange,
            "calendar": spec.calendar,
            "tick_size": spec.tick_size,
            "lot_size": Decimal(1),
            "qty_decimals": 8,
            "min_qty": Decimal(1),
            "max_qty": Decimal(1_000_000),
            "feed": spec.feed,
            "bar_kind": spec.bar_kind,
            "tradable": spec.tradable,
        },
    )
    return instrument
