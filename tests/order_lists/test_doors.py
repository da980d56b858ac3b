"""The doors of order lists: what they take, what they refuse and with which code."""

from dataclasses import replace

import pytest

from brokers.adapters.capabilities import Contingencies
from brokers.adapters.paper.adapter import PaperBroker
from oms.models import ClOrdId, Command, Order, OrderList
from tests.order_lists.desk import leg, summary

BUY = leg("BUY", "950.00", order_qty="10")
TARGET = leg("SELL", "1100.00")
STOP = leg("SELL", stop_px="900.00")
BRACKET = (BUY, TARGET, STOP)
COMBINATION = "unsupported_combination"
LOWER = leg("BUY", "940.00", order_qty="10")
PAIR = (BUY, LOWER)
SLIPPING = leg("SELL", max_slippage_bps="20")
FAR = leg("SELL", ord_type="LIMIT", offset_percent="100")
BELOW_ZERO = leg("SELL", ord_type="STOP", offset="950")
NEAR = leg("BUY", order_qty="10", ord_type="LIMIT", offset="5")


def _(field: str, code: str, kind: str, *legs, **more):
    """One refusal: where, which, and the list it is about."""
    return pytest.param(kind, legs, more, field, code, id=f"{kind}-{field}-{code}")


REFUSED = [
    _("legs", "out_of_range", "OCO", BUY),
    _("legs", "out_of_range", "OCO", *[BUY] * 11),
    _("legs.1.symbol", COMBINATION, "OCO", BUY, LOWER | {"symbol": "IXIC"}),
    _("legs.1.account", COMBINATION, "OCO", BUY, LOWER | {"account": "OTHER"}),
    _("release", COMBINATION, "OCO", *PAIR, release="ON_FULL_FILL"),
    _("sizing", COMBINATION, "OUO_ABSOLUTE", *PAIR, sizing="FIXED"),
    _("legs.1.ord_type", COMBINATION, "OCO", BUY, leg("BUY", order_qty="10")),
    _("legs.1.time_in_force", COMBINATION, "OCO", BUY, LOWER | {"time_in_force": "IOC"}),
    _("legs.1.offset", COMBINATION, "OCO", BUY, NEAR),
    _("legs.1.side", COMBINATION, "OTO", BUY, TARGET, sizing="FIXED"),
    _("legs.1.max_slippage_bps", COMBINATION, "OTO", BUY, SLIPPING),
    _("legs", COMBINATION, "OTOCO", BUY, TARGET),
    _("legs", COMBINATION, "OTOCO", BUY, TARGET, TARGET),
    _("sizing", COMBINATION, "OTOCO", *BRACKET, sizing="FIXED"),
    _("legs.1.side", COMBINATION, "OTOCO", BUY, TARGET | {"side": "BUY"}, STOP),
    _("legs.2.order_qty", COMBINATION, "OTOCO", BUY, TARGET, STOP | {"order_qty": "9"}),
    _("legs.1.offset", COMBINATION, "OTOCO", BUY, TARGET | {"offset": "5"}, STOP),
    _("legs.0.offset", COMBINATION, "OTOCO", BUY | {"offset": "5"}, TARGET, STOP),
    _("legs.1.cash_order_qty", COMBINATION, "OTOCO", BUY, TARGET | {"cash_order_qty": "9"}, STOP),
    _("legs.1.offset_percent", "out_of_range", "OTOCO", BUY, FAR, STOP),
    _("legs.1.price", "bracket_prices", "OTOCO", BUY, TARGET | {"price": "950.00"}, STOP),
    _("legs.1.price", "bracket_prices", "OTOCO", BUY, TARGET | {"price": "940.00"}, STOP),
    _("legs.2.stop_px", "bracket_prices", "OTOCO", BUY, TARGET, STOP | {"stop_px": "950.00"}),
    _("legs.2.stop_px", "bracket_prices", "OTOCO", BUY, TARGET, BELOW_ZERO),
    _("legs.0.price", "off_tick", "OTOCO", BUY | {"price": "950.001"}, TARGET, STOP),
    _("legs.1.price", "required_for_type", "OTOCO", BUY, leg("SELL", ord_type="LIMIT"), STOP),
    _("legs.1.order_qty", "too_many_decimals", "OCO", BUY, LOWER | {"order_qty": "1.0000000001"}),
    _("contingency_type", "invalid_choice", "BOTH", *PAIR),
    _("legs.0.cl_ord_id", "unknown_field", "OCO", BUY | {"cl_ord_id": "mine"}, LOWER),
    _("legs.0.price", "use_string", "OCO", BUY | {"price": 950}, LOWER),
    _("cl_ord_id", "invalid_cl_ord_id", "OCO", *PAIR, cl_ord_id=".a"),
    _("cl_ord_id", "cl_ord_id_reserved", "OCO", *PAIR, cl_ord_id="01M7ZGQDP937ZQX67BQ5NCCBXM.1"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "legs", "more", "field", "code"), REFUSED)
