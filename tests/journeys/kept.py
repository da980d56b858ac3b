"""A desk whose venue holds market and limit orders alone, and what is to be seen of kept orders."""

from decimal import Decimal

import pytest

from oms.models import Break, Command, OrderEvent
from tests.journeys.cast import Desk, open_desk

STOP = {"ord_type": "STOP", "stop_px": "95", "tif": "GTC"}
TRAIL = {"ord_type": "TRAILING_STOP", "trail_type": "PERCENT", "trail_offset": "5", "tif": "GTC"}


@pytest.fixture
def desk(acme) -> Desk:
    """Acme's account of this test alone, at the plain paper venue."""
    return open_desk(acme, "paper-plain")


@pytest.fixture
def price(market):
    """Show one price: the last trade, a quarter of a point from bid and offer."""

    def _price(text, size=100, at=None):
        last = Decimal(text)
        market.show(str(last - Decimal("0.25")), str(last + Decimal("0.25")), size=size, at=at)

    return _price


@pytest.fixture
def alarms(desk):
    """Subjects of the desk's open alarms of one kind."""

    def _alarms(kind):
        rows = desk.rows(Break, account_id=desk.account_id, kind=kind, closed_at=None)
        return [row.subject for row in rows]

    return _alarms


def sent(desk, order_id) -> list[tuple[str, str]]:
    """Type and time in force of what the venue was told of an order."""
    rows = desk.rows(Command, order_id=order_id, kind="NEW")
    return [(row.payload["ord_type"], row.payload["time_in_force"]) for row in rows]


def stops(desk, order_id) -> list[str]:
    """The stops a trail has stored, in order."""
    rows = desk.rows(OrderEvent, order_id=order_id, exec_type__in=["NEW", "RESTATED"])
    return [row.report["stop_px"] for row in rows if row.report.get("stop_px")]
