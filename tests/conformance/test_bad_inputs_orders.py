"""conformance/bad-inputs.md at the order door, row by row, answered exactly as written."""

import json
import string
from time import perf_counter

import pytest

from brokers.models import BrokerAccount
from oms.models import ClOrdId, Command, Order
from tenants.binding import tenant_bound

PROBLEM = {"type", "title", "status", "code", "detail", "errors", "request_id"}
INTERNALS = (
    "Traceback",
    "pydantic",
    "psycopg",
    "SELECT",
    "django",
    "site-packages",
    ".py",
    "oms_order",
)
LIMIT = {"price": "950.00", "tif": "GTC"}


def stored(desk) -> int:
    with tenant_bound(desk.schema):
        return sum(
            model.objects.filter(account_id=desk.account_id).count()
            for model in (Order, ClOrdId, Command)
        )


@pytest.fixture
def door(market, alice, desk):
    """POST /orders with raw bytes or a body; check that a refusal is whole and stores nothing."""

    def post(body=None, *, raw=None, **headers):
        begun = perf_counter()
        answer = alice.call("POST", "/orders", body, raw=raw, **headers)
        assert perf_counter() - begun < 1
        return refused(answer, desk)

    return post


def refused(answer, desk):
    assert 400 <= answer.status < 500, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert set(answer.json) >= PROBLEM
    assert answer.json["status"] == answer.status
    assert not [word for word in INTERNALS if word in answer.text]
    for row in answer.json["errors"]:
        assert set(row) >= {"field", "code", "message"}
    assert stored(desk) == 0
    return answer


def asked(alice, **changes):
    """A good limit order but for these fields; the value DROP leaves a field out."""
    body = alice.order_body("BUY", "10", id="bad", **LIMIT) | changes
    return {name: value for name, value in body.items() if value is not DROP}


DROP = object()


@pytest.mark.parametrize(
    ("row", "field", "value", "code"),
    [
        ("B1", "order_qty", "0", "not_positive"),
        ("B1", "order_qty", "-1", "not_positive"),
        ("B1", "order_qty", "-0", "not_positive"),
        ("B1", "order_qty", "0.000", "not_positive"),
        ("B2", "order_qty", "NaN", "not_finite"),
        ("B2", "order_qty", "Infinity", "not_finite"),
        ("B2", "order_qty", "-Infinity", "not_finite"),
        ("B2", "order_qty", "sNaN", "not_finite"),
        ("B2", "price", "NaN", "not_finite"),
        ("B3", "order_qty", "0.123456789", "too_many_decimals"),
        ("B3", "price", "950.001", "off_tick"),
        ("B4", "order_qty", "1234567890123", "out_of_range"),
        ("B6", "order_qty", "1e3", "invalid_number"),
        ("B5", "order_qty", 0.1, "use_string"),
        ("B5", "order_qty", 10, "use_string"),
        ("B5", "price", 950.0, "use_string"),
        ("B6", "order_qty", "1,5", "invalid_number"),
        ("B6", "order_qty", " 1 ", "invalid_number"),
        ("B6", "order_qty", "", "invalid_number"),
        ("B6", "order_qty", "1_000", "invalid_number"),
        ("B6", "order_qty", "0x10", "invalid_number"),
        ("B6", "order_qty", "\u0661\u0660", "invalid_number"),
        ("B6", "order_qty", "\uff11\uff10", "invalid_number"),
        ("B6", "order_qty", None, "invalid_type"),
        ("B6", "order_qty", [1], "invalid_type"),
        ("B6", "order_qty", {}, "invalid_type"),
        ("B6", "order_qty", True, "invalid_type"),
        ("B7", "tenant_id", "1", "unknown_field"),
        ("B7", "ord_status", "FILLED", "unknown_field"),
        ("B7", "cum_qty", "10", "unknown_field"),
        ("B7", "id", "01J00000000000000000000000", "unknown_field"),
        ("B8", "symbol", "", "invalid_symbol"),
        ("B8", "symbol", "A" * 33, "invalid_symbol"),
        ("B8", "symbol", "spx", "invalid_symbol"),
        ("B8", "symbol", "SPX ", "invalid_symbol"),
        ("B8", "symbol", "SPX\n", "invalid_symbol"),
        ("B8", "symbol", "\u202eSPX", "invalid_symbol"),
        ("B8", "symbol", "\U0001f680", "invalid_symbol"),
        ("B8", "symbol", "AAPL;DROP TABLE", "invalid_symbol"),
        ("B8", "symbol", "<script>", "invalid_symbol"),
        ("B8", "symbol", "NOPE", "unknown_instrument"),
        ("B8", "symbol", "WTI", "not_tradable"),
        ("B9", "side", "Buy ", "invalid_choice"),
        ("B9", "side", "buy", "invalid_choice"),
        ("B9", "side", None, "invalid_type"),
        ("B9", "ord_type", "stop", "invalid_choice"),
        ("B9", "time_in_force", "GTX", "invalid_choice"),
        ("B9", "price", DROP, "required_for_type"),
        ("B9", "stop_px", "900.00", "not_allowed_for_type"),
        ("", "order_qty", DROP, "quantity_required"),
        ("", "order_qty", "10.5", "off_lot"),
        ("", "order_qty", "1000001", "above_max_qty"),
        ("", "price", "-950.00", "not_positive"),
        ("", "cl_ord_id", "", "invalid_cl_ord_id"),
        ("", "cl_ord_id", "a" * 37, "invalid_cl_ord_id"),
        ("", "cl_ord_id", ".a", "invalid_cl_ord_id"),
        ("", "cl_ord_id", "-a", "invalid_cl_ord_id"),
        ("", "cl_ord_id", "a b", "invalid_cl_ord_id"),
        ("", "cl_ord_id", "\u00e9", "invalid_cl_ord_id"),
        ("", "cl_ord_id", 7, "invalid_type"),
        ("", "cl_ord_id", "01J00000000000000000000000", "cl_ord_id_reserved"),
        ("", "cl_ord_id", "01J00000000000000000000000-C1", "cl_ord_id_reserved"),
        ("", "tags", {"a": 1}, "invalid_type"),
        ("", "tags", [], "invalid_type"),
        ("", "exec_inst", ["FLY"], "invalid_choice"),
        ("", "exec_inst", "POST_ONLY", "invalid_type"),
        ("B10", "time_in_force", "OPG", "unsupported_by_venue"),
        ("B10", "expire_time", "2030-01-01T00:00:00Z", "contradictory"),
        ("", "expire_time", "2030-01-01T00:00:00", "invalid_datetime"),
        ("", "account", "", "out_of_range"),
        ("", "account", None, "invalid_type"),
    ],
)
def test_a_value_that_is_not_acceptable(door, alice, row, field, value, code):
    answer = door(asked(alice, **{field: value}))
    assert (answer.status, answer.code) == (422, code), answer.text
    assert [error["code"] for error in answer.json["errors"]] == [code]
    (error,) = answer.json["errors"]
    assert error["field"] == field


