"""Watches the orders kept here for a session's venue: every price is held against every one.

Prices are judged in memory as they come; what they do is written by ``oms.services.keeping``,
which decides once more. A price that is not fresh, or of a closed session, does nothing.
"""

import asyncio
import contextlib
import time
from collections import defaultdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings

from marketdata import quotes
from marketdata.calendars import Session as TradingSession
from oms.gateway.clock import utcnow
from oms.services import ends, keeping, reduce_only, trigger_alarms
from oms.services.alarms import Alarm, Subject
from oms.services.keeping import Watch, Watched
from trading.keeping.triggers import (
    Fired,
    Kept,
    Moved,
    following,
    from_anchor,
    judge,
    reference_px,
)
from trading.market import Quote

if TYPE_CHECKING:
    from oms.gateway.session import Session

POLL_S = 1.0
SOON_S = 0.2
"""How long changes are gathered before one look at all of them; what fires waits for nothing."""
TELL_EVERY_S = 1.0
"""A trail is stored once a second at most; in memory it is exact."""


class Keeper:
    """Keeps one session's orders while it is up. ``run`` ends when it is cancelled."""

    def __init__(self, session: "Session", *, blind_since: datetime | None) -> None:
        """``blind_since`` is when somebody last watched, None if nobody ever did."""
        self._session = session
        self._rows: dict[str, Watched] = {}
        self._waits: dict[str, Kept] = {}
        self._by_symbol: dict[str, set[str]] = defaultdict(set)
        self._trading: dict[str, TradingSession | None] = {}
        self._fired: dict[str, Quote] = {}
        self._told_at: dict[str, float] = {}
        self._blind_since = blind_since
        self._seen_at: dict[str, datetime] = {}
        self._gaps: dict[str, tuple[datetime, datetime]] = {}
        self._missed: dict[Subject, Alarm] = {}
        self._spoke = True
        self._soon: asyncio.TimerHandle | None = None
        self._wake = asyncio.Event()
        self._started = time.monotonic()

    def wake(self) -> None:
        """Orders or positions may have changed: look soon, once for all that changes meanwhile."""
        if self._soon is None:
            self._soon = asyncio.get_running_loop().call_later(SOON_S, self._wake.set)

    async def run(self) -> None:
        """Watch until cancelled."""
        unsubscribe = self._session.quotes.subscribe(self._on_quote)
        try:
            while True:
                self._wake.clear()
                self._soon = None
                await self._round()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(POLL_S):
                        await self._wake.wait()
        finally:
            unsubscribe()

    # --- prices ---------------------------------------------------------------------------------

    def _on_quote(self, quote: Quote) -> None:
        now = utcnow()
        if quote.symbol not in self._by_symbol or not quotes.is_fresh(quote, now):
            return
        seen_at = self._seen_at.get(quote.symbol, self._blind_since)
        self._seen_at[quote.symbol] = quote.at
        if seen_at is not None and quote.at - seen_at > _max_age():
            self._gaps[quote.symbol] = (seen_at, quote.at)
            self._wake.set()
        for order_pk in tuple(self._by_symbol[quote.symbol]):
            self._hold_against(order_pk, quote, now)

    def _hold_against(self, order_pk: str, quote: Quote, now: datetime) -> None:
        if order_pk in self._fired or not self._is_eligible(order_pk, now):
            return
        waits = self._waits[order_pk]
        price = reference_px(waits, quote)
        verdict = None if price is None else judge(waits, price)
        if isinstance(verdict, Fired):
            self._fired[order_pk] = quote
            self._wake.set()
        elif isinstance(verdict, Moved):
            self._waits[order_pk] = following(waits, verdict)

    def _is_eligible(self, order_pk: str, now: datetime) -> bool:
        """Whether prices of now count: before its end, in its session or where it says so."""
        row = self._rows[order_pk]
        if row.ends_at is not None and now >= row.ends_at:
            return False
        if row.extended_hours:
            return True
        trading = self._trading.get(row.symbol)
        return trading is not None and trading.open_at <= now < trading.close_at

    # --- rounds ---------------------------------------------------------------------------------

    async def _round(self) -> None:
        await self._fire()
        watch = await self._read()
        await self._look_back()
        await self._store_trails()
        await self._end(watch.due)
        if watch.has_reducing:
            await self._session.database.run(
                reduce_only.shrink_reducing,
                schema=self._session.schema,
                connection_id=self._session.connection_id,
                now=utcnow(),
            )
        # Where there is nothing to say, it is said once more, so that no alarm stays open.
        speaks = bool(self._rows) or watch.has_stop_limits
        if speaks or self._spoke:
            await self._tell_alarms()
        self._spoke = speaks

    async def _fire(self) -> None:
        """First of all: what has fired goes out, oldest first."""
        for order_pk in sorted(self._fired):
            quote = self._fired.pop(order_pk)
            gone = await self._session.database.run(
                keeping.fire,
                schema=self._session.schema,
                connection_id=self._session.connection_id,
                epoch=self._session.epoch,
                order_pk=order_pk,
                quote=quote,
                anchor_px=self._waits[order_pk].anchor_px,
                now=utcnow(),
            )
            if gone:
                self._forget(order_pk)

    async def _read(self) -> Watch:
        watch = await self._session.database.run(
            keeping.read_watch,
            schema=self._session.schema,
            connection_id=self._session.connection_id,
            known={order_pk: row.version for order_pk, row in self._rows.items()},
            now=utcnow(),
        )
        self._trading = dict(watch.sessions)
        for order_pk in self._rows.keys() - watch.order_pks:
            self._forget(order_pk)
        for row in watch.changed:
            self._take(row)
        return watch

    def _take(self, row: Watched) -> None:
        """Watch an order by its terms of now; a trail goes on from the best price it has seen."""
        before = self._waits.get(row.order_pk)
        self._rows[row.order_pk] = row
        self._waits[row.order_pk] = from_anchor(row.waits, before.anchor_px if before else None)
        self._by_symbol[row.symbol].add(row.order_pk)
        now = utcnow()
        quote = self._session.quotes.latest(row.symbol)
        if quote is not None and quotes.is_fresh(quote, now):
            if row.symbol in self._seen_at:
                self._hold_against(row.order_pk, quote, now)
            else:
                self._on_quote(quote)

    def _forget(self, order_pk: str) -> None:
        row = self._rows.pop(order_pk)
        self._waits.pop(order_pk)
        self._fired.pop(order_pk, None)
        self._told_at.pop(order_pk, None)
        self._by_symbol[row.symbol].discard(order_pk)
        if not self._by_symbol[row.symbol]:
            del self._by_symbol[row.symbol]
            self._seen_at.pop(row.symbol, None)

    async def _store_trails(self) -> None:
        now = time.monotonic()
        for order_pk, waits in tuple(self._waits.items()):
            moved = waits.anchor_px is not None and waits != self._rows[order_pk].waits
            if not moved or now - self._told_at.get(order_pk, 0.0) < TELL_EVERY_S:
                continue
            assert waits.anchor_px is not None, "a trail moves with its anchor"
            self._told_at[order_pk] = now
            await self._session.database.run(
                keeping.follow,
                schema=self._session.schema,
                connection_id=self._session.connection_id,
                epoch=self._session.epoch,
                order_pk=order_pk,
                anchor_px=waits.anchor_px,
                now=utcnow(),
            )

    async def _end(self, due: tuple[str, ...]) -> None:
        now = utcnow()
        kept = {pk for pk, row in self._rows.items() if row.ends_at and row.ends_at <= now}
        for order_pk in sorted(kept.union(due)):
            await self._session.database.run(
                ends.expire, schema=self._session.schema, order_pk=order_pk, now=utcnow()
            )

    # --- alarms ---------------------------------------------------------------------------------

    async def _look_back(self) -> None:
        """What the market did while nobody watched fires nothing; where it would have, say so."""
        gaps, self._gaps = self._gaps, {}
        self._missed = {}
        for symbol, (since, until) in gaps.items():
            told = await self._session.database.run(quotes.told_between, symbol, since, until)
            for order_pk in tuple(self._by_symbol.get(symbol, ())):
                crossed = next((one for one in told if self._would_fire(order_pk, one)), None)
                if crossed is not None and order_pk not in self._fired:
                    row = self._rows[order_pk]
                    self._missed[row.account_id, order_pk] = _missed_alarm(
                        row, crossed, since, until
                    )

    def _would_fire(self, order_pk: str, quote: Quote) -> bool:
        row = self._rows[order_pk]
        if quote.at < row.since or not self._is_eligible(order_pk, quote.at):
            return False
        price = reference_px(row.waits, quote)
        return price is not None and isinstance(judge(row.waits, price), Fired)

    async def _tell_alarms(self) -> None:
        await self._session.database.run(
            trigger_alarms.tell_alarms,
            schema=self._session.schema,
            connection_id=self._session.connection_id,
            blind=self._blind(utcnow()),
            missed=self._missed,
            kept={(row.account_id, order_pk) for order_pk, row in self._rows.items()},
            now=utcnow(),
        )

    def _blind(self, now: datetime) -> dict[Subject, Alarm]:
        """Symbols with orders that wait, in their session, and no fresh price to judge them by."""
        if time.monotonic() - self._started < _max_age().total_seconds():
            return {}  # the first price may not have come yet
        waiting: dict[Subject, int] = defaultdict(int)
        for order_pk, row in self._rows.items():
            quote = self._session.quotes.latest(row.symbol)
            seen = quote is not None and quotes.is_fresh(quote, now)
            if not seen and self._is_eligible(order_pk, now):
                waiting[row.account_id, row.symbol] += 1
        return {key: _blind_alarm(key[1], count) for key, count in waiting.items()}


def _max_age() -> timedelta:
    return timedelta(seconds=settings.OMS_QUOTE_MAX_AGE_S)


def _blind_alarm(symbol: str, count: int) -> Alarm:
    return Alarm(
        ours=f"{count} waiting",
        theirs="no fresh price",
        detail=(
            f"{count} orders of {symbol} wait here for their price and {symbol} has no price "
            f"younger than {settings.OMS_QUOTE_MAX_AGE_S} s: they do not fire until it has."
        ),
    )


def _missed_alarm(row: Watched, crossed: Quote, since: datetime, until: datetime) -> Alarm:
    return Alarm(
        ours=f"trigger {row.waits.stop_px}",
        theirs=f"{reference_px(row.waits, crossed)} at {crossed.at:%H:%M:%S}",
        detail=(
            f"{row.symbol} passed the trigger between {since:%H:%M:%S} and {until:%H:%M:%S} UTC, "
            "while no fresh price reached this system, and came back: the order has not fired."
        ),
    )
