"""Orders a venue cannot hold and we keep: stops, trails, ends and reduce-only orders."""

import asyncio
from datetime import timedelta

from brokers.adapters.paper.adapter import PlainPaperBroker
from oms.models import Command, Order
from tests.journeys.cast import until, utcnow
from tests.journeys.kept import STOP, TRAIL, alarms, desk, price, sent, stops

__all__ = ["alarms", "desk", "price"]


def test_row_50_a_stop_on_the_wrong_side_of_the_market_is_refused(price, alice, desk):
    price("100")
    for side, stop in (("SELL", "100"), ("SELL", "101"), ("BUY", "100"), ("BUY", "99")):
        refused = alice.place(side, "10", **STOP | {"stop_px": stop})
        assert (refused.status, refused.code) == (422, "would_trigger_immediately")
    assert desk.rows(Order, account_id=desk.account_id) == []
    assert alice.place("SELL", "10", **STOP | {"stop_px": "99.99"}).status == 201


def test_row_51_a_stop_the_market_jumps_over_fires_and_fills_where_the_market_is(
    gateway, price, alice, desk
):
    price("100")
    order_id = alice.placed("SELL", "10", **STOP)
    waiting = alice.until_status(order_id, "NEW")
    assert (waiting["held_by"], waiting["working_indicator"]) == ("OMS", False)
    assert desk.at_venue() == []

    price("90")
    order = alice.until_final(order_id)
    assert (order["ord_status"], order["held_by"]) == ("FILLED", None)
    assert alice.executions(order_id) == [("10", "89.75")]
    assert sent(desk, order_id) == [("MARKET", "DAY")]
    assert alice.words(order_id)[:3] == ["PENDING_NEW", "NEW", "TRIGGERED"]


def test_row_52_a_stop_limit_the_market_jumps_over_rests_and_raises_an_alarm(
    gateway, price, alice, desk, alarms, monkeypatch
):
    monkeypatch.setattr("oms.services.trigger_alarms.STOP_LIMIT_GRACE", timedelta(0))
    price("100")
    order_id = alice.placed("SELL", "10", **STOP | {"ord_type": "STOP_LIMIT", "price": "94"})
    alice.until_status(order_id, "NEW")
    price("90")
    order = alice.until(order_id, lambda o: o["held_by"] is None and not o["pending"])
    assert (order["ord_status"], order["price"], order["working_indicator"]) == ("NEW", "94", True)
    assert sent(desk, order_id) == [("LIMIT", "GTC")]
    until(lambda: alarms("STOP_LIMIT_SKIPPED") == [order_id], "the skipped limit is an alarm")

    price("95")
    assert alice.until_final(order_id)["ord_status"] == "FILLED"
    assert alice.executions(order_id) == [("10", "94")]
    until(lambda: alarms("STOP_LIMIT_SKIPPED") == [], "the alarm closes by itself")


def test_row_55_a_trail_of_five_per_cent_follows_up_stays_and_fires(gateway, price, alice, desk):
    price("100")
    order_id = alice.placed("SELL", "10", **TRAIL)
    assert alice.until_status(order_id, "NEW")["stop_px"] == "95"
    price("120")
    alice.until(order_id, lambda o: o["stop_px"] == "114")
    price("118")
    price("114")
    order = alice.until_final(order_id)
    assert (order["ord_status"], order["stop_px"]) == ("FILLED", "114")
    assert alice.executions(order_id) == [("10", "113.75")]
    assert stops(desk, order_id) == ["95", "114"]


def test_row_56_before_its_activation_a_trail_has_no_stop_and_does_not_fire(
    gateway, price, alice, desk
):
    price("100")
    order_id = alice.placed("SELL", "10", **TRAIL, activation_px="110")
    assert alice.until_status(order_id, "NEW")["stop_px"] is None
    price("90")
    price("110")
    order = alice.until(order_id, lambda o: o["stop_px"] is not None)
    assert (order["ord_status"], order["stop_px"]) == ("NEW", "104.5")
    assert desk.at_venue() == []


def test_row_57_a_trail_resumes_at_its_stored_stop_and_counts_no_unseen_peak(
    idle_gateway, price, alice, desk, alarms
):
    price("100")
    idle_gateway.start()
    order_id = alice.placed("SELL", "10", **TRAIL)
    price("110")
    alice.until(order_id, lambda o: o["stop_px"] == "104.5")
    idle_gateway.stop()

    price("130")
    price("108")
    idle_gateway.start()
    price("108")
    price("112")
    order = alice.until(order_id, lambda o: o["stop_px"] != "104.5")
    assert (order["ord_status"], order["stop_px"]) == ("NEW", "106.4")
    assert stops(desk, order_id) == ["95", "104.5", "106.4"]
    assert alarms("TRIGGER_MISSED") == []


def test_row_58_a_distance_so_tight_that_it_would_fire_is_refused(gateway, price, alice):
    price("100")
    order_id = alice.placed("SELL", "10", **TRAIL | {"trail_type": "PRICE"})
    price("120")
    alice.until(order_id, lambda o: o["stop_px"] == "115")
    price("118")
    refused = alice.replace(order_id, trail_offset="2")
    assert (refused.status, refused.code) == (422, "would_trigger_immediately")
    assert refused.json["errors"][0]["field"] == "trail_offset"
    order = alice.replace(order_id, trail_offset="2.01").json
    assert (order["stop_px"], order["trail_offset"], order["held_by"]) == ("117.99", "2.01", "OMS")
    order = alice.replace(order_id, trail_offset="10").json
    assert (order["stop_px"], order["anchor_px"]) == ("110", "120")


def test_row_60_a_reduce_only_order_shrinks_with_its_position_and_never_turns_it(
    gateway, price, alice, desk
):
    price("100")
    alice.until_final(alice.placed("BUY", "10"))
    reduce_only = {"price": "105", "tif": "GTC", "exec_inst": ["REDUCE_ONLY"]}
    order_id = alice.placed("SELL", "10", **reduce_only)
    alice.until_status(order_id, "NEW")
    alice.until_final(alice.placed("SELL", "6"))
    order = alice.until(order_id, lambda o: o["order_qty"] == "4" and not o["pending"])
    assert order["ord_status"] == "NEW"
    price("106")
    assert alice.until_final(order_id)["cum_qty"] == "4"
    (position,) = alice.get(f"/positions?account={desk.code}").json["items"]
    assert position["qty"] == "0"


def test_row_67_what_fills_before_our_cancel_stands_and_the_rest_has_expired(
    gateway, price, alice, desk, monkeypatch
):
    cancel = PlainPaperBroker.cancel

    async def just_after_a_fill(self, request):
        price("100", size=4)
        await asyncio.sleep(0)  # the venue hears of the price, then of the cancel
        return await cancel(self, request)

    monkeypatch.setattr(PlainPaperBroker, "cancel", just_after_a_fill)
    price("101")
    ends = utcnow() + timedelta(seconds=2)
    order_id = alice.placed("BUY", "10", price="100.25", tif="GTD", expire_time=ends.isoformat())
    assert alice.until_status(order_id, "NEW")["time_in_force"] == "GTD"
    assert sent(desk, order_id) == [("LIMIT", "GTC")]

    order = alice.until_final(order_id)
    assert (order["ord_status"], order["cum_qty"], order["leaves_qty"]) == ("EXPIRED", "4", "0")
    assert alice.executions(order_id) == [("4", "100.25")]
    (request,) = desk.rows(Command, order_id=order_id, kind="CANCEL")
    assert request.cl_ord_id == f"{order_id}-X1"
    assert request.created_at >= ends