def test_b9_a_market_order_has_no_price_and_does_not_rest(door, alice):
    answer = door(asked(alice, ord_type="MARKET"))
    assert (answer.status, answer.code) == (422, "not_allowed_for_type")
    assert [row["field"] for row in answer.json["errors"]] == ["price", "time_in_force"]


def test_b3_names_the_nearest_prices(door, alice):
    message = door(asked(alice, price="950.001")).json["errors"][0]["message"]
    assert "950 and 950.01" in message


def test_all_mistakes_of_the_body_are_named_at_once(door, alice):
    answer = door(asked(alice, order_qty="0", side="up", more=1))
    found = {(row["field"], row["code"]) for row in answer.json["errors"]}
    assert found == {
        ("order_qty", "not_positive"),
        ("side", "invalid_choice"),
        ("more", "unknown_field"),
    }


def test_a_long_value_is_echoed_at_most_64_characters(door, alice):
    for field in ("symbol", "side", "order_qty", "cl_ord_id"):
        assert "x" * 65 not in door(asked(alice, **{field: "x" * 5000})).text


def test_b11_an_account_of_nobody_or_another_firm_is_404(door, alice, charlie):
    answers = [
        door(asked(alice, account=code), x_request_id="same")
        for code in ("P-nowhere", charlie.desk.code, "PAPER-1'; --")
    ]
    assert {(answer.status, answer.code) for answer in answers} == {(404, "not_found")}
    assert len({answer.text for answer in answers}) == 1


def test_b11_a_disabled_account_is_409_and_a_reader_403(door, alice, bob, desk):
    answer = refused(bob.place(), desk)
    assert (answer.status, answer.code) == (403, "insufficient_scope")
    with tenant_bound(desk.schema):
        BrokerAccount.objects.filter(pk=desk.account_id).update(state="DISABLED")
    answer = door(asked(alice))
    assert (answer.status, answer.code) == (409, "account_disabled")


