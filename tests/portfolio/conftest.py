"""A firm with paper accounts and a deposit, and fills as short as a test can say them."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from brokers.models import BrokerAccount
from brokers.services import open_paper_account
from common.actor import Actor, ActorKind
from marketdata.models import Instrument
from marketdata.services import load_reference_data
from portfolio import services
from portfolio.services import BookedFill, Fill
from tenants.binding import tenant_bound
from tenants.models import Tenant
from tenants.services import create_tenant
from trading.market import Quote
from trading.vocabulary import Side

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
OPENING = Decimal(1_000_000)
_numbers = itertools.count(1)


@dataclass
class Desk:
    """A firm's accounts and instruments, and a clock that each booking moves a second on."""

    schema: str
    one: BrokerAccount
    two: BrokerAccount
    spx: Instrument
    ixic: Instrument
    now: datetime = NOW
    quotes: dict[str, Quote] = field(default_factory=dict)

    def fill(
        self,
        side: str,
        qty: str,
        px: str,
        *,
        fee: str = "0",
        fee_currency: str = "USD",
        at: datetime | None = None,
        execution_id: str | None = None,
    ) -> Fill:
        number = next(_numbers)
        return Fill(
            execution_id=execution_id or f"E{number:08}",
            order_id=f"O{number:08}",
            exec_id=f"X{number}",
            side=Side(side),
            last_qty=Decimal(qty),
            last_px=Decimal(px),
            fee=Decimal(fee),
            fee_currency=fee_currency,
            transact_time=at or self.now,
        )

    def book(
        self,
        side: str,
        qty: str,
        px: str,
        *,
        account: BrokerAccount | None = None,
        instrument: Instrument | None = None,
        **more: Any,
    ) -> BookedFill:
        """Book one fill, by default of SPX for the first account."""
        self.now += timedelta(seconds=1)
        return self.book_again(self.fill(side, qty, px, **more), account, instrument)

    def book_again(
        self,
        fill: Fill,
        account: BrokerAccount | None = None,
        instrument: Instrument | None = None,
    ) -> BookedFill:
        return services.book_fill(
            account=account or self.one,
            instrument=instrument or self.spx,
            fill=fill,
            actor_label="system:test",
            now=self.now,
        )

    def actor(
        self, *, codes: tuple[str, ...] | None = None, scope: str = "positions:read"
    ) -> Actor:
        return Actor(ActorKind.API_KEY, "1", "key", self.schema, frozenset({scope}), accounts=codes)


def make_firm(slug: str) -> str:
    """Commit a firm with two funded accounts, once per database; return its schema."""
    load_reference_data(now=NOW)
    tenant = Tenant.objects.filter(slug=slug).first()
    if tenant is not None:
        return tenant.schema_name
    schema = create_tenant(slug=slug, name=slug, now=NOW).schema_name
    with tenant_bound(schema):
        for code in ("BOOK-1", "BOOK-2"):
            account = open_paper_account(
                code=code, name=code, currency="USD", opening_cash=OPENING, now=NOW
            )
            services.deposit(
                account=account,
                currency="USD",
                amount=OPENING,
                ref="opening",
                actor_label="system:test",
                now=NOW,
            )
    return schema


def desk_of(schema: str, quotes: dict[str, Quote] | None = None) -> Desk:
    return Desk(
        schema=schema,
        one=BrokerAccount.objects.get(code="BOOK-1"),
        two=BrokerAccount.objects.get(code="BOOK-2"),
        spx=Instrument.objects.get(symbol="SPX"),
        ixic=Instrument.objects.get(symbol="IXIC"),
        quotes={} if quotes is None else quotes,
    )


@pytest.fixture(scope="session")
def books_firm(django_db_setup, django_db_blocker) -> str:
    with django_db_blocker.unblock():
        schema = make_firm("books-desk")
        connection.close()
    return schema


@pytest.fixture
def quotes(monkeypatch) -> dict[str, Quote]:
    """The quotes there are: a dictionary stands in for Redis, which other tests stop and start."""
    known: dict[str, Quote] = {}
    monkeypatch.setattr(
        "marketdata.quotes.latest",
        lambda symbols: {symbol: known[symbol] for symbol in symbols if symbol in known},
    )
    return known


@pytest.fixture
def desk(books_firm, db, quotes, settings) -> Iterator[Desk]:
    """The firm bound to a transaction that is rolled back; nobody reserves cash."""
    settings.OMS_RESERVED_CASH = "tests.portfolio.conftest.nothing_reserved"
    with tenant_bound(books_firm):
        yield desk_of(books_firm, quotes)


@pytest.fixture
def fresh_firm(db) -> Iterator[str]:
    """A firm of this test's own, committed: what is append-only cannot be cleaned up otherwise."""
    slug = f"books-{next(_numbers)}"
    schema = make_firm(slug)
    yield schema
    with connection.cursor() as cursor:
        cursor.execute(f'DROP SCHEMA "{schema}" CASCADE')
    Tenant.objects.filter(slug=slug).delete()


def nothing_reserved(account_id: int, currency: str) -> Decimal:
    return Decimal(0)


@pytest.fixture
def quote() -> Callable[..., Quote]:
    def make(symbol: str = "SPX", last: str = "1000", at: datetime = NOW) -> Quote:
        px = Decimal(last)
        return Quote(
            symbol=symbol,
            bid=px - 1,
            ask=px + 1,
            last=px,
            bid_size=Decimal(100),
            ask_size=Decimal(100),
            at=at,
            feed="HISTORICAL REPLAY",
            simulated=True,
        )

    return make
