"""A simulated Binance and a session at it, in one event loop; connection and keys in Postgres."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import connections

from brokers import services
from brokers.adapters.base import CancelOrder, NewOrder, ReplaceOrder
from brokers.adapters.ccxt.adapter import CcxtBroker
from brokers.adapters.registry import adapter_class
from brokers.credentials import keep_credentials
from brokers.models import BrokerAccount, BrokerConnection
from tenants.binding import tenant_bound
from tests.brokers.conftest import NOW, RULES, SCHEMA, fresh
from tests.simulators.spot.binance import KEY, SECRET, BinanceFront
from tests.simulators.spot.exchange import Market, SpotExchange, SpotOrder
from trading.orders.reports import ExecutionReport
from trading.vocabulary import ExecType, Mode, OrdType, Side, TimeInForce

PAIR = "BTC/USDT"
PAIR_RULES = replace(RULES, symbol=PAIR, currency="USDT", lot_size=Decimal("0.00001"))


@dataclass
class Session:
    """A session of one account at the simulated exchange, with everything it has told."""

    broker: CcxtBroker
    account: str
    front: BinanceFront
    raw: list[bytes] = field(default_factory=list)

    def order(self, side="BUY", qty="0.1", price=None, tif=None, name=None, **options) -> NewOrder:
        ord_type = options.pop("ord_type", OrdType.MARKET if price is None else OrdType.LIMIT)
        tif = tif or ("IOC" if ord_type is OrdType.MARKET else "GTC")
        return NewOrder(
            account=self.account,
            venue_cl_ord_id=name or fresh("V"),
            symbol=options.pop("symbol", PAIR),
            side=Side(side),
            ord_type=ord_type,
            order_qty=Decimal(qty),
            price=None if price is None else Decimal(price),
            time_in_force=TimeInForce(tif),
            rules=PAIR_RULES,
            **options,
        )

    async def submit(self, *args, **options):
        return await self.broker.submit(self.order(*args, **options))

    async def cancel(self, name, request_id="C1", order_id=None):
        return await self.broker.cancel(CancelOrder(self.account, name, order_id, request_id, PAIR))

    async def replace(self, name, new_name, qty, price, *, order_id=None, request_id="R1"):
        return await self.broker.replace(
            ReplaceOrder(
                self.account,
                new_name,
                name,
                order_id,
                request_id,
                PAIR,
                Decimal(qty),
                Decimal(price),
                TimeInForce.GTC,
            )
        )

    def reports(self, *exec_types: str) -> list[ExecutionReport]:
        made = [report for raw in self.raw for report in self.broker.parse(raw)]
        return [r for r in made if not exec_types or r.exec_type in map(ExecType, exec_types)]

    def words(self) -> list[str]:
        """The exec types told, a repeated report once."""
        seen = dict.fromkeys((report.exec_id, report.exec_type) for report in self.reports())
        return [exec_type.value for _, exec_type in seen]

    def at_exchange(self, name: str) -> list[SpotOrder]:
        """The orders the exchange has under an id of ours."""
        return self.front.exchange.by_client_id(name)

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait for what must come."""
        async with asyncio.timeout(10):
            while not condition():  # noqa: ASYNC110 - it polls what another task appends to
                await asyncio.sleep(0.005)

    async def told(self, *exec_types: str) -> ExecutionReport:
        """Wait for the first report of each kind; return that of the last."""
        for exec_type in exec_types:
            await self.until(lambda word=exec_type: self.reports(word))
        return self.reports(exec_types[-1])[0]


@dataclass
class Desk:
    """One connection to one simulated exchange, with one account."""

    connection_id: int
    account: str
    front: BinanceFront
    pool: ThreadPoolExecutor
    broker_name: str = "ccxt:binance"
    schema: str = SCHEMA

    async def run_db(self, work, /):
        return await asyncio.get_running_loop().run_in_executor(self.pool, _closing, work)

    @asynccontextmanager
    async def exchange(self) -> AsyncIterator[None]:
        """Serve on the port the connection names, with a market."""
        await self.front.start(self.front.port)
        await self.run_db(self._point_at_port)
        await self.front.quote(PAIR, "49999.00", "50001.00")
        try:
            yield
        finally:
            await self.front.stop()

    def broker(self) -> CcxtBroker:
        """A session that is not connected yet."""
        return adapter_class(self.broker_name)(
            schema=self.schema,
            connection_id=self.connection_id,
            quote_source=_NoQuotes(),
            run_db=self.run_db,
        )

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        """A connected session whose streams are heard; the exchange must be served."""
        session = Session(self.broker(), self.account, self.front)

        async def keep(account: str, raw: bytes) -> None:
            assert account == self.account
            session.raw.append(raw)

        session.broker.on_message = keep
        await session.broker.connect()
        await session.until(lambda: self.front.listeners)
        try:
            yield session
        finally:
            await session.broker.close()

    def options(self, **options: object) -> None:
        with tenant_bound(self.schema):
            connection = BrokerConnection.objects.get(pk=self.connection_id)
            connection.options = {**connection.options, **options}
            connection.save(update_fields=["options"])

    def keys(self, **values: str) -> None:
        with tenant_bound(self.schema):
            keep_credentials(
                connection=BrokerConnection.objects.get(pk=self.connection_id),
                values=values,
                by="test",
                now=NOW,
            )

    def _point_at_port(self) -> None:
        self.options(base_url=f"http://127.0.0.1:{self.front.port}")


class _NoQuotes:
    def latest(self, symbol: str) -> None:
        return None

    def subscribe(self, callback: object) -> Callable[[], None]:
        return lambda: None


def _closing(work):
    try:
        return work()
    finally:
        connections.close_all()


@pytest.fixture
def desk(db, brokers_firm) -> Iterator[Desk]:
    """A connection of this test alone; what it writes stays."""
    with ThreadPoolExecutor(3) as pool:
        with tenant_bound(SCHEMA):
            connection = services.open_connection(
                name=fresh("binance-"), broker="ccxt:binance", mode=Mode.PAPER, now=NOW
            )
            account = BrokerAccount.objects.create(
                code=fresh("B"),
                name="test money",
                connection=connection,
                mode=Mode.PAPER.value,
                currency="USDT",
                created_at=datetime.now(UTC),
            )
        exchange = SpotExchange([Market("BTC", "USDT")], {"USDT": "1000000", "BTC": "10"})
        made = Desk(connection.id, account.code, BinanceFront(exchange), pool)
        made.keys(api_key=KEY, secret=SECRET)
        yield made
