"""Sending again is safe: what a repeat answers, and that it does nothing twice."""

import pytest

from oms.models import Command, Order

LIMIT = {"price": "950.00", "tif": "GTC"}


def test_an_equal_order_is_a_replay_of_the_first_as_it_is_now(gateway, alice, desk):
    first = alice.place("BUY", "10", id="same")
    assert (first.status, first.is_replay) == (201, False)
    alice.until_final(first.json["id"])
    again = alice.place("BUY", "10", id="same")
    assert (again.status, again.is_replay) == (200, True)
    assert (again.json["id"], again.json["ord_status"]) == (first.json["id"], "FILLED")
    assert again.headers["ETag"] == f'"v{again.json["version"]}"'
    assert len(desk.at_venue()) == 1


def test_a_replay_is_answered_during_a_halt_and_without_any_price(program, market, alice, desk):
    alice.placed("BUY", "10", id="same", **LIMIT)
    halt = {"scope": "account", "target": desk.code, "state": "HALTED", "reason": "drill"}
    assert program.post("/risk/halts", halt).status == 201
    market.silence()
    again = alice.place("BUY", "10", id="same", **LIMIT)
    assert (again.status, again.is_replay) == (200, True)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"qty": "10"}, {"qty": "10.0"}),
        ({"price": "950"}, {"price": "950.0000"}),
        ({}, {"tags": {}, "exec_inst": []}),
        ({"tags": {"a": "1"}}, {"tags": {"b": "2"}}),
        ({"tif": None}, {"tif": "DAY"}),
    ],
)
def test_what_means_the_same_is_the_same(market, alice, first, second):
    assert alice.place(**{"id": "same", **LIMIT, **first}).status == 201
    again = alice.place(**{"id": "same", **LIMIT, **second})
    assert (again.status, again.is_replay) == (200, True)


@pytest.mark.parametrize(
    "other",
    [
        {"qty": "11"},
        {"price": "950.01"},
        {"side": "SELL"},
        {"symbol": "IXIC"},
        {"tif": "DAY"},
        {"strategy": "trend"},
        {"price": None, "tif": "IOC"},
    ],
)
def test_other_content_under_a_known_id_is_refused_and_stores_nothing(market, alice, desk, other):
    alice.placed(id="same", **LIMIT)
    refused = alice.place(**{"id": "same", **LIMIT, **other})
    assert (refused.status, refused.code) == (422, "cl_ord_id_reused")
    assert len(desk.rows(Order, account_id=desk.account_id)) == 1


def test_ids_are_case_sensitive_and_of_one_account(market, alice, desk):
    from tests.journeys.cast import open_desk

    alice.placed(id="same", **LIMIT)
    alice.placed(id="SAME", **LIMIT)
    elsewhere = alice.at(open_desk(desk.firm))
    elsewhere.placed(id="same", **LIMIT)


def test_what_risk_refused_is_kept_and_repeated_without_a_second_judgement(program, alice, desk):
    refused = alice.place("BUY", "6000", id="big", price="1000.00")
    assert (refused.status, refused.code) == (422, "risk_rejected")
    order = refused.json["order"]
    assert (order["ord_status"], order["ord_rej_reason"]) == ("REJECTED", "RISK")
    (row,) = refused.json["errors"]
    assert (row["rule"], row["limit"], row["value"]) == ("max_order_notional", "5000000", "6000000")

    higher = {"scope": "account", "target": desk.code, "rule": "max_order_notional"}
    answer = program.call("PUT", "/risk/limits", {**higher, "value": "9000000"})
    assert answer.status == 200, answer.text
    again = alice.place("BUY", "6000", id="big", price="1000.00")
    assert (again.status, again.code, again.is_replay) == (422, "risk_rejected", True)
    assert again.json["order"]["id"] == order["id"]
    assert again.json["errors"] == refused.json["errors"]


def test_a_field_refusal_does_not_consume_the_id(market, alice):
    refused = alice.place("BUY", "10", id="tick", price="950.001")
    assert (refused.status, refused.code) == (422, "off_tick")
    assert alice.place("BUY", "10", id="tick", price="950.00").status == 201


