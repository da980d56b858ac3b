"""Makes the books of the bound tenant anew from their fills and compares every row with them.

``check_books`` proves that the rows agree with one another; this proves that they are what the
executions that stand now would have made, lot by lot. Open lots are held in memory, history is not.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from django.db.models import OuterRef, QuerySet, Sum

from portfolio.corrections import FillsOf, booking_order, booking_times
from portfolio.models import JournalEntry, JournalLine, Lot, LotClosure, Position
from trading import exact
from trading.exact import ZERO
from trading.journal import Reason, fill_lines, sums_by_ledger
from trading.lots import Lot as LotValue
from trading.lots import LotChange, total_cost
from trading.rebooking import Book, Booked, OpenLots

AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class BookProblem:
    """A row of one account's books that is not what its fills make. ``subject`` names it."""

    account: str
    subject: str
    text: str


@dataclass(slots=True)
class _Made:
    """What the fills make of one position, so far."""

    lots: OpenLots
    realized: Decimal = ZERO
    sums: dict[tuple[str, str], Decimal] = field(default_factory=dict)


def fill_entries(execution_id: OuterRef) -> QuerySet[JournalEntry]:
    """The journal entry that books an execution, for a caller that looks for missing ones."""
    return JournalEntry.objects.filter(reason=Reason.FILL, ref=execution_id)


def book_problems(fills_of: FillsOf) -> Iterator[BookProblem]:
    """Yield every row that differs; ``fills_of`` gives what executions count for now."""
    for position in Position.objects.select_related("account").order_by("id").iterator():
        where = Book(position.account.code, position.symbol, position.currency, position.multiplier)
        made = _Made(OpenLots(where))
        order = booking_order(position)
        for start in range(0, len(order), AT_ONCE):
            yield from _replayed(position, where, order[start : start + AT_ONCE], made, fills_of)
        yield from _left_over(position, where, made)


def _replayed(
    position: Position, where: Book, refs: Sequence[str], made: _Made, fills_of: FillsOf
) -> Iterator[BookProblem]:
    """Book the fills of these executions and compare what each did."""
    fills, times = fills_of(refs), booking_times(position, refs)
    opened = {row.id: row for row in Lot.objects.filter(pk__in=refs)}
    closures: dict[str, list[LotClosure]] = {}
    for row in LotClosure.objects.filter(execution_id__in=refs, superseded_by=None).order_by("id"):
        closures.setdefault(row.execution_id, []).append(row)
    for ref in refs:
        if ref in fills:
            booked = made.lots.book(fills[ref], times[ref])
            _add(made, booked, where)
            change = booked.change
        else:
            change = LotChange(ZERO, ZERO, (), None, (), ())
        lot = opened.get(ref)
        shown = (ZERO, ZERO) if lot is None else (lot.opened_qty, lot.opened_cost)
        wanted = (ZERO, ZERO)
        if change.opened is not None:
            wanted = (change.opened.qty, change.opened.cost)
        if shown != wanted:
            text = f"it says it opened with {_pair(shown)}, its execution makes {_pair(wanted)}"
            yield BookProblem(where.account, f"lot {ref}", text)
        rows = {(r.lot_id, r.qty, r.cost, r.proceeds) for r in closures.get(ref, ())}
        closed = {(c.lot_id, c.qty, c.cost, c.proceeds) for c in change.closures}
        for lot_id, *_ in sorted(rows ^ closed):
            text = "the closure stored is not the one the execution makes"
            yield BookProblem(where.account, f"closure of lot {lot_id} by {ref}", text)


def _add(made: _Made, booked: Booked, where: Book) -> None:
    made.realized = exact.add(made.realized, booked.change.realized)
    lines = fill_lines(
        booked.fill,
        booked.change,
        account=where.account,
        symbol=where.symbol,
        currency=where.currency,
    )
    for (currency, ledger), amount in sums_by_ledger(lines).items():
        key = (currency, ledger.value)
        made.sums[key] = exact.add(made.sums.get(key, ZERO), amount)


def _left_over(position: Position, where: Book, made: _Made) -> Iterator[BookProblem]:
    """Compare what is left when all fills are booked: open lots, position, journal."""
    subject = f"position {where.symbol}"
    shown = {row.id: row.value for row in Lot.objects.filter(position=position).exclude(qty=0)}
    wanted = {lot.lot_id: lot for lot in made.lots.lots}
    for name in sorted(shown.keys() | wanted.keys()):
        if shown.get(name) != wanted.get(name):
            text = f"it holds {_lot(shown.get(name))}, its history leaves {_lot(wanted.get(name))}"
            yield BookProblem(where.account, f"lot {name}", text)
    row = (position.qty, position.cost, position.realized_pnl)
    truth = (made.lots.qty, total_cost(made.lots.lots), made.realized)
    if row != truth:
        text = f"qty, cost and gain are {_pair(row)}, its fills make {_pair(truth)}"
        yield BookProblem(where.account, subject, text)
    lines = (
        JournalLine.objects.filter(account_id=position.account_id, symbol=position.symbol)
        .values_list("currency", "ledger")
        .annotate(total=Sum("amount"))
    )
    booked = {(currency, ledger): total for currency, ledger, total in lines}
    for key in sorted(booked.keys() | made.sums.keys()):
        if booked.get(key, ZERO) != made.sums.get(key, ZERO):
            text = (
                f"the journal's {key[1]} in {key[0]} sums to {booked.get(key, ZERO):f},"
                f" its fills make {made.sums.get(key, ZERO):f}"
            )
            yield BookProblem(where.account, subject, text)


def _pair(values: Sequence[Decimal]) -> str:
    return " / ".join(f"{value.normalize():f}" for value in values)


def _lot(lot: LotValue | None) -> str:
    return "nothing" if lot is None else _pair((lot.qty, lot.cost))
