"""Amending at a venue that can only cancel an order and take another in its place."""

import asyncio
from dataclasses import replace

import pytest

from brokers.adapters.base import Rejected, Unknown
from brokers.adapters.capabilities import Amend
from brokers.adapters.paper.adapter import PaperBroker
from oms.models import Break, Command, ParkedReport
from tests.journeys.cast import until
from trading.vocabulary import OrdRejReason


@pytest.fixture(autouse=True)
def cancels_and_takes_another(monkeypatch):
    capabilities = replace(PaperBroker.capabilities, amend=Amend.CANCEL_NEW)
    monkeypatch.setattr(PaperBroker, "capabilities", capabilities)


@pytest.fixture
def part_filled(gateway, alice):
    """A GTC order of 150 with 100 filled, at the ask's price."""
    order_id = alice.placed("BUY", "150", price="1000.50", tif="GTC", id="head")
    alice.until_status(order_id, "PARTIALLY_FILLED")
    return order_id


@pytest.fixture
def before_the_cancel(monkeypatch, market):
    """Let the market trade so much in the instant in which the venue hears of the cancel."""

    def _before_the_cancel(size: int) -> None:
        cancel = PaperBroker.cancel

        async def crossed(self, request):
            market.show("999.50", "1000.50", size=size)
            await asyncio.sleep(0)  # the venue hears the price first
            return await cancel(self, request)

        monkeypatch.setattr(PaperBroker, "cancel", crossed)

    return _before_the_cancel


def settled(alice, order_id):
    return alice.until(order_id, lambda order: not order["pending"])


def quantities(desk):
    return [(row.order_qty, row.cum_qty, row.is_working) for row in desk.at_venue()]


def test_the_rest_works_under_the_new_terms_and_counts_for_the_whole(
    part_filled, gateway, market, alice, desk
):
    assert alice.replace(part_filled, order_qty="170", price="950.00", cl_ord_id="Y").status == 202
    order = settled(alice, part_filled)
    shown = [order[name] for name in ("ord_status", "cl_ord_id", "order_qty", "cum_qty", "price")]
    assert shown == ["PARTIALLY_FILLED", "Y", "170", "100", "950"]
    assert quantities(desk) == [(150, 100, False), (70, 0, True)]
    gateway.reconcile(desk)
    assert alice.order(part_filled)["order_qty"] == "170"
    again = alice.replace(part_filled, order_qty="180", price="951.00")
    assert again.status == 202
    assert settled(alice, part_filled)["leaves_qty"] == "80"
    market.show("940.00", "941.00", size=30)
    alice.until(part_filled, lambda o: o["cum_qty"] == "130")
    gateway.reconcile(desk)
    market.show("940.00", "941.00", size=100)
    order = alice.until_final(part_filled)
    assert (order["ord_status"], order["cum_qty"], order["overfill_qty"]) == ("FILLED", "180", "0")
    assert desk.rows(ParkedReport, account_id=desk.account_id) == []
    assert alice.get(f"/breaks?account={desk.code}").json["items"] == []


def test_row_40_a_cancel_that_worked_before_a_new_order_that_is_refused_is_told(
    part_filled, monkeypatch, alice, desk
):
    async def full(_self, _order):
        return Rejected(OrdRejReason.OTHER, "the book is full")

    monkeypatch.setattr(PaperBroker, "submit", full)
    assert alice.replace(part_filled, order_qty="170", cl_ord_id="Y").status == 202
    order = alice.until_final(part_filled)
    assert (order["ord_status"], order["cum_qty"], order["leaves_qty"]) == ("CANCELED", "100", "0")
    assert order["text"] == "replace failed after cancel: the book is full"
    (alarm,) = desk.rows(Break, kind="REPLACE_HALF_DONE", subject=part_filled)
    assert "the book is full" in alarm.detail
    states = {row.kind: row.state for row in desk.rows(Command, order_id=part_filled)}
    assert states == {"NEW": "REFUSED", "REPLACE": "ACKED"}
    (balance,) = alice.get(f"/balances?account={desk.code}").json["items"]
    assert balance["reserved"] == "0"
    assert desk.rows(ParkedReport, account_id=desk.account_id) == []


