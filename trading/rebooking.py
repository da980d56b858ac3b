"""Corrections and busts in the books: an execution is taken back and booked anew where it stood.

Whatever came after it in the same account and instrument is worked out again, because a lot it
opened may have been closed since. The books are then those the surviving executions alone would
have made, in the order they were booked; the journal keeps both stories, each in balance.
"""

from bisect import insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from trading import exact
from trading.exact import ZERO
from trading.journal import (
    Entry,
    Fill,
    Ledger,
    Line,
    Reason,
    entry_for_fill,
    fill_lines,
    reversed_lines,
    sums_by_ledger,
)
from trading.lots import (
    ORDERINGS,
    Closure,
    Lot,
    LotChange,
    TaxLotMethod,
    apply_fill,
    total_cost,
    total_qty,
)


@dataclass(frozen=True, slots=True)
class Book:
    """Whose lots these are and what their instrument is measured in."""

    account: str
    symbol: str
    currency: str
    multiplier: Decimal = Decimal(1)
    method: TaxLotMethod = TaxLotMethod.FIFO


@dataclass(frozen=True, slots=True)
class Booked:
    """One fill as it stands in the books, ``at`` its time there, and what it does to the lots."""

    fill: Fill
    at: datetime
    change: LotChange


@dataclass(frozen=True, slots=True)
class Rebooking:
    """What a correction makes of the books.

    ``history`` is every fill from the corrected one on, as it now stands (without a busted one);
    ``moved`` names the executions whose lots or closures differ from before, the corrected one
    included. ``reversal`` takes the old booking back, ``rebooking`` books the new one and what it
    changes for later closings (None for a bust that nothing later depended on). The deltas are
    those of the position.
    """

    history: tuple[Booked, ...]
    moved: frozenset[str]
    lots: tuple[Lot, ...]
    reversal: Entry
    rebooking: Entry | None
    qty_delta: Decimal
    cost_delta: Decimal
    realized_delta: Decimal

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The journal entries in booking order."""
        return (self.reversal,) if self.rebooking is None else (self.reversal, self.rebooking)


def book(lots: Sequence[Lot], fill: Fill, at: datetime, where: Book) -> Booked:
    """Book one fill on top of ``lots``. :raises ValueError: see ``lots.apply_fill``."""
    change = apply_fill(
        lots,
        lot_id=fill.execution_id,
        side=fill.side,
        last_qty=fill.last_qty,
        last_px=fill.last_px,
        at=at,
        multiplier=where.multiplier,
        method=where.method,
    )
    return Booked(fill, at, change)


def rebook(
    lots_before: Sequence[Lot],
    history: Sequence[Booked],
    corrected: Fill | None,
    *,
    ref: str,
    at: datetime,
    where: Book,
) -> Rebooking:
    """Correct the first fill of ``history`` (None busts it) and work out all that follow anew.

    ``lots_before`` are the lots open just before it; ``history`` is in booking order. ``ref`` and
    ``at`` are the correction's own id and time.

    :raises ValueError: if there is no history, or ``corrected`` is another execution.
    """
    if not history:
        raise ValueError("a correction needs the booking it corrects")
    first, later = history[0], history[1:]
    if corrected is not None and corrected.execution_id != first.fill.execution_id:
        raise ValueError(f"{corrected.execution_id} does not correct {first.fill.execution_id}")
    redone: list[Booked] = []
    lots: tuple[Lot, ...] = tuple(lots_before)
    for item in history:
        fill = corrected if item is first else item.fill
        if fill is not None:
            redone.append(book(lots, fill, item.at, where))
            lots = redone[-1].change.lots
    after = redone if corrected is None else redone[1:]
    moved = {first.fill.execution_id} | {
        new.fill.execution_id
        for old, new in zip(later, after, strict=True)
        if not _same(old.change, new.change)
    }
    lines = [] if corrected is None else [*_lines(redone[0], where)]
    lines += _shift(later, after, where)
    return Rebooking(
        history=tuple(redone),
        moved=frozenset(moved),
        lots=lots,
        reversal=Entry(at, Reason.REVERSAL, ref, reversed_lines(_lines(first, where))),
        rebooking=Entry(at, Reason.REBOOKING, ref, tuple(lines)) if lines else None,
        qty_delta=_delta(history, redone, "signed_qty"),
        cost_delta=_delta(history, redone, "cost_delta"),
        realized_delta=_delta(history, redone, "realized"),
    )


def lots_before(opened: Iterable[Lot], closures: Iterable[Closure]) -> tuple[Lot, ...]:
    """Return lots as they stood once only these ``closures`` had been made, the empty left out."""
    left = {lot.lot_id: lot for lot in opened}
    for closure in closures:
        lot = left[closure.lot_id]
        left[lot.lot_id] = Lot(
            lot.lot_id,
            lot.opened_at,
            exact.subtract(lot.qty, closure.qty),
            exact.subtract(lot.cost, closure.cost),
        )
    return tuple(lot for lot in left.values() if lot.qty != 0)


def _same(old: LotChange, new: LotChange) -> bool:
    return (old.closures, old.opened) == (new.closures, new.opened)


def _lines(item: Booked, where: Book) -> tuple[Line, ...]:
    return fill_lines(
        item.fill,
        item.change,
        account=where.account,
        symbol=where.symbol,
        currency=where.currency,
    )


def _shift(old: Sequence[Booked], new: Sequence[Booked], where: Book) -> list[Line]:
    """Later fills cost and brought what they did; only which lots they met has changed."""
    cost, realized = _delta(old, new, "cost_delta"), _delta(old, new, "realized")
    if cost == 0 and realized == 0:
        return []
    symbol, currency = where.symbol, where.currency
    return [
        Line(where.account, Ledger.POSITION_COST, currency, cost, symbol, ZERO),
        Line(where.account, Ledger.REALIZED_PNL, currency, exact.negate(realized), symbol),
    ]


def _delta(old: Sequence[Booked], new: Sequence[Booked], name: str) -> Decimal:
    was = exact.total(getattr(item.change, name) for item in old)
    return exact.subtract(exact.total(getattr(item.change, name) for item in new), was)


@dataclass(slots=True)
class OpenLots:
    """The open lots of a position in the order they are relieved: a fill looks at those it meets.

    What a fill costs grows with the lots it closes, not with the lots there are.
    """

    where: Book
    lots: list[Lot] = field(default_factory=list)
    qty: Decimal = ZERO

    def book(self, fill: Fill, at: datetime) -> Booked:
        """Book one fill. The change's ``lots`` are only those it looked at."""
        key = ORDERINGS[self.where.method]
        met = 0
        if exact.signed(self.qty, fill.side.sign) < 0:
            left = fill.last_qty
            while left > 0 and met < len(self.lots):
                left = exact.subtract(left, self.lots[met].qty.copy_abs())
                met += 1
        booked = book(self.lots[:met], fill, at, self.where)
        kept = [lot for lot in booked.change.lots if lot is not booked.change.opened]
        self.lots[:met] = sorted(kept, key=key)
        if booked.change.opened is not None:
            insort(self.lots, booked.change.opened, key=key)
        self.qty = exact.add(self.qty, booked.change.signed_qty)
        return booked


