"""Corrections and busts reach lots, journal, position and cash in the report's transaction."""

from decimal import Decimal

import pytest

from oms.models import Execution, Order, ParkedReport
from oms.services.reports import Incoming, apply_reports
from portfolio.models import JournalEntry, Lot, LotClosure, Position
from tests.journeys.cast import fresh, utcnow
from trading.orders.reports import ExecutionReport
from trading.vocabulary import ExecType, ReportSource

D = Decimal
LIMIT = {"price": "950.00", "tif": "GTC"}


@pytest.fixture
def say(market, desk):
    def _say(order: str, word: str, exec_id: str, **more) -> str:
        report = ExecutionReport(
            exec_type=ExecType(word),
            source=ReportSource.VENUE,
            exec_id=exec_id,
            transact_time=utcnow(),
            venue_cl_ord_id=order,
            **more,
        )
        (folded,) = apply_reports(
            schema=desk.schema,
            account_id=desk.account_id,
            incoming=[Incoming(report, None)],
            actor="system:test",
            now=utcnow(),
        )
        return "DUPLICATE" if folded.duplicate else folded.verdict.value

    return _say


@pytest.fixture
def trade(say):
    def _trade(order: str, qty: str, px: str, **more) -> str:
        exec_id = fresh("E")
        say(order, "TRADE", exec_id, last_qty=D(qty), last_px=D(px), **more)
        return exec_id

    return _trade


def position(desk) -> tuple[Decimal, Decimal, Decimal]:
    (row,) = desk.rows(Position, account_id=desk.account_id)
    return row.qty, row.cost, row.realized_pnl


def test_a_busted_fill_leaves_nothing_behind(desk, alice, say, trade):
    order = alice.placed("BUY", "100", **LIMIT)
    kept, busted = trade(order, "30", "950"), trade(order, "70", "949", fee=D(2))
    assert alice.order(order)["ord_status"] == "FILLED"
    assert say(order, "TRADE_CANCEL", fresh("B"), exec_ref_id=busted) == "APPLIED"
    shown = alice.order(order)
    assert (shown["ord_status"], shown["cum_qty"], shown["leaves_qty"]) == (
        "PARTIALLY_FILLED",
        "30",
        "70",
    )
    assert position(desk) == (30, 30 * 950, 0)
    reasons = [row.reason for row in desk.rows(JournalEntry, account_id=desk.account_id)]
    assert reasons.count("REVERSAL") == 1
    assert "REBOOKING" not in reasons
    (lot,) = [row for row in desk.rows(Lot, position__account_id=desk.account_id) if row.qty]
    assert lot.qty == 30
    assert desk.rows(ParkedReport, account_id=desk.account_id) == []
    assert kept != busted


def test_a_correction_of_a_purchase_reaches_the_sale_that_closed_it(desk, alice, say, trade):
    buy = alice.placed("BUY", "10", **LIMIT)
    bought = trade(buy, "10", "950")
    sale = alice.placed("SELL", "4", price="960.00", tif="GTC")
    trade(sale, "4", "960", fee=D("0.5"))
    assert position(desk) == (6, 5700, 40)
    more = {"exec_ref_id": bought, "last_qty": D(10), "last_px": D(955)}
    assert say(buy, "TRADE_CORRECT", fresh("C"), **more) == "APPLIED"
    assert position(desk) == (6, 5730, 20)
    rows = desk.rows(LotClosure, lot__position__account_id=desk.account_id)
    assert [(row.cost, row.superseded_by is None) for row in rows] == [(3800, False), (3820, True)]


def test_a_bust_of_what_was_sold_since_turns_the_position_short(desk, alice, say, trade):
    buy = alice.placed("BUY", "10", **LIMIT)
    bought = trade(buy, "10", "950")
    sale = alice.placed("SELL", "4", price="960.00", tif="GTC")
    trade(sale, "4", "960")
    say(buy, "TRADE_CANCEL", fresh("B"), exec_ref_id=bought)
    assert position(desk) == (-4, -3840, 0)
    assert alice.order(buy)["ord_status"] == "NEW"


