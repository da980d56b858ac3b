"""One broker connection, held under a lease: reconcile first, then send, always listen.

A session is crash-only: whatever fails ends it, and it starts again from the lease. What it left
SENDING under an older epoch is UNKNOWN to the next start, never resent blindly.
"""

import asyncio
import contextlib
import logging
import time

from brokers import services as broker_services
from brokers.adapters.base import Broker, NotConnected, SignedOut
from brokers.adapters.registry import adapter_class
from brokers.models import BrokerConnection
from brokers.services import Lease
from marketdata.hub import QuoteHub
from oms.gateway import kill, lists, messages, recovery, sender
from oms.gateway.clock import utcnow
from oms.gateway.database import DatabaseAway, DatabaseThreads
from oms.gateway.inquiries import Inquiries
from oms.gateway.keeper import Keeper
from oms.services import id_reset, keeping, protocol

log = logging.getLogger("oms.gateway")
POLL_S = 1.0
RECOVERY_POLL_S = 0.5
LEASE_POLL_S = 0.5
RECONCILE_EVERY_S = 60.0
FOLLOW_LISTS_EVERY_S = 5.0
RESTART_S = (0.2, 0.5, 1.0, 2.0, 5.0)


class LeaseLost(Exception):
    """Another gateway holds the connection now, or renewal came too late: nothing may be sent."""