def test_row_40_so_it_is_where_nothing_was_filled_and_the_new_order_expired_in_the_queue(
    gateway, monkeypatch, alice, desk
):
    order_id = alice.placed("BUY", "10", price="950.00", tif="GTC")
    alice.until_status(order_id, "NEW")
    monkeypatch.setattr("oms.services.protocol.why_not_sent", _no_new_order)
    assert alice.replace(order_id, price="951.00").status == 202
    order = alice.until_final(order_id)
    assert (order["ord_status"], order["text"]) == (
        "CANCELED",
        "replace failed after cancel: queue_expired",
    )
    assert len(desk.rows(Break, kind="REPLACE_HALF_DONE", subject=order_id)) == 1
    assert len(desk.at_venue()) == 1


def _no_new_order(command, _order, _now):
    return "queue_expired" if command.kind == "NEW" else None


def test_row_41_fills_that_complete_the_new_total_during_the_cancel_leave_nothing_to_send(
    part_filled, before_the_cancel, alice, desk
):
    before_the_cancel(20)
    assert alice.replace(part_filled, order_qty="120").status == 202
    order = settled(alice, part_filled)
    assert (order["ord_status"], order["order_qty"], order["cum_qty"]) == ("FILLED", "120", "120")
    assert order["overfill_qty"] == "0"
    assert quantities(desk) == [(150, 120, False)]


def test_row_41_fills_beyond_the_new_total_or_of_the_whole_order_count_and_nothing_is_sent(
    part_filled, before_the_cancel, alice, desk
):
    before_the_cancel(50)
    assert alice.replace(part_filled, order_qty="120").status == 202
    order = alice.until_final(part_filled)
    assert (order["ord_status"], order["cum_qty"]) == ("FILLED", "150")
    assert quantities(desk) == [(150, 150, False)]


def test_row_41_a_lost_answer_to_the_cancel_is_found_and_the_rest_is_sent_once(
    part_filled, impatient, monkeypatch, gateway, alice, desk
):
    cancel = PaperBroker.cancel

    async def lost(self, request):
        self.on_message, hears = silent, self.on_message
        await cancel(self, request)
        await asyncio.sleep(0.05)
        self.on_message = hears
        monkeypatch.setattr(PaperBroker, "cancel", cancel)
        return Unknown("the line dropped")

    async def silent(_account, _raw):
        """What the venue says now reaches nobody."""

    monkeypatch.setattr(PaperBroker, "cancel", lost)
    assert alice.replace(part_filled, order_qty="170", price="950.00").status == 202
    order = settled(alice, part_filled)
    assert (order["ord_status"], order["order_qty"], order["cum_qty"]) == (
        "PARTIALLY_FILLED", "170", "100",
    )  # fmt: skip
    until(lambda: quantities(desk) == [(150, 100, False), (70, 0, True)], "the rest is there once")


def test_a_cancel_asked_for_meanwhile_ends_the_order(part_filled, gateway, alice, desk):
    gateway.stop()
    assert alice.replace(part_filled, order_qty="170").status == 202
    assert alice.cancel(part_filled).status == 202
    gateway.start()
    order = alice.until_final(part_filled)
    assert (order["ord_status"], order["cum_qty"]) == ("CANCELED", "100")
    assert quantities(desk) == [(150, 100, False)]


def test_where_a_venue_amends_nothing_a_replace_is_refused_before_the_wire(
    part_filled, monkeypatch, alice, desk
):
    nothing = replace(PaperBroker.capabilities, amend=Amend.NONE)
    monkeypatch.setattr(PaperBroker, "capabilities", nothing)
    refused = alice.replace(part_filled, order_qty="170")
    assert (refused.status, refused.code) == (422, "unsupported_by_venue")
    assert desk.rows(Command, order_id=part_filled, kind="REPLACE") == []
