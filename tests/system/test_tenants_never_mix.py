"""600 requests of two firms over threads: good, bad and misdirected, with streams open."""

import http.client
import json
import random
import re
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.system.running import FIRMS, System, within
from tests.system.sse import EventReader

REQUESTS, THREADS = 600, 8
ULID = re.compile(r"\b[0-7][0-9A-HJKMNP-TV-Z]{25}\b")
LISTS = (
    "/orders?limit=50", "/executions?limit=50", "/positions", "/lots", "/balances",
    "/journal?limit=50", "/pnl", "/pnl/snapshots", "/events?limit=50", "/accounts",
    "/accounts/PAPER-1", "/connections", "/api-keys", "/auth/me", "/risk/halts", "/risk/limits",
    "/risk/breaches", "/instruments", "/instruments/SPX/quote", "/breaks",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer as text: what is looked for may hide in any part of it."""

    status: int
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


@dataclass
class Caller:
    """A firm's programs: how they call, what they own, what they were shown."""

    slug: str
    address: tuple[str, int]
    key: str
    token: str = ""
    orders: list[str] = field(default_factory=list)
    replies: list[tuple[str, Reply]] = field(default_factory=list)

    @property
    def other(self) -> str:
        return FIRMS[1 - FIRMS.index(self.slug)]

    def call(
        self, kind: str, method: str, path: str, body: Any = None, **options: Any
    ) -> tuple[str, Reply]:
        """Send one request over a connection of its own and keep what came back."""
        connection = http.client.HTTPConnection(*self.address, timeout=20)
        headers = {"Authorization": f"Bearer {options.get('credential', self.key)}"}
        if options.get("host"):
            headers["Host"] = options["host"]
        if body is not None:
            headers["Content-Type"] = "application/json"
            body = body if isinstance(body, str) else json.dumps(body)
        connection.request(method, f"/api/v1{path}", body, headers)
        response = connection.getresponse()
        shown = "\n".join(f"{name}: {value}" for name, value in response.getheaders())
        raw = response.read().decode()
        connection.close()
        reply = Reply(response.status, raw)
        self.replies.append((f"{kind} {method} {path}", Reply(reply.status, f"{shown}\n{raw}")))
        return kind, reply

    def order(self, number: int, **terms: Any) -> dict[str, Any]:
        """An order that carries the firm's name wherever a text fits."""
        return {
            "account": "PAPER-1", "cl_ord_id": f"{self.slug}-mix-{number}", "symbol": "SPX",
            "side": "BUY", "ord_type": "MARKET", "order_qty": "1", "strategy": f"{self.slug}-s",
            "tags": {"firm": self.slug}, "allow_duplicate": True, **terms,
        }  # fmt: skip


def reads(me: Caller, them: Caller, dice: random.Random, number: int) -> int:
    path = dice.choice(LISTS)
    host = dice.choice((None, f"{me.slug}.localhost:{me.address[1]}"))
    credential = dice.choice((me.key, me.token))
    return me.call("read", "GET", path, host=host, credential=credential)[1].status - 200


def reads_an_order(me: Caller, them: Caller, dice: random.Random, number: int) -> int:
    order_id = dice.choice(me.orders)
    tail = dice.choice(("", "/events"))
    return me.call("own order", "GET", f"/orders/{order_id}{tail}")[1].status - 200


def asks_for_a_foreign_order(me: Caller, them: Caller, dice: random.Random, number: int) -> int:
    order_id = dice.choice(them.orders)
    method, path, body = dice.choice(
        (
            ("GET", f"/orders/{order_id}", None),
            ("GET", f"/orders/{order_id}/events", None),
            ("POST", f"/orders/{order_id}/cancel", {}),
            ("POST", f"/orders/{order_id}/replace", {"order_qty": "2"}),
        )
    )
    return me.call("foreign order", method, path, body)[1].status - 404


def sends_an_order(me: Caller, them: Caller, dice: random.Random, number: int) -> int:
    body = me.order(number, side=dice.choice(("BUY", "SELL_SHORT")))
    _, reply = me.call("order", "POST", "/orders", body)
    if reply.status == 201:
        me.orders.append(reply.json["id"])
    return reply.status - 201


def sends_an_order_risk_refuses(me: Caller, them: Caller, dice: random.Random, number: int) -> int:
    body = me.order(number, order_qty="900000")
    return me.call("refused order", "POST", "/orders", body)[1].status - 422


def sends_a_batch(me: Caller, them: Caller, dice: random.Random, number: int) -> int:
    good, bad = me.order(number), me.order(number, account=f"{me.slug}-none")
    _, reply = me.call("batch", "POST", "/orders/batch", {"orders": [good, bad, {"x": 1}]})
    return [row["status"] for row in reply.json["items"]] != [201, 404, 422]


def sends_nonsense(me: Caller, them: Caller, dice: random.Random, number: int) -> int:
    wanted, method, path, body = dice.choice(
        (
            (400, "POST", "/orders", '{"account": '),
            (400, "POST", "/orders", '{"account": "PAPER-1", "account": "PAPER-1"}'),
            (422, "POST", "/orders", {**me.order(number), "surprise": me.slug}),
            (422, "POST", "/orders", me.order(number, order_qty=1)),
            (422, "POST", "/orders", "[]"),
            (422, "GET", "/orders?cursor=nonsense", None),
            (422, "GET", "/events?after=-1", None),
            (405, "PUT", "/orders", {}),
            (404, "GET", "/no-such-door", None),
            (404, "GET", f"/accounts/{me.slug}-none", None),
        )
    )
    return me.call("nonsense", method, path, body)[1].status - wanted


def knocks_at_the_wrong_host(me: Caller, them: Caller, dice: random.Random, number: int) -> int:
    host = f"{them.slug}.localhost:{me.address[1]}"
    credential = dice.choice((me.key, me.token))
    method, path, body = dice.choice(
        (("GET", dice.choice(LISTS), None), ("POST", "/orders", me.order(number)))
    )
    _, reply = me.call("wrong host", method, path, body, host=host, credential=credential)
    return reply.status - 401


def halts_and_lifts(me: Caller, them: Caller, dice: random.Random, number: int) -> int:
    halt = {
        "scope": "strategy", "target": f"{me.slug}-idle-{number}", "state": "HALTED",
        "reason": me.slug,
    }  # fmt: skip
    _, reply = me.call("halt", "POST", "/risk/halts", halt)
    if reply.status != 201:
        return reply.status
    lift = f"/risk/halts/{reply.json['id']}/lift"
    foreign = them.call("foreign halt", "POST", lift, {"reason": them.slug})[1].status
    return me.call("lift", "POST", lift, {"reason": me.slug})[1].status - 200 or foreign - 404


KINDS: tuple[tuple[Callable[[Caller, Caller, random.Random, int], int], int], ...] = (
    (reads, 8),
    (reads_an_order, 3),
    (asks_for_a_foreign_order, 3),
    (sends_an_order, 3),
    (sends_an_order_risk_refuses, 1),
    (sends_a_batch, 1),
    (sends_nonsense, 4),
    (knocks_at_the_wrong_host, 3),
    (halts_and_lifts, 1),
)


@pytest.fixture
def callers(system: System) -> dict[str, Caller]:
    """Each firm with a token, and with one order to begin with."""
    made = {}
    for slug in FIRMS:
        tenant = system.tenant(slug)
        parts = urlsplit(tenant["connect_url"])
        caller = Caller(slug, (parts.hostname, parts.port), tenant["api_key"])
        owner = next(user for user in tenant["users"] if user["role"] == "owner")
        _, login = caller.call(
            "login", "POST", "/auth/token",
            {"email": owner["email"], "password": owner["password"], "tenant": slug},
        )  # fmt: skip
        caller.token = login.json["access"]
        assert sends_an_order(caller, caller, random.Random(0), -1) == 0
        made[slug] = caller
    return made


def test_no_answer_and_no_stream_ever_holds_the_other_firms_data(system, callers):
    heads = {
        slug: system.rows(slug, "SELECT max(position) FROM events_event")[0][0] for slug in FIRMS
    }
    streams = [EventReader(system, slug, after=heads[slug]) for slug in FIRMS for _ in range(2)]
    assert within(10, lambda: all(stream.connections for stream in streams))
    unexpected: list[str] = []
    done: Counter[str] = Counter()
    lock = threading.Lock()

    def one(number: int) -> None:
        dice = random.Random(number)
        me = callers[dice.choice(FIRMS)]
        (kind,) = dice.choices([kind for kind, _ in KINDS], [weight for _, weight in KINDS])
        off = kind(me, callers[me.other], dice, number)
        with lock:
            done[kind.__name__] += 1
            if off:
                unexpected.append(f"{kind.__name__} of {me.slug}: {me.replies[-1]}")

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(one, range(REQUESTS)))
    print(dict(done))
    assert sum(done.values()) == REQUESTS
    assert len(done) == len(KINDS)
    wanted = {slug: caller.orders[-1] for slug, caller in callers.items()}
    assert within(10, lambda: all(s.has_seen(wanted[s.slug], "order.accepted") for s in streams)), (
        "a stream fell behind"
    )
    for stream in streams:
        stream.close()

    for caller in callers.values():
        assert [reply for _, reply in caller.replies if reply.status >= 500] == []
        named = [reply for reply in caller.replies if caller.other in reply[1].text]
        assert named == []
    assert unexpected == []
    shown = {
        slug: set().union(
            *(ULID.findall(reply.text) for _, reply in caller.replies),
            *(ULID.findall(json.dumps(s.events)) for s in streams if s.slug == slug),
        )
        for slug, caller in callers.items()
    }
    assert min(len(ids) for ids in shown.values()) > 100
    assert shown["acme"] & shown["globex"] == set()
    for stream in streams:
        assert stream.events
        other = FIRMS[1 - FIRMS.index(stream.slug)]
        assert other not in json.dumps(stream.events)
        assert stream.positions == list(range(stream.after + 1, stream.last + 1))
