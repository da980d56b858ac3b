"""A committed firm with a paper venue per test, and a session at it that a test can drive."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connections

from brokers import services
from brokers.adapters.base import CancelOrder, NewOrder, ReplaceOrder
from brokers.adapters.paper.adapter import PaperBroker
from brokers.models import BrokerConnection, FaultSwitch
from common.actor import system_actor
from tenants.binding import tenant_bound
from tenants.models import Tenant
from tenants.services import create_tenant
from trading.market import InstrumentRules, Quote
from trading.orders.reports import ExecutionReport
from trading.vocabulary import CommandKind, ExecType, Mode, OrdType, Side, TimeInForce

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
OPENING = Decimal(1_000_000)
SLUG = "brokers-desk"
SCHEMA = "t_brokers_desk"
RULES = InstrumentRules(
    symbol="SPX",
    currency="USD",
    tick_size=Decimal("0.01"),
    lot_size=Decimal(1),
    qty_decimals=0,
    min_qty=Decimal(1),
    max_qty=Decimal(1_000_000),
    min_notional=Decimal(0),
)


def fresh(prefix: str) -> str:
    """A name no other test has, in this run or an earlier one on the same database."""
    return f"{prefix}{secrets.token_hex(4)}"


@dataclass
class Market:
    """A quote source whose prices the test decides, and the clock quotes are stamped by."""

    now: datetime = NOW
    quotes: dict[str, Quote] = field(default_factory=dict)
    callbacks: list[Callable[[Quote], None]] = field(default_factory=list)

    def latest(self, symbol: str) -> Quote | None:
        return self.quotes.get(symbol)

    def subscribe(self, callback: Callable[[Quote], None]) -> Callable[[], None]:
        self.callbacks.append(callback)
        return lambda: self.callbacks.remove(callback)

    def show(
        self,
        bid: str,
        ask: str,
        size: int = 100,
        ask_size: int | None = None,
        *,
        last: str | None = None,
        after_ms: int = 1,
    ) -> None:
        """A new quote of SPX, a millisecond after the last one; its last trade is at the bid."""
        self.now += timedelta(milliseconds=after_ms)
        quote = Quote(
            symbol="SPX",
            bid=Decimal(bid),
            ask=Decimal(ask),
            last=Decimal(bid if last is None else last),
            bid_size=Decimal(size),
            ask_size=Decimal(size if ask_size is None else ask_size),
            at=self.now,
            feed="test",
            simulated=True,
        )
        self.quotes["SPX"] = quote
        for callback in list(self.callbacks):
            callback(quote)

    def clock(self) -> datetime:
        return self.now


@dataclass
class Session:
    """A broker session of one account, with everything it has told."""

    broker: PaperBroker
    account: str
    market: Market
    raw: list[bytes] = field(default_factory=list)

    def order(
        self,
        side="BUY",
        qty="10",
        price=None,
        tif="DAY",
        name=None,
        account=None,
        ord_type=None,
        **options,
    ):
        plain = OrdType.MARKET if price is None else OrdType.LIMIT
        return NewOrder(
            account=account or self.account,
            venue_cl_ord_id=name or fresh("V"),
            symbol="SPX",
            side=Side(side),
            ord_type=plain if ord_type is None else OrdType(ord_type),
            order_qty=Decimal(qty),
            price=None if price is None else Decimal(price),
            time_in_force=TimeInForce(tif),
            rules=RULES,
            **{term: _value(value) for term, value in options.items()},
        )

    async def submit(self, *args, **options):
        return await self.broker.submit(self.order(*args, **options))

    async def cancel(self, name, request_id="C1"):
        return await self.broker.cancel(CancelOrder(self.account, name, None, request_id, "SPX"))

    async def replace(self, name, new_name, qty, price, tif="DAY", request_id="R1", **terms):
        return await self.broker.replace(
            ReplaceOrder(
                self.account,
                new_name,
                name,
                None,
                request_id,
                "SPX",
                Decimal(qty),
                None if price is None else Decimal(price),
                TimeInForce(tif),
                **{term: _value(value) for term, value in terms.items()},
            )
        )

    async def venue_order(self, name):
        """The order as the venue shows it when asked."""
        return (await self.broker.lookup(self.account, name, "SPX")).found

    def reports(self, *exec_types: str) -> list[ExecutionReport]:
        made = [report for raw in self.raw for report in PaperBroker.parse(raw)]
        return [r for r in made if not exec_types or r.exec_type in map(ExecType, exec_types)]

    def words(self) -> list[str]:
        return [report.exec_type.value for report in self.reports()]

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for what must come."""
        async with asyncio.timeout(5):
            while not condition():  # noqa: ASYNC110 - it polls what another task appends to
                await asyncio.sleep(0.005)

    async def quiet(self) -> None:
        """Wait long enough that anything on its way has come."""
        await asyncio.sleep(0.15)


