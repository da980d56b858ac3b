"""Gives committed events their positions, links the hash chain, and feeds the Redis stream.

A position is given only to a row that is already committed and visible, one relay at a time per
tenant (an advisory lock), so a reader's cursor can never pass an event whose transaction commits
late. Positions and hashes are committed before Redis hears of them; whatever Redis misses is
found missing by position and added, or read from Postgres by the stream's readers.
"""

import logging
import time
from datetime import UTC, datetime

import redis
from django.db import connection

from events import redis_stream
from events.binding import bound, wake
from events.chain import canonical, event_json, link
from events.models import GENESIS_HASH, Event, StreamHead
from events.selectors import head

logger = logging.getLogger(__name__)

BATCH = 500
# First half of the two-part advisory lock keys; the second is the schema.
_POSITIONS_LOCK = 7_302_401
_REDIS_LOCK = 7_302_402
_REDIS_PAUSE_S = 1.0


def _lock(lock_class: int, schema: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [lock_class, schema])


def give_positions(schema: str, *, limit: int = BATCH) -> int:
    """Give up to ``limit`` committed events the next positions, in one transaction.

    Returns how many there were.
    """
    with bound(schema):
        if not Event.objects.filter(position=None).exists():
            return 0
        # The lock comes before the read: under READ COMMITTED the read then sees everything the
        # previous holder did, and everything committed up to now.
        _lock(_POSITIONS_LOCK, schema)
        StreamHead.objects.get_or_create(pk=1, defaults={"position": 0, "hash": GENESIS_HASH})
        row = StreamHead.objects.get(pk=1)
        events = list(Event.objects.filter(position=None).order_by("seq")[:limit])
        if not events:
            return 0  # the holder before us has given them theirs
        for event in events:
            row.position += 1
            event.position = row.position
            row.hash = event.hash = link(row.hash, canonical(event_json(event)))
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE events_event AS e SET position = given.position, hash = given.hash"
                " FROM unnest(%s::text[], %s::bigint[], %s::text[]) AS given(id, position, hash)"
                " WHERE e.id = given.id",
                [
                    [event.id for event in events],
                    [event.position for event in events],
                    [event.hash for event in events],
                ],
            )
        row.save(update_fields=["position", "hash"])
        wake(schema, now=datetime.now(UTC))
        return len(events)


class RedisFeeder:
    """Brings a tenant's Redis stream up to the head, whatever happened to Redis meanwhile.

    One per process. While Redis is away it stays quiet for a second between attempts: the
    relay goes on, and readers follow Postgres.
    """

    def __init__(self, client: redis.Redis | None = None) -> None:
        self._client = client
        self._fed: dict[str, int] = {}
        self._quiet_until = 0.0
        self._is_away = False

    def feed(self, schema: str) -> int:
        """Add what the stream lacks; return how many entries, 0 while Redis is away."""
        if time.monotonic() < self._quiet_until:
            return 0
        try:
            added = self._feed(schema)
        except (redis.RedisError, OSError) as error:
            self._quiet_until = time.monotonic() + _REDIS_PAUSE_S
            self._fed.clear()
            if not self._is_away:
                logger.warning("Redis is away, streams follow Postgres: %s", error)
            self._is_away = True
            return 0
        if self._is_away and added:
            logger.warning("Redis is back")
            self._is_away = False
        return added

    def _feed(self, schema: str) -> int:
        with bound(schema):
            position, _ = head()
            if self._fed.get(schema) == position:
                return 0
            _lock(_REDIS_LOCK, schema)
            position, _ = head()
            if self._client is None:
                self._client = redis_stream.client()
            newest = self._newest_trusted(self._client, schema, position)
            added = 0
            start = max(newest, position - redis_stream.REFILL)
            while start < position:
                entries = _entries(start, position)
                redis_stream.add(self._client, schema, entries)
                added += len(entries)
                start = entries[-1].position
            self._fed[schema] = position
            return added

    @staticmethod
    def _newest_trusted(client: redis.Redis, schema: str, position: int) -> int:
        """Return the newest position in Redis, after dropping a stream of another history."""
        newest, newest_hash = redis_stream.last(client, schema)
        if newest == 0:
            # An emptied stream remembers its last id; starting anew makes every id acceptable.
            redis_stream.forget(client, schema)
            return 0
        stored = Event.objects.filter(position=newest).values_list("hash", flat=True).first()
        if newest > position or stored != newest_hash:
            logger.warning("the Redis stream of %s is not of this database; made anew", schema)
            redis_stream.forget(client, schema)
            return 0
        return newest


def _entries(after: int, upto: int) -> list[redis_stream.Entry]:
    """Return the next entries above ``after``, at most a batch."""
    previous = GENESIS_HASH
    if after > 0:
        previous = Event.objects.values_list("hash", flat=True).get(position=after) or ""
    entries = []
    for event in Event.objects.filter(position__gt=after, position__lte=upto).order_by("position")[
        :BATCH
    ]:
        assert event.position is not None
        assert event.hash is not None
        entries.append(
            redis_stream.Entry(
                event.position, previous, event.hash, event.type, canonical(event_json(event))
            )
        )
        previous = event.hash
    return entries


_feeder = RedisFeeder()


def relay_once(schema: str, *, feeder: RedisFeeder | None = None) -> int:
    """Give positions to everything committed so far and feed Redis; return how many events.

    Safe to run anywhere, at once and after a crash at any point: each step starts from what the
    stores hold.
    """
    given = 0
    while True:
        batch = give_positions(schema)
        given += batch
        if batch < BATCH:
            break
    (feeder or _feeder).feed(schema)
    return given
