"""Order types at the door: what fires at once, money in units, bounds of market orders."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from brokers.adapters.registry import adapter_class, capabilities_of
from oms.models import Command, Order
from tests.journeys.cast import open_desk, utcnow
from trading.vocabulary import OrdType, TimeInForce

STOP = {"ord_type": "STOP", "tif": "GTC"}
TRAIL = {"ord_type": "TRAILING_STOP", "trail_type": "PRICE", "tif": "GTC"}


@pytest.fixture(params=["paper", "paper-plain"])
def desk(request, acme):
    """An account at a venue that holds stops, and at one for which they are held here."""
    return open_desk(acme, request.param)


def payload_of(desk, order_id) -> dict[str, str]:
    """What the venue is told of an order."""
    (command,) = desk.rows(Command, order_id=order_id, kind="NEW")
    return command.payload


# --- triggers the market has reached --------------------------------------------------------------


@pytest.mark.parametrize(
    ("side", "terms"),
    [
        ("SELL", {"stop_px": "1000"}),
        ("SELL", {"stop_px": "1000.01"}),
        ("BUY", {"stop_px": "1000"}),
        ("BUY", {"stop_px": "999.99"}),
        ("SELL", {"ord_type": "STOP_LIMIT", "stop_px": "1000.01", "price": "990"}),
        ("SELL", {"ord_type": "MARKET_IF_TOUCHED", "stop_px": "1000"}),
        ("BUY", {"ord_type": "LIMIT_IF_TOUCHED", "stop_px": "1000.01", "price": "1001"}),
        ("SELL", {"stop_px": "999.50", "trigger_price_type": "BID_ASK"}),
        ("BUY", {"stop_px": "1000.50", "trigger_price_type": "BID_ASK"}),
        ("SELL", {**TRAIL, "trail_offset": "5", "stop_px": "1000"}),
    ],
)
def test_row_50_a_trigger_the_market_has_reached_is_refused(market, alice, desk, side, terms):
    refused = alice.place(side, "10", **STOP | terms)
    assert (refused.status, refused.code) == (422, "would_trigger_immediately"), refused.text
    (row,) = refused.json["errors"]
    assert (row["field"], row["code"]) == ("stop_px", "would_trigger_immediately")
    assert "1000" in row["message"] or "999.5" in row["message"]
    assert desk.rows(Order, account_id=desk.account_id) == []


def test_row_50_a_tick_away_from_the_market_it_is_taken(market, alice):
    assert alice.place("SELL", "10", **STOP, stop_px="999.99").status == 201
    assert alice.place("BUY", "10", **STOP, stop_px="1000.01").status == 201


def test_row_50_a_preview_says_so_as_well(market, alice):
    shown = alice.post("/orders/preview", alice.order_body("SELL", "10", **STOP, stop_px="1001"))
    assert shown.status == 200
    assert shown.json["would_be_accepted"] is False
    assert shown.json["refusal"]["code"] == "would_trigger_immediately"


def test_row_50_a_stop_moved_beyond_the_market_keeps_its_old_terms(gateway, market, alice):
    order_id = alice.placed("SELL", "10", **STOP, stop_px="950")
    alice.until_status(order_id, "NEW")
    refused = alice.replace(order_id, stop_px="1000")
    assert (refused.status, refused.code) == (422, "would_trigger_immediately"), refused.text
    assert alice.order(order_id)["stop_px"] == "950"
    assert alice.replace(order_id, stop_px="960").status == 202
    order = alice.until(order_id, lambda o: not o["pending"] and o["stop_px"] == "960")
    assert order["ord_status"] == "NEW"


def test_row_58_a_trail_amended_tighter_than_the_market_has_come_back_is_refused(
    gateway, market, alice
):
    order_id = alice.placed("SELL", "10", **TRAIL, trail_offset="50")
    alice.until_status(order_id, "NEW")
    market.show("1019.50", "1020.50")
    alice.until(order_id, lambda o: o["stop_px"] == "970")
    market.show("999.50", "1000.50")
    refused = alice.replace(order_id, trail_offset="20")
    assert (refused.status, refused.code) == (422, "would_trigger_immediately"), refused.text
    assert refused.json["errors"][0]["field"] == "trail_offset"
    order = alice.order(order_id)
    assert (order["trail_offset"], order["ord_status"]) == ("50", "NEW")
    assert alice.replace(order_id, trail_offset="30").status == 202
    tighter = alice.until(order_id, lambda o: o["trail_offset"] == "30" and not o["pending"])
    assert tighter["ord_status"] == "NEW"


# --- money turned into units ----------------------------------------------------------------------


def test_row_62_money_is_turned_into_lots_and_the_rest_is_shown(gateway, market, alice, desk):
    market.show("32", "33")
    body = alice.order_body("BUY", None, cash_order_qty="100", tif="IOC")
    shown = alice.post("/orders/preview", body).json
    assert (shown["order_qty"], shown["unspent_cash"]) == ("3", "1")
    assert shown["would_be_accepted"] is True

    answer = alice.post("/orders", body | {"cl_ord_id": "cash"})
    assert answer.status == 201, answer.text
    order = answer.json
    assert (order["order_qty"], order["cash_order_qty"]) == ("3", "100")
    assert order["unspent_cash"] == "1"
    filled = alice.until_final(order["id"])
    assert (filled["ord_status"], filled["avg_px"]) == ("FILLED", "33")
    assert payload_of(desk, order["id"])["order_qty"] == "3"
    again = alice.post("/orders", body | {"cl_ord_id": "cash", "cash_order_qty": "100.00"})
    assert (again.status, again.headers["Idempotent-Replay"]) == (200, "true")


def test_row_62_the_whole_amount_is_reserved(market, alice, desk):
    market.show("32", "33")
    assert alice.place("BUY", None, cash_order_qty="100", tif="IOC").status == 201
    (balance,) = alice.get(f"/balances?account={desk.code}").json["items"]
    assert 0 <= Decimal(balance["reserved"]) - 100 < Decimal("0.000001")


def test_row_62_money_for_less_than_one_lot_is_refused(market, alice, desk):
    market.show("32", "33")
    refused = alice.place("BUY", None, cash_order_qty="20", tif="IOC")
    assert (refused.status, refused.code) == (422, "below_min_qty")
    assert refused.json["errors"][0]["field"] == "cash_order_qty"
    assert desk.rows(Order, account_id=desk.account_id) == []


# --- bounds of a market order ---------------------------------------------------------------------


def test_a_protected_market_order_goes_no_further_than_its_bound(gateway, market, alice, desk):
    market.show("999.50", "1000.50", size=5)
    terms = {"max_slippage_bps": "0.05", "tif": "DAY"}  # half a tick beyond the best price
    shown = alice.post("/orders/preview", alice.order_body("BUY", "8", **terms)).json["estimate"]
    assert (shown["sent_as"], shown["worst_px"]) == ("LIMIT", "1000.5")
    order_id = alice.placed("BUY", "8", **terms)
    order = alice.until_final(order_id)
    assert (order["ord_type"], order["time_in_force"], order["price"]) == ("MARKET", "DAY", None)
    assert (order["ord_status"], order["cum_qty"]) == ("CANCELED", "5")
    told = payload_of(desk, order_id)
    assert (told["ord_type"], told["time_in_force"], told["price"]) == ("LIMIT", "IOC", "1000.5")


# --- time -----------------------------------------------------------------------------------------


def test_a_good_till_date_order_in_the_past_is_refused(market, alice):
    gone = (utcnow() - timedelta(seconds=1)).isoformat()
    refused = alice.place("BUY", "10", price="950", tif="GTD", expire_time=gone)
    assert (refused.status, refused.code) == (422, "invalid_expire_time")
    assert refused.json["errors"][0]["field"] == "expire_time"


# --- who keeps it ---------------------------------------------------------------------------------


def test_what_this_system_would_keep_can_be_declined(market, alice, desk):
    body = alice.order_body("SELL", "10", **STOP, stop_px="950", allow_synthetic=False)
    shown = alice.post("/orders/preview", body).json
    answer = alice.post("/orders", body)
    if answer.status == 201:
        assert shown["estimate"]["held_by"] == "VENUE"
        assert answer.json["held_by"] is None
    else:
        assert (answer.status, answer.code) == (422, "unsupported_by_venue")
        assert answer.json["errors"][0]["field"] == "ord_type"
        assert shown["refusal"]["code"] == "unsupported_by_venue"


def test_a_preview_says_who_keeps_a_stop(market, alice, desk):
    body = alice.order_body("SELL", "10", ord_type="STOP_LIMIT", stop_px="950", price="951",
                            tif="GTC")  # fmt: skip
    shown = alice.post("/orders/preview", body).json
    codes = {row["code"] for row in shown["warnings"]}
    assert "limit_beyond_stop" in codes
    held = shown["estimate"]["held_by"]
    assert (held == "OMS") is ("held_here" in codes)
    assert shown["estimate"]["synthetic_parts"] == (["trigger"] if held == "OMS" else [])


def test_what_nobody_can_bound_is_refused(market, alice, desk, monkeypatch):
    able = capabilities_of(desk.broker)
    takes = dict(able.time_in_force) | {OrdType.LIMIT: frozenset({TimeInForce.GTC})}
    alone = replace(able, time_in_force=takes)
    monkeypatch.setattr(adapter_class(desk.broker), "capabilities", alone)
    market.show("999.50", "1000.50", size=5)
    terms = {"max_slippage_bps": "5", "tif": "DAY"}
    refused = alice.place("BUY", "6", **terms)
    assert (refused.status, refused.code) == (422, "slippage_exceeds_limit"), refused.text
    assert refused.json["errors"][0]["field"] == "max_slippage_bps"
    order_id = alice.placed("BUY", "5", **terms)
    assert payload_of(desk, order_id)["ord_type"] == "MARKET"


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"display_qty": "5"}, "display_qty"),
        ({"time_in_force": "OPG"}, "time_in_force"),
    ],
)
def test_an_amendment_is_held_to_the_venue_as_well(market, alice, desk, terms, field):
    order_id = alice.placed("BUY", "10", price="950", tif="GTC")
    answer = alice.replace(order_id, **terms)
    if desk.broker == "paper" and field == "display_qty":
        assert answer.status == 202, answer.text
        assert answer.json["display_qty"] == "5"
    else:
        assert (answer.status, answer.code) == (422, "unsupported_by_venue"), answer.text
        assert answer.json["errors"][0]["field"] == field


def test_a_protected_order_amended_before_it_left_keeps_its_bound(market, alice, desk):
    order_id = alice.placed("BUY", "8", max_slippage_bps="20", tif="DAY")
    before = payload_of(desk, order_id)
    assert alice.replace(order_id, order_qty="9").status == 202
    after = payload_of(desk, order_id)
    assert after == before | {"order_qty": "9"}
    assert after["price"] == "1002.5"
