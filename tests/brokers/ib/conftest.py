"""A simulated TWS and a session at it, in one event loop; the order numbers are in Postgres."""

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
from brokers.adapters.ib.adapter import IbBroker
from brokers.models import BrokerAccount, BrokerConnection
from tenants.binding import tenant_bound
from tests.brokers.conftest import NOW, RULES, SCHEMA, fresh
from tests.simulators.tws.brokerage import Brokerage
from tests.simulators.tws.front import Front
from tests.simulators.tws.shapes import Listing, Ticket
from trading.orders.reports import ExecutionReport
from trading.vocabulary import ExecType, Mode, OrdType, Side, TimeInForce

SHARE = Listing(265598, "AAPL")
SHARE_RULES = replace(RULES, symbol="AAPL")


@dataclass
class Session:
    """A session of one account at the simulated TWS, with everything it has told."""

    broker: IbBroker
    account: str
    front: Front
    raw: list[bytes] = field(default_factory=list)

    def order(self, side="BUY", qty="10", price=None, tif="GTC", name=None, **options) -> NewOrder:
        ord_type = options.pop("ord_type", OrdType.MARKET if price is None else OrdType.LIMIT)
        return NewOrder(
            account=self.account,
            venue_cl_ord_id=name or fresh("V"),
            symbol=options.pop("symbol", "AAPL"),
            side=Side(side),
            ord_type=ord_type,
            order_qty=Decimal(qty),
            price=None if price is None else Decimal(price),
            time_in_force=TimeInForce(tif),
            rules=SHARE_RULES,
            **options,
        )

    async def submit(self, *args, **options):
        return await self.broker.submit(self.order(*args, **options))

    async def cancel(self, name, request_id="C1"):
        return await self.broker.cancel(CancelOrder(self.account, name, None, request_id, "AAPL"))

    async def replace(self, name, new_name, qty, price, *, request_id="R1", **options):
        return await self.broker.replace(
            ReplaceOrder(
                self.account,
                new_name,
                name,
                None,
                request_id,
                "AAPL",
                Decimal(qty),
                None if price is None else Decimal(price),
                TimeInForce.GTC,
                **options,
            )
        )

    def reports(self, *exec_types: str) -> list[ExecutionReport]:
        made = [report for raw in self.raw for report in IbBroker.parse(raw)]
        return [r for r in made if not exec_types or r.exec_type in map(ExecType, exec_types)]

    def words(self) -> list[str]:
        """The exec types told, a repeated report once."""
        seen = dict.fromkeys((report.exec_id, report.exec_type) for report in self.reports())
        return [exec_type.value for _, exec_type in seen]

    def ticket(self, name: str) -> Ticket:
        """The order of this reference in the brokerage's own books."""
        (ticket,) = self.front.brokerage.by_reference(name)
        return ticket

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait for what must come."""
        async with asyncio.timeout(5):
            while not condition():  # noqa: ASYNC110 - it polls what another task appends to
                await asyncio.sleep(0.005)

    async def told(self, exec_type: str) -> ExecutionReport:
        """Wait for the first report of a kind."""
        await self.until(lambda: self.reports(exec_type))
        return self.reports(exec_type)[0]


@dataclass
class Desk:
    """One connection to one simulated TWS, with one account."""

    connection_id: int
    account: str
    front: Front
    pool: ThreadPoolExecutor
    schema: str = SCHEMA

    async def run_db(self, work, /):
        return await asyncio.get_running_loop().run_in_executor(self.pool, _closing, work)

    def broker(self) -> IbBroker:
        """A session that is not connected yet."""
        return IbBroker(
            schema=self.schema,
            connection_id=self.connection_id,
            quote_source=_NoQuotes(),
            run_db=self.run_db,
        )

    @asynccontextmanager
    async def tws(self) -> AsyncIterator[None]:
        """Serve on the port the connection names, with a market of AAPL."""
        await self.front.start(self.front.port)
        await self.run_db(self._point_at_port)
        await self.front.quote("AAPL", "99.99", "100.01")
        try:
            yield
        finally:
            await self.front.stop()

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        """A connected session; the TWS must be served."""
        session = Session(self.broker(), self.account, self.front)

        async def keep(account: str, raw: bytes) -> None:
            assert account == self.account
            session.raw.append(raw)

        session.broker.on_message = keep
        await session.broker.connect()
        try:
            yield session
        finally:
            await session.broker.close()

    def _point_at_port(self) -> None:
        with tenant_bound(self.schema):
            BrokerConnection.objects.filter(pk=self.connection_id).update(
                options={"port": self.front.port, "client_id": 1, "time_zone": "UTC"}
            )


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


@pytest.fixture(params=[176, 178], ids=["server 176", "server 178"])
def desk(request: pytest.FixtureRequest, db, brokers_firm) -> Iterator[Desk]:
    """A connection of this test alone; what it writes stays."""
    with ThreadPoolExecutor(3) as pool:
        with tenant_bound(SCHEMA):
            connection = services.open_connection(
                name=fresh("tws-"), broker="ib", mode=Mode.PAPER, now=NOW
            )
            account = BrokerAccount.objects.create(
                code=fresh("A"),
                name="paper at TWS",
                venue_code="DU1",
                connection=connection,
                mode=Mode.PAPER.value,
                currency="USD",
                created_at=datetime.now(UTC),
            )
        front = Front(Brokerage(listings=[SHARE]), version=request.param)
        yield Desk(connection.id, account.code, front, pool)
