"""The replay feed: a loop that plays the history of ``marketdata.path`` into Redis.

Crash-only. What it plays follows from the wall clock and the ReplayClock row alone, so a restart
resumes where history has got to meanwhile. One process of the system plays at a time: it holds
an advisory lock of Postgres; the others stand by and take over when its connection ends. Without
Postgres nobody plays; without Redis the player goes on and writes again when it is back.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import django.db
import psycopg
import redis
import redis.asyncio
from django.conf import settings

from marketdata import path, quotes, selectors, services
from marketdata.models import Bar as BarRow
from marketdata.models import Instrument, Interval
from trading.market import Bar, Quote

INTERVAL = timedelta(milliseconds=500)
_STANDBY_S = 0.5
_BACKOFF_S = (0.1, 0.5)  # first wait, longest wait
_DATABASE_TIMEOUT_S = 5.0
# The close before a lap's first session lies in bars from before it, over any run of holidays.
_BEFORE_THE_FIRST_DAY = timedelta(days=14)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_log = logging.getLogger(__name__)


class NothingToReplayError(Exception):
    """The reference data is not loaded, or no tradable instrument has bars to replay."""


@dataclass(frozen=True, slots=True)
class Script:
    """All a player needs, in memory: the clock, the sessions of a lap, bars by day and symbol.

    ``closes`` holds the close before each day's bar, where there is one.
    """

    started_at: datetime
    seconds_per_day: int
    sessions: tuple[tuple[date, datetime, datetime], ...]
    tick_sizes: dict[str, Decimal]
    bars: dict[date, dict[str, Bar]]
    closes: dict[date, dict[str, Decimal]]

    def quotes_at(self, now: datetime) -> list[Quote]:
        """Return the quotes at ``now``: history stands on the half second before, ``at`` is now.

        A symbol without a bar on the day shown has no quote that day.
        """
        on_grid = now - (now - _EPOCH) % INTERVAL
        moment = path.moment_at(
            on_grid - self.started_at,
            seconds_per_day=self.seconds_per_day,
            sessions=len(self.sessions),
        )
        day, open_at, close_at = self.sessions[moment.session]
        history_at = path.instant_within(open_at, close_at, moment.part)
        return [
            path.quote_at(
                symbol=symbol,
                bar=bar,
                tick_size=self.tick_sizes[symbol],
                part=moment.part,
                at=now,
                history_at=history_at,
                prev_close=self.closes.get(day, {}).get(symbol),
            )
            for symbol, bar in self.bars.get(day, {}).items()
        ]


def load_script(now: datetime) -> Script:
    """Read what the replay plays; blocks, so call it in a thread.

    :raises NothingToReplayError: if the rows are not there (yet).
    """
    instruments = Instrument.objects.filter(feed=path.REPLAY_FEED, tradable=True)
    tick_sizes = dict(instruments.order_by("symbol").values_list("symbol", "tick_size"))
    if not tick_sizes:
        raise NothingToReplayError("no instrument is replayed; run load_reference_data")
    clock = services.replay_clock(now=now)
    sessions = tuple(selectors.replay_sessions(clock).values_list("day", "open_at", "close_at"))
    rows = BarRow.objects.filter(
        instrument__symbol__in=tick_sizes,
        interval=Interval.DAY,
        at__date__gte=clock.history_from - _BEFORE_THE_FIRST_DAY,
        at__date__lte=clock.history_to,
    ).order_by("at", "instrument__symbol")
    columns = ("instrument__symbol", "at", "open", "high", "low", "close", "volume")
    bars: dict[date, dict[str, Bar]] = {}
    closes: dict[date, dict[str, Decimal]] = {}
    last_close: dict[str, Decimal] = {}
    for symbol, at, *numbers in rows.values_list(*columns):
        bar = Bar(at, *numbers)
        if at.date() >= clock.history_from:
            bars.setdefault(at.date(), {})[symbol] = bar
            if symbol in last_close:
                closes.setdefault(at.date(), {})[symbol] = last_close[symbol]
        last_close[symbol] = bar.close
    if not sessions or not bars:
        raise NothingToReplayError("there are no sessions or no bars; run load_reference_data")
    return Script(clock.started_at, clock.seconds_per_day, sessions, tick_sizes, bars, closes)


class ReplayFeed:
    """The player. ``run`` never returns and survives the loss of Postgres and of Redis."""

    def __init__(
        self, redis_url: str, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._redis_url = redis_url
        self._clock = clock
        self._redis_away = False
        self._trouble = ""
        self.playing = False

    async def run(self) -> None:
        """Wait for the lock, play, and start over after any loss, until cancelled."""
        wait = _BACKOFF_S[0]
        while True:
            try:
                async with _sole_player() as connection:
                    script = await asyncio.to_thread(_load_script_in_thread, self._clock())
                    _log.info("%s plays from here", path.REPLAY_FEED)
                    self._trouble = ""
                    wait = _BACKOFF_S[0]
                    await self._play(script, connection)
            except (psycopg.Error, django.db.Error, OSError, TimeoutError) as error:
                self._say_once(f"no database: {type(error).__name__} {error}")
            except NothingToReplayError as error:
                self._say_once(str(error))
            _obey_cancellation()
            await asyncio.sleep(wait)
            wait = min(wait * 2, _BACKOFF_S[1])

    def _say_once(self, trouble: str) -> None:
        if trouble != self._trouble:
            _log.warning("%s waits: %s", path.REPLAY_FEED, trouble)
        self._trouble = trouble

    async def _play(self, script: Script, connection: psycopg.AsyncConnection[Any]) -> None:
        client = quotes.async_client(self._redis_url)
        try:
            self.playing = True
            while True:
                _obey_cancellation()
                await _still_there(connection)
                await self._publish(client, script.quotes_at(self._clock()))
                step = INTERVAL.total_seconds()
                await asyncio.sleep(step - time.time() % step)
        finally:
            self.playing = False
            await client.aclose()

    async def _publish(self, client: redis.asyncio.Redis, batch: list[Quote]) -> None:
        try:
            await quotes.awrite(client, batch)
        except (redis.RedisError, OSError) as error:
            if not self._redis_away:
                _log.warning("quotes are not written, Redis is away: %s", error)
            self._redis_away = True
        else:
            if self._redis_away:
                _log.info("Redis is back, quotes are written again")
            self._redis_away = False


def _load_script_in_thread(now: datetime) -> Script:
    try:
        return load_script(now)
    finally:
        django.db.connection.close()  # this thread's own; the next load may run in another


def _obey_cancellation() -> None:
    """:raises asyncio.CancelledError: if the task is being cancelled.

    A driver that is interrupted inside a call may report its own error instead, which we survive.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


@asynccontextmanager
async def _sole_player() -> AsyncIterator[psycopg.AsyncConnection[Any]]:
    """Yield a connection that holds the feed's advisory lock; the lock ends with it."""
    database = settings.DATABASES["default"]
    connection = await psycopg.AsyncConnection.connect(
        dbname=django.db.connection.settings_dict["NAME"],  # the test database under pytest
        user=database["USER"] or None,
        password=database["PASSWORD"] or None,
        host=database["HOST"] or None,
        port=database["PORT"] or None,
        connect_timeout=int(_DATABASE_TIMEOUT_S),
        autocommit=True,
        **database.get("OPTIONS", {}),
    )
    async with connection:
        while True:
            cursor = await connection.execute(
                "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))",
                [f"marketdata.feed:{path.REPLAY_FEED}"],
            )
            row = await cursor.fetchone()
            if row is not None and row[0]:
                break
            await asyncio.sleep(_STANDBY_S)
        yield connection


async def _still_there(connection: psycopg.AsyncConnection[Any]) -> None:
    """:raises psycopg.Error: if the connection, and with it the lock, is gone."""
    async with asyncio.timeout(_DATABASE_TIMEOUT_S):
        await connection.execute("SELECT 1")
