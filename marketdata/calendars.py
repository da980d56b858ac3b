"""Exchange sessions: computed once into rows, read from rows ever after.

The library that knows holidays, half days and daylight saving takes seconds to import, so no
process but the one that loads reference data ever does.
"""

import importlib.metadata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from marketdata.models import CalendarSession, Instrument

CALENDARS = ("XNYS",)
FIRST_DAY = date(1990, 1, 1)
LAST_DAY = date(2027, 12, 31)


@dataclass(frozen=True, slots=True)
class Session:
    """A span in which an instrument trades, in the exchange's own ``day``; instants are UTC."""

    day: date
    open_at: datetime
    close_at: datetime


def version() -> str:
    """The version of the rows: the span we keep and the library that computed it."""
    library = importlib.metadata.version("exchange-calendars")
    return f"{FIRST_DAY}..{LAST_DAY}:exchange-calendars {library}"


def computed_sessions(calendar: str) -> Iterator[tuple[date, datetime, datetime]]:
    """Yield (day, open, close) of every session of the span, in order; instants are UTC.

    :raises exchange_calendars.errors.InvalidCalendarName: if the library has no such calendar.
    """
    import exchange_calendars

    schedule = exchange_calendars.get_calendar(calendar, start=FIRST_DAY, end=LAST_DAY).schedule
    for row in schedule.itertuples():
        yield row.Index.date(), row.open.to_pydatetime(), row.close.to_pydatetime()


def session_at(instrument: Instrument, instant: datetime) -> Session | None:
    """Return the session ``instant`` lies in (open included, close excluded), else None.

    A replayed instrument trades at any hour; its sessions are the days of UTC.
    """
    if instrument.is_replayed:
        day = instant.astimezone(UTC).date()
        opens = datetime.combine(day, time(), UTC)
        return Session(day, opens, opens + timedelta(days=1))
    row = (
        CalendarSession.objects.filter(calendar=instrument.calendar, open_at__lte=instant)
        .order_by("-open_at")
        .first()
    )
    if row is None or instant >= row.close_at:
        return None
    return Session(row.day, row.open_at, row.close_at)


def day_end(symbol: str, instant: datetime) -> datetime:
    """Return when a DAY order of ``symbol`` ends that comes at ``instant``.

    That is the close of the session it comes in, else of the next one; midnight of UTC where no
    calendar tells.
    """
    instrument = Instrument.objects.filter(symbol=symbol).first()
    if instrument is not None:
        if (session := session_at(instrument, instant)) is not None:
            return session.close_at
        opens = next_open(instrument, instant)
        if opens is not None and (session := session_at(instrument, opens)) is not None:
            return session.close_at
    return datetime.combine(instant.astimezone(UTC).date() + timedelta(days=1), time(), UTC)


def next_open(instrument: Instrument, instant: datetime) -> datetime | None:
    """Return the first open after ``instant``; None beyond the days we know."""
    if (session := session_at(instrument, instant)) is not None and instrument.is_replayed:
        return session.close_at
    sessions = CalendarSession.objects.filter(calendar=instrument.calendar, open_at__gt=instant)
    return sessions.order_by("open_at").values_list("open_at", flat=True).first()
