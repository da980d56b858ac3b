"""Orders the paper venue holds itself, and what it charges: from the door into the books."""

from decimal import Decimal

import pytest

from brokers.models import PaperAccount
from oms.models import Execution
from tenants.binding import tenant_bound

TRAIL = {"ord_type": "TRAILING_STOP", "trail_offset": "1", "trail_type": "PERCENT", "tif": "GTC"}


def test_row_54_market_to_limit_rests_at_the_price_it_paid(gateway, market, alice):
    market.show("999.50", "1000.50", size=3)
    order_id = alice.placed("BUY", "10", ord_type="MARKET_TO_LIMIT", tif="DAY")
    order = alice.until(order_id, lambda o: (o["cum_qty"], o["price"]) == ("3", "1000.5"))
    assert (order["ord_status"], order["leaves_qty"]) == ("PARTIALLY_FILLED", "7")
    assert "RESTATED" in alice.words(order_id)
    market.show("999.00", "1000.50")
    assert alice.until_final(order_id)["ord_status"] == "FILLED"
    assert alice.executions(order_id) == [("3", "1000.5"), ("7", "1000.5")]


def test_a_stop_held_at_the_venue_fires_there(gateway, market, alice, desk):
    order_id = alice.placed("SELL", "10", ord_type="STOP", stop_px="990.00", tif="GTC")
    order = alice.until_status(order_id, "NEW")
    assert (order["held_by"], order["stop_px"]) == (None, "990")
    market.show("985.00", "986.00")
    order = alice.until_final(order_id)
    assert (order["ord_status"], order["avg_px"]) == ("FILLED", "985")
    assert "TRIGGERED" in alice.words(order_id)
    assert desk.venue_words() == ["NEW", "TRIGGERED", "TRADE"]


def test_a_stop_at_the_venue_outlives_the_gateway(gateway, market, alice, desk):
    order_id = alice.placed("SELL", "10", tif="GTC", ord_type="STOP_LIMIT", stop_px="990.00",
                            price="989.00")  # fmt: skip
    alice.until_status(order_id, "NEW")
    gateway.stop()
    market.show("988.00", "989.00")
    gateway.start()
    market.again()
    order = alice.until(order_id, lambda _: "TRIGGERED" in alice.words(order_id))
    assert (order["ord_status"], order["price"], order["leaves_qty"]) == ("NEW", "989", "10")
    market.show("989.00", "990.00")
    assert alice.until_final(order_id)["ord_status"] == "FILLED"


def test_a_trail_at_the_venue_is_told_as_it_moves(gateway, market, alice, desk):
    order_id = alice.placed("SELL", "10", **TRAIL)
    alice.until_status(order_id, "NEW")
    market.show("1099.50", "1100.50")
    alice.until(order_id, lambda _: alice.words(order_id).count("RESTATED") >= 2)
    market.show("1088.50", "1089.50")  # the last trade 1089 is one percent below 1100
    assert alice.until_final(order_id)["ord_status"] == "FILLED"


@pytest.fixture
def dear(desk):
    """The venue charges by value, by unit, and 4 at least for a whole order."""
    with tenant_bound(desk.schema):
        PaperAccount.objects.filter(pk=desk.account_id).update(
            maker_bps=Decimal(1),
            taker_bps=Decimal(2),
            per_unit=Decimal("0.005"),
            minimum_fee=Decimal(4),
        )


def fees(desk, order_id):
    return [row.fee for row in desk.rows(Execution, order_id=order_id)]


def test_fees_by_who_rested_by_unit_and_at_least_so_much_end_in_the_books(
    dear, gateway, market, alice, desk, program
):
    market.show("999.00", "1000.00", size=10)
    taker = alice.placed("BUY", "20", price="1000.00", tif="GTC")
    alice.until_status(taker, "PARTIALLY_FILLED")
    market.show("999.00", "1000.00", size=10)
    assert alice.until_final(taker)["ord_status"] == "FILLED"
    # 10,000 at 2 basis points and 10 units; then, resting, at 1 basis point
    assert fees(desk, taker) == [Decimal("2.05"), Decimal("1.95")]  # 1.05, raised to 4 in all

    small = alice.placed("SELL", "1", price="999.00", tif="GTC")
    alice.until_final(small)
    assert fees(desk, small) == [Decimal(4)]
    gateway.reconcile(desk)
    pnl = program.get(f"/pnl?account={desk.code}").json
    assert Decimal(pnl["items"][0]["fees"]) == 8
