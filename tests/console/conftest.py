"""Two firms that have traded, their people, the platform's staff, and browsers for all of them."""

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import connection
from django.test import Client

from accounts.models import LoginFailures, Membership, User
from accounts.roles import Role
from accounts.services import add_member, create_user, open_session
from approvals.models import Approval
from brokers.credentials import keep_credentials
from brokers.models import (
    BrokerConnection,
    FaultSwitch,
    OrderNumber,
    PaperFault,
    PaperVenue,
    VenueSymbol,
)
from brokers.selectors import accounts_by_code
from common.ids import new_ulid
from events.models import IdempotentAnswer
from events.services import keep_proof
from marketdata.services import load_reference_data
from oms.models import Break, Order, OrderList, ParkedReport
from portfolio.services import take_pnl_snapshots
from risk.services import set_halt
from tenants.binding import tenant_bound
from tenants.models import Domain, Tenant
from tenants.services import keep_standing
from tests.journeys.cast import Person, follow_events, fresh, make_firm, open_desk, utcnow
from tests.journeys.street import GatewayProcess, Market
from trading.risk import HaltScope, HaltState
from trading.vocabulary import CommandKind

PASSWORD = "correct horse battery staple"


def trade(firm, person: str) -> SimpleNamespace:
    """Let somebody of the firm trade at a new desk until every table of the console has rows."""
    desk = open_desk(firm)
    market = Market()
    for symbol in ("SPX", "IXIC"):
        market.show("999.50", "1000.50", symbol=symbol)
    gateway = GatewayProcess(market)
    gateway.start(desk)
    trader = Person(person, firm.bearers[person], desk)
    try:
        for number in range(4):
            market.again()
            trader.until_final(trader.placed(qty=str(number + 2), symbol="SPX"))
            trader.until_final(trader.placed("SELL", qty=str(number + 1), symbol="SPX"))
        working = trader.placed(price="990", tif="GTC")
        trader.until_status(working, "NEW")
        market.again()
        assert trader.place(qty="900000").status == 422
        gateway.reconcile(desk)
        gateway.reconcile(desk)
    finally:
        gateway.stop()
    rare_rows(desk)
    follow_events(firm)
    return SimpleNamespace(firm=firm, desk=desk, working=working, schema=firm.schema)


def rare_rows(desk) -> None:
    """What a good day does not bring: breaks, parked reports, faults, halts."""
    now = utcnow()
    with tenant_bound(desk.schema):
        account = accounts_by_code([desk.code])[desk.code]
        order = Order.objects.filter(account=account).first()
        for number in range(3):
            ParkedReport.objects.create(
                id=new_ulid(now), account=account, order=order, reason="unreadable",
                report={"n": number}, at=now,
            )  # fmt: skip
            Break.objects.create(
                id=new_ulid(now), account=account, kind="position", subject=f"SPX{number}",
                ours="1", theirs="2", detail="test", opened_at=now,
            )  # fmt: skip
            OrderList.objects.create(
                id=new_ulid(now), account=account, symbol="SPX", mode="PAPER",
                cl_ord_id=fresh("list"), contingency_type="OCO", reprotect="RESEND", legs=[],
                list_order_status="ALL_DONE", source="api", created_by="user:x", created_at=now,
                updated_at=now, intent_hash="",
            )  # fmt: skip
            IdempotentAnswer.objects.create(
                actor="user:x", key=fresh("k"), fingerprint="f", status=201,
                content_type="application/json", body="{}", created_at=now,
                expires_at=now + timedelta(hours=1),
            )  # fmt: skip
            Approval.objects.create(
                id=new_ulid(now), kind="lift_halt", subject=fresh("h"), scope="admin",
                effect="a test of approvals", reason="a test of approvals", maker="user:x",
                made_at=now, expires_at=now,
            )  # fmt: skip
        keep_proof(name="test", figure="0", problem="", now=now)
        real_venue(BrokerConnection.objects.get(pk=desk.connection_id), now)
        venue = PaperVenue.objects.get(connection_id=desk.connection_id)
        PaperFault.objects.create(
            venue=venue, switch=FaultSwitch.LOSE_ACK, command=CommandKind.NEW, remaining=0,
            set_by="user:x", set_at=now,
        )  # fmt: skip
        set_halt(
            scope=HaltScope.STRATEGY, target=fresh("s"), state=HaltState.HALTED,
            reason="a test of halts", actor=_owner(desk.firm), now=now,
        )  # fmt: skip
    take_pnl_snapshots(schema=desk.schema, now=now)
    keep_standing(schema=desk.schema, level=0, worst="", figures=[], now=now, next_at=now)


