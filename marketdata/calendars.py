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
CLOSING_CUTOFFS = {"XNYS": (timedelta(minutes=10), timedelta(minutes=10))}
"""How long before the close its auction takes no more orders, and gives back none but errors.

XNYS: "NYSE Opening and Closing Auctions" of the exchange, 15:50 for both on a whole day; orders for
its opening auction are taken until it opens.
"""
FIRST_DAY = date(1990, 1, 1)
LAST_DAY = date(2027, 12, 31)


@dataclass(frozen=True, slots=True)
class Session:
    """A span in which an instrument trades, in the exchange's own ``day``; instants are UTC."""

    day: date
    open_at: datetime
    close_at: datetime


@dataclass(frozen=True, slots=True)
class Auction:
    """When an auction is held, and until when it takes orders and gives them back (UTC)."""

    at: datetime
    entry_cutoff: datetime
    cancel_cutoff: datetime


def version() -> str:
    """The version of the rows: the span we keep and the library that computed it."""
    library = importlib.metadata.version("exchange-calendars")
    return f"{FIRST_DAY}..{LAST_DAY}:exchange-calendars {library}:closing auctions"


def computed_sessions(calendar: str) -> Iterator[tuple[date, *tuple[datetime | None, ...]]]:
    """Yield (day, open, close, entry and cancel cutoff) of every session of the span, in order.

    Instants are UTC, the cutoffs those of the auction at the close, None where there is none.

    :raises exchange_calendars.errors.InvalidCalendarName: if the library has no such calendar.
    """
    import exchange_calendars

    schedule = exchange_calendars.get_calendar(calendar, start=FIRST_DAY, end=LAST_DAY).schedule
    before = CLOSING_CUTOFFS.get(calendar)
    for row in schedule.itertuples():
        close = row.close.to_pydatetime()
        cutoffs = (None, None) if before is None else (close - before[0], close - before[1])
        yield row.Index.date(), row.open.to_pydatetime(), close, *cutoffs


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


def next_auctions(
    instrument: Instrument, instant: datetime, *, at_open: bool
) -> tuple[Auction, ...]:
    """Return the auction of the session that ends next after ``instant``, and the one after it.

    That session may have begun, and its opening auction be over. Empty where none is held: a
    replayed instrument has no auctions.
    """
    if instrument.is_replayed:
        return ()
    rows = CalendarSession.objects.filter(
        calendar=instrument.calendar, close_at__gt=instant, auction_entry_cutoff__isnull=False
    ).order_by("open_at")[:2]
    if at_open:
        return tuple(Auction(row.open_at, row.open_at, row.open_at) for row in rows)
    return tuple(
        Auction(row.close_at, row.auction_entry_cutoff, row.auction_cancel_cutoff)
        for row in rows
        if row.auction_entry_cutoff and row.auction_cancel_cutoff
    )


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
