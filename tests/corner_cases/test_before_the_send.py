"""What is asked of an order before it is taken, once more before it is sent, and by the venue."""

from datetime import timedelta

import pytest

from oms.models import Command, Order
from tenants.binding import tenant_bound
from tests.journeys.cast import utcnow

LIMIT = {"price": "950.00", "tif": "GTC"}


# --- what the book can give -----------------------------------------------------------------------


@pytest.mark.parametrize("tif", ["DAY", "IOC"])
def test_row_53_a_market_order_into_an_empty_side_is_rejected(gateway, market, alice, desk, tif):
    market.show("999.50", "1000.50", size=0)
    order_id = alice.placed("BUY", "10", tif=tif)
    order = alice.until_final(order_id)
    assert (order["ord_status"], order["ord_rej_reason"]) == ("REJECTED", "NO_LIQUIDITY")
    assert (order["cum_qty"], order["leaves_qty"]) == ("0", "0")
    (command,) = desk.rows(Command, order_id=order_id)
    assert (command.state, command.refused_by) == ("REFUSED", "VENUE")
    (balance,) = alice.get(f"/balances?account={desk.code}").json["items"]
    assert balance["reserved"] == "0"


def test_row_63_a_fill_or_kill_larger_than_the_book_ends_with_nothing(gateway, market, alice):
    market.show("999.50", "1000.50", size=100)
    too_large = alice.placed("BUY", "101", price="1000.50", tif="FOK")
    order = alice.until_final(too_large)
    assert (order["ord_status"], order["cum_qty"]) == ("CANCELED", "0")
    assert alice.executions(too_large) == []
    whole = alice.placed("BUY", "100", price="1000.50", tif="FOK")
    assert alice.until_final(whole)["ord_status"] == "FILLED"


# --- sessions -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "opens"),
    [
        ("2026-03-02T16:01", "2026-03-03T14:30:00"),
        ("2026-03-06T16:01", "2026-03-09T13:30:00"),  # over the weekend the clocks change
        ("2026-11-27T13:01", "2026-11-30T14:30:00"),  # a half day
    ],
)
def test_row_65_a_day_order_after_the_close_is_refused_with_the_next_open(
    exchange_hours, at_the_exchange, alice, desk, at, opens
):
    at_the_exchange(at)
    refused = alice.place("BUY", "10", price="950.00", tif="DAY")
    assert (refused.status, refused.code) == (422, "market_closed")
    assert opens in refused.json["detail"]
    assert desk.rows(Order, account_id=desk.account_id) == []
    at_the_exchange(at.replace("T16:01", "T15:59").replace("T13:01", "T12:59"))
    assert alice.place("BUY", "10", price="950.00", tif="DAY").status == 201


@pytest.mark.parametrize(
    ("terms", "waits"),
    [
        ({"tif": "GTC"}, True),
        ({"tif": "GTC", "when_closed": "REJECT"}, False),
        ({"tif": "DAY", "when_closed": "QUEUE"}, True),
        ({"tif": "IOC"}, False),
        ({"ord_type": "STOP", "stop_px": "1100", "tif": "GTC"}, True),
    ],
)
def test_row_65_an_order_waits_for_the_open_or_says_that_it_does_not(
    exchange_hours, at_the_exchange, alice, desk, terms, waits
):
    at_the_exchange("2026-03-02T16:01")
    body = alice.order_body(
        "BUY", "10", **({"price": "950.00"} if "stop_px" not in terms else {}) | terms
    )
    shown = alice.post("/orders/preview", body).json
    answer = alice.post("/orders", body)
    assert shown["would_be_accepted"] is waits
    if not waits:
        assert (answer.status, answer.code) == (422, "market_closed")
        return
    assert "waits_for_open" in {row["code"] for row in shown["warnings"]}
    order = alice.order(answer.json["id"])
    assert (order["ord_status"], order["held_by"], order["working_indicator"]) == (
        "NEW",
        "OMS",
        False,
    )
    (command,) = desk.rows(Command, order_id=order["id"])
    assert command.state == "QUEUED"
    assert command.not_before.isoformat() == "2026-03-03T14:30:00+00:00"
    assert command.expires_at.isoformat() == "2026-03-03T21:00:00+00:00"
    assert alice.cancel(order["id"]).json["ord_status"] == "CANCELED"


# --- prices and previews --------------------------------------------------------------------------


def test_row_83_without_a_price_for_the_collar_the_order_is_refused(market, alice, desk):
    for gone in (
        lambda: market.silence(),
        lambda: market.show("999.50", "1000.50", at=utcnow() - timedelta(minutes=5)),
    ):
        gone()
        for terms in (LIMIT, {}):
            refused = alice.place("BUY", "10", **terms)
            assert (refused.status, refused.code) == (422, "no_reference_price")
    assert desk.rows(Order, account_id=desk.account_id) == []
    market.show("999.50", "1000.50")
    assert alice.place("BUY", "10", **LIMIT).status == 201


