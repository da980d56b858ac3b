"""Entries balance, and profit is exactly what equity gained."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading import exact, pnl
from trading.journal import (
    Entry,
    Fill,
    Ledger,
    Line,
    Reason,
    balance,
    entry_for_deposit,
    entry_for_fill,
    sums_by_ledger,
)
from trading.lots import apply_fill, total_cost, total_qty
from trading.pnl import Holding, Ledgers
from trading.vocabulary import Side

D = Decimal
ZERO = D(0)
NOW = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)


def a_fill(side: Side, qty: D, px: D, fee: D = ZERO, fee_currency: str = "USD", n: int = 0) -> Fill:
    return Fill(
        execution_id=f"E{n:03}",
        order_id="O1",
        exec_id=f"X{n}",
        side=side,
        last_qty=qty,
        last_px=px,
        fee=fee,
        fee_currency=fee_currency,
        transact_time=NOW + timedelta(seconds=n),
    )


def booked(lots, fill: Fill):
    change = apply_fill(
        lots,
        lot_id=fill.execution_id,
        side=fill.side,
        last_qty=fill.last_qty,
        last_px=fill.last_px,
        at=fill.transact_time,
    )
    entry = entry_for_fill(
        fill, change, account="PAPER-1", symbol="SPX", currency="USD", at=fill.transact_time
    )
    return change, entry


def test_a_purchase_turns_cash_into_position_and_pays_its_fee():
    _, entry = booked([], a_fill(Side.BUY, D(10), D(100), fee=D("1.25")))
    assert [(line.ledger, line.amount) for line in entry.lines] == [
        (Ledger.CASH, D(-1000)),
        (Ledger.POSITION_COST, D(1000)),
        (Ledger.FEES, D("1.25")),
        (Ledger.CASH, D("-1.25")),
    ]
    assert entry.lines[1].qty == 10
    assert (entry.reason, entry.ref) == (Reason.FILL, "E000")


def test_a_sale_takes_cost_out_and_books_the_gain_as_income():
    change, _ = booked([], a_fill(Side.BUY, D(10), D(100)))
    _, entry = booked(change.lots, a_fill(Side.SELL, D(4), D(110), n=1))
    assert sums_by_ledger(entry.lines) == {
        ("USD", Ledger.CASH): D(440),
        ("USD", Ledger.POSITION_COST): D(-400),
        ("USD", Ledger.REALIZED_PNL): D(-40),
    }


def test_a_fee_in_another_currency_balances_in_its_own():
    _, entry = booked([], a_fill(Side.BUY, D(1), D(5), fee=D("0.001"), fee_currency="BNB"))
    assert balance(entry.lines) == {"USD": D(0), "BNB": D(0)}
    assert sums_by_ledger(entry.lines)["BNB", Ledger.CASH] == D("-0.001")


def test_a_rebate_is_a_negative_fee():
    _, entry = booked([], a_fill(Side.BUY, D(1), D(5), fee=D("-0.5")))
    assert sums_by_ledger(entry.lines)["USD", Ledger.CASH] == D("-4.5")


def test_a_fee_of_more_digits_than_money_has_is_rounded_once():
    _, entry = booked([], a_fill(Side.BUY, D(1), D(5), fee=D("0.0123456789012345678901")))
    sums = sums_by_ledger(entry.lines)
    assert sums["USD", Ledger.FEES] == D("0.012345678901234568")
    assert sums["USD", Ledger.CASH] == D("-5.012345678901234568")


def test_a_deposit_is_capital():
    entry = entry_for_deposit(account="A", currency="USD", amount=D(100), ref="opening", at=NOW)
    assert sums_by_ledger(entry.lines) == {
        ("USD", Ledger.CASH): D(100),
        ("USD", Ledger.CAPITAL): D(-100),
    }
    with pytest.raises(ValueError, match="positive"):
        entry_for_deposit(account="A", currency="USD", amount=D(0), ref="none", at=NOW)


def test_an_entry_that_does_not_balance_cannot_be_made():
    with pytest.raises(ValueError, match="does not balance"):
        Entry(NOW, Reason.DEPOSIT, "x", (Line("A", Ledger.CASH, "USD", D(1)),))
    with pytest.raises(ValueError, match="does not balance"):  # not even across currencies
        Entry(
            NOW,
            Reason.DEPOSIT,
            "x",
            (Line("A", Ledger.CASH, "USD", D(1)), Line("A", Ledger.CAPITAL, "EUR", D(-1))),
        )


def test_average_price_follows_from_cost_for_long_and_short():
    assert pnl.average_price(D(4), D(402), D(1)) == D("100.5")
    assert pnl.average_price(D(-4), D(-402), D(1)) == D("100.5")
    assert pnl.average_price(D(2), D(100500), D(1000)) == D("50.25")
    assert pnl.average_price(D(3), D(100), D(1)) == D("33.333333333333")
    assert pnl.average_price(D(0), D(0), D(1)) is None


def test_unrealised_gain_by_side():
    assert pnl.unrealized(D(10), D(1000), D(110)) == 100
    assert pnl.unrealized(D(-10), D(-1000), D(110)) == -100
    assert pnl.unrealized(D(0), D(0), None) == 0
    assert pnl.unrealized(D(1), D(1), None) is None


def test_what_has_no_mark_is_not_known_rather_than_zero():
    held = [Holding("SPX", D(1), D(100)), Holding("IXIC", D(2), D(100))]
    books = pnl.value(Ledgers(D(1000), D(7), D(2)), held, {"SPX": D(120)})
    assert books.unmarked == ("IXIC",)
    assert (books.unrealized, books.equity, books.total) == (None, None, None)
    assert (books.cash, books.realized) == (1000, 7)


def test_flat_positions_need_no_mark():
    books = pnl.value(Ledgers(D(1000), D(7), D(2)), [Holding("SPX", D(0), D(0))], {})
    assert (books.unrealized, books.equity, books.total) == (0, 1000, 5)


fills_made = st.lists(
    st.tuples(
        st.sampled_from(Side),
        st.decimals(min_value="0.00000001", max_value="1000000", places=8),
        st.decimals(min_value="-40", max_value="100000", places=4),
        st.decimals(min_value="-5", max_value="5", places=6),
    ),
    max_size=15,
)


@given(
    made=fills_made,
    capital=st.decimals(min_value="0.01", max_value="1e9", places=2),
    mark=st.decimals(min_value="-40", max_value="100000", places=4),
)
def test_realised_and_unrealised_after_fees_are_what_equity_gained(made, capital, mark):
    entries = [
        entry_for_deposit(account="A", currency="USD", amount=capital, ref="opening", at=NOW)
    ]
    lots = ()
    for n, (side, qty, px, fee) in enumerate(made):
        change, entry = booked(lots, a_fill(side, qty, px, fee, n=n))
        lots = change.lots
        entries.append(entry)
    assert all(set(balance(entry.lines).values()) == {D(0)} for entry in entries)

    sums = sums_by_ledger(line for entry in entries for line in entry.lines)
    assert sums.get(("USD", Ledger.POSITION_COST), D(0)) == total_cost(lots)
    units = exact.total(line.qty for entry in entries for line in entry.lines if line.qty)
    assert units == total_qty(lots)
    books = pnl.value(
        Ledgers(
            cash=sums["USD", Ledger.CASH],
            realized=exact.negate(sums.get(("USD", Ledger.REALIZED_PNL), D(0))),
            fees=sums.get(("USD", Ledger.FEES), D(0)),
        ),
        [Holding("SPX", total_qty(lots), total_cost(lots))],
        {"SPX": mark},
    )
    assert books.total == exact.subtract(books.equity, capital)