def test_a_list_that_cannot_be_is_refused_whole_with_the_field_and_the_code(
    market, lists, desk, kind, legs, more, field, code
):
    refused = lists.place(kind, *legs, **more)
    assert refused.status == 422, refused.text
    assert (field, code) in [(row["field"], row["code"]) for row in refused.json["errors"]]
    for model in (OrderList, Order, ClOrdId):
        assert desk.rows(model, account_id=desk.account_id) == []


def test_a_short_bracket_is_the_mirror(market, lists):
    short = leg("SELL", "1050.00", order_qty="10")
    legs = short, leg("BUY", "950.00"), leg("BUY", stop_px="1100.00")
    assert lists.place("OTOCO", *legs).status == 201
    wrong = lists.place("OTOCO", short, leg("BUY", "1060.00"), leg("BUY", stop_px="1040.00"))
    assert [row["code"] for row in wrong.json["errors"]] == ["bracket_prices"] * 2


def test_a_bracket_is_one_order_sent_and_two_that_wait(market, lists, desk):
    answer = lists.bracket(cl_ord_id="b-1")
    shown = answer.json
    assert answer.status == 201
    assert [one["role"] for one in shown["legs"]] == ["ENTRY", "TARGET", "STOP"]
    assert summary(shown) == [("PENDING_NEW", "10", "0")] + [("SUSPENDED", "10", "0")] * 2
    for number, one in enumerate(shown["legs"], 1):
        order = one["order"]
        assert order["cl_ord_id"] == f"{shown['id']}.{number}"
        assert (order["list_id"], order["leg_no"]) == (shown["id"], number)
        assert (order["held_by"], order["working_indicator"]) == (
            None if number == 1 else "OMS", False,
        )  # fmt: skip
    assert (shown["list_order_status"], shown["cl_ord_id"]) == ("EXECUTING", "b-1")
    assert len(desk.rows(Command, account_id=desk.account_id)) == 1
    assert lists.get(shown["id"]) == shown
    (listed,) = lists.person.get(f"/order-lists?account={desk.code}").json["items"]
    assert listed == shown


def test_the_same_list_again_is_a_replay_and_another_under_its_id_is_not(
    market, lists, alice, desk
):
    first = lists.bracket(cl_ord_id="b-1")
    again = lists.bracket(qty="10.0", cl_ord_id="b-1")
    assert (again.status, again.is_replay, again.json) == (200, True, first.json)
    other = lists.bracket(qty="11", cl_ord_id="b-1")
    assert (other.status, other.code) == (422, "cl_ord_id_reused")
    assert alice.place("BUY", "10", id="b-1", price="950.00").code == "cl_ord_id_reused"
    alice.placed("BUY", "7", id="o-1", price="950.00")
    assert lists.bracket(cl_ord_id="o-1").code == "cl_ord_id_reused"
    assert len(desk.rows(OrderList, account_id=desk.account_id)) == 1


def test_fifty_equal_lists_at_once_are_one(market, lists, alice, desk):
    body = {
        "account": desk.code, "symbol": "SPX", "contingency_type": "OTOCO", "cl_ord_id": "b-1",
        "legs": list(BRACKET),
    }  # fmt: skip
    answers = alice.many([lambda me: me.post("/order-lists", body)] * 50)
    assert sorted(answer.status for answer in answers) == [200] * 49 + [201]
    assert len({answer.json["id"] for answer in answers}) == 1
    assert len(desk.rows(Order, account_id=desk.account_id)) == 3


