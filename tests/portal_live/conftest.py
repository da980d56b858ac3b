"""The stream process as the tests of the streams run it, and a person who is logged in."""

import http.client
import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

from accounts.sessions import FIRM_KEY, firm_mark
from tests.stream.conftest import (  # noqa: F401 - fixtures
    Firm,
    Stream,
    StreamProcess,
    UnixConnection,
    _own_pair,
    _stream_process,
    db,
    firm,
    firms,
    own_pair,
    redis_client,
    stream,
)

PORTAL = "/stream/portal"
TOPICS = "/stream/topics"


@dataclass
class Browser:
    """A login's cookie, and what a browser would send with it."""

    host: str
    store: Any

    @property
    def headers(self) -> dict[str, str]:
        return {
            "Host": self.host,
            "Cookie": f"theme=dark; {settings.SESSION_COOKIE_NAME}={self.store.session_key}",
            "Sec-Fetch-Site": "same-origin",
        }

    def open(self, process: StreamProcess, query: str = "", **headers: str) -> Stream:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        target = f"{PORTAL}?{query}" if query else PORTAL
        opened = Stream(process.path, target, {**self.headers, **named}, 15)
        process.opened.append(opened)
        return opened

    def ask(
        self, process: StreamProcess, path: str, body: Any = None, **headers: str
    ) -> tuple[int, dict[str, Any]]:
        """One request that is answered at once; with a body it is a POST."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {**self.headers, **named}
        content = None
        if body is not None:
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        asked = UnixConnection(process.path, 10)
        asked.request("GET" if body is None else "POST", path, body=content, headers=sent)
        response: http.client.HTTPResponse = asked.getresponse()
        answer = json.loads(response.read())
        asked.close()
        return response.status, answer

    def log_out(self) -> None:
        self.store.flush()


def log_in(firm: Firm, host: str | None = None) -> Browser:  # noqa: F811
    """A session of the firm's manager, as the login page leaves it."""
    user, tenant = firm.membership.user, firm.membership.tenant
    store = import_module(settings.SESSION_ENGINE).SessionStore()
    store[SESSION_KEY] = str(user.pk)
    store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store[FIRM_KEY] = firm_mark(tenant)
    store.create()
    return Browser(host or f"{firm.slug}.{settings.OMS_DOMAIN}", store)


@pytest.fixture
def browser(firm) -> Browser:  # noqa: F811
    return log_in(firm)


@pytest.fixture
def order_data() -> Callable[..., dict[str, Any]]:
    """An order object as events carry it."""

    def order(order_id: str, **changed: Any) -> dict[str, Any]:
        return {
            "id": order_id, "account": "A", "cl_ord_id": f"c-{order_id}", "orig_cl_ord_id": None,
            "order_id": None, "symbol": "SPX", "side": "BUY", "ord_type": "LIMIT",
            "order_qty": "100", "price": "1126.25", "stop_px": None, "display_qty": None,
            "time_in_force": "DAY", "expire_time": None, "exec_inst": [], "ord_status": "NEW",
            "cum_qty": "0", "leaves_qty": "100", "avg_px": None, "overfill_qty": "0",
            "pending": [], "mode": "PAPER", "source": "PORTAL", "strategy": None,
            "ord_rej_reason": None, "text": "", "tags": {}, "version": 1,
            "created_at": "2026-03-02T15:00:00.000000Z",
            "updated_at": "2026-03-02T15:00:00.000000Z",
            **changed,
        }  # fmt: skip

    return order
