"""The one reader of Redis in this process: every tenant that has a client, and the quotes.

Redis is only the fast way. Each entry is taken if it continues the hash chain as Postgres knows
it; whatever is missing or does not link is read from Postgres, whose heads are also looked at
every two seconds, and twice a second while Redis is away. So a flushed, restarted or foreign Redis
delays events by a second and changes none.
"""

import asyncio
import logging
from typing import Any, cast

import psycopg
import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from config.stream.channel import EventChannel
from config.stream.quotes import QuoteBoard
from config.stream.store import AWAY, EventStore
from events import redis_stream
from marketdata.quotes import FIELD as QUOTE_FIELD
from marketdata.quotes import STREAM as QUOTES
from marketdata.quotes import key as quote_key

logger = logging.getLogger(__name__)

_BLOCK_MS = 250
_COUNT = 500
_LOOK_S = 2.0
_AWAY_S = 0.5


class Hub:
    """Channels by tenant and the quote board, kept moving by one task."""

    def __init__(self, redis_url: str, store: EventStore) -> None:
        self.board = QuoteBoard()
        self._store = store
        self._redis = redis.asyncio.Redis.from_url(
            redis_url,
            decode_responses=True,
            socket_connect_timeout=2,
            socket_timeout=5,
            retry=Retry(NoBackoff(), 0),
        )
        self._channels: dict[str, EventChannel] = {}
        self._joining: dict[str, asyncio.Lock] = {}
        self._wanted = asyncio.Event()
        self._look_at = 0.0
        self._trouble: set[str] = set()
        # Kept: a task nobody refers to may be collected in the middle of its work.
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start the reader's task."""
        self._task = asyncio.create_task(self._run(), name="stream hub")

    async def stop(self) -> None:
        """End the reader and its connections."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._redis.aclose()

    async def join(self, schema: str, wake: asyncio.Event) -> EventChannel:
        """Return the tenant's channel, with ``wake`` set whenever it moves.

        :raises psycopg.OperationalError: (or one of ``store.AWAY``) while Postgres is away.
        """
        async with self._joining.setdefault(schema, asyncio.Lock()):
            channel = self._channels.get(schema)
            if channel is None:
                tip, tip_hash = (await self._store.heads([schema]))[schema]
                channel = EventChannel(schema, tip=tip, tip_hash=tip_hash)
                self._channels[schema] = channel
            channel.wakes.add(wake)
        self._wanted.set()
        return channel

    def leave(self, channel: EventChannel, wake: asyncio.Event) -> None:
        """Drop a client; a channel without clients is forgotten."""
        channel.wakes.discard(wake)
        if not channel.wakes and self._channels.get(channel.schema) is channel:
            del self._channels[channel.schema]

    async def join_quotes(self, symbols: list[str], wake: asyncio.Event) -> None:
        """Add a client of quotes and fetch the latest of its symbols, if Redis is there."""
        self.board.wakes.add(wake)
        self._wanted.set()
        missing = self.board.lacks(symbols)
        if not missing:
            return
        try:
            texts = await self._redis.mget([quote_key(symbol) for symbol in missing])
        except (RedisError, OSError) as error:
            self._note("redis", error)
            return
        # A quote that arrived by the stream during the read is newer than what the read found.
        still_missing = set(self.board.lacks(missing))
        for symbol, text in zip(missing, texts, strict=True):
            if text is not None and symbol in still_missing:
                self._take_quote(str(text))

    def leave_quotes(self, wake: asyncio.Event) -> None:
        """Drop a client of quotes."""
        self.board.wakes.discard(wake)
        if not self.board.wakes:
            self.board.reset()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            if not self._channels and not self.board.wakes:
                self._wanted.clear()
                await self._wanted.wait()
            try:
                await self._round(loop)
            except Exception:
                logger.exception("stream: the reader met a fault and goes on")
                await asyncio.sleep(_AWAY_S)

    async def _round(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            await self._read_redis(loop.time())
            self._noted_well("redis")
        except (RedisError, OSError) as error:
            self._note("redis", error)
            self._look_at = 0.0
            await asyncio.sleep(_AWAY_S)
        if loop.time() >= self._look_at:
            self._look_at = loop.time() + _LOOK_S
            await self._look_at_postgres(dict(self._channels))

    async def _read_redis(self, now: float) -> None:
        """Read once what is new in every followed stream, waiting at most a quarter second."""
        positions: dict[str, str] = {}
        channels: dict[str, EventChannel] = {}
        for schema, channel in self._channels.items():
            if channel.hold_until <= now:
                positions[redis_stream.key(schema)] = f"{channel.tip}-0"
                channels[redis_stream.key(schema)] = channel
        if self.board.wakes:
            if self.board.last_id is None:
                newest = cast("list[tuple[str, Any]]", await self._redis.xrevrange(QUOTES, count=1))
                self.board.last_id = newest[0][0] if newest else "0-0"
            positions[QUOTES] = self.board.last_id
        if not positions:
            await asyncio.sleep(_BLOCK_MS / 1000)
            return
        answer = await self._redis.xread(
            cast("dict[Any, Any]", positions), count=_COUNT, block=_BLOCK_MS
        )
        rows = answer.items() if isinstance(answer, dict) else (answer or ())
        for name, entries in cast("list[tuple[str, list[tuple[str, dict[str, str]]]]]", rows):
            if name == QUOTES:
                self._quotes(entries)
            else:
                await self._events(channels[name], entries, now)

    def _quotes(self, entries: list[tuple[str, dict[str, str]]]) -> None:
        for entry_id, fields in entries:
            self.board.last_id = entry_id
            self._take_quote(fields.get(QUOTE_FIELD, ""))
        self.board.wake()

    def _take_quote(self, text: str) -> None:
        try:
            self.board.take(text)
        except ValueError:
            logger.exception("stream: a quote could not be read")

    async def _events(
        self, channel: EventChannel, entries: list[tuple[str, dict[str, str]]], now: float
    ) -> None:
        for entry_id, fields in entries:
            try:
                is_taken = channel.offer(redis_stream.read_entry(entry_id, fields))
            except (KeyError, ValueError):
                is_taken = False
            if not is_taken:
                # A gap, or the leftovers of another history: Postgres decides, Redis has a pause.
                channel.hold_until = now + 1.0
                await self._look_at_postgres({channel.schema: channel})
                return

    async def _look_at_postgres(self, channels: dict[str, EventChannel]) -> None:
        """Bring channels up to the heads in Postgres."""
        try:
            try:
                heads = await self._store.heads(channels)
            except psycopg.ProgrammingError:
                heads = await self._heads_one_by_one(channels)
            for schema, (tip, tip_hash) in heads.items():
                channel = channels[schema]
                if tip > channel.tip:
                    await channel.catch_up(self._store, tip=tip, tip_hash=tip_hash)
                    channel.hold_until = 0.0
                    channel.wake()
            self._noted_well("postgres")
        except AWAY as error:
            self._note("postgres", error)

    async def _heads_one_by_one(
        self, channels: dict[str, EventChannel]
    ) -> dict[str, tuple[int, str]]:
        """Return the heads there are: a tenant whose schema is gone must not stop the others."""
        heads: dict[str, tuple[int, str]] = {}
        for schema in channels:
            try:
                heads |= await self._store.heads([schema])
            except psycopg.ProgrammingError as error:
                self._note(f"the schema {schema}", error)
        return heads

    def _note(self, server: str, error: Exception) -> None:
        if server not in self._trouble:
            self._trouble.add(server)
            logger.warning("stream: %s is away: %s", server, str(error).strip())

    def _noted_well(self, server: str) -> None:
        if server in self._trouble:
            self._trouble.discard(server)
            logger.warning("stream: %s is back", server)
