"""A stranger at the order doors: whatever the API's own description allows to be sent, and worse.

Bodies are made from the OpenAPI document, field by field and mixed, by a seed that is part of the
test's name. Each answer is what was asked for or a whole problem; never a fault of ours.
"""

import json
import random
from typing import Any

import pytest

from config.api import openapi_document
from portal.ticket.form import FIELDS

DEEP = json.loads("[" * 40 + "]" * 40)
ODD: tuple[Any, ...] = (
    None, True, 0, -1, 1.5, 10**30, "", " ", "NaN", "-Infinity", "-0", "+1", "1e5", "1E-400",
    "0x10", "1_000", "\u0661\u0662", "9" * 400, "0." + "0" * 50 + "1", "999999999999.999999999999",
    "1000000000000", "0.000000000001", "1,5", "1.", ".5", "\u200b1", [], [1], [None], {}, {"a": 1},
    DEEP, "\x00", "a\x00b", "\u200f", "\U0001f600", "A" * 50_000, "<script>", "'; DROP TABLE x;--",
    "../../x", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "2026-13-01T00:00:00Z",
    "2026-06-30T23:59:60Z", "20270101T000000Z", "01J00000000000000000000000", "buy", "BUY", "GTD",
    "PEGGED", ["POST_ONLY"] * 500, ["REDUCE_ONLY", "ALL_OR_NONE"], {"\x00": "x"}, {"x": "\x00"},
    {"": "x"}, {str(n): "x" for n in range(30)}, ".x", "01J00000000000000000000000.1",
)  # fmt: skip
RAW = (
    b"", b"{", b"\x00", b'{"a":"\\ud800"}', b"\xff\xfe", b'{"price":1e999999}', b"[" * 20_000,
    b'{"tags":{"a":"\\u0000"}}', b'{"a":' * 3_000 + b"1" + b"}" * 3_000, b" " * 2_500_000,
    b'{"order_qty":-0}', b'{"order_qty":1' + b"0" * 5_000 + b"}", b'{"side":"BUY","side":"SELL"}',
)  # fmt: skip
KINDS = (
    "", "text/plain", "application/xml", "application/json; charset=latin-1", "json",
    "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
)  # fmt: skip
LEAKS = ("Traceback", "pydantic", "psycopg", "SELECT ", "django", "site-packages", "Decimal(")


@pytest.fixture(scope="module")
def doors() -> dict[str, dict[str, Any]]:
    """The properties of each body the order doors take, by path."""
    document = openapi_document()
    schemas = document["components"]["schemas"]
    found = {}
    for path, operations in document["paths"].items():
        if (
            "order" not in path
            or "post" not in operations
            or "requestBody" not in operations["post"]
        ):
            continue
        schema = operations["post"]["requestBody"]["content"]["application/json"]["schema"]
        named = schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
        found[path.removeprefix("/api/v1")] = named.get("properties", {})
    assert len(found) >= 8
    return found


@pytest.fixture
def ask(alice):
    """Send one request; fail with it unless the answer is one a client can live with."""

    def _ask(path: str, body: Any = None, **more: Any):
        answer = alice.call("POST", path, body, **more)
        shown = (path, repr(body)[:300], repr(more)[:200], answer.text[:300])
        assert answer.status < 500, shown
        if answer.status >= 400:
            assert answer.headers["Content-Type"] == "application/problem+json", shown
            assert answer.json["status"] == answer.status, shown
            assert answer.json["code"], shown
            assert answer.json["detail"], shown
            assert len(answer.text) < 20_000, shown
            assert not [word for word in LEAKS if word in answer.text], shown
        return answer

    return _ask


@pytest.fixture
def ids(market, alice):
    """What stands for the ids of paths: an order that is there."""
    order_id = alice.placed("BUY", "10", price="950.00", tif="GTC")
    return {"{order_id}": order_id, "{list_id}": order_id}


def at(path: str, ids: dict[str, str]) -> str:
    for name, one in ids.items():
        path = path.replace(name, one)
    return path


def right(alice, path: str, price: str) -> dict[str, Any]:
    """A body of the door nothing is wrong with, as far as it is one order."""
    order = alice.order_body("BUY", "10", price=price, tif="GTC")
    leg = {name: one for name, one in order.items() if name not in {"account", "symbol"}}
    bodies = {
        "/orders": order,
        "/orders/preview": order,
        "/orders/batch": {"orders": [order]},
        "/order-lists": {
            "account": order["account"],
            "symbol": order["symbol"],
            "contingency_type": "OCO",
            "legs": [leg, leg | {"price": "940.00"}],
        },
    }
    return bodies.get(path, {})


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", [1, 2])
def test_no_field_of_any_order_door_brings_a_fault(doors, ask, ids, market, alice, seed):
    dice = random.Random(seed)
    for path, properties in doors.items():
        for name in (*properties, "unknown"):
            market.again()
            for value in dice.sample(ODD, 7):
                body = right(alice, path, f"9{dice.randrange(10, 60)}.00") | {name: value}
                ask(at(path, ids), body)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", [3])
