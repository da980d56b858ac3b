"""The cast of the journeys; whatever a test does to orders, everything adds up afterwards."""

from collections.abc import Iterator

import pytest

from tests.journeys.cast import (
    Firm,
    acme,
    alice,
    bob,
    books_of,
    charlie,
    db,
    desk,
    firms,
    gateway,
    globex,
    idle_gateway,
    impatient,
    market,
    other_desk,
    program,
)

__all__ = [
    "acme",
    "alice",
    "bob",
    "charlie",
    "db",
    "desk",
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
def everything_adds_up(request, firms: dict[str, Firm]) -> Iterator[None]:
    """After the journey: events fold to orders, executions to positions, journals to zero."""
    request.getfixturevalue("db")
    used = {
        name: request.getfixturevalue(fixture).code
        for name, fixture in (("acme", "desk"), ("globex", "other_desk"))
        if fixture in request.fixturenames
    }
    yield
    for name, code in used.items():
        assert books_of(firms[name], code) == []
