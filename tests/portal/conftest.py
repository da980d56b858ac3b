"""The cast of the journeys, seen from a browser: a client that keeps cookies of one host."""

import re
from typing import Any

import pytest
from django.test import Client

from tests.journeys.cast import (
    PASSWORD,
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


class Browser:
    """One browser window at one host, without JavaScript."""

    def __init__(self, host: str, client: Client | None = None) -> None:
        self.host = host
        self.client = client or Client(raise_request_exception=False, enforce_csrf_checks=True)

    def at(self, host: str) -> "Browser":
        """The same cookies shown at another host, as a thief would."""
        return Browser(host, self.client)

    def get(self, path: str) -> Any:
        return self.client.get(path, headers={"host": self.host})

    def post(self, path: str, **fields: str) -> Any:
        token = self.client.cookies.get("csrftoken")
        fields.setdefault("csrfmiddlewaretoken", token.value if token else "")
        return self.client.post(path, fields, headers={"host": self.host})

    def part(self, path: str, element: str, method: str = "get", **fields: str) -> Any:
        """What htmx gets for one element of a page."""
        token = self.client.cookies.get("csrftoken")
        headers = {"host": self.host, "hx-request": "true", "hx-request-type": "partial",
                   "hx-target": f"section#{element}",
                   "x-csrftoken": token.value if token else ""}  # fmt: skip
        return getattr(self.client, method)(path, fields, headers=headers)

    def log_in(self, email: str, password: str = PASSWORD, **fields: str) -> Any:
        self.get("/login")
        return self.post("/login", email=email, password=password, **fields)

    def opened_ticket(self, **fields: str) -> dict[str, str]:
        """The fields of a ticket that was just opened, with ``fields`` typed in."""
        text = self.get("/desk").content.decode()
        hidden = dict(re.findall(r'type="hidden" name="(cl_ord_id|account)" value="([^"]*)"', text))
        typed = {"symbol": "SPX", "side": "BUY", "ord_type": "LIMIT", "order_qty": "10",
                 "price": "", "time_in_force": "GTC", "strategy": ""}  # fmt: skip
        return typed | hidden | fields


@pytest.fixture
def window(db, firms):
    """Make a browser at a host, logged in there where a name is given."""

    def opened(name: str | None = None, firm: str = "acme", host: str | None = None) -> Browser:
        browser = Browser(host or f"{firm}.localhost")
        if name is not None:
            answer = browser.log_in(f"{name}@{firm}.test")
            assert answer.status_code == 302, answer.content.decode()
        return browser

    return opened


@pytest.fixture
def at_desk(window, desk):
    """Log somebody of Acme in, with the account of this test chosen."""

    def opened(name: str) -> Browser:
        browser = window(name)
        assert browser.post("/account", account=desk.code).status_code == 302
        return browser

    return opened
