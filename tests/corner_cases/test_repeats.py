"""The same request again: what is answered, and that nothing happens twice."""

from datetime import timedelta

import pytest
from django.db.models import F

from oms.models import ClOrdId, Command, Order
from tenants.binding import tenant_bound
from tests.journeys.cast import until

LIMIT = {"price": "950.00", "tif": "GTC"}


@pytest.fixture
def stored(desk):
    def _stored() -> list[int]:
        kinds = (Order, ClOrdId, Command)
        return [len(desk.rows(kind, account_id=desk.account_id)) for kind in kinds]

    return _stored


def test_row_01_the_same_order_again_is_a_replay_also_during_a_halt_and_without_a_price(
    gateway, halt, market, alice, desk, stored
):
    first = alice.place("BUY", "10", id="same")
    assert (first.status, first.is_replay) == (201, False)
    alice.until_final(first.json["id"])
    before = stored()
    again = alice.place("BUY", "10", id="same")
    halt()
    market.silence()
    halted = alice.place("BUY", "10", id="same")
    for answer in (again, halted):
        assert (answer.status, answer.is_replay) == (200, True)
        assert (answer.json["id"], answer.json["ord_status"]) == (first.json["id"], "FILLED")
        assert answer.headers["ETag"] == f'"v{answer.json["version"]}"'
    assert stored() == before
    assert len(desk.at_venue()) == 1


@pytest.mark.parametrize("other", [{"qty": "11"}, {"price": "950.01"}, {"side": "SELL"}])
def test_row_02_the_same_quantity_in_other_digits_is_the_same_order_and_another_is_not(
    market, alice, stored, other
):
    first = alice.place("BUY", "10", id="same", **LIMIT)
    before = stored()
    again = alice.place("BUY", "10.0", id="same", **LIMIT)
    assert (again.status, again.is_replay, again.json["id"]) == (200, True, first.json["id"])
    refused = alice.place(**{"side": "BUY", "qty": "10", "id": "same", **LIMIT, **other})
    assert (refused.status, refused.code) == (422, "cl_ord_id_reused")
    assert stored() == before


def test_row_03_what_risk_refused_is_answered_the_same_and_not_judged_again(
    market, limit, program, alice, stored
):
    refused = alice.place("BUY", "6000", id="big", price="1000.00")
    assert (refused.status, refused.code, refused.is_replay) == (422, "risk_rejected", False)
    order = refused.json["order"]
    assert (order["ord_status"], order["ord_rej_reason"]) == ("REJECTED", "RISK")
    before = stored()

    # a judgement now would find another breach more, and no price to judge by
    limit("max_order_qty", 5)
    market.silence()
    again = alice.place("BUY", "6000", id="big", price="1000.00")
    assert (again.status, again.code, again.is_replay) == (422, "risk_rejected", True)
    assert again.json["order"]["id"] == order["id"]
    assert again.json["errors"] == refused.json["errors"]
    assert stored() == before


def test_row_04_a_field_refusal_does_not_consume_the_id(market, alice, stored):
    refused = alice.place("BUY", "10", id="tick", price="950.001")
    assert (refused.status, refused.code) == (422, "off_tick")
    assert stored() == [0, 0, 0]
    assert alice.place("BUY", "10", id="tick", price="950.00").status == 201


def test_row_05_a_hundred_equal_posts_at_once_are_one_order_at_the_venue(gateway, alice, desk):
    answers = alice.many([lambda me: me.place("BUY", "10", id="crowd")] * 100)
    assert sorted(answer.status for answer in answers) == [200] * 99 + [201]
    assert {answer.json["id"] for answer in answers} == {answers[0].json["id"]}
    assert sum(answer.is_replay for answer in answers) == 99
    assert alice.until_final(answers[0].json["id"])["ord_status"] == "FILLED"
    assert len(desk.at_venue()) == 1
    assert len(desk.rows(Command, account_id=desk.account_id)) == 1


def test_row_06_the_id_of_a_refused_replace_is_used_up(gateway, alice):
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


def test_row_82_an_equal_order_within_a_second_is_a_slip_unless_it_says_it_is_meant(
    gateway, market, alice, program, desk
):
    first = alice.placed("BUY", "10", id="first", **LIMIT)
    slip = alice.place("BUY", "10.0", id="second", **LIMIT)
    assert (slip.status, slip.code, slip.inner) == (422, "risk_rejected", "ORDER_REPEATS_ANOTHER")
    (breach,) = slip.json["errors"]
    assert (breach["rule"], breach["limit"], breach["unit"]) == ("duplicate_order", "1", "seconds")
    assert "(first)" in breach["message"]
    assert (slip.json["order"]["ord_status"], slip.json["order"]["cum_qty"]) == ("REJECTED", "0")
    # the id is used up, and the refusal does not make the next one a repetition of itself
    assert alice.place("BUY", "10", id="second", **LIMIT).is_replay
    meant = alice.placed("BUY", "10", id="third", allow_duplicate=True, **LIMIT)
    assert "equal to first" in alice.get(f"/orders/{meant}/events").text
    batch = [alice.order_body("SELL", "10", price="1050.00", tif="GTC", id=f"b{n}") for n in "12"]
    items = program.post("/orders/batch", {"orders": batch}).json["items"]
    assert [item["status"] for item in items] == [201, 422]
    assert "(b1)" in items[1]["problem"]["detail"]
    for other in ({"side": "SELL", "price": "1051.00"}, {"price": "950.01"}, {"qty": "11"}):
        alice.placed(**{"side": "BUY", "qty": "10", **LIMIT, **other})
    until(lambda: len(desk.at_venue()) == 6, "six orders are at the venue")
    assert {first, meant} < {row.venue_cl_ord_id for row in desk.at_venue()}


def test_row_82_a_second_later_the_same_order_is_another_one(market, alice, desk):
    alice.placed("BUY", "10", **LIMIT)
    with tenant_bound(desk.schema):
        Order.objects.filter(account_id=desk.account_id).update(
            created_at=F("created_at") - timedelta(seconds=1)
        )
    alice.placed("BUY", "10", **LIMIT)


def test_row_94_a_stale_version_stops_a_replace_and_not_a_cancel(gateway, alice):
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
    assert alice.until_final(order_id)["ord_status"] == "CANCELED"
