"""Faults at Interactive Brokers, by the row of the fault table, through the system."""

from decimal import Decimal

from oms.models import Command
from tests.simulators.faults import Fault

LIMIT = {"price": "950.00", "tif": "GTC"}


def at_tws(tws, order_id):
    """The orders the brokerage has under our id."""
    return [
        ticket
        for ticket in tws.served.brokerage.tickets.values()
        if ticket.order_ref.startswith(order_id)
    ]


def test_an_order_is_filled_charged_and_booked(gateway, tws, alice, desk) -> None:
    order_id = alice.placed("BUY", "10")
    order = alice.until_final(order_id)
    assert (order["ord_status"], order["cum_qty"]) == ("FILLED", "10")
    assert alice.executions(order_id) == [("10", "1000.5")]
    alice.until(order_id, lambda _: "TRADE_CORRECT" in alice.words(order_id))
    gateway.reconcile(desk)
    assert alice.get(f"/breaks?account={desk.code}").json["items"] == []


def test_f01_an_answer_that_never_comes_is_unknown_and_found(gateway, impatient, tws, alice, desk):
    tws.served.faults.on("in:placeOrder", Fault.SWALLOW)
    order_id = alice.placed(**LIMIT)
    alice.until_unknown(order_id)
    alice.until_status(order_id, "NEW")
    assert len(at_tws(tws, order_id)) == 1
    assert [name for name, _ in tws.served.received].count("placeOrder") == 1


def test_f02_an_order_the_venue_never_read_is_proved_absent(gateway, impatient, tws, alice, desk):
    tws.served.faults.on("in:placeOrder", Fault.DROP)
    order_id = alice.placed(**LIMIT)
    order = alice.until_final(order_id)
    assert order["ord_status"] == "REJECTED"
    assert at_tws(tws, order_id) == []
    (command,) = desk.rows(Command, order_id=order_id)
    assert (command.state, command.outcome_code) == ("REFUSED", "NOT_RECEIVED")


def test_f03_an_order_carried_out_before_the_line_fell_is_found(
    gateway, impatient, tws, alice, desk
):
    tws.served.faults.on("in:placeOrder", Fault.KILL)
    order_id = alice.placed(**LIMIT)
    alice.until_status(order_id, "NEW")
    assert len(at_tws(tws, order_id)) == 1


def test_f05_an_unheard_order_that_fills_meanwhile_is_booked_once(
    gateway, impatient, tws, alice, desk
):
    tws.served.faults.on("in:placeOrder", Fault.SWALLOW)
    order_id = alice.placed("BUY", "10")
    order = alice.until_final(order_id)
    assert (order["ord_status"], order["cum_qty"]) == ("FILLED", "10")
    assert alice.executions(order_id) == [("10", "1000.5")]


def test_f11_a_fill_told_twice_is_one_execution(gateway, tws, alice, desk):
    tws.served.faults.on("out:execDetails", Fault.DUPLICATE)
    order_id = alice.placed("BUY", "10")
    alice.until_final(order_id)
    assert alice.executions(order_id) == [("10", "1000.5")]


def test_f14_a_fill_before_any_acknowledgement_proves_the_order(gateway, tws, alice, desk):
    tws.served.faults.on("out:openOrder", Fault.SWALLOW)
    tws.served.faults.on("out:orderStatus", Fault.SWALLOW)
    order_id = alice.placed("BUY", "10")
    order = alice.until_final(order_id)
    assert (order["ord_status"], order["cum_qty"]) == ("FILLED", "10")


def test_f17_a_fill_that_was_never_told_is_found_by_reconciliation(gateway, tws, alice, desk):
    tws.served.faults.on("out:execDetails", Fault.SWALLOW)
    order_id = alice.placed("BUY", "10")
    alice.until_final(order_id)
    assert alice.executions(order_id) == [("10", "1000.5")]


def test_f24_a_cancel_the_venue_says_it_does_not_know_leaves_a_live_order_live(
    gateway, impatient, tws, alice, desk
):
    order_id = alice.placed(**LIMIT)
    alice.until_status(order_id, "NEW")
    tws.served.faults.on("in:cancelOrder", Fault.ERROR, code=10147, text="is not found")
    alice.cancel(order_id)
    alice.until_status(order_id, "NEW")
    assert alice.words(order_id)[-1] == "REQUEST_REFUSED"
    assert at_tws(tws, order_id)[0].is_live


def test_f33_a_correction_replaces_the_execution_it_corrects(gateway, tws, alice, desk):
    order_id = alice.placed("BUY", "10")
    alice.until_final(order_id)
    (fill,) = tws.served.brokerage.fills
    tws.do(tws.served.tell(tws.served.brokerage.correct(fill, shares="8", price="1000.25")))
    order = alice.until(order_id, lambda o: o["cum_qty"] == "8")
    assert order["avg_px"] == "1000.25"
    assert Decimal(alice.get(f"/positions?account={desk.code}").json["items"][0]["qty"]) == 8


def test_f51_fills_of_a_lost_line_are_booked_after_the_reconnect(gateway, tws, alice, desk):
    order_id = alice.placed(**LIMIT)
    alice.until_status(order_id, "NEW")
    tws.served.faults.on("out:execDetails", Fault.KILL)
    tws.do(tws.served.quote("SPX", "949.00", "949.50"))
    order = alice.until_final(order_id)
    assert (order["ord_status"], order["cum_qty"]) == ("FILLED", "10")
    assert len(alice.executions(order_id)) == 1


def test_f54_a_warning_changes_nothing(gateway, tws, alice, desk):
    order_id = alice.placed(**LIMIT)
    alice.until_status(order_id, "NEW")
    ticket = at_tws(tws, order_id)[0]
    for code in (399, 110, 2109):
        tws.do(tws.served.tell([tws.served.brokerage.warning(ticket, code, "a warning")]))
    alice.cancel(order_id)
    alice.until_status(order_id, "CANCELED")
    assert alice.words(order_id) == ["PENDING_NEW", "NEW", "PENDING_CANCEL", "CANCELED"]