def test_no_mixture_of_fields_brings_a_fault(doors, ask, ids, market, alice, seed):
    dice = random.Random(seed)
    likely = {
        name: [one for kind in (schema, *schema.get("anyOf", ())) for one in kind.get("enum", ())]
        for name, schema in doors["/orders"].items()
    }
    numbers = ("1", "10", "949.99", "1050", "0.01", "50", "1000000")
    for _ in range(400):
        market.again()
        order = right(alice, "/orders", "950.00")
        for name in dice.sample(sorted(likely), dice.randrange(1, 8)):
            usual = likely[name] or numbers
            order[name] = dice.choice(ODD) if dice.random() < 0.15 else dice.choice(usual)
        ask(dice.choice(("/orders", "/orders/preview")), order)


@pytest.mark.timeout(600)
def test_no_body_that_is_no_order_brings_a_fault(doors, ask, ids, alice):
    for path in doors:
        for raw in RAW:
            ask(at(path, ids), raw=raw)
        for value in ODD:
            ask(at(path, ids), [value])
    order = json.dumps(right(alice, "/orders", "950.00")).encode()
    for kind in KINDS:
        answer = ask("/orders", raw=order, **{"content-type": kind})
        assert answer.status == 415, kind


@pytest.fixture
def unlimited(program, desk):
    """A firm that bounds nothing."""
    rules = {"max_order_qty": "100000", "max_order_notional": "5000000", "price_collar": "0.1"}

    def put(enabled: bool) -> None:
        for rule, value in rules.items():
            body = {"scope": "tenant", "rule": rule, "value": value, "enabled": enabled}
            assert program.call("PUT", "/risk/limits", body).status == 200

    put(enabled=False)
    yield
    put(enabled=True)


def test_amounts_nobody_can_keep_are_refused_and_the_largest_are_kept(
    unlimited, ask, market, alice, desk
):
    dear = alice.order_body("SELL", "1000000", price="999999999999.99", tif="GTC")
    for path in ("/orders", "/orders/preview", "/orders/batch"):
        answer = ask(path, {"orders": [dear]} if path.endswith("batch") else dear)
        assert "out_of_range" in answer.text
        assert "the largest order value that is kept" in answer.text
    most = [
        alice.order_body("SELL", "1000", price=f"9999999999{n}.99", tif="GTC")
        for n in range(10, 60)
    ]
    items = ask("/orders/batch", {"orders": most}).json["items"]
    assert {item["status"] for item in items} == {201}
    order_id = items[0]["order"]["id"]
    raised = ask(
        f"/orders/{order_id}/replace", {"order_qty": "1000000", "price": "999999999999.99"}
    )
    assert (raised.status, raised.code) == (422, "out_of_range")
    for page in ("orders", "positions", "balances", "pnl"):
        assert alice.get(f"/{page}?account={desk.code}").status == 200
    assert ask("/orders/cancel-all", {"account": desk.code}).status == 202


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", [4])
def test_no_field_of_the_ticket_brings_a_fault(at_desk, market, desk, seed):
    dice = random.Random(seed)
    browser = at_desk("alice")
    opened = browser.opened_ticket(price="950.00")
    texts = [one for one in ODD if isinstance(one, str)]
    texts += ["b+1", "m", "50%", "1k", "h", "q", "w", "1e3k", "%", "on", "2027-01-04T15:00", "-1%"]
    for name in (*FIELDS, "csrfmiddlewaretoken2"):
        market.again()
        for value in dice.sample(texts, 8):
            kind = dice.choice(("LIMIT", "MARKET", "TRAILING_STOP", "PEGGED", "STOP_LIMIT"))
            form = opened | {"ord_type": kind, "cl_ord_id": f"t-{dice.randrange(10**12)}"}
            path = dice.choice(("/desk/ticket", "/desk/ticket/preview", "/desk/ticket/fields"))
            answer = browser.post(path, **form | {name: value})
            shown = (path, kind, name, value[:80], answer.content[:300])
            assert answer.status_code < 500, shown
            assert (answer.status_code == 400) == ("\x00" in value), shown
            page = answer.content.decode()
            assert not [word for word in LEAKS if word in page], shown


@pytest.mark.parametrize(
    "path",
    [
        "/orders?cl_ord_id=a%00b",
        "/desk?symbol=%00",
        "/orders/%00",
        "/find?q=%00",
        "/halt?where=%00",
    ],
)
def test_an_address_with_a_nul_is_no_page(at_desk, path):
    answer = at_desk("alice").get(path)
    assert answer.status_code == 400
    assert b"could not be read" in answer.content
