"""Who may trade what, when trading is halted, and requests an order's state does not allow."""

import pytest

from brokers.models import BrokerAccount
from oms.models import Order
from tenants.binding import tenant_bound
from tests.journeys.cast import follow_events, open_desk, utcnow

LIMIT = {"price": "950.00", "tif": "GTC"}


@pytest.fixture
def halt(program, desk):
    """Halt the desk's account; the program of the firm may."""

    def _halt(state="HALTED", **scope):
        body = {"scope": "account", "target": desk.code, "state": state, "reason": "drill"} | scope
        answer = program.post("/risk/halts", body)
        assert answer.status == 201, answer.text
        return answer.json["id"]

    return _halt


@pytest.fixture
def lift(program):
    def _lift(halt_id):
        answer = program.post(f"/risk/halts/{halt_id}/lift", {"reason": "drill over"})
        assert answer.status == 200, answer.text

    return _lift


# --- halts ----------------------------------------------------------------------------------------


def test_a_halt_stops_orders_takes_back_working_ones_and_is_lifted(
    gateway, halt, lift, alice, desk
):
    working = alice.placed(**LIMIT)
    alice.until_status(working, "NEW")
    halt_id = halt()
    refused = alice.place("BUY", "1", id="later")
    assert (refused.status, refused.code) == (409, "trading_halted")
    assert (refused.json["scope"], refused.json["target"]) == ("account", desk.code)
    assert refused.json["since"]

    follow_events(desk.firm)
    order = alice.until_final(working)
    assert order["ord_status"] == "CANCELED"
    lift(halt_id)
    answer = alice.place("BUY", "1", id="later")
    assert answer.status == 201
    alice.until_final(answer.json["id"])


def test_a_cancel_and_a_decrease_pass_a_halt_and_an_increase_does_not(gateway, halt, alice):
    order_id = alice.placed("BUY", "20", **LIMIT)
    alice.until_status(order_id, "NEW")
    halt("REDUCING")
    for terms in ({"order_qty": "21"}, {"price": "951.00"}):
        refused = alice.replace(order_id, **terms)
        assert (refused.status, refused.code) == (409, "trading_halted")
    assert alice.replace(order_id, order_qty="5").status == 202
    order = alice.until(order_id, lambda o: not o["pending"])
    assert order["order_qty"] == "5"
    assert alice.cancel(order_id).status == 202
    assert alice.until_final(order_id)["ord_status"] == "CANCELED"


def test_while_reducing_only_what_shrinks_the_position_passes(gateway, halt, market, alice):
    alice.until_final(alice.placed("BUY", "10"))
    halt("REDUCING")
    for side, qty in (("BUY", "1"), ("SELL", "11")):
        refused = alice.place(side, qty)
        assert (refused.status, refused.code) == (409, "trading_halted")
    order = alice.until_final(alice.placed("SELL", "10"))
    assert order["ord_status"] == "FILLED"


def test_an_order_that_waits_in_the_queue_when_trading_halts_is_never_sent(
    idle_gateway, halt, alice, desk
):
    order_id = alice.placed("BUY", "10")
    halt()
    idle_gateway.start()
    order = alice.until_final(order_id)
    said = (order["ord_status"], order["ord_rej_reason"], order["text"])
    assert said in {  # by who comes first: the sender, or what follows a halt
        ("REJECTED", "NOT_SENT", "trading_halted"),
        ("CANCELED", None, "withdrawn before it was sent"),
    }
    assert desk.at_venue() == []


# --- people and firms -----------------------------------------------------------------------------


def test_a_viewer_sees_and_may_not_trade(gateway, alice, bob, desk):
    order_id = alice.placed(**LIMIT)
    alice.until_status(order_id, "NEW")
    assert bob.order(order_id)["id"] == order_id
    for answer in (
        bob.place("BUY", "1"),
        bob.cancel(order_id),
        bob.replace(order_id, order_qty="1"),
        bob.post("/orders/batch", {"orders": [bob.order_body()]}),
        bob.post("/orders/cancel-all", {"all": True}),
    ):
        assert (answer.status, answer.code) == (403, "insufficient_scope"), answer.text
    assert alice.order(order_id)["ord_status"] == "NEW"
    assert len(desk.rows(Order, account_id=desk.account_id)) == 1


