"""The venue misbehaves as told; in the end our books say what its own books say."""

from datetime import timedelta
from decimal import Decimal

import pytest

from brokers.models import BrokerConnection, PaperExecution
from portfolio.selectors import position_qty
from tenants.binding import tenant_bound
from tests.journeys.cast import until

MARKET = {"tif": "DAY"}
RESTS = {"price": "990.00", "tif": "GTC"}


def venue_position(desk) -> Decimal:
    rows = desk.rows(PaperExecution, account_id=desk.account_id)
    return sum((row.qty_delta for row in rows), Decimal(0))


def our_position(desk) -> Decimal:
    with tenant_bound(desk.schema):
        return position_qty(account_id=desk.account_id, symbol="SPX")


def is_up(desk) -> bool:
    (row,) = desk.rows(BrokerConnection, pk=desk.connection_id)
    return row.state == BrokerConnection.State.UP


@pytest.fixture
def agrees(gateway, desk):
    """Compare our books with the venue's, and find no difference left."""

    def _agrees(position) -> None:
        until(lambda: is_up(desk), "the session is up again")
        gateway.reconcile(desk)
        assert our_position(desk) == venue_position(desk) == position

    return _agrees


FILLS = {
    "fill_before_ack": ("FILLED", "10"),
    "duplicate_fill": ("FILLED", "10"),
    "overfill": ("FILLED", "15"),
    "correct_price": ("FILLED", "10"),
    "out_of_order": ("FILLED", "10"),
    "error_after_accept": ("FILLED", "10"),
    "lose_ack": ("FILLED", "10"),
    "disconnect": ("FILLED", "10"),
    "throttle": ("FILLED", "10"),
    "delay_ack": ("FILLED", "10"),
    "garbled": ("FILLED", "10"),
    "unknown_enum": ("FILLED", "10"),
    "drop_before_read": ("FILLED", "10"),
}


@pytest.mark.parametrize("switch", FILLS)
def test_a_market_order_ends_as_the_venue_has_it(
    impatient, gateway, alice, desk, fault, agrees, switch
):
    fault(switch, delay_ms=200)
    order_id = alice.placed(**MARKET)
    order = alice.until(
        order_id, lambda o: (o["ord_status"], o["cum_qty"]) == FILLS[switch] and not o["pending"]
    )
    agrees(Decimal(order["cum_qty"]))
    assert len(desk.at_venue()) == 1


@pytest.mark.parametrize(
    ("switch", "word", "cum_qty"),
    [("bust", "TRADE_CANCEL", "0"), ("correct_qty", "TRADE_CORRECT", "9")],
)
def test_what_a_bust_leaves_open_is_the_venues_to_say(
    monkeypatch, gateway, alice, desk, fault, agrees, switch, word, cum_qty
):
    monkeypatch.setattr("trading.reconcile.YOUNG_ORDER", timedelta(0))
    fault(switch)
    order_id = alice.placed(**MARKET)
    until(lambda: word in alice.words(order_id), f"the {word} comes")
    gateway.reconcile(desk)
    order = alice.until_final(order_id)
    assert (order["ord_status"], order["cum_qty"]) == ("CANCELED", cum_qty)
    agrees(Decimal(cum_qty))


@pytest.mark.parametrize("switch", ["not_found_first", "partial_page"])
def test_an_order_whose_answer_was_lost_is_found_although_questions_go_wrong(
    impatient, gateway, alice, desk, fault, agrees, switch
):
    fault("lose_ack")
    fault(switch)
    order = alice.until_final(alice.placed(**MARKET))
    assert (order["ord_status"], order["cum_qty"]) == ("FILLED", "10")
    assert len(desk.at_venue()) == 1
    agrees(10)


@pytest.mark.parametrize("again", [None, "duplicate_rows", "partial_page"])
def test_a_fill_that_was_never_told_is_found_by_asking(gateway, alice, desk, fault, agrees, again):
    fault("lost_fill")
    order_id = alice.placed(**MARKET)
    alice.until_status(order_id, "NEW")
    if again:
        fault(again)
    gateway.reconcile(desk)
    gateway.reconcile(desk)
    order = alice.until_final(order_id)
    assert order["ord_status"] == "FILLED"
    assert len(alice.executions(order_id)) == 1
    agrees(10)


