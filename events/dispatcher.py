"""The dispatcher's loops: one thread relays, one thread per subscriber follows.

Threads keep a slow subscriber from holding up the relay or another subscriber. All of them are
crash-only: state lies in Postgres, a restart is a normal start. Wake-ups come by LISTEN; a poll
every second finds what a lost notification would have told.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial

import psycopg
from django.db import DatabaseError, InterfaceError, OperationalError, connection

from events.binding import active_schemas, conninfo
from events.relay import RedisFeeder, relay_once
from events.runner import BATCH, run_subscriber
from events.subscribers import Subscriber

logger = logging.getLogger(__name__)

CHANNEL = "blotter_events"
POLL_S = 1.0
_PAUSE_S = 0.5


class Dispatcher:
    """Relay and subscribers of every active tenant until ``stop`` is called."""

    def __init__(self, subscribers: Iterable[Subscriber]) -> None:
        self._stopping = threading.Event()
        self._feeder = RedisFeeder()
        self._followers = [Follower(subscriber, self._stopping) for subscriber in subscribers]

    def stop(self) -> None:
        """Ask every loop to end after the work in hand; returns at once (signal-safe)."""
        self._stopping.set()

    def run(self) -> None:
        """Run until stopped; survives the loss of Postgres and of Redis."""
        threads = [
            threading.Thread(target=follower.run, name=follower.name, daemon=True)
            for follower in self._followers
        ]
        for thread in threads:
            thread.start()
        while not self._stopping.is_set():
            try:
                self._listen()
            except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                self._postgres_is_away(error)
            except (OperationalError, InterfaceError) as error:
                self._postgres_is_away(error)
        for follower in self._followers:
            follower.wake()
        for thread in threads:
            thread.join(timeout=4)
        connection.close()

    def _postgres_is_away(self, error: Exception) -> None:
        logger.warning("dispatcher: Postgres is away: %s", str(error).strip())
        connection.close()
        self._stopping.wait(_PAUSE_S)

    def _listen(self) -> None:
        """Relay by notification and by the clock, over one LISTEN connection."""
        with psycopg.connect(conninfo(), autocommit=True, connect_timeout=5) as listening:
            listening.execute(f"LISTEN {CHANNEL}")
            logger.info("dispatcher: listening on %s", CHANNEL)
            next_poll = 0.0
            while not self._stopping.is_set():
                wait = max(0.0, next_poll - time.monotonic())
                woken = {note.payload for note in listening.notifies(timeout=wait, stop_after=1)}
                woken |= {note.payload for note in listening.notifies(timeout=0)}
                if time.monotonic() >= next_poll:
                    schemas = active_schemas()
                    next_poll = time.monotonic() + POLL_S
                else:
                    schemas = sorted(woken)
                self._relay(schemas)

    def _relay(self, schemas: list[str]) -> None:
        for schema in schemas:
            if self._stopping.is_set():
                return
            _guarded(schema, partial(relay_once, schema, feeder=self._feeder))
        for follower in self._followers:
            follower.wake()


def _guarded(schema: str, work: Callable[[], int]) -> int:
    """Run work of one tenant; a fault of that tenant is logged and leaves the others alone.

    :raises OperationalError: if the database connection is gone.
    """
    try:
        return work()
    except (OperationalError, InterfaceError):
        raise
    except (DatabaseError, LookupError, ValueError, RuntimeError):
        logger.exception("dispatcher: tenant %s failed, going on with the others", schema)
        return 0


class Follower:
    """The loop of one subscriber over all tenants."""

    def __init__(self, subscriber: Subscriber, stopping: threading.Event) -> None:
        self._subscriber = subscriber
        self._stopping = stopping
        self._woken = threading.Event()
        self.name = f"subscriber {subscriber.name}"

    def wake(self) -> None:
        """Have it look now instead of at the next poll."""
        self._woken.set()

    def run(self) -> None:
        """Follow until stopped."""
        while not self._stopping.is_set():
            try:
                busy = self._round()
            except (OperationalError, InterfaceError) as error:
                logger.warning("%s: Postgres is away: %s", self.name, str(error).strip())
                connection.close()
                self._stopping.wait(_PAUSE_S)
                continue
            if not busy:
                self._woken.wait(POLL_S)
            self._woken.clear()
        connection.close()

    def _round(self) -> bool:
        """Give every tenant one batch; whether any may have more."""
        busy = False
        for schema in active_schemas():
            if self._stopping.is_set():
                return False
            passed = _guarded(schema, partial(self._batch, schema))
            busy = busy or passed == BATCH
        return busy

    def _batch(self, schema: str) -> int:
        return run_subscriber(self._subscriber, schema, now=datetime.now(UTC))