@pytest.fixture
def previewed(market, alice):
    """The order body with the id of its preview."""
    body = alice.order_body("BUY", "10", **LIMIT)
    shown = alice.post("/orders/preview", body)
    assert shown.json["would_be_accepted"] is True
    return body | {"preview_id": shown.json["preview_id"]}


def test_row_84_a_preview_confirmed_after_31_seconds_has_expired(
    previewed, market, alice, monkeypatch
):
    late = utcnow() + timedelta(seconds=31)
    market.show("999.50", "1000.50", at=late)
    monkeypatch.setattr("oms.api.now", lambda: late)
    refused = alice.post("/orders", previewed)
    assert (refused.status, refused.code) == (409, "preview_expired")


def test_row_84_a_preview_confirmed_with_another_quantity_does_not_match(previewed, alice):
    refused = alice.post("/orders", previewed | {"order_qty": "11"})
    assert (refused.status, refused.code) == (409, "preview_mismatch")
    assert alice.post("/orders", previewed).status == 201


def test_row_84_a_preview_confirmed_after_a_move_of_one_per_cent_has_drifted(
    previewed, market, alice, desk
):
    market.show("1009.50", "1010.50")
    refused = alice.post("/orders", previewed)
    assert (refused.status, refused.code) == (409, "preview_drifted")
    anew = refused.json["preview"]
    assert anew["estimate"]["reference"]["px"] == "1010"
    assert desk.rows(Order, account_id=desk.account_id) == []
    confirmed = alice.post("/orders", previewed | {"preview_id": anew["preview_id"]})
    assert confirmed.status == 201


# --- limits under a race --------------------------------------------------------------------------


def test_row_85_fifty_orders_racing_for_room_for_ten_get_exactly_ten(limit, market, alice, desk):
    limit("max_open_notional", 9_500)
    answers = alice.many(
        [lambda me: me.place("BUY", "1", allow_duplicate=True, **LIMIT)] * 50, threads=25
    )
    assert sorted(answer.status for answer in answers) == [201] * 10 + [422] * 40
    for answer in answers:
        if answer.status == 422:
            assert (answer.code, answer.inner) == (
                "risk_rejected",
                "OPEN_NOTIONAL_EXCEEDS_MAXIMUM",
            )
    orders = desk.rows(Order, account_id=desk.account_id)
    assert sorted(order.ord_status for order in orders) == ["PENDING_NEW"] * 10 + ["REJECTED"] * 40
    assert len(desk.rows(Command, account_id=desk.account_id)) == 10


# --- before the send ------------------------------------------------------------------------------


def test_row_87_after_an_outage_what_expired_is_not_sent_and_the_rest_is_judged_again(
    idle_gateway, market, limit, alice, desk
):
    immediate = alice.placed("BUY", "10")
    resting = alice.placed("BUY", "10", **LIMIT)
    overtaken = alice.placed("BUY", "10", price="1090.00", tif="GTC")
    forgotten = alice.placed("BUY", "10", price="951.00", tif="GTC")
    _wait(desk, timedelta(minutes=4, seconds=30))
    _wait(desk, timedelta(seconds=31), forgotten)
    market.show("899.50", "900.50")  # ten per cent above is 990 now

    idle_gateway.start()
    for order_id, why in (
        (immediate, "queue_expired"),
        (forgotten, "queue_expired"),
        (overtaken, "PRICE_OUTSIDE_COLLAR"),
    ):
        order = alice.until_final(order_id)
        assert (order["ord_status"], order["ord_rej_reason"]) == ("REJECTED", "NOT_SENT")
        assert order["text"] == why
    order = alice.until_final(resting)  # the market has come to it meanwhile
    assert (order["ord_status"], order["cum_qty"]) == ("FILLED", "10")
    assert [row.venue_cl_ord_id for row in desk.at_venue()] == [resting]
    assert desk.rows(Command, order_id=resting)[0].attempt == 1
    (balance,) = alice.get(f"/balances?account={desk.code}").json["items"]
    assert balance["reserved"] == "0"


def _wait(desk, span, *order_ids) -> None:
    """The queued commands, or these orders', have waited for so much longer."""
    with tenant_bound(desk.schema):
        rows = Command.objects.filter(account_id=desk.account_id, state="QUEUED")
        for row in rows.filter(order_id__in=order_ids) if order_ids else rows:
            row.created_at -= span
            row.expires_at -= span
            row.save(update_fields=["created_at", "expires_at"])
