"""Corrections and busts leave the books that the surviving executions alone would have made."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trading.journal import Fill, Ledger, Reason, balance
from trading.lots import TaxLotMethod
from trading.rebooking import Book, OpenLots, PositionBook, lots_before, rebook
from trading.vocabulary import Side

D = Decimal
START = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)
SPX = Book("PAPER-1", "SPX", "USD")


def fill(n: int, side: Side, qty: str, px: str, fee: str = "0", currency: str = "USD") -> Fill:
    return Fill(
        execution_id=f"E{n:03}",
        order_id=f"O{n}",
        exec_id=f"X{n}",
        side=side,
        last_qty=D(qty),
        last_px=D(px),
        fee=D(fee),
        fee_currency=currency,
        transact_time=START + timedelta(seconds=n),
    )


def booked(*fills: Fill, where: Book = SPX) -> PositionBook:
    book = PositionBook(where)
    for item in fills:
        book.fill(item, item.transact_time)
    return book


def view(book: PositionBook) -> dict[str, object]:
    return {
        "lots": book.lots,
        "qty": book.qty,
        "cost": book.cost,
        "realized": book.realized,
        "sums": book.sums(),
        "closures": [item.change.closures for item in book.history],
        "opened": [item.change.opened for item in book.history],
    }


BUY = fill(1, Side.BUY, "10", "100", "1")
MORE = fill(2, Side.BUY, "10", "120")
SALE = fill(3, Side.SELL, "15", "130", "2")


def test_a_bust_takes_everything_back() -> None:
    book = booked(BUY)
    result = book.correct("E001", None, ref="C1", at=START)
    assert [entry.reason for entry in result.entries] == [Reason.REVERSAL]
    assert (book.lots, book.qty, book.cost, book.realized, book.sums()) == ((), 0, 0, 0, {})
    assert result.qty_delta == -10


def test_a_bust_of_a_purchase_sold_since_leaves_the_sale_short() -> None:
    book = booked(BUY, SALE)
    book.correct("E001", None, ref="C1", at=START)
    assert view(book) == view(booked(SALE))
    assert book.qty == -15


def test_a_corrected_price_moves_the_profit_of_a_later_sale() -> None:
    book = booked(BUY, MORE, SALE)
    assert book.realized == 10 * 30 + 5 * 10
    result = book.correct("E001", replace(BUY, last_px=D(110)), ref="C1", at=START)
    assert book.realized == 10 * 20 + 5 * 10
    assert result.moved == {"E001", "E003"}
    assert [entry.reason for entry in result.entries] == [Reason.REVERSAL, Reason.REBOOKING]
    assert book.sums()["USD", Ledger.CASH] == -1100 - 1200 + 1950 - 3


def test_what_no_later_fill_met_stays_as_it_was() -> None:
    book = booked(BUY, MORE)
    result = book.correct("E002", replace(MORE, last_px=D(121)), ref="C1", at=START)
    assert result.moved == {"E002"}
    assert book.history[0].change.lots == (booked(BUY).lots)


def test_a_fee_alone_can_be_corrected_in_its_own_currency() -> None:
    book = booked(replace(BUY, fee=D("0.01"), fee_currency="BNB"))
    book.correct("E001", replace(BUY, fee=D("0.02"), fee_currency="BNB"), ref="C1", at=START)
    assert book.sums()["BNB", Ledger.FEES] == D("0.02")
    assert book.sums()["BNB", Ledger.CASH] == D("-0.02")


def test_only_the_execution_itself_is_corrected() -> None:
    with pytest.raises(ValueError, match="does not correct"):
        booked(BUY).correct("E001", MORE, ref="C1", at=START)
    with pytest.raises(KeyError):
        booked(BUY).correct("E002", None, ref="C1", at=START)
    with pytest.raises(ValueError, match="needs the booking"):
        rebook((), (), None, ref="C1", at=START, where=SPX)


SIDES = st.sampled_from([Side.BUY, Side.SELL, Side.SELL_SHORT])
QTY = st.decimals("0.001", "20", places=3)
PX = st.decimals("0.01", "500", places=2)
FEE = st.decimals("-1", "2", places=4)
STEP = st.tuples(
    st.sampled_from(["fill", "fill", "fill", "correct", "bust"]), SIDES, QTY, PX, FEE, st.integers()
)


@given(
    steps=st.lists(STEP, max_size=14),
    method=st.sampled_from(list(TaxLotMethod)),
    multiplier=st.sampled_from([D(1), D("0.1"), D(50)]),
)
@settings(max_examples=300, deadline=None)
def test_books_are_those_of_the_surviving_executions(steps, method, multiplier) -> None:
    where = replace(SPX, method=method, multiplier=multiplier)
    book, standing = PositionBook(where), {}
    for n, (what, side, qty, px, fee, pick) in enumerate(steps):
        at = START + timedelta(seconds=n)
        if what == "fill" or not standing:
            item = fill(n, side, str(qty), str(px), str(fee))
            standing[item.execution_id] = item
            book.fill(item, item.transact_time)
            continue
        name = sorted(standing)[pick % len(standing)]
        if what == "bust":
            del standing[name]
            result = book.correct(name, None, ref=f"C{n}", at=at)
        else:
            standing[name] = replace(standing[name], last_qty=qty, last_px=px, fee=fee)
            result = book.correct(name, standing[name], ref=f"C{n}", at=at)
        assert result.lots == book.lots
    alone = booked(*standing.values(), where=where)
    assert view(book) == view(alone)
    quick = OpenLots(where)
    changes = [quick.book(item, item.transact_time).change for item in standing.values()]
    assert sorted(quick.lots, key=str) == sorted(alone.lots, key=str)
    assert quick.qty == alone.qty
    assert [(c.closures, c.opened) for c in changes] == [
        (item.change.closures, item.change.opened) for item in alone.history
    ]
    for entry in book.entries:
        assert set(balance(entry.lines).values()) <= {D(0)}
    per_currency: dict[str, Decimal] = {}
    for (currency, _), amount in book.sums().items():
        per_currency[currency] = per_currency.get(currency, D(0)) + amount
    assert set(per_currency.values()) <= {D(0)}


@given(steps=st.lists(st.tuples(SIDES, QTY, PX), min_size=1, max_size=10), cut=st.integers(0, 9))
def test_the_lots_of_a_past_moment_follow_from_what_was_opened_and_closed(steps, cut) -> None:
    book = booked(*[fill(n, side, str(q), str(p)) for n, (side, q, p) in enumerate(steps)])
    past = book.history[: cut % (len(steps) + 1)]
    opened = [item.change.opened for item in past if item.change.opened is not None]
    closures = [closure for item in past for closure in item.change.closures]
    wanted = past[-1].change.lots if past else ()
    assert sorted(lots_before(opened, closures), key=str) == sorted(wanted, key=str)