def test_a_viewer_is_not_shown_the_raw_messages_of_the_venue(gateway, alice, bob):
    order_id = alice.placed("BUY", "1")
    alice.until_final(order_id)
    raws = [row["raw"] for row in alice.get(f"/orders/{order_id}/events").json["items"]]
    assert raws[0] is None
    assert all(raws[1:])
    assert not any(row["raw"] for row in bob.get(f"/orders/{order_id}/events").json["items"])


def test_an_account_that_is_switched_off_takes_no_order(market, alice, desk):
    with tenant_bound(desk.schema):
        BrokerAccount.objects.filter(pk=desk.account_id).update(state="DISABLED")
    refused = alice.place("BUY", "1")
    assert (refused.status, refused.code) == (409, "account_disabled")


def test_a_key_held_to_one_account_reaches_no_other(market, program, alice, desk):
    elsewhere = open_desk(desk.firm)
    made = program.post(
        "/api-keys", {"name": "one", "scopes": ["orders:write"], "accounts": [elsewhere.code]}
    )
    assert made.status == 201, made.text
    held = alice.at(elsewhere)
    held.bearer = made.json["key"]
    mine = alice.placed(**LIMIT)
    assert held.place(**LIMIT).status == 201
    for answer in (
        held.place(account=desk.code, **LIMIT),
        held.get(f"/orders/{mine}"),
        held.get(f"/orders/{mine}/events"),
        held.cancel(mine),
        held.replace(mine, order_qty="1"),
    ):
        assert (answer.status, answer.code) == (404, "not_found"), answer.text
    assert [row["account"] for row in held.get("/orders").json["items"]] == [elsewhere.code]
    swept = held.post("/orders/cancel-all", {"all": True}).json["items"]
    assert {row["order"]["account"] for row in swept} == {elsewhere.code}
    assert alice.order(mine)["ord_status"] == "PENDING_NEW"


def test_neither_firm_sees_the_other_by_any_id_of_any_route(gateway, market, alice, charlie, desk):
    """Every path of the API with an id in it: what is another's answers as what is nowhere."""
    from config.api import openapi_document

    order_id = alice.placed("BUY", "1")
    alice.until_final(order_id)
    list_id = _list_id(alice)  # before the halt
    foreign = {
        "order_id": (order_id, "01J00000000000000000000000"),
        "halt_id": (_halt_id(desk), "01J00000000000000000000000"),
        "code": (desk.code, "P-nowhere"),
        "name": (desk.connection, "paper-nowhere"),
        "key_id": ("abcdefgh", "zzzzzzzz"),
        "list_id": (list_id, "01J00000000000000000000000"),
    }
    public = {"symbol"}
    bodies = {
        "{list_id}/replace": {"legs": [{"leg_no": 1, "price": "900.00"}]},
        "/resume": {"first": 5},
        "/credentials": {"api_key": "x", "secret": "x"},
        "/lift": {"reason": "x"},
        "/faults": {"switch": "lose_ack", "times": 1},
        "/replace": {"order_qty": "5"},
        "/cancel": {},
        "/flatten": {},
    }
    tried = 0
    charlie.bearer = charlie.desk.firm.bearers["program"]  # whoever may do most there
    for template, operations in openapi_document()["paths"].items():
        name = template.partition("{")[2].partition("}")[0]
        if not name or name in public:
            continue
        path = template.removeprefix("/api/v1")
        for method in operations:
            body = next((b for end, b in bodies.items() if path.endswith(end)), None)
            answers = [
                charlie.call(
                    method.upper(),
                    path.replace(f"{{{name}}}", value),
                    body if method in ("post", "put") else None,
                    x_request_id="same",
                )
                for value in foreign[name]
            ]
            assert [answer.status for answer in answers] == [404, 404], (method, template)
            assert answers[0].text == answers[1].text
            tried += 1
    assert tried >= 7
    for path in ("/orders", "/executions", "/positions", "/events?limit=500", "/accounts"):
        assert desk.code not in charlie.get(path).text
        assert order_id not in charlie.get(path).text
    narrowed = charlie.get(f"/orders?account={desk.code}")
    assert narrowed.status in {200, 404}
    assert order_id not in narrowed.text
    refused = charlie.place(account=desk.code)
    assert (refused.status, refused.code) == (404, "not_found")


