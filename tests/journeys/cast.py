"""The firms and the people of the journeys, made by the product's own services.

Two firms are made once per session and stay. A test gets a desk, a
paper account at a connection of its own, so that what a test tells its venue concerns no other.
"""

import json
import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, connections
from django.test import Client

from accounts.models import Membership, User
from accounts.roles import SCOPES_OF_ROLE, Role
from accounts.services import add_member, create_api_key, create_user
from brokers.models import PaperExecution, PaperOrder
from brokers.services import open_connection, open_paper_account
from events.relay import RedisFeeder, relay_once
from events.runner import BATCH, run_subscriber
from events.subscribers import autodiscover, registered
from marketdata.services import load_reference_data
from oms.audit import executed_quantities, order_problems
from portfolio.audit import check_books
from portfolio.services import deposit
from risk.services import default_limits
from tenants.binding import tenant_bound
from tenants.models import Tenant
from tenants.services import create_tenant
from trading.vocabulary import Mode

PASSWORD = "correct horse battery staple"
OPENING = Decimal(10_000_000)
PATIENCE_S = 15.0
FINAL = frozenset({"FILLED", "CANCELED", "REJECTED", "EXPIRED"})


def utcnow() -> datetime:
    return datetime.now(UTC)


def fresh(prefix: str) -> str:
    """A name nobody used before, in this run or an earlier one on the same database."""
    return f"{prefix}{secrets.token_hex(5)}"


def until(holds: Callable[[], bool], what: str) -> None:
    """Look until something holds."""
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, f"it does not come true that {what}"
        time.sleep(0.02)


# --- the firms ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Firm:
    """A committed firm; ``bearers`` are its people's access tokens and its program's API key."""

    slug: str
    schema: str
    bearers: dict[str, str]


def make_firm(slug: str, **people: Role) -> Firm:
    """Make what is missing of a firm and its people, and log everyone in."""
    tenant = Tenant.objects.filter(slug=slug).first()
    if tenant is None:
        tenant = create_tenant(slug=slug, name=slug.title(), now=utcnow())
    bearers = {}
    for name, role in people.items():
        email = f"{name}@{slug}.test"
        user = User.objects.filter(email=email).first()
        if user is None:
            user = create_user(email=email, password=PASSWORD, name=name.title())
            add_member(user=user, tenant=tenant, role=role)
        bearers[name] = log_in(slug, email)
    member = Membership.objects.get(user__email=f"olivia@{slug}.test", tenant=tenant)
    _, bearers["program"] = create_api_key(
        membership=member,
        name="journeys",
        scopes=sorted(SCOPES_OF_ROLE[Role.OWNER]),
        accounts=None,
        expires_at=None,
        ip_allowlist=[],
        now=utcnow(),
    )
    with tenant_bound(tenant.schema_name):
        default_limits(now=utcnow())
    return Firm(slug, tenant.schema_name, bearers)


def log_in(slug: str, email: str) -> str:
    """The access token of one person, by the door people use."""
    answer = Client().post(
        "/api/v1/auth/token",
        {"email": email, "password": PASSWORD, "tenant": slug},
        content_type="application/json",
        headers={"host": "localhost"},
    )
    assert answer.status_code == 200, answer.content
    return answer.json()["access"]


@pytest.fixture(scope="session")
def firms(django_db_setup, django_db_blocker) -> Iterator[dict[str, Firm]]:
    """Acme and Globex; after the last journey every order of both is proved once more."""
    with django_db_blocker.unblock():
        load_reference_data(now=utcnow())
        made = {
            "acme": make_firm("acme", alice=Role.TRADER, bob=Role.VIEWER, olivia=Role.OWNER),
            "globex": make_firm("globex", charlie=Role.TRADER, olivia=Role.OWNER),
        }
        connection.close()
    yield made
    with django_db_blocker.unblock():
        problems = [problem for firm in made.values() for problem in books_of(firm)]
        connection.close()
    assert problems == []


def books_of(firm: Firm, *accounts: str) -> list[str]:
    """Everything that does not hold in a firm's orders and books; all accounts if none is named."""
    with tenant_bound(firm.schema):
        return order_problems(accounts or None) + check_books(executed_quantities())


