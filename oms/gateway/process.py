"""Starts and keeps one session per broker connection, for every active firm."""

import asyncio
import contextlib
import logging
import os
import signal
import socket

import psycopg
from django.conf import settings

from brokers import services as broker_services
from brokers.models import BrokerConnection
from events.binding import conninfo
from marketdata.hub import QuoteHub
from marketdata.replay import ReplayFeed
from oms.gateway.clock import utcnow
from oms.gateway.database import DatabaseAway, DatabaseThreads
from oms.gateway.ending import end
from oms.gateway.session import Session
from oms.services.outbox import CHANNEL
from oms.services.reconciliation import RECONCILE_CHANNEL
from tenants.binding import tenant_bound
from tenants.selectors import active_schemas

log = logging.getLogger("oms.gateway")
FIND_SESSIONS_EVERY_S = 5
RETRY_S = 0.5


class Gateway:
    """The process: quote hub, replay feed, wake-up listener and the sessions."""

    def __init__(self) -> None:
        self.database = DatabaseThreads(threads=8)
        self.hub = QuoteHub(settings.REDIS_URL)
        self.holder = settings.OMS_GATEWAY_HOLDER or f"{socket.gethostname()}:{os.getpid()}"
        self.sessions: dict[tuple[str, int], Session] = {}

    async def run(self) -> None:
        """Run until SIGTERM or SIGINT; then stop sending, release the leases and return."""
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        tasks = [
            asyncio.create_task(self.hub.run(), name="quotes"),
            asyncio.create_task(ReplayFeed(settings.REDIS_URL).run(), name="replay"),
            asyncio.create_task(self._listen(), name="listen"),
            asyncio.create_task(self._find_sessions(), name="sessions"),
        ]
        stopped = asyncio.create_task(stop.wait())
        done, _ = await asyncio.wait([stopped, *tasks], return_when=asyncio.FIRST_COMPLETED)
        await self._close(tasks)
        for task in done - {stopped}:
            task.result()  # a loop that ended by itself failed: let the supervisor see it

    async def _close(self, tasks: list[asyncio.Task[None]]) -> None:
        await end(tasks)
        await asyncio.gather(*(session.close() for session in self.sessions.values()))
        self.database.close()

    async def _free_own_leases(self) -> None:
        """A supervisor that names its one gateway has reaped the last holder of that name."""
        while settings.OMS_GATEWAY_HOLDER:
            with contextlib.suppress(DatabaseAway):
                await self.database.run(_free_own_leases, self.holder)
                return
            await asyncio.sleep(RETRY_S)

    async def _find_sessions(self) -> None:
        """New firms and connections get a session without a restart."""
        await self._free_own_leases()
        while True:
            try:
                found = await self.database.run(_connections)
            except DatabaseAway:
                await asyncio.sleep(RETRY_S)
                continue
            for schema, connection_id, broker_name in found:
                known = self.sessions.get((schema, connection_id))
                if known is not None and known.has_ended:
                    await known.close()
                    known = None
                if known is None:
                    session = Session(
                        schema=schema,
                        connection_id=connection_id,
                        broker_name=broker_name,
                        holder=self.holder,
                        database=self.database,
                        quotes=self.hub,
                    )
                    self.sessions[schema, connection_id] = session
                    session.start()
            await asyncio.sleep(FIND_SESSIONS_EVERY_S)

    async def _listen(self) -> None:
        """Postgres tells which firm has commands; each session also polls, so none is missed."""
        while True:
            with contextlib.suppress(psycopg.OperationalError):
                async with await psycopg.AsyncConnection.connect(
                    conninfo(), autocommit=True
                ) as connection:
                    await connection.execute(f"LISTEN {CHANNEL}")
                    await connection.execute(f"LISTEN {RECONCILE_CHANNEL}")
                    async for notice in connection.notifies():
                        for (schema, _), session in self.sessions.items():
                            if schema == notice.payload:
                                session.wake(reconcile=notice.channel == RECONCILE_CHANNEL)
            await asyncio.sleep(RETRY_S)


def _connections() -> list[tuple[str, int, str]]:
    found = []
    for schema in active_schemas():
        with tenant_bound(schema):
            rows = BrokerConnection.objects.exclude(state=BrokerConnection.State.DISABLED)
            found += [(schema, one.pk, one.broker) for one in rows]
    return found


def _free_own_leases(holder: str) -> None:
    for schema in active_schemas():
        broker_services.free_leases_of(schema=schema, holder=holder, now=utcnow())
