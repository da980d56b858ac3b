"""The tenant's capped Redis stream: a fast copy of the newest events, never their home.

Entry ids are ``<position>-0``. Each entry carries the event's JSON and both hashes, so a reader can
tell an entry that continues what it knows from one left over by another history of the database.
"""

from dataclasses import dataclass
from typing import cast

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

MAXLEN = 10_000
# How much an emptied stream is filled up with; what is older, readers take from Postgres.
REFILL = 1_000
TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: position, the hashes of the event before it and of itself, its JSON, its type."""

    position: int
    previous: str
    hash: str
    type: str
    json: str


def key(schema: str) -> str:
    """Return the Redis key of a tenant's stream."""
    return f"{schema}:events"


def client() -> redis.Redis:
    """Return a client that fails within seconds and never retries by itself."""
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=TIMEOUT_S,
        socket_connect_timeout=TIMEOUT_S,
        retry=Retry(NoBackoff(), 1),
        decode_responses=True,
    )


def last(connection: redis.Redis, schema: str) -> tuple[int, str]:
    """Return the position and hash of the newest entry; (0, "") if there is none."""
    newest = cast("list[tuple[str, dict[str, str]]]", connection.xrevrange(key(schema), count=1))
    if not newest:
        return 0, ""
    entry_id, fields = newest[0]
    return int(entry_id.partition("-")[0]), fields.get("hash", "")


def forget(connection: redis.Redis, schema: str) -> None:
    """Delete the tenant's stream."""
    connection.delete(key(schema))


def add(connection: redis.Redis, schema: str, entries: list[Entry]) -> None:
    """Append entries in one round trip; their positions must be above the newest one's."""
    pipeline = connection.pipeline(transaction=False)
    for entry in entries:
        pipeline.xadd(
            key(schema),
            {
                "event": entry.json,
                "type": entry.type,
                "previous": entry.previous,
                "hash": entry.hash,
            },
            id=f"{entry.position}-0",
            maxlen=MAXLEN,
            approximate=True,
        )
    pipeline.execute()


def read_entry(entry_id: str, fields: dict[str, str]) -> Entry:
    """Return one entry as read from Redis.

    :raises KeyError: if a field is missing (not written by the relay).
    """
    return Entry(
        position=int(entry_id.partition("-")[0]),
        previous=fields["previous"],
        hash=fields["hash"],
        type=fields["type"],
        json=fields["event"],
    )