def test_b13_while_halted_every_order_is_409_with_scope_and_since(door, program, alice, desk):
    halt = {"scope": "account", "target": desk.code, "state": "HALTED", "reason": "drill"}
    assert program.post("/risk/halts", halt).status == 201
    answer = door(asked(alice))
    assert (answer.status, answer.code) == (409, "trading_halted")
    assert answer.json["scope"] == "account"
    assert answer.json["since"].startswith("20")


def test_b14_without_a_price_the_order_is_refused(door, market, alice):
    market.silence()
    answer = door(asked(alice))
    assert (answer.status, answer.code) == (422, "no_reference_price")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b'{"account":"P","side":',
        b'{"account":"P",}',
        b'{"account":"P"} // note',
        b'{"account":"P"}{"account":"P"}',
        b'{"account":"P","account":"P"}',
        b'{"order_qty":NaN}',
        b'{"order_qty":Infinity}',
        b'{"order_qty":-Infinity}',
        b'{"n":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
        b'{"n":' + b"9" * 5000 + b"}",
    ],
    ids=[
        "empty",
        "cut",
        "comma",
        "comment",
        "two",
        "twice",
        "nan",
        "inf",
        "-inf",
        "deep",
        "digits",
    ],
)
def test_b15_b16_what_is_not_json_is_400_with_the_place(door, raw):
    answer = door(raw=raw)
    assert (answer.status, answer.code) == (400, "invalid_json")
    assert isinstance(answer.json["offset"], int)


def test_b16_two_megabytes_are_413(door):
    answer = door(raw=b'{"account":"' + b"a" * 2_000_000 + b'"}')
    assert answer.status == 413


@pytest.mark.parametrize(
    "kind", ["text/xml", "application/xml", "application/x-www-form-urlencoded", "text/plain", ""]
)
def test_b17_other_media_types_are_415(door, alice, kind):
    answer = door(asked(alice), content_type=kind)
    assert (answer.status, answer.code) == (415, "unsupported_media_type")


def test_b18_bytes_that_are_not_utf8_are_400(door):
    answer = door(raw=b'{"account":"\xff"}')
    assert (answer.status, answer.code) == (400, "invalid_encoding")


@pytest.mark.parametrize("raw", [b"[]", b"null", b'"x"', b"1"])
def test_a_body_that_is_no_object_is_422(door, raw):
    answer = door(raw=raw)
    assert (answer.status, answer.code) == (422, "invalid_type")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PUT", "/orders", {"GET", "POST"}),
        ("DELETE", "/orders", {"GET", "POST"}),
        ("TRACE", "/orders", {"GET", "POST"}),
        ("DELETE", "/orders/01J00000000000000000000000", {"GET"}),
        ("PATCH", "/orders/01J00000000000000000000000", {"GET"}),
        ("GET", "/orders/01J00000000000000000000000/cancel", {"POST"}),
        ("POST", "/executions", {"GET"}),
    ],
)
def test_b19_other_methods_are_405_with_allow(market, alice, desk, method, path, allow):
    answer = refused(alice.call(method, path), desk)
    assert (answer.status, answer.code) == (405, "method_not_allowed")
    assert set(answer.headers["Allow"].split(", ")) == allow


def test_b19_unknown_paths_are_404_in_json(market, alice, desk):
    for path in ("/order", "/orders/", "/orders/batch/x", "/orders//cancel"):
        answer = refused(alice.call("POST", path, {}), desk)
        assert (answer.status, answer.code) == (404, "not_found")


def test_b20_b21_the_client_id_is_optional_and_consumed_only_by_what_was_stored(market, alice):
    assert alice.place("BUY", "5", **LIMIT).status == 201
    assert alice.place("BUY", "0", id="k", **LIMIT).code == "not_positive"
    assert alice.place("BUY", "10", id="k", **LIMIT).status == 201
    assert alice.place("BUY", "11", id="k", **LIMIT).code == "cl_ord_id_reused"


def test_b22_requests_about_ended_orders_are_409_with_the_state(gateway, alice):
    filled = alice.placed("BUY", "1")
    alice.until_final(filled)
    canceled = alice.placed(**LIMIT)
    alice.until_status(canceled, "NEW")
    assert alice.cancel(canceled).status == 202
    alice.until_final(canceled)
    for order_id, state in ((filled, "FILLED"), (canceled, "CANCELED")):
        answer = alice.cancel(order_id)
        assert (answer.status, answer.code) == (409, "state_conflict")
        assert state in answer.json["detail"]
        assert answer.json["order"]["ord_status"] == state


