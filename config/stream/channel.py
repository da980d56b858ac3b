"""The newest events of one tenant, shared by all its readers in this process.

There is one ring per tenant, not one queue per client: a client is only a position in it. One that
falls behind the ring is dropped from it and goes on from Postgres until it has caught up, so a
slow client costs no memory and misses nothing. Positions have no gaps, which is what makes the
seam between Postgres and the ring exact.
"""

import asyncio

from config.stream.store import PAGE, EventStore, StreamEvent, from_entry
from events.redis_stream import Entry

RING = 2_000


class EventChannel:
    """Positions ``first``..``tip`` of one tenant, and the clients to wake when ``tip`` moves."""

    def __init__(self, schema: str, *, tip: int, tip_hash: str) -> None:
        self.schema = schema
        self.tip = tip
        self.wakes: set[asyncio.Event] = set()
        # Loop time until which Redis is not asked for this tenant (it gave what does not link).
        self.hold_until = 0.0
        self._tip_hash = tip_hash
        self._ring: list[StreamEvent] = []

    @property
    def first(self) -> int:
        """The lowest position the ring can give."""
        return self.tip - len(self._ring) + 1

    def after(self, position: int, *, limit: int) -> list[StreamEvent] | None:
        """Return what follows ``position``: nothing if it is at the tip, None if it is too old."""
        if position >= self.tip:
            return []
        start = position + 1 - self.first
        if start < 0:
            return None
        return self._ring[start : start + limit]

    def offer(self, entry: Entry) -> bool:
        """Take an entry of Redis if it continues the chain; False if it does not.

        One already known is quietly passed over.
        """
        if entry.position <= self.tip:
            return True
        if entry.position != self.tip + 1 or entry.previous != self._tip_hash:
            return False
        self._append([from_entry(entry)])
        return True

    async def catch_up(self, store: EventStore, *, tip: int, tip_hash: str) -> None:
        """Move up to a head read from Postgres, keeping the newest events in the ring.

        :raises psycopg.OperationalError: (or one of ``store.AWAY``) while Postgres is away.
        """
        if tip <= self.tip:
            return
        start = self.tip
        if tip - start > RING:
            start = tip - RING
        position, fetched = start, list[StreamEvent]()
        while position < tip:
            page = await store.after(self.schema, position, upto=tip, limit=PAGE)
            if not page:
                break
            fetched += page
            position = page[-1].position
        is_whole = len(fetched) == tip - start
        if not is_whole or start != self.tip:
            self._ring = []
        self._append(fetched if is_whole else [])
        self.tip, self._tip_hash = tip, tip_hash

    def wake(self) -> None:
        """Have every client look."""
        for event in self.wakes:
            event.set()

    def _append(self, events: list[StreamEvent]) -> None:
        self._ring += events
        if events:
            self.tip, self._tip_hash = events[-1].position, events[-1].hash
        if len(self._ring) > 2 * RING:
            self._ring = self._ring[-RING:]
        self.wake()