def real_venue(connection, now) -> None:
    """What a connection to a real venue keeps besides."""
    keep_credentials(connection=connection, values={"api_key": "k"}, by="user:x", now=now)
    VenueSymbol.objects.create(connection=connection, symbol="SPX", description={"con_id": 1})
    OrderNumber.objects.create(
        connection=connection, client_number=1, number=1, venue_cl_ord_id=fresh("V")
    )


def _owner(firm):
    from accounts.services import actor_of

    rows = Membership.objects.select_related("user", "tenant")
    return actor_of(rows.get(user__email=f"olivia@{firm.slug}.test", tenant__slug=firm.slug))


@pytest.fixture(scope="session")
def traded(django_db_setup, django_db_blocker) -> dict[str, SimpleNamespace]:
    """Two firms after a morning of trading, committed; the journeys have others."""
    with django_db_blocker.unblock():
        load_reference_data(now=utcnow())
        quay = make_firm("quay", alice=Role.TRADER, olivia=Role.OWNER)
        mesa = make_firm("mesa", charlie=Role.TRADER, olivia=Role.OWNER)
        made = {"quay": trade(quay, "alice"), "mesa": trade(mesa, "charlie")}
        firm = Tenant.objects.get(slug="quay")
        Domain.objects.get_or_create(domain="desk.quay.test", tenant=firm)
        LoginFailures.objects.get_or_create(
            subject="f" * 64,
            defaults={"failures": 6, "window_ends_at": utcnow() + timedelta(hours=1)},
        )
        for membership in Membership.objects.all():
            open_session(membership=membership, remote_addr="192.0.2.1", now=utcnow())
        connection.close()
    return made


@pytest.fixture
def quay(traded, db) -> SimpleNamespace:
    return traded["quay"]


@pytest.fixture
def mesa(traded, db) -> SimpleNamespace:
    return traded["mesa"]


@pytest.fixture
def browser(db) -> Callable[..., Client]:
    """A browser in which somebody is logged in at a firm's host, or at the bare one."""

    def open_at(user: User, slug: str | None = None) -> Client:
        host = f"{slug}.localhost" if slug else "localhost"
        client = Client(headers={"host": host}, raise_request_exception=True)
        client.force_login(user)
        session = client.session
        session["firm"] = Tenant.objects.get(slug=slug).pk if slug else None
        session.save()
        return client

    return open_at


@pytest.fixture
def owner(browser, quay) -> Client:
    """Quay's owner at Quay's host."""
    return browser(User.objects.get(email="olivia@quay.test"), "quay")


@pytest.fixture
def staff(browser, traded) -> Client:
    """Somebody of the platform at the bare host."""
    email = f"{fresh('root')}@blotter.test"
    return browser(User.objects.create_superuser(email, PASSWORD))


@pytest.fixture
def person_with(browser, quay) -> Callable[[Role], Client]:
    """Somebody with a role at Quay, in a browser at Quay's host."""

    def make(role: Role) -> Client:
        user = create_user(email=f"{fresh(role)}@quay.test", password=PASSWORD)
        add_member(user=user, tenant=Tenant.objects.get(slug="quay"), role=role)
        return browser(user, "quay")

    return make
