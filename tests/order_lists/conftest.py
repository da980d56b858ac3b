"""The cast of the journeys serves here too; what must hold after them holds after these."""

import pytest

from tests.journeys.cast import (
    acme,
    alice,
    bob,
    charlie,
    db,
    desk,
    everything_adds_up,
    firms,
    globex,
    other_desk,
    program,
)
from tests.journeys.street import gateway, idle_gateway, impatient, market
from tests.order_lists.desk import Lists

__all__ = [
    "acme",
    "alice",
    "bob",
    "charlie",
    "db",
    "desk",
    "everything_adds_up",
    "firms",
    "gateway",
    "globex",
    "idle_gateway",
    "impatient",
    "market",
    "other_desk",
    "program",
]


@pytest.fixture(autouse=True)
def _everything_adds_up(everything_adds_up) -> None:
    """Whatever a test did to orders and books, they hold afterwards."""


@pytest.fixture
def lists(alice) -> Lists:
    """Alice at the doors of order lists."""
    return Lists(alice)