def _list_id(alice) -> str:
    """A list of two orders of which one cancels the other."""
    legs = [
        {"side": "BUY", "order_qty": "1", "ord_type": "LIMIT", "price": price,
         "time_in_force": "GTC"}
        for price in ("900.00", "901.00")
    ]  # fmt: skip
    answer = alice.post(
        "/order-lists",
        {"account": alice.desk.code, "symbol": "SPX", "contingency_type": "OCO", "legs": legs},
    )
    assert answer.status == 201, answer.text
    return answer.json["list_id"] if "list_id" in answer.json else answer.json["id"]


def _halt_id(desk) -> str:
    from common.actor import system_actor
    from risk.services import set_halt
    from trading.risk import HaltScope, HaltState

    with tenant_bound(desk.schema):
        return set_halt(
            scope=HaltScope.ACCOUNT,
            target=desk.code,
            state=HaltState.REDUCING,
            reason="drill",
            actor=system_actor(desk.schema, "test"),
            now=utcnow(),
        ).id


# --- replaces -------------------------------------------------------------------------------------


@pytest.fixture
def part_filled(gateway, alice):
    """A GTC order of 150 with 100 filled."""
    order_id = alice.placed("BUY", "150", price="1000.50", tif="GTC", id="head")
    alice.until_status(order_id, "PARTIALLY_FILLED")
    return order_id


@pytest.mark.parametrize(
    ("terms", "status", "code"),
    [
        ({"order_qty": "99"}, 422, "below_cum_qty"),
        ({"order_qty": "150", "price": "1000.5"}, 422, "no_change"),
        ({}, 422, "no_change"),
        ({"orig_cl_ord_id": "other", "order_qty": "160"}, 409, "stale_orig_cl_ord_id"),
        ({"price": "1000.501"}, 422, "off_tick"),
        ({"order_qty": "150.5"}, 422, "off_lot"),
        ({"stop_px": "900.00"}, 422, "not_allowed_for_type"),
        ({"side": "SELL"}, 422, "not_amendable"),
        ({"sidee": "SELL"}, 422, "unknown_field"),
        ({"order_qty": "200000"}, 422, "risk_rejected"),
        ({"price": "1200.00"}, 422, "risk_rejected"),
        ({"cl_ord_id": "head", "order_qty": "160"}, 422, "cl_ord_id_reused"),
        ({"cl_ord_id": "01J00000000000000000000000-R1", "order_qty": "160"}, 422,
         "cl_ord_id_reserved"),
    ],
)  # fmt: skip
def test_a_replace_that_cannot_be(part_filled, alice, terms, status, code):
    before = alice.order(part_filled)
    answer = alice.replace(part_filled, **terms)
    assert (answer.status, answer.code) == (status, code), answer.text
    assert alice.order(part_filled) == before


def test_a_replace_to_what_is_filled_ends_the_order(part_filled, alice):
    assert alice.replace(part_filled, order_qty="100", orig_cl_ord_id="head").status == 202
    order = alice.until(part_filled, lambda o: not o["pending"])
    assert (order["ord_status"], order["order_qty"], order["leaves_qty"]) == ("FILLED", "100", "0")


def test_while_a_request_is_open_a_replace_waits(part_filled, gateway, alice):
    gateway.stop()
    assert alice.replace(part_filled, order_qty="160").status == 202
    refused = alice.replace(part_filled, order_qty="170")
    assert (refused.status, refused.code, refused.inner) == (
        409,
        "state_conflict",
        "replace_pending",
    )
    assert alice.cancel(part_filled).status == 202
    refused = alice.replace(part_filled, order_qty="170")
    assert (refused.status, refused.inner) == (409, "cancel_pending")
    gateway.start()
    order = alice.until_final(part_filled)
    assert (order["ord_status"], order["cum_qty"]) == ("CANCELED", "100")


@pytest.mark.parametrize(
    ("qty", "ending", "reason"),
    [("100", "FILLED", "already_filled"), ("150", "CANCELED", "already_canceled")],
)
def test_what_has_ended_takes_no_request(gateway, alice, qty, ending, reason):
    order_id = alice.placed("BUY", qty, price="1000.50", tif="IOC")
    assert alice.until_final(order_id)["ord_status"] == ending
    for answer in (alice.cancel(order_id), alice.replace(order_id, order_qty="160")):
        assert (answer.status, answer.code, answer.inner) == (409, "state_conflict", reason)
        assert answer.json["order"]["ord_status"] == ending