# --- desks and people -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Desk:
    """An account at a connection of its own."""

    firm: Firm
    code: str
    account_id: int
    connection: str
    connection_id: int
    broker: str = "paper"

    @property
    def schema(self) -> str:
        return self.firm.schema

    def rows(self, model: Any, **filters: Any) -> list[Any]:
        """Rows of the firm, read now."""
        with tenant_bound(self.schema):
            return list(model.objects.filter(**filters).order_by("pk"))

    def at_venue(self) -> list[PaperOrder]:
        """The orders the venue took, in the order it took them."""
        return self.rows(PaperOrder, account_id=self.account_id)

    def venue_words(self) -> list[str]:
        """The exec types of the venue's journal, in order."""
        rows = self.rows(PaperExecution, account_id=self.account_id)
        return [row.exec_type for row in rows]


def open_desk(firm: Firm, broker: str = "paper") -> Desk:
    """Open and fund an account, as the setup of a firm does."""
    now = utcnow()
    with tenant_bound(firm.schema):
        venue = open_connection(name=fresh("paper-"), broker=broker, mode=Mode.PAPER, now=now)
        account = open_paper_account(
            code=fresh("P-"),
            name="Journey",
            currency="USD",
            opening_cash=OPENING,
            connection=venue,
            now=now,
        )
        deposit(
            account=account,
            currency="USD",
            amount=OPENING,
            ref=f"opening:{account.code}",
            actor_label="system:test",
            now=now,
        )
    return Desk(firm, account.code, account.pk, venue.name, venue.pk, broker)


@dataclass(frozen=True)
class Answer:
    """One HTTP answer."""

    status: int
    json: Any
    headers: Any
    text: str

    @property
    def code(self) -> str:
        """The problem's code."""
        return self.json["code"]

    @property
    def inner(self) -> str:
        """The code of the first row of ``errors``."""
        return self.json["errors"][0]["code"]

    @property
    def is_replay(self) -> bool:
        return self.headers.get("Idempotent-Replay") == "true"


