"""The market whose prices a test sets, and the gateway that trades on them, on a thread.

Nothing is simulated but the prices: sessions, venue and LISTEN are the real ones.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import redis
from django.conf import settings
from django.db import connections

from brokers.models import BrokerConnection
from marketdata import quotes
from oms.gateway.database import DatabaseThreads
from oms.gateway.process import Gateway
from oms.gateway.session import Session
from oms.models import ReconciliationRun
from tests.journeys.cast import PATIENCE_S, Desk, fresh, utcnow
from trading.market import Quote

# --- the market -----------------------------------------------------------------------------------


class Market:
    """The prices there are: in Redis for the doors, and told to the venue as the feed would."""

    def __init__(self) -> None:
        self.redis = redis.Redis.from_url(settings.REDIS_URL)
        self.loop: asyncio.AbstractEventLoop | None = None
        self.quotes: dict[str, Quote] = {}
        self.callbacks: list[Callable[[Quote], None]] = []

    def latest(self, symbol: str) -> Quote | None:
        return self.quotes.get(symbol)

    def subscribe(self, callback: Callable[[Quote], None]) -> Callable[[], None]:
        self.callbacks.append(callback)
        return lambda: self.callbacks.remove(callback) if callback in self.callbacks else None

    def show(
        self, bid: str, ask: str, size: int = 100, symbol: str = "SPX", at: datetime | None = None
    ) -> None:
        """Both sides of one instrument from now on, ``size`` displayed on each."""
        self._tell(
            Quote(
                symbol=symbol,
                bid=Decimal(bid),
                ask=Decimal(ask),
                last=(Decimal(bid) + Decimal(ask)) / 2,
                bid_size=Decimal(size),
                ask_size=Decimal(size),
                at=at or utcnow(),
                feed="test",
                simulated=True,
            )
        )

    def again(self) -> None:
        """The same prices, told once more: fresh quotes, sizes displayed anew."""
        for quote in list(self.quotes.values()):
            self._tell(replace(quote, at=utcnow()))

    def silence(self, symbol: str = "SPX") -> None:
        """No quote at all."""
        self.redis.delete(quotes.key(symbol))
        self.quotes.pop(symbol, None)

    def _tell(self, quote: Quote) -> None:
        quotes.write(self.redis, [quote])
        self.quotes[quote.symbol] = quote
        if self.loop is not None:
            for callback in list(self.callbacks):
                self.loop.call_soon_threadsafe(callback, quote)


# --- the gateway ----------------------------------------------------------------------------------


class _Threads(DatabaseThreads):
    """Keeps a connection per thread, as in production, and gives all of them back at the end."""

    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        self.opened: set[Any] = set()

    async def run(self, function, /, *args, **kwargs):
        def work():
            mine = connections["default"]
            if mine not in self.opened:
                mine.settings_dict = {**mine.settings_dict, "CONN_MAX_AGE": None}
                mine.inc_thread_sharing()
                mine.close()
                self.opened.add(mine)
            return function(*args, **kwargs)

        return await super().run(work)

    def give_back(self) -> None:
        """Close the connections; called off the event loop, when the threads have ended."""
        for one in self.opened:
            one.close()


class GatewayProcess:
    """The gateway as ``manage.py gateway`` runs it, on a thread, for the desks of one test.

    Its sessions, its venue and its LISTEN are the real ones; the prices are the test's.
    """

    def __init__(self, market: Market) -> None:
        self.market = market
        self.desks: list[Desk] = []
        self.sessions: list[Session] = []
        self._thread: threading.Thread | None = None

    def start(self, *desks: Desk) -> None:
        """Begin, and return when every session has reconciled and is up."""
        self.desks = list(desks) or self.desks
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=asyncio.run, args=(self._run(),), daemon=True)
        self._thread.start()
        deadline = time.monotonic() + PATIENCE_S
        while not all(self._is_up(desk) for desk in self.desks):
            assert time.monotonic() < deadline, "the gateway does not come up"
            time.sleep(0.02)

    def stop(self) -> None:
        """Close the sessions, give the leases back."""
        if self._thread is None or self.market.loop is None:
            return
        self.market.loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive(), "the gateway does not end"
        self._thread = None
        self._threads.give_back()

    def reconcile(self, desk: Desk) -> None:
        """Ask for a comparison of the desk's books with the venue's, as beat does."""
        before = len(desk.rows(ReconciliationRun, account_id=desk.account_id))
        assert self.market.loop is not None
        for session in self.sessions:
            self.market.loop.call_soon_threadsafe(lambda s=session: s.wake(reconcile=True))
        deadline = time.monotonic() + PATIENCE_S
        while len(desk.rows(ReconciliationRun, account_id=desk.account_id)) == before:
            assert time.monotonic() < deadline, "no reconciliation takes place"
            time.sleep(0.02)

    async def _run(self) -> None:
        gateway = Gateway()
        gateway.database.close()
        gateway.database = self._threads = _Threads(threads=4)
        self.market.loop = asyncio.get_running_loop()
        self.sessions = []
        for desk in self.desks:
            session = Session(
                schema=desk.schema,
                connection_id=desk.connection_id,
                broker_name=desk.broker,
                holder=fresh("gateway-"),
                database=gateway.database,
                quotes=self.market,
            )
            self.sessions.append(session)
            gateway.sessions[desk.schema, desk.connection_id] = session
            session.start()
        listening = asyncio.create_task(gateway._listen())
        try:
            await self._stop.wait()
        finally:
            self.market.loop = None
            await gateway._close([listening])

    @staticmethod
    def _is_up(desk: Desk) -> bool:
        (row,) = desk.rows(BrokerConnection, pk=desk.connection_id)
        return row.state == BrokerConnection.State.UP


# --- fixtures ------------------------------------------------------------------------------------


@pytest.fixture
def market(db) -> Market:
    market = Market()
    for symbol in ("SPX", "IXIC"):
        market.show("999.50", "1000.50", symbol=symbol)
    return market


@pytest.fixture
def idle_gateway(desk, market) -> Iterator[GatewayProcess]:
    """A gateway that is not running yet."""
    process = GatewayProcess(market)
    process.desks = [desk]
    yield process
    process.stop()


@pytest.fixture
def gateway(idle_gateway) -> GatewayProcess:
    """A gateway that holds the desk's session."""
    idle_gateway.start()
    return idle_gateway


@pytest.fixture
def impatient(monkeypatch) -> None:
    """Timers of the command protocol in tenths of what they are, so that silence is short."""
    monkeypatch.setattr("oms.services.protocol.SEND_WINDOW", timedelta(seconds=1))
    monkeypatch.setattr("trading.protocol.LOOKUP_DELAYS", (timedelta(milliseconds=250),) * 40)