def test_a_chain_of_corrections_and_the_same_one_twice(desk, alice, say, trade):
    order = alice.placed("BUY", "100", **LIMIT)
    first = trade(order, "40", "950", fee=D(1))
    second, third = fresh("C"), fresh("C")
    one = {"exec_ref_id": first, "last_qty": D(30), "last_px": D(949)}
    two = {"exec_ref_id": second, "last_qty": D(35), "last_px": D(948), "fee": D(3)}
    say(order, "TRADE_CORRECT", second, **one)
    say(order, "TRADE_CORRECT", third, **two)
    before = len(desk.rows(JournalEntry, account_id=desk.account_id))
    assert say(order, "TRADE_CORRECT", third, **two) == "DUPLICATE"
    assert len(desk.rows(JournalEntry, account_id=desk.account_id)) == before
    assert position(desk) == (35, 35 * 948, 0)
    (row,) = desk.rows(Execution, account_id=desk.account_id, exec_id=second)
    assert row.fee == 1
    say(order, "TRADE_CANCEL", fresh("B"), exec_ref_id=third)
    assert position(desk) == (0, 0, 0)


def test_a_correction_ahead_of_its_trade_waits_and_is_booked_with_it(desk, alice, say, trade):
    order = alice.placed("BUY", "100", **LIMIT)
    exec_id = fresh("E")
    more = {"exec_ref_id": exec_id, "last_qty": D(20), "last_px": D(940)}
    assert say(order, "TRADE_CORRECT", fresh("C"), **more) == "HELD"
    assert desk.rows(Execution, account_id=desk.account_id) == []
    say(order, "TRADE", exec_id, last_qty=D(50), last_px=D(950))
    assert position(desk) == (20, 20 * 940, 0)
    (row,) = desk.rows(Order, pk=order)
    assert row.cum_qty == 20


def test_a_bust_after_the_cancel_leaves_the_order_closed(desk, alice, say, trade):
    order = alice.placed("BUY", "100", **LIMIT)
    exec_id = trade(order, "60", "950")
    say(order, "CANCELED", fresh("X"))
    assert say(order, "TRADE_CANCEL", fresh("B"), exec_ref_id=exec_id) == "LATE"
    shown = alice.order(order)
    assert (shown["ord_status"], shown["cum_qty"], shown["leaves_qty"]) == ("CANCELED", "0", "0")
    assert position(desk) == (0, 0, 0)


def test_the_same_correction_with_other_content_is_kept_aside(desk, alice, say, trade):
    order = alice.placed("BUY", "100", **LIMIT)
    ref, exec_id = trade(order, "40", "950"), fresh("C")
    say(order, "TRADE_CORRECT", exec_id, exec_ref_id=ref, last_qty=D(30), last_px=D(949))
    word = say(order, "TRADE_CORRECT", exec_id, exec_ref_id=ref, last_qty=D(31), last_px=D(949))
    assert word == "PARKED"
    reasons = [row.reason for row in desk.rows(ParkedReport, account_id=desk.account_id)]
    assert reasons == ["exec_conflict"]
    assert position(desk)[0] == 30


def test_a_venue_that_repeats_the_trades_id_corrects_it_twice(desk, alice, say, trade):
    order = alice.placed("BUY", "100", **LIMIT)
    ref = trade(order, "40", "950")
    for qty in (30, 20):
        say(order, "TRADE_CORRECT", ref, exec_ref_id=ref, last_qty=D(qty), last_px=D(949))
    assert position(desk) == (20, 20 * 949, 0)
    assert say(order, "TRADE_CANCEL", ref, exec_ref_id=ref) == "APPLIED"
    assert position(desk) == (0, 0, 0)


def test_a_split_books_no_position_and_adds_up(desk, alice, say, trade):
    order = alice.placed("BUY", "100", **LIMIT)
    trade(order, "40", "950")
    more = {"order_qty": D(200), "price": D(475), "cum_qty": D(80)}
    say(order, "RESTATED", fresh("S"), restatement_reason="CORPORATE_ACTION", **more)
    shown = alice.order(order)
    assert (shown["cum_qty"], shown["leaves_qty"]) == ("80", "120")
    assert position(desk)[0] == 40
