"""Writes of market data: loading what ships with us, and keeping a replay's clock."""

from datetime import date, datetime
from decimal import Decimal

from django.conf import settings
from django.db import connection, transaction

from marketdata import calendars, datasets
from marketdata.models import (
    Bar,
    CalendarSession,
    Instrument,
    Interval,
    ReferenceDataset,
    ReplayClock,
)
from marketdata.path import REPLAY_FEED

# A lap begins here: five years of chart lie behind it, fifteen of replay ahead.
REPLAY_CALENDAR = "XNYS"
REPLAY_FROM = date(2004, 1, 2)
REPLAY_TO = date(2018, 12, 31)

_LOAD_LOCK = "marketdata.load_reference_data"


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
    clock, _ = ReplayClock.objects.get_or_create(
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
    return clock


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
            "COPY marketdata_calendarsession (calendar, day, open_at, close_at) FROM STDIN"
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
