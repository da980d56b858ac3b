"""The stream's reads of Postgres: every connection is borrowed for one read and never kept."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from events.chain import canonical, event_json
from events.models import GENESIS_HASH, Event
from events.redis_stream import Entry

PAGE = 500
# What a read may fail with while Postgres is away or just back.
AWAY = (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout)
_COLUMNS = (
    "id",
    "position",
    "type",
    "subject",
    "occurred_at",
    "actor",
    "correlation_id",
    "data",
    "hash",
)


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """One event ready to be sent: ``frame`` is its SSE block, the same bytes for every client."""

    position: int
    hash: str
    type: str
    event: dict[str, Any]
    frame: bytes


def stream_event(*, position: int, hash: str, type: str, text: str) -> StreamEvent:  # noqa: A002
    """Build one from its JSON text.

    :raises ValueError: if the text is not JSON.
    """
    frame = f"id: {position}\nevent: {type}\ndata: {text}\n\n".encode()
    return StreamEvent(position, hash, type, json.loads(text), frame)


def from_entry(entry: Entry) -> StreamEvent:
    """Build one from an entry of the Redis stream."""
    return stream_event(position=entry.position, hash=entry.hash, type=entry.type, text=entry.json)


class EventStore:
    """Heads and events of any tenant, by schema-qualified SQL outside Django's connection."""

    def __init__(self, conninfo: str, *, size: int = 4) -> None:
        self._pool = AsyncConnectionPool(
            conninfo,
            min_size=0,
            max_size=size,
            max_idle=10,
            timeout=2,
            reconnect_timeout=2,
            check=AsyncConnectionPool.check_connection,
            kwargs={"autocommit": True, "connect_timeout": 3},
            open=False,
            name="stream",
        )

    async def open(self) -> None:
        """Start the pool; it connects when something is read."""
        await self._pool.open(wait=False)

    async def close(self) -> None:
        """Close what is open."""
        await self._pool.close(timeout=1)

    async def heads(self, schemas: Iterable[str]) -> dict[str, tuple[int, str]]:
        """Return position and hash of each tenant's head, in one statement.

        :raises psycopg.OperationalError: (or one of ``AWAY``) while Postgres is away.
        """
        wanted = sorted(schemas)
        if not wanted:
            return {}
        query = sql.SQL(" UNION ALL ").join(
            sql.SQL("SELECT {}, position, hash FROM {}.events_streamhead").format(
                sql.Literal(schema), sql.Identifier(schema)
            )
            for schema in wanted
        )
        async with self._pool.connection() as connection:
            rows = await (await connection.execute(query)).fetchall()
        found = {schema: (position, digest) for schema, position, digest in rows}
        return {schema: found.get(schema, (0, GENESIS_HASH)) for schema in wanted}

    async def after(
        self, schema: str, position: int, *, upto: int, limit: int = PAGE
    ) -> list[StreamEvent]:
        """Return events with positions above ``position``, not above ``upto``, ascending.

        :raises psycopg.OperationalError: (or one of ``AWAY``) while Postgres is away.
        """
        query = sql.SQL(
            "SELECT {} FROM {}.events_event WHERE position > %s AND position <= %s"
            " ORDER BY position LIMIT %s"
        ).format(sql.SQL(", ").join(map(sql.Identifier, _COLUMNS)), sql.Identifier(schema))
        async with self._pool.connection() as connection:
            cursor = await connection.execute(query, [position, upto, limit])
            rows = await cursor.fetchall()
        events = [Event(**dict(zip(_COLUMNS, row, strict=True))) for row in rows]
        return [
            stream_event(
                position=event.position or 0,
                hash=event.hash or "",
                type=event.type,
                text=canonical(event_json(event)),
            )
            for event in events
        ]

    async def account_states(self, schema: str) -> dict[str, str]:
        """Return the state of its connection by account code.

        :raises psycopg.OperationalError: (or one of ``AWAY``) while Postgres is away.
        """
        query = sql.SQL(
            "SELECT a.code, c.state FROM {0}.broker_account a"
            " JOIN {0}.broker_connection c ON c.id = a.connection_id ORDER BY a.code"
        ).format(sql.Identifier(schema))
        async with self._pool.connection() as connection:
            return dict(await (await connection.execute(query)).fetchall())