@dataclass
class Person:
    """Somebody with a credential, at one desk, who talks HTTP and nothing else."""

    name: str
    bearer: str
    desk: Desk
    client: Client = field(default_factory=lambda: Client(raise_request_exception=False))

    def call(
        self, method: str, path: str, body: Any = None, *, raw: bytes | None = None, **headers: str
    ) -> Answer:
        """Send one request under /api/v1; underscores in header names become dashes."""
        sent = {"host": "localhost", "authorization": f"Bearer {self.bearer}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        kind = sent.pop("content-type", "application/json")
        data = json.dumps(body).encode() if raw is None and body is not None else raw or b""
        answer = self.client.generic(
            method, f"/api/v1{path}", data=data, content_type=kind, headers=sent
        )
        text = answer.content.decode()
        return Answer(answer.status_code, json.loads(text) if text else None, answer.headers, text)

    def get(self, path: str) -> Answer:
        return self.call("GET", path)

    def post(self, path: str, body: Any, **headers: str) -> Answer:
        return self.call("POST", path, body, **headers)

    def order_body(self, side: str = "BUY", qty: Any = "10", **terms: Any) -> dict[str, Any]:
        """An order of SPX: a LIMIT where a price is named, else a MARKET; None leaves a field out.

        ``tif`` and ``id`` are short for time_in_force and cl_ord_id.
        """
        body = {
            "account": self.desk.code,
            "symbol": "SPX",
            "side": side,
            "ord_type": "LIMIT" if terms.get("price") is not None else "MARKET",
            "order_qty": qty,
            "time_in_force": terms.pop("tif", None),
            "cl_ord_id": terms.pop("id", None),
        } | terms
        return {name: value for name, value in body.items() if value is not None}

    def place(self, side: str = "BUY", qty: Any = "10", **terms: Any) -> Answer:
        """POST one order."""
        return self.post("/orders", self.order_body(side, qty, **terms))

    def placed(self, side: str = "BUY", qty: Any = "10", **terms: Any) -> str:
        """POST one order that must be taken; return its id."""
        answer = self.place(side, qty, **terms)
        assert answer.status == 201, answer.text
        return answer.json["id"]

    def cancel(self, order_id: str, **body: str) -> Answer:
        return self.post(f"/orders/{order_id}/cancel", body)

    def replace(self, order_id: str, if_match: str | None = None, **terms: str) -> Answer:
        headers = {} if if_match is None else {"if_match": if_match}
        return self.post(f"/orders/{order_id}/replace", terms, **headers)

    def order(self, order_id: str) -> dict[str, Any]:
        """The order as it is now."""
        answer = self.get(f"/orders/{order_id}")
        assert answer.status == 200, answer.text
        return answer.json

    def until(self, order_id: str, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Look until ``wanted`` holds."""
        deadline = time.monotonic() + PATIENCE_S
        while not wanted(order := self.order(order_id)):
            assert time.monotonic() < deadline, f"the order stays {order}"
            time.sleep(0.02)
        return order

    def until_status(self, order_id: str, *statuses: str) -> dict[str, Any]:
        """Look until the order is in one of these statuses and nothing is on its way."""
        return self.until(order_id, lambda o: o["ord_status"] in statuses and not o["pending"])

    def until_final(self, order_id: str) -> dict[str, Any]:
        return self.until_status(order_id, *FINAL)

    def until_unknown(self, order_id: str) -> dict[str, Any]:
        return self.until(order_id, lambda o: "UNKNOWN" in [c["state"] for c in o["pending"]])

    def words(self, order_id: str) -> list[str]:
        """The exec types of the order's life, in order."""
        items = self.get(f"/orders/{order_id}/events").json["items"]
        return [item["exec_type"] for item in items]

    def executions(self, order_id: str) -> list[tuple[str, str]]:
        """Quantity and price of the order's fills, oldest first."""
        items = self.get(f"/executions?order_id={order_id}").json["items"]
        return [(row["last_qty"], row["last_px"]) for row in reversed(items)]

    def at(self, desk: Desk) -> "Person":
        """The same person at another desk, with a connection of their own."""
        return Person(self.name, self.bearer, desk)

    def many(self, calls: list[Callable[["Person"], Answer]], threads: int = 16) -> list[Answer]:
        """Make the calls side by side, each with a client of its own."""

        def one(call: Callable[["Person"], Answer]) -> Answer:
            try:
                return call(self.at(self.desk))
            finally:
                connections.close_all()

        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(one, calls))


def follow_events(firm: Firm) -> None:
    """Let the dispatcher's subscribers see what was published, as its process would."""
    autodiscover()
    relay_once(firm.schema, feeder=RedisFeeder())
    for subscriber in registered():
        while run_subscriber(subscriber, firm.schema, now=utcnow()) == BATCH:
            pass


# --- fixtures -------------------------------------------------------------------------------------


@pytest.fixture
def db(django_db_setup, django_db_blocker) -> Iterator[None]:
    """Here transactions really commit: the gateway works on threads of its own."""
    with django_db_blocker.unblock():
        yield
        connection.close()


@pytest.fixture
def acme(db, firms) -> Firm:
    return firms["acme"]


@pytest.fixture
def globex(db, firms) -> Firm:
    return firms["globex"]


@pytest.fixture
def desk(acme) -> Desk:
    """Acme's account of this test alone."""
    return open_desk(acme)


@pytest.fixture
def other_desk(globex) -> Desk:
    """Globex's account of this test alone."""
    return open_desk(globex)


@pytest.fixture
def alice(desk) -> Person:
    """Trader at Acme."""
    return Person("alice", desk.firm.bearers["alice"], desk)


@pytest.fixture
def bob(desk) -> Person:
    """Viewer at Acme."""
    return Person("bob", desk.firm.bearers["bob"], desk)


@pytest.fixture
def program(desk) -> Person:
    """Acme's program, with an owner's API key."""
    return Person("program", desk.firm.bearers["program"], desk)


@pytest.fixture
def charlie(other_desk) -> Person:
    """Trader at Globex."""
    return Person("charlie", other_desk.firm.bearers["charlie"], other_desk)


@pytest.fixture
def everything_adds_up(request, db, firms) -> Iterator[None]:
    """After the test: events fold to orders, executions to positions, journals to zero."""
    used = {
        name: request.getfixturevalue(fixture).code
        for name, fixture in (("acme", "desk"), ("globex", "other_desk"))
        if fixture in request.fixturenames
    }
    yield
    for name, code in used.items():
        assert books_of(firms[name], code) == []
