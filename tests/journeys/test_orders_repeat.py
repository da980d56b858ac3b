"""Sending again is safe: what a repeat answers, and that it does nothing twice."""

import pytest

from oms.models import Command, Order

LIMIT = {"price": "950.00", "tif": "GTC"}


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
    alice.placed(id="SAME", allow_duplicate=True, **LIMIT)
    elsewhere = alice.at(open_desk(desk.firm))
    elsewhere.placed(id="same", **LIMIT)


def test_equal_rows_of_one_batch_are_one_order(market, alice, desk):
    body = alice.order_body("BUY", "10", id="twice", **LIMIT)
    items = alice.post("/orders/batch", {"orders": [body, body]}).json["items"]
    assert [item["status"] for item in items] == [201, 200]
    assert len(desk.rows(Order, account_id=desk.account_id)) == 1


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


def test_an_order_without_an_id_gets_one_and_is_new_every_time(market, alice):
    first, second = (alice.place(allow_duplicate=True, **LIMIT) for _ in range(2))
    assert (first.status, second.status) == (201, 201)
    assert first.json["cl_ord_id"] == first.json["id"] != second.json["id"]