def test_a_hundred_equal_posts_at_once_make_one_order(gateway, alice, desk):
    answers = alice.many([lambda me: me.place("BUY", "10", id="crowd")] * 100)
    assert sorted(answer.status for answer in answers) == [200] * 99 + [201]
    assert {answer.json["id"] for answer in answers} == {answers[0].json["id"]}
    assert sum(answer.is_replay for answer in answers) == 99
    assert alice.until_final(answers[0].json["id"])["ord_status"] == "FILLED"
    assert len(desk.at_venue()) == 1


def test_equal_rows_of_one_batch_are_one_order(market, alice, desk):
    body = alice.order_body("BUY", "10", id="twice", **LIMIT)
    items = alice.post("/orders/batch", {"orders": [body, body]}).json["items"]
    assert [item["status"] for item in items] == [201, 200]
    assert len(desk.rows(Order, account_id=desk.account_id)) == 1


def test_the_id_of_a_refused_replace_is_used_up(gateway, alice):
    order_id = alice.placed(id="X", **LIMIT)
    alice.until_status(order_id, "NEW")
    # a resting order cannot become IOC: the venue says so
    assert alice.replace(order_id, time_in_force="IOC", cl_ord_id="Y").status == 202
    order = alice.until(order_id, lambda o: not o["pending"])
    assert (order["ord_status"], order["cl_ord_id"], order["time_in_force"]) == ("NEW", "X", "GTC")
    assert "REQUEST_REFUSED" in alice.words(order_id)
    for answer in (
        alice.place(id="Y", **LIMIT),
        alice.cancel(order_id, cl_ord_id="Y"),
        alice.replace(order_id, price="940.00", cl_ord_id="Y"),
    ):
        assert (answer.status, answer.code) == (422, "cl_ord_id_reused")


def test_a_cancel_sent_twice_at_once_is_one_command(gateway, program, alice, desk):
    order_id = alice.placed(**LIMIT)
    alice.until_status(order_id, "NEW")
    gateway.stop()
    answers = alice.many([lambda me: me.cancel(order_id)] * 12, threads=6)
    assert sorted(answer.status for answer in answers) == [200] * 11 + [202]
    assert {answer.json["id"] for answer in answers} == {order_id}
    gateway.start()
    assert alice.until_final(order_id)["ord_status"] == "CANCELED"
    assert len(desk.rows(Command, order_id=order_id, kind="CANCEL")) == 1
    assert desk.venue_words().count("CANCELED") == 1


def test_a_named_cancel_or_replace_may_be_repeated(gateway, alice):
    order_id = alice.placed(**LIMIT)
    alice.until_status(order_id, "NEW")
    assert alice.replace(order_id, price="951.00", cl_ord_id="R").status == 202
    alice.until(order_id, lambda o: not o["pending"])
    again = alice.replace(order_id, price="951", cl_ord_id="R")
    assert (again.status, again.is_replay, again.json["price"]) == (200, True, "951")
    assert alice.cancel(order_id, cl_ord_id="C").status == 202
    alice.until_final(order_id)
    again = alice.cancel(order_id, cl_ord_id="C")
    assert (again.status, again.is_replay, again.json["ord_status"]) == (200, True, "CANCELED")


def test_a_stale_version_stops_a_replace_and_not_a_cancel(gateway, alice):
    order_id = alice.placed(**LIMIT)
    order = alice.until_status(order_id, "NEW")
    refused = alice.replace(order_id, if_match='"v1"', price="951.00")
    assert (refused.status, refused.code) == (412, "version_conflict")
    assert alice.order(order_id)["version"] == order["version"]
    now = alice.get(f"/orders/{order_id}").headers["ETag"]
    assert now == f'"v{order["version"]}"'
    assert alice.replace(order_id, if_match=now, price="951.00").status == 202
    alice.until(order_id, lambda o: not o["pending"])
    assert alice.post(f"/orders/{order_id}/cancel", {}, if_match='"v1"').status == 202
    alice.until_final(order_id)


def test_an_order_without_an_id_gets_one_and_is_new_every_time(market, alice):
    first, second = alice.place(**LIMIT), alice.place(**LIMIT)
    assert (first.status, second.status) == (201, 201)
    assert first.json["cl_ord_id"] == first.json["id"] != second.json["id"]