def test_a_fill_told_under_another_ones_id_is_not_booked_as_that_one(
    gateway, alice, desk, fault, agrees
):
    alice.until_final(alice.placed(**MARKET))
    fault("same_exec_id")
    order_id = alice.placed("BUY", "5", **MARKET)
    order = alice.until_final(order_id)
    assert (order["ord_status"], order["cum_qty"]) == ("FILLED", "5")
    agrees(15)


@pytest.mark.parametrize(
    ("switch", "cum_qty"), [("cancel_lost", "0"), ("fill_after_cancel", "5"), ("lose_ack", "0")]
)
def test_a_cancel_ends_as_the_venue_has_it(
    impatient, gateway, alice, fault, agrees, switch, cum_qty
):
    order_id = alice.placed(**RESTS)
    alice.until_status(order_id, "NEW")
    fault(switch, command="CANCEL")
    assert alice.cancel(order_id).status == 202
    order = alice.until(
        order_id, lambda o: (o["ord_status"], o["cum_qty"]) == ("CANCELED", cum_qty)
    )
    assert order["leaves_qty"] == "0"
    agrees(Decimal(cum_qty))


def test_a_working_order_called_unknown_stays_and_can_be_cancelled(gateway, alice, fault, agrees):
    order_id = alice.placed(**RESTS)
    alice.until_status(order_id, "NEW")
    fault("cancel_refused_but_live", command="CANCEL")
    alice.cancel(order_id)
    order = alice.until(order_id, lambda o: not o["pending"])
    if order["ord_status"] == "NEW":  # the refusal stood until the venue was asked
        assert alice.cancel(order_id).status == 202
    assert alice.until_final(order_id)["ord_status"] == "CANCELED"
    agrees(0)


@pytest.mark.parametrize(
    ("switch", "ended"),
    [
        ("unsolicited_cancel", "CANCELED"),
        ("expire_early", "EXPIRED"),
        ("reject_after_new", "REJECTED"),
        ("wrong_echo", "CANCELED"),
    ],
)
def test_an_order_the_venue_ends_or_misreads_is_closed(
    gateway, alice, fault, agrees, switch, ended
):
    fault(switch)
    order = alice.until_final(alice.placed(**RESTS))
    assert (order["ord_status"], order["cum_qty"]) == (ended, "0")
    agrees(0)


def test_terms_the_venue_states_by_itself_are_those_of_the_order(gateway, alice, fault, agrees):
    fault("unsolicited_restate")
    order_id = alice.placed(**RESTS)
    order = alice.until(order_id, lambda o: o["order_qty"] == "5")
    assert (order["ord_status"], order["leaves_qty"]) == ("NEW", "5")
    alice.cancel(order_id)
    assert alice.until_final(order_id)["ord_status"] == "CANCELED"
    agrees(0)


def test_order_numbers_that_begin_again_confuse_nobody(gateway, alice, desk, fault, agrees):
    first = alice.until_final(alice.placed(**MARKET))
    fault("id_reset")
    second_id = alice.placed("SELL", "4", **MARKET)
    second = alice.until_final(second_id)
    assert first["order_id"] == second["order_id"]
    assert (second["ord_status"], second["cum_qty"]) == ("FILLED", "4")
    assert alice.order(first["id"])["cum_qty"] == "10"
    agrees(6)


def test_an_outage_holds_orders_back_and_loses_none(gateway, market, alice, desk, fault, agrees):
    fault("outage")
    order_id = alice.placed("BUY", "10", price="1000.50", tif="GTC")
    alice.until(order_id, lambda o: [c["state"] for c in o["pending"]] == ["QUEUED"])
    assert desk.at_venue() == []
    fault("outage", times=0)
    market.again()
    order = alice.until_final(order_id)
    assert (order["ord_status"], order["cum_qty"]) == ("FILLED", "10")
    agrees(10)