def test_b22_a_cancel_while_the_outcome_is_unknown_is_queued(gateway, program, alice, desk):
    body = {"switch": "lose_ack", "times": 1}
    assert program.post(f"/connections/{desk.connection}/faults", body).status == 200
    order_id = alice.placed(**LIMIT)
    alice.until_unknown(order_id)
    gateway.stop()
    answer = alice.cancel(order_id)
    assert answer.status == 202
    assert [c["kind"] for c in answer.json["pending"]] == ["NEW", "CANCEL"]


def test_b23_a_cancel_twice_is_202_then_200_with_the_same_order(gateway, alice, desk):
    order_id = alice.placed(**LIMIT)
    alice.until_status(order_id, "NEW")
    gateway.stop()
    first, second = alice.cancel(order_id), alice.cancel(order_id)
    assert (first.status, second.status) == (202, 200)
    assert first.json == second.json
    gateway.start()
    alice.until_final(order_id)
    assert desk.venue_words() == ["NEW", "CANCELED"]


@pytest.mark.parametrize("action", ["", "/events", "/cancel", "/replace"])
def test_b24_ids_that_name_no_order_of_the_firm(market, alice, charlie, action):
    method = "POST" if action in {"/cancel", "/replace"} else "GET"
    body = {"/replace": {"order_qty": "5"}, "/cancel": {}}.get(action)

    def ask(order_id):
        return alice.call(method, f"/orders/{order_id}{action}", body, x_request_id="same")

    for text in ("abc", "1", "01J0000000000000000000000", "01j00000000000000000000000", "%00"):
        answer = ask(text)
        assert answer.status in {422, 404}, answer.text
        assert (answer.status == 422) == ("%" not in text)
    foreign, absent = ask(charlie.placed(**LIMIT)), ask("0" * 26)
    assert (foreign.status, absent.status) == (404, 404)
    assert foreign.text == absent.text


@pytest.mark.parametrize("path", ["/orders", "/executions"])
@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("limit=abc", "invalid_number"),
        ("limit=1e3", "invalid_number"),
        ("limit=0", "out_of_range"),
        ("limit=100001", "out_of_range"),
        ("limit=5&limit=5", "duplicate_parameter"),
        ("account=a&account=b", "duplicate_parameter"),
        ("color=red", "unknown_parameter"),
        ("sort=password", "unknown_parameter"),
        ("cursor=nonsense", "invalid_cursor"),
        ("since=2024-01-02T00:00:00Z&until=2024-01-01T00:00:00Z", "invalid_range"),
        ("since=2010-01-01T00:00:00Z&until=2024-01-01T00:00:00Z", "range_too_large"),
        ("since=0000-01-01T00:00:00Z", "invalid_datetime"),
        ("since=2024-01-01T00:00:00%2B25:00", "invalid_datetime"),
        ("since=2024-01-01T00:00:00", "invalid_datetime"),
        ("until=yesterday", "invalid_datetime"),
    ],
)
def test_b25_b26_a_query_that_is_not_acceptable_is_422(market, alice, desk, path, query, code):
    answer = refused(alice.get(f"{path}?{query}"), desk)
    assert (answer.status, answer.code) == (422, code)


@pytest.mark.parametrize(
    "query", ["side=buy", "ord_status=OPEN", "ord_status=NEW,,FILLED,", "ord_status="]
)
def test_b25_unknown_words_in_a_filter_are_422(market, alice, query):
    answer = alice.get(f"/orders?{query}")
    assert answer.status == 422, answer.text


def test_b25_an_order_id_that_is_none_is_422_in_the_ledger(market, alice):
    assert alice.get("/executions?order_id=abc").status == 422


def test_every_printable_character_is_stored_as_text(market, alice):
    odd = "<script>alert(1)</script>' OR 1=1; -- \u202e\U0001f680"
    order_id = alice.placed(tags={"note": odd, "all": string.printable[:90]}, **LIMIT)
    assert alice.order(order_id)["tags"]["note"] == odd
    assert json.loads(alice.get(f"/orders/{order_id}").text)["tags"]["note"] == odd


def test_a_nul_in_text_is_refused_and_not_a_5xx(door, alice):
    for changes in ({"tags": {"a": "\x00"}}, {"strategy": "a\x00"}, {"account": "a\x00"}):
        answer = door(asked(alice, **changes))
        assert answer.status in {404, 422}
