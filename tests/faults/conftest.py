"""Alice's account at Interactive Brokers: the real gateway, the real library, a simulated TWS."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

import pytest

from brokers.models import BrokerAccount, BrokerConnection
from brokers.services import open_connection
from portfolio.services import deposit
from tenants.binding import tenant_bound
from tests.journeys.cast import (
    Desk,
    Firm,
    acme,
    alice,
    db,
    everything_adds_up,
    firms,
    fresh,
    program,
    utcnow,
)
from tests.journeys.street import gateway, idle_gateway, impatient, market
from tests.simulators.thread import InThread, running
from tests.simulators.tws.brokerage import Brokerage
from tests.simulators.tws.front import Front
from tests.simulators.tws.shapes import Listing
from trading.vocabulary import Mode

__all__ = [
    "acme",
    "alice",
    "db",
    "everything_adds_up",
    "firms",
    "gateway",
    "idle_gateway",
    "impatient",
    "market",
    "program",
]
CASH = Decimal(1_000_000)
"""What the simulated brokerage gives every account."""


@pytest.fixture
def tws() -> Iterator[InThread[Front]]:
    """A TWS with one share, quoted at the prices of the market."""
    brokerage = Brokerage(listings=[Listing(416904, "SPX")])
    with running(Front(brokerage)) as front:
        front.do(front.served.quote("SPX", "999.50", "1000.50"))
        yield front


@pytest.fixture
def desk(acme: Firm, tws: InThread[Front]) -> Desk:
    """Acme's account DU1 at that TWS, of this test alone."""
    return open_tws_desk(acme, tws.served.port, now=utcnow())


def open_tws_desk(firm: Firm, port: int, *, now: datetime) -> Desk:
    """Open an account at a TWS, funded with what the simulated brokerage gives it."""
    with tenant_bound(firm.schema):
        venue = open_connection(name=fresh("tws-"), broker="ib", mode=Mode.PAPER, now=now)
        options = {"port": port, "client_id": 1, "time_zone": "UTC"}
        BrokerConnection.objects.filter(pk=venue.pk).update(options=options)
        account = BrokerAccount.objects.create(
            code=fresh("T-"),
            name="Journey",
            venue_code="DU1",
            connection=venue,
            mode=Mode.PAPER.value,
            currency="USD",
            created_at=now,
        )
        deposit(
            account=account,
            currency="USD",
            amount=CASH,
            ref=f"opening:{account.code}",
            actor_label="system:test",
            now=now,
        )
    return Desk(firm, account.code, account.pk, venue.name, venue.pk, broker="ib")


@pytest.fixture(autouse=True)
def _everything_adds_up(everything_adds_up) -> None:
    """Whatever a fault did to orders and books, they hold afterwards."""