def _value(value):
    """Numbers of a test are written as text; words and instants are what they are."""
    is_number = isinstance(value, str) and value[:1].isdigit()
    return Decimal(value) if is_number else value


@dataclass
class Desk:
    """One paper connection with two accounts of its own."""

    connection_id: int
    account: str
    other: str
    market: Market
    pool: ThreadPoolExecutor
    schema: str = SCHEMA

    async def run_db(self, work, /):
        return await asyncio.get_running_loop().run_in_executor(self.pool, _closing, work)

    @asynccontextmanager
    async def session(self, **options) -> AsyncIterator[Session]:
        broker = options.pop("kind", PaperBroker)(
            schema=self.schema,
            connection_id=self.connection_id,
            quote_source=self.market,
            run_db=options.pop("run_db", self.run_db),
            clock=self.market.clock,
            **options,
        )
        session = Session(broker, self.account, self.market)

        async def keep(account: str, raw: bytes) -> None:
            session.raw.append(raw)

        broker.on_message = keep
        await broker.connect()
        try:
            yield session
        finally:
            await broker.close()

    def fault(
        self,
        switch: str,
        times: int = 1,
        command: str | None = None,
        delay_ms: int = 0,
        **aim: Any,
    ):
        with tenant_bound(self.schema):
            services.set_fault(
                connection=BrokerConnection.objects.get(pk=self.connection_id),
                switch=FaultSwitch(switch),
                times=times,
                command=None if command is None else CommandKind(command),
                delay_ms=delay_ms,
                aim=services.FaultAim(**aim),
                actor=system_actor(self.schema, "test"),
                now=self.market.now,
            )

    def rows(self, model, **filters):
        """Rows of this venue, read now."""
        with tenant_bound(self.schema):
            return list(model.objects.filter(**filters).order_by("pk"))


def _closing(work):
    try:
        return work()
    finally:
        connections.close_all()


@pytest.fixture(scope="session")
def brokers_firm(django_db_setup, django_db_blocker) -> str:
    """The schema of a committed firm."""
    with django_db_blocker.unblock():
        if not Tenant.objects.filter(slug=SLUG).exists():
            create_tenant(slug=SLUG, name="Brokers desk", now=NOW)
        connections.close_all()
    return SCHEMA


@pytest.fixture
def db(django_db_setup, django_db_blocker) -> Iterator[None]:
    """Here transactions really commit: the venue writes from threads of its own."""
    with django_db_blocker.unblock():
        yield
        connections.close_all()


@pytest.fixture
def desk(db, brokers_firm) -> Iterator[Desk]:
    """A paper connection of this test alone; what it writes stays."""
    with ThreadPoolExecutor(3) as pool:
        with tenant_bound(SCHEMA):
            connection = services.open_connection(
                name=fresh("paper-"), broker="paper", mode=Mode.PAPER, now=NOW
            )
            one, two = (
                services.open_paper_account(
                    code=fresh(prefix),
                    name=prefix,
                    currency="USD",
                    opening_cash=OPENING,
                    connection=connection,
                    now=NOW,
                )
                for prefix in ("ONE-", "TWO-")
            )
        yield Desk(connection.id, one.code, two.code, Market(), pool)