@dataclass(slots=True)
class PositionBook:
    """The books of one account in one instrument, from the first fill on, kept in memory."""

    where: Book
    history: list[Booked] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)

    @property
    def lots(self) -> tuple[Lot, ...]:
        """The open lots."""
        return self.history[-1].change.lots if self.history else ()

    @property
    def qty(self) -> Decimal:
        """Signed quantity held."""
        return total_qty(self.lots)

    @property
    def cost(self) -> Decimal:
        """Signed cost of what is held."""
        return total_cost(self.lots)

    @property
    def realized(self) -> Decimal:
        """Profit of everything closed, fees apart."""
        return exact.total(item.change.realized for item in self.history)

    def sums(self) -> dict[tuple[str, Ledger], Decimal]:
        """What the journal holds by (currency, ledger), ledgers of nothing left out."""
        sums = sums_by_ledger(line for entry in self.entries for line in entry.lines)
        return {key: amount for key, amount in sums.items() if amount != 0}

    def fill(self, fill: Fill, at: datetime) -> Entry:
        """Book one fill."""
        booked = book(self.lots, fill, at, self.where)
        self.history.append(booked)
        where = self.where
        entry = entry_for_fill(
            fill,
            booked.change,
            account=where.account,
            symbol=where.symbol,
            currency=where.currency,
            at=at,
        )
        self.entries.append(entry)
        return entry

    def correct(
        self, execution_id: str, corrected: Fill | None, *, ref: str, at: datetime
    ) -> Rebooking:
        """Correct (or, with None, bust) the booking of an execution.

        :raises KeyError: if no such execution stands in the books.
        """
        place = self._place(execution_id)
        before = self.history[place - 1].change.lots if place else ()
        result = rebook(before, self.history[place:], corrected, ref=ref, at=at, where=self.where)
        self.history[place:] = result.history
        self.entries += result.entries
        return result

    def _place(self, execution_id: str) -> int:
        for place, item in enumerate(self.history):
            if item.fill.execution_id == execution_id:
                return place
        raise KeyError(execution_id)
