"""The presenters of the grids: exact strings in, strings out, nothing computed."""

import json
from decimal import Decimal

import pytest

from portal.rows import execution_row, order_row, position_row, quote_cells

EXECUTION = {
    "id": "01E",
    "order_id": "01O",
    "broker_order_id": "B1",
    "exec_id": "x-1",
    "exec_type": "TRADE",
    "side": "SELL",
    "symbol": "SPX",
    "last_qty": "40",
    "last_px": "1126.250000000001",
    "fee": "0",
    "fee_currency": "USD",
    "liquidity": None,
    "late": True,
    "transact_time": "2026-03-02T15:00:00.000000Z",
}


def test_an_order_keeps_every_digit_and_its_version(order_data):
    row = order_row(order_data("01O", price="0.000000000001", avg_px="1126.333333333333"))
    assert (row.id, row.v) == ("01O", 1)
    assert row.row["price"] == "0.000000000001"
    assert row.row["avg_px"] == "1126.333333333333"
    assert row.row["stop_px"] == ""
    assert all(isinstance(value, str) for value in row.row.values())
    assert json.loads(json.dumps(row.as_json())) == row.as_json()


@pytest.mark.parametrize(
    ("status", "is_open"),
    [("NEW", "yes"), ("PARTIALLY_FILLED", "yes"), ("PENDING_CANCEL", "yes"), ("FILLED", ""),
     ("CANCELED", ""), ("REJECTED", ""), ("EXPIRED", "")],
)  # fmt: skip
def test_whether_an_order_may_still_trade(order_data, status, is_open):
    assert order_row(order_data("01O", ord_status=status)).row["is_open"] == is_open


def test_a_command_without_proof_is_said_with_its_first_instant(order_data):
    pending = [
        {"kind": "NEW", "cl_ord_id": "a", "state": "UNKNOWN", "since": "2026-03-02T15:00:02Z"},
        {"kind": "CANCEL", "cl_ord_id": "b", "state": "UNKNOWN", "since": "2026-03-02T15:00:01Z"},
        {"kind": "CANCEL", "cl_ord_id": "d", "state": "SENT", "since": "2026-03-02T14:00:00Z"},
    ]
    row = order_row(order_data("01O", pending=pending)).row
    assert row["pending"] == "NEW UNKNOWN, CANCEL UNKNOWN, CANCEL SENT"
    assert row["unknown_since"] == "2026-03-02T15:00:01Z"
    assert order_row(order_data("01O")).row["unknown_since"] == ""


def test_a_closed_status_is_one_the_core_knows(order_data):
    from portal.rows import CLOSED
    from trading.vocabulary import OrdStatus

    assert {status.value for status in OrdStatus} >= CLOSED


def test_an_execution_names_its_account():
    row = execution_row(EXECUTION, account="PAPER-1")
    assert row.id == "01E"
    assert row.row["account"] == "PAPER-1"
    assert row.row["last_px"] == "1126.250000000001"
    assert (row.row["late"], row.row["liquidity"]) == ("yes", "")


def test_a_position_without_a_mark_shows_nothing_rather_than_zero():
    position = {
        "account": "A", "symbol": "SPX", "qty": "-5", "avg_px": "10.5", "cost": "-52.5",
        "mark": None, "mark_at": None, "market_value": None, "unrealized_pnl": None,
        "realized_pnl": "0", "currency": "USD", "simulated": None, "updated_at": "t",
    }  # fmt: skip
    row = position_row(position, v=17)
    assert (row.id, row.v) == ("A:SPX", 17)
    assert (row.row["unrealized_pnl"], row.row["realized_pnl"]) == ("", "0")
    assert row.row["qty"] == "-5"


def test_a_quote_says_that_it_is_simulated():
    quote = {"symbol": "SPX", "last": "1", "bid": "2", "ask": "3", "at": "t", "simulated": True}
    cells = quote_cells(quote)
    assert (cells["k"], cells["last"], cells["t"], cells["sim"]) == ("SPX", "1", "t", "yes")
    assert quote_cells({**quote, "simulated": False})["sim"] == ""


@pytest.mark.parametrize("number", [1.5, 2, Decimal("1.5")])
def test_an_amount_that_is_no_string_is_a_fault_not_a_row(order_data, number):
    with pytest.raises(TypeError):
        order_row(order_data("01O", price=number))
