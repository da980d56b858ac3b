"""Corrected books are the books of what survives, in Postgres as in the core, to the last row."""

from dataclasses import replace
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portfolio import selectors
from portfolio.corrections import NotInTheBooks, book_correction
from portfolio.models import Balance, JournalEntry, Lot, LotClosure, Position
from tenants.binding import tenant_bound
from tests.portfolio.conftest import OPENING, desk_of
from trading.rebooking import Book, PositionBook

D = Decimal


class Books:
    """A desk that remembers which executions stand, as the orders would."""

    def __init__(self, desk) -> None:
        self.desk, self.standing, self.n = desk, {}, 0

    def fill(self, side: str, qty: str, px: str, fee: str = "0"):
        fill = self.desk.fill(side, qty, px, fee=fee)
        self.standing[fill.execution_id] = fill
        self.desk.book_again(fill)
        return fill

    def correct(self, fill, **new):
        self.n += 1
        before = self.standing[fill.execution_id]
        after = replace(before, **new) if new else None
        if after is None:
            del self.standing[fill.execution_id]
        else:
            self.standing[fill.execution_id] = after
        return book_correction(
            account=self.desk.one,
            instrument=self.desk.spx,
            correction_id=f"C{self.n}",
            before=before,
            after=after,
            fills_of=lambda ids: {i: self.standing[i] for i in ids if i in self.standing},
            transact_time=self.desk.now,
            actor_label="system:test",
            now=self.desk.now,
        )

    def alone(self) -> PositionBook:
        book = PositionBook(Book("BOOK-1", "SPX", "USD"))
        for fill in self.standing.values():
            book.fill(fill, min(fill.transact_time, self.desk.now))
        return book


def rows(desk) -> dict[str, object]:
    position = Position.objects.get(account=desk.one, symbol="SPX")
    balance = Balance.objects.get(account=desk.one, currency="USD")
    lots = Lot.objects.filter(position=position).exclude(qty=0)
    closures = LotClosure.objects.filter(lot__position=position, superseded_by=None)
    return {
        "position": (position.qty, position.cost, position.realized_pnl),
        "lots": {row.value for row in lots},
        "opened": {
            (r.id, r.opened_qty, r.opened_cost)
            for r in lots.model.objects.filter(position=position).exclude(opened_qty=0)
        },
        "closures": {
            (row.execution_id, row.lot_id, row.qty, row.cost, row.proceeds) for row in closures
        },
        "balance": (balance.cash - OPENING, balance.fees, balance.realized_pnl),
    }


def wanted(book: PositionBook) -> dict[str, object]:
    sums = {ledger.value: amount for (_, ledger), amount in book.sums().items()}
    opened = [item.change.opened for item in book.history if item.change.opened is not None]
    return {
        "position": (book.qty, book.cost, book.realized),
        "lots": set(book.lots),
        "opened": {(lot.lot_id, lot.qty, lot.cost) for lot in opened},
        "closures": {
            (item.fill.execution_id, one.lot_id, one.qty, one.cost, one.proceeds)
            for item in book.history
            for one in item.change.closures
        },
        "balance": tuple(sums.get(name, D(0)) for name in ("cash", "fees", "realized_pnl")),
    }


def prove(books: Books) -> None:
    assert rows(books.desk) == wanted(books.alone())
    qty = books.alone().qty
    assert selectors.check_books({("BOOK-1", "SPX"): qty}) == []


STEP = st.tuples(
    st.sampled_from(["fill", "fill", "correct", "bust"]),
    st.sampled_from(["BUY", "SELL"]),
    st.integers(1, 12),
    st.decimals("90", "110", places=2),
    st.integers(0, 99),
)


@given(steps=st.lists(STEP, min_size=1, max_size=10))
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_sequence_leaves_the_books_of_what_survives(desk, steps) -> None:
    sid = transaction.savepoint()
    books = Books(desk)
    for what, side, qty, px, pick in steps:
        if what == "fill" or not books.standing:
            books.fill(side, str(qty), str(px), fee="0.25")
            continue
        fill = sorted(books.standing.values(), key=lambda one: one.execution_id)[
            pick % len(books.standing)
        ]
        if what == "bust":
            books.correct(fill)
        else:
            books.correct(fill, last_qty=D(qty), last_px=px, fee=D("0.5"))
    prove(books)
    transaction.savepoint_rollback(sid)


def test_the_same_correction_is_booked_once(desk):
    books = Books(desk)
    fill = books.fill("BUY", "10", "100")
    first = books.correct(fill, last_px=D(101))
    books.n -= 1
    entries = JournalEntry.objects.count()
    again = books.correct(fill, last_px=D(101))
    assert (first.rebooking is None, again.rebooking) == (False, None)
    assert JournalEntry.objects.count() == entries
    prove(books)


def test_an_execution_nobody_booked_cannot_be_corrected(desk):
    books = Books(desk)
    fill = books.fill("BUY", "10", "100")
    stranger = replace(fill, execution_id="nobody")
    books.standing["nobody"] = stranger
    with pytest.raises(NotInTheBooks, match="nobody"):
        books.correct(stranger)


def test_an_overtaken_closure_stays_readable_and_nothing_else_may_change(desk):
    books = Books(desk)
    buy = books.fill("BUY", "10", "100")
    books.fill("SELL", "4", "110")
    books.correct(buy, last_px=D(101))
    old = LotClosure.objects.exclude(superseded_by=None).get()
    assert (old.cost, old.superseded_by) == (400, "C1")
    live = LotClosure.objects.get(superseded_by=None)
    for change in ({"cost": D(1)}, {"superseded_by": "C1", "qty": D(1)}):
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            LotClosure.objects.filter(pk=live.pk).update(**change)
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        LotClosure.objects.filter(pk=old.pk).update(superseded_by="C2")
    with pytest.raises(IntegrityError, match="only shrinks"), transaction.atomic():
        Lot.objects.filter(pk=buy.execution_id).update(opened_cost=D(1))


def test_journal_entries_of_a_correction_balance_at_commit(fresh_firm):
    with tenant_bound(fresh_firm):
        desk = desk_of(fresh_firm)
        books = Books(desk)
        buy = books.fill("BUY", "10", "100", fee="1")
        books.fill("SELL", "4", "110")
        books.correct(buy, last_px=D(101), fee=D(2))
        books.correct(buy)
    with tenant_bound(fresh_firm):
        prove(books)