def test_risk_refuses_a_list_whole_and_keeps_it(market, lists, program, desk):
    _limit(program, desk, "max_order_qty", "9")
    refused = lists.bracket(cl_ord_id="big")
    assert (refused.status, refused.code, refused.is_replay) == (422, "risk_rejected", False)
    kept = refused.json["order_list"]
    assert kept["list_order_status"] == "REJECTED"
    assert [one["order"]["ord_rej_reason"] for one in kept["legs"]] == ["RISK"] * 3
    assert desk.rows(Command, account_id=desk.account_id) == []
    _limit(program, desk, "max_order_qty", "10")
    again = lists.bracket(cl_ord_id="big")
    assert (again.code, again.is_replay) == ("risk_rejected", True)
    assert again.json["order_list"]["id"] == kept["id"]
    assert again.json["errors"] == refused.json["errors"]


def test_equal_legs_are_a_slip_unless_they_are_meant(market, lists):
    refused = lists.place("OCO", BUY, BUY)
    assert (refused.status, refused.inner) == (422, "ORDER_REPEATS_ANOTHER")
    meant = BUY | {"allow_duplicate": True}
    assert lists.place("OCO", meant, meant).status == 201


def test_alternatives_count_once_at_the_largest(market, lists, program, desk):
    _limit(program, desk, "max_open_notional", "9600")
    pair = lists.place("OCO", *PAIR)
    assert pair.status == 201, pair.text
    (balance,) = program.get(f"/balances?account={desk.code}").json["items"]
    assert balance["reserved"] == "9500"
    alone = program.place("BUY", "1", price="940.00")
    assert (alone.status, alone.inner) == (422, "OPEN_NOTIONAL_EXCEEDS_MAXIMUM")
    lists.cancel(pair.json["id"])
    (balance,) = program.get(f"/balances?account={desk.code}").json["items"]
    assert balance["reserved"] == "0"
    both = lists.place("OTO", *[one | {"order_qty": "9"} for one in PAIR])
    assert (both.status, both.inner) == (422, "OPEN_NOTIONAL_EXCEEDS_MAXIMUM")


def _limit(program, desk, rule: str, value: str) -> None:
    body = {"scope": "account", "target": desk.code, "rule": rule, "value": value}
    assert program.call("PUT", "/risk/limits", body).status == 200


def test_lists_are_for_those_who_may_trade_and_for_nobody_of_another_firm(
    market, lists, bob, charlie
):
    shown = lists.bracket().json
    body = {"account": lists.person.desk.code, "symbol": "SPX", "contingency_type": "OTOCO"}
    assert bob.post("/order-lists", body | {"legs": list(BRACKET)}).status == 403
    assert bob.get(f"/order-lists/{shown['id']}").json == shown
    for path in ("", "/cancel", "/replace", "/flatten"):
        body = {"legs": [{"leg_no": 2, "price": "1"}]} if path == "/replace" else {}
        method = "GET" if not path else "POST"
        answer = charlie.call(method, f"/order-lists/{shown['id']}{path}", body if path else None)
        assert (answer.status, answer.code) == (404, "not_found")
    assert bob.post(f"/order-lists/{shown['id']}/cancel", {}).status == 403


def test_no_list_is_taken_where_nobody_can_link_orders(market, lists, desk, monkeypatch):
    alone = replace(PaperBroker.capabilities, contingencies=Contingencies.NONE)
    monkeypatch.setattr(PaperBroker, "capabilities", alone)
    refused = lists.bracket()
    assert (refused.status, refused.code) == (422, "unsupported_by_venue")
    assert refused.json["errors"][0]["field"] == "contingency_type"
    assert desk.rows(OrderList, account_id=desk.account_id) == []


def test_no_list_is_taken_under_a_halt(market, lists, program, desk):
    body = {"scope": "account", "target": desk.code, "state": "HALTED", "reason": "drill"}
    assert program.post("/risk/halts", body).status == 201
    refused = lists.bracket()
    assert (refused.status, refused.code) == (409, "trading_halted")
    assert desk.rows(OrderList, account_id=desk.account_id) == []