class Session:
    """Runs one connection of one firm. ``start`` and ``close`` are called once each."""

    def __init__(
        self,
        *,
        schema: str,
        connection_id: int,
        broker_name: str,
        holder: str,
        database: DatabaseThreads,
        quotes: QuoteHub,
    ) -> None:
        self.schema = schema
        self.connection_id = connection_id
        self.broker_name = broker_name
        self.holder = holder
        self.database = database
        self.quotes = quotes
        self.lease: Lease | None = None
        self.broker: Broker | None = None
        self.inquiries = Inquiries()
        self._is_up = False
        self._disabled = False
        self._keeper: Keeper | None = None
        self._wake = asyncio.Event()
        self._reconcile = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin, and begin again after every failure."""
        work = {"session": self._run_for_ever(), "halts": kill.watch(self)}
        self._tasks = [
            asyncio.create_task(one, name=f"{name} {self.schema}") for name, one in work.items()
        ]

    @property
    def is_up(self) -> bool:
        """Whether the venue is connected and the first comparison with it is complete."""
        return self._is_up

    def wake(self, *, reconcile: bool) -> None:
        """There may be something to send, or somebody asks for a comparison with the venue."""
        if reconcile:
            self._reconcile.set()
        self._wake.set()
        if self._keeper is not None:
            self._keeper.wake()

    async def close(self) -> None:
        """Stop sending, end the connection, give the lease back."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def has_ended(self) -> bool:
        """Whether it will not begin again by itself: its connection is disabled."""
        return bool(self._tasks) and self._tasks[0].done()

    async def _run_for_ever(self) -> None:
        failures = 0
        while not self._disabled:
            started = time.monotonic()
            try:
                await self._run_once()
            except* SignedOut as group:
                log.error("session of %s is disabled: %s", self.schema, group.exceptions[0])
                await self._mark(BrokerConnection.State.DISABLED, str(group.exceptions[0]))
            except* (DatabaseAway, LeaseLost, NotConnected, ConnectionError, TimeoutError) as group:
                log.warning("session of %s ends: %s", self.schema, group.exceptions[0])
            except* Exception:
                log.exception("session of %s fails", self.schema)
            failures = 0 if time.monotonic() - started > 30 else failures + 1
            await asyncio.sleep(RESTART_S[min(failures, len(RESTART_S) - 1)])

    async def _run_once(self) -> None:
        self._is_up = False
        await self._acquire_lease()
        broker = adapter_class(self.broker_name)(
            schema=self.schema,
            connection_id=self.connection_id,
            quote_source=self.quotes,
            run_db=self.database.run,
        )
        self.broker = broker
        broker.on_message = self._on_message
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._keep_lease())
                group.create_task(self._work(broker))
        finally:
            self._is_up = False
            await broker.close()
            with contextlib.suppress(DatabaseAway):  # the lease then runs out by itself
                await self._release("the session ended")

    async def _work(self, broker: Broker) -> None:
        """Nothing new is sent before the first comparison with the venue is complete."""
        await broker.connect()
        await self.database.run(
            protocol.take_over,
            schema=self.schema,
            connection_id=self.connection_id,
            epoch=self.epoch,
            now=utcnow(),
        )
        await self._tell_of_numbers(broker)
        await recovery.reconcile(self)
        await lists.follow_open(self)
        watched_until = await self.database.run(
            keeping.watched_until, schema=self.schema, connection_id=self.connection_id
        )
        self._keeper = Keeper(self, blind_since=watched_until)
        self._is_up = True
        await self._mark(BrokerConnection.State.UP)
        log.info("session of %s is up under epoch %s", self.schema, self.epoch)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._send_loop())
            group.create_task(self._recovery_loop())
            group.create_task(self.inquiries.run(self))
            group.create_task(self._reconcile_loop())
            group.create_task(self._lists_loop())
            group.create_task(self._keeper.run())
            group.create_task(self._watch_connection(broker))

    @property
    def epoch(self) -> int:
        """The epoch of the lease commands go out under."""
        assert self.lease is not None, "a session has a lease while it runs"
        return self.lease.epoch

    async def _acquire_lease(self) -> None:
        if self.lease is not None:  # our own last try, which has ended: no need to wait it out
            await self._release_lease(self.lease)
        while True:
            self.lease = await self.database.run(
                broker_services.acquire_lease,
                schema=self.schema,
                connection_id=self.connection_id,
                holder=self.holder,
                now=utcnow(),
            )
            if self.lease is not None:
                return
            await asyncio.sleep(LEASE_POLL_S)

    async def _keep_lease(self) -> None:
        """Also the heartbeat of the connection: each renewal stamps when it was last seen up."""
        while True:
            await asyncio.sleep(broker_services.LEASE_RENEW_EVERY.total_seconds())
            assert self.lease is not None
            self.lease = await self.database.run(
                broker_services.renew_lease, schema=self.schema, lease=self.lease, now=utcnow()
            )
            if self.lease is None:
                raise LeaseLost(f"the lease of {self.schema} went to another gateway")
            if self._is_up:
                await self._mark(BrokerConnection.State.UP)
            if self._disabled:
                raise LeaseLost(f"the connection of {self.schema} is disabled")

    async def _send_loop(self) -> None:
        """One sender per account at a time; accounts go side by side."""
        while True:
            self._wake.clear()
            await lists.follow_due(self)
            accounts = await self.database.run(
                protocol.queued_accounts,
                schema=self.schema,
                connection_id=self.connection_id,
                now=utcnow(),
            )
            if accounts:
                await asyncio.gather(*(sender.drain(self, account) for account in accounts))
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL_S):
                    await self._wake.wait()

    async def _recovery_loop(self) -> None:
        while True:
            await recovery.look_up_unknown(self)
            await asyncio.sleep(RECOVERY_POLL_S)

    async def _reconcile_loop(self) -> None:
        while True:
            self._reconcile.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RECONCILE_EVERY_S):
                    await self._reconcile.wait()
            await recovery.reconcile(self)
            assert self.broker is not None, "a session compares only while it has a broker"
            await self._tell_of_numbers(self.broker)

    async def _tell_of_numbers(self, broker: Broker) -> None:
        """An alarm stands while the venue's numbers keep new orders back."""
        await self.database.run(
            id_reset.tell_of_numbers,
            schema=self.schema,
            connection_id=self.connection_id,
            frozen=broker.frozen,
            now=utcnow(),
        )

    async def _lists_loop(self) -> None:
        """What no report calls for: alarms come due, requests that were refused are made again."""
        while True:
            await asyncio.sleep(FOLLOW_LISTS_EVERY_S)
            await lists.follow_open(self)

    async def _watch_connection(self, broker: Broker) -> None:
        raise ConnectionError(await broker.wait_disconnected())

    async def _on_message(self, account_code: str, raw: bytes) -> None:
        assert self.broker is not None
        in_question = await self.database.run(
            messages.take,
            schema=self.schema,
            account_code=account_code,
            raw=raw,
            parse=self.broker.parse,
            now=utcnow(),
        )
        self.inquiries.note(in_question)
        if self._keeper is not None:
            self._keeper.wake()  # a fill may leave reduce-only orders too large

    async def _mark(self, state: BrokerConnection.State, reason: str = "") -> None:
        enabled = await self.database.run(
            broker_services.set_connection_state,
            schema=self.schema,
            connection_id=self.connection_id,
            state=state,
            reason=reason,
            now=utcnow(),
        )
        self._disabled = not enabled

    async def _release(self, reason: str) -> None:
        await self._mark(BrokerConnection.State.DOWN, reason)
        if self.lease is not None:
            await self._release_lease(self.lease)

    async def _release_lease(self, lease: Lease) -> None:
        await self.database.run(
            broker_services.release_lease, schema=self.schema, lease=lease, now=utcnow()
        )