def test_what_risk_rejected_takes_no_request(market, alice):
    order_id = alice.place("BUY", "900000").json["order"]["id"]
    for answer in (alice.cancel(order_id), alice.replace(order_id, order_qty="1")):
        assert (answer.status, answer.inner) == (409, "already_rejected")


# --- many at once ---------------------------------------------------------------------------------


def test_a_batch_answers_row_by_row_and_bad_rows_harm_no_other(market, alice, desk):
    bad = {
        3: ({"qty": 0.1}, 422, "use_string"),
        50: ({"qty": "0"}, 422, "not_positive"),
        77: ({"symbol": "NOPE"}, 422, "unknown_instrument"),
        120: ({"account": "P-nowhere"}, 404, "not_found"),
        199: ({"qty": "900000"}, 422, "risk_rejected"),
    }
    rows = [
        alice.order_body(
            **{"side": "BUY", "qty": str(n + 1), "price": "950.00", "tif": "GTC", "id": f"b-{n}"}
            | bad.get(n, ({},))[0]
        )
        for n in range(200)
    ]
    rows[10]["cum_qty"] = "5"
    rows[11] = "not an order"
    bad |= {10: ({}, 422, "unknown_field"), 11: ({}, 422, "invalid_type")}
    answer = alice.post("/orders/batch", {"orders": rows})
    assert answer.status == 200
    assert len(answer.json["items"]) == 200
    for n, item in enumerate(answer.json["items"]):
        if n in bad:
            assert (item["status"], item["problem"]["code"]) == bad[n][1:]
        else:
            assert (item["status"], item["order"]["cl_ord_id"]) == (201, f"b-{n}")
    kept = desk.rows(Order, account_id=desk.account_id)
    assert len(kept) == 194  # what risk refused is kept too
    assert sum(order.ord_status == "REJECTED" for order in kept) == 1


def test_a_batch_is_judged_row_after_row(market, program, alice, desk):
    """The third row finds what the first two have reserved."""
    limit = {"scope": "account", "target": desk.code, "rule": "max_open_orders", "value": "2"}
    answer = program.call("PUT", "/risk/limits", limit)
    assert answer.status == 200, answer.text
    rows = [alice.order_body("BUY", str(qty), **LIMIT) for qty in (1, 2, 3)]
    items = alice.post("/orders/batch", {"orders": rows}).json["items"]
    assert [item["status"] for item in items] == [201, 201, 422]


def test_the_orders_of_a_batch_reach_the_venue_in_the_order_given(gateway, market, alice, desk):
    rows = [alice.order_body("BUY", str(qty), **LIMIT) for qty in range(1, 13)]
    items = alice.post("/orders/batch", {"orders": rows}).json["items"]
    ids = [item["order"]["id"] for item in items]
    for order_id in ids:
        alice.until_status(order_id, "NEW")
    assert [row.venue_cl_ord_id for row in desk.at_venue()] == ids


@pytest.mark.parametrize("orders", [[], [{}] * 201, "x", None])
def test_a_batch_takes_1_to_200(market, alice, orders):
    assert alice.post("/orders/batch", {"orders": orders}).status == 422


def test_cancel_all_ends_what_is_in_the_scope(gateway, alice, desk):
    kept = alice.placed("SELL", "1", price="1050.00", tif="GTC")
    ended = [
        alice.placed("BUY", "1", price="950.00", tif="GTC"),
        alice.placed("BUY", "1", price="951.00", tif="GTC"),
    ]
    for order_id in (kept, *ended):
        alice.until_status(order_id, "NEW")
    answer = alice.post("/orders/cancel-all", {"account": desk.code, "side": "BUY"})
    assert answer.status == 202
    assert [(row["status"], row["order"]["id"]) for row in answer.json["items"]] == [
        (202, order_id) for order_id in ended
    ]
    for order_id in ended:
        assert alice.until_final(order_id)["ord_status"] == "CANCELED"
    assert alice.order(kept)["ord_status"] == "NEW"
    assert alice.post("/orders/cancel-all", {"account": desk.code}).status == 202
    alice.until_final(kept)
    assert alice.post("/orders/cancel-all", {"account": desk.code}).json["items"] == []


def test_cancel_all_without_a_scope_says_so(market, alice):
    for body in ({}, {"all": False}, {"account": None}):
        assert alice.post("/orders/cancel-all", body).status == 422
