"""A firm of its own with two paper accounts, and quotes whose numbers the tests choose."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import connection

from brokers.models import BrokerAccount
from brokers.services import open_paper_account
from common.actor import Actor, ActorKind
from marketdata.models import Instrument
from marketdata.services import load_reference_data
from risk.models import AccountExposure, InstrumentExposure, RiskLimit
from risk.services import default_limits
from tenants.binding import tenant_bound
from tenants.models import Tenant
from tenants.services import create_tenant
from trading.market import Quote
from trading.vocabulary import OrdType, Side

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
SLUG = "risk-desk"
SCHEMA = "t_risk_desk"


@dataclass(frozen=True)
class Wish:
    """What an order asks for, as far as risk reads it."""

    side: Side = Side.BUY
    order_qty: Decimal = Decimal(10)
    price: Decimal | None = Decimal(1000)
    symbol: str = "SPX"

    @property
    def ord_type(self) -> OrdType:
        return OrdType.MARKET if self.price is None else OrdType.LIMIT


@dataclass(frozen=True)
class Desk:
    """The firm bound to the test's transaction."""

    one: BrokerAccount
    two: BrokerAccount
    spx: Instrument
    manager: Actor
    schema: str = SCHEMA

    def confined_to(self, *codes: str) -> Actor:
        """The manager's API key that reaches these accounts only."""
        return replace(self.manager, kind=ActorKind.API_KEY, accounts=frozenset(codes))


def quote_at(price: str = "1000", at: datetime = NOW) -> Quote:
    middle = Decimal(price)
    return Quote(
        symbol="SPX",
        bid=middle - 1,
        ask=middle + 1,
        last=middle,
        bid_size=Decimal(100),
        ask_size=Decimal(100),
        at=at,
        feed="replay",
        simulated=True,
    )


@pytest.fixture(scope="session")
def risk_firm(django_db_setup, django_db_blocker) -> str:
    """The schema of a committed firm with the accounts DESK-1 and DESK-2."""
    with django_db_blocker.unblock():
        load_reference_data(now=NOW)
        if not Tenant.objects.filter(slug=SLUG).exists():
            create_tenant(slug=SLUG, name="Risk desk", now=NOW)
        with tenant_bound(SCHEMA):
            for code in ("DESK-1", "DESK-2"):
                if not BrokerAccount.objects.filter(code=code).exists():
                    open_paper_account(
                        code=code, name=code, currency="USD", opening_cash=Decimal(10**6), now=NOW
                    )
        connection.close()
    return SCHEMA


def _desk() -> Desk:
    return Desk(
        one=BrokerAccount.objects.get(code="DESK-1"),
        two=BrokerAccount.objects.get(code="DESK-2"),
        spx=Instrument.objects.get(symbol="SPX"),
        manager=Actor(
            ActorKind.USER,
            "1",
            "manager@desk.test",
            SCHEMA,
            frozenset({"risk:write", "orders:write"}),
            role="manager",
        ),
    )


@pytest.fixture
def desk(risk_firm, db) -> Iterator[Desk]:
    """The firm bound to a transaction that is rolled back."""
    with tenant_bound(risk_firm):
        yield _desk()


@pytest.fixture
def committed_desk(risk_firm, db) -> Iterator[Desk]:
    """The firm for threads of the test, which commit; what they leave is removed afterwards.

    The test's own thread stays in a transaction that is rolled back, so it only looks.
    """
    with tenant_bound(risk_firm):
        desk = _desk()
    yield desk

    def clean() -> None:
        try:
            with tenant_bound(risk_firm):
                InstrumentExposure.objects.all().delete()
                AccountExposure.objects.all().delete()
                RiskLimit.objects.all().delete()
                default_limits(now=NOW)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as elsewhere:
        elsewhere.submit(clean).result()


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def wish() -> type[Wish]:
    return Wish


@pytest.fixture
def quote() -> Callable[..., Quote]:
    return quote_at
