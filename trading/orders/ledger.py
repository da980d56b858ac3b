"""The executions of one order and what they add up to. State follows the ledger.

Rows are named tuples: they are made in a third of the time, and a fold makes little else.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from trading.orders.canonical import EXACT, ZERO
from trading.vocabulary import ReportSource


class EntryKind(StrEnum):
    """Kinds of ledger rows; the last three change what an earlier trade counts for."""

    TRADE = "TRADE"
    TRADE_CORRECT = "TRADE_CORRECT"
    TRADE_CANCEL = "TRADE_CANCEL"
    ADJUST = "ADJUST"


class LedgerEntry(NamedTuple):
    """One row: ``qty`` and ``px`` of a trade, or the new ones a correction gives it.

    TRADE_CORRECT and TRADE_CANCEL name an earlier row in ``exec_ref_id``. ADJUST holds a signed
    quantity and no amount (a split scales the average price and moves no position).
    """

    exec_id: str
    kind: EntryKind
    qty: Decimal
    px: Decimal
    transact_time: datetime
    source: ReportSource
    exec_ref_id: str | None = None
    venue_seq: int | None = None
    cl_ord_id: str | None = None
    venue_cl_ord_id: str | None = None
    fee: Decimal | None = None
    fee_currency: str | None = None
    liquidity: str | None = None


class Effective(NamedTuple):
    """What one trade counts for now: its own row and its latest quantity and price.

    ``latest`` is the row these come from; a correction that names no fee keeps the trade's.
    """

    root: LedgerEntry
    qty: Decimal
    px: Decimal
    latest: LedgerEntry

    @property
    def fee(self) -> Decimal | None:
        """What was charged for it, None where nobody has said."""
        return self.root.fee if self.latest.fee is None else self.latest.fee

    @property
    def fee_currency(self) -> str | None:
        """Currency of the fee, None for the instrument's."""
        return self.root.fee_currency if self.latest.fee is None else self.latest.fee_currency


def precedes(seq: int | None, at: datetime, other_seq: int | None, other_at: datetime) -> bool:
    """Whether the first report came strictly before the other at the venue.

    The venue's sequence decides where both have one, else its time.
    """
    if seq is not None and other_seq is not None:
        return seq < other_seq
    return at < other_at


@dataclass(frozen=True, slots=True)
class Ledger:
    """Rows by ``exec_id`` in order of arrival, with their sums over the effective trades."""

    entries: Mapping[str, LedgerEntry] = field(default_factory=dict)
    cum_qty: Decimal = ZERO
    gross_trade_amt: Decimal = ZERO
    only_trades: bool = True

    def add(self, entry: LedgerEntry) -> "Ledger":
        """Return the ledger with one more row; its id must be new, its reference known."""
        entries = {**self.entries, entry.exec_id: entry}
        if entry.kind is EntryKind.TRADE:
            # Corrections of other trades never touch this sum, so adding is exact.
            return Ledger(
                entries,
                EXACT.add(self.cum_qty, entry.qty),
                EXACT.add(self.gross_trade_amt, EXACT.multiply(entry.qty, entry.px)),
                self.only_trades,
            )
        return _summed(entries, only_trades=False)

    def effective(self) -> list[Effective]:
        """Trades each at its latest correction, without the busted, and adjustments."""
        entries = self.entries
        if self.only_trades:
            return [Effective(entry, entry.qty, entry.px, entry) for entry in entries.values()]
        latest: dict[str, LedgerEntry] = {}
        busted: set[str] = set()
        for entry in entries.values():
            if entry.kind is EntryKind.TRADE_CANCEL:
                busted.add(self.root_of(entry).exec_id)
            elif entry.kind is EntryKind.TRADE_CORRECT:
                root = self.root_of(entry).exec_id
                now = latest.get(root)
                if now is None or not precedes(
                    entry.venue_seq, entry.transact_time, now.venue_seq, now.transact_time
                ):
                    latest[root] = entry
        result = []
        for entry in entries.values():
            if entry.kind in _OWN_QUANTITY and entry.exec_id not in busted:
                value = latest.get(entry.exec_id, entry)
                result.append(Effective(entry, value.qty, value.px, value))
        return result

    def effective_of(self, exec_id: str) -> Effective | None:
        """What the trade of this id, or one that a correction of this id changes, counts for.

        None once it is busted. :raises KeyError: if the ledger has no such row.
        """
        root = self.root_of(self.entries[exec_id])
        return next((item for item in self.effective() if item.root is root), None)

    def root_of(self, entry: LedgerEntry) -> LedgerEntry:
        """Follow references down to the trade itself."""
        while entry.exec_ref_id is not None and entry.exec_ref_id in self.entries:
            entry = self.entries[entry.exec_ref_id]
        return entry


_OWN_QUANTITY = frozenset({EntryKind.TRADE, EntryKind.ADJUST})
EMPTY = Ledger()


def ledger_of(entries: Iterable[LedgerEntry]) -> Ledger:
    """Build a ledger from stored rows, oldest first."""
    by_id = {entry.exec_id: entry for entry in entries}
    only_trades = all(entry.kind is EntryKind.TRADE for entry in by_id.values())
    return _summed(by_id, only_trades=only_trades)


def _summed(entries: Mapping[str, LedgerEntry], *, only_trades: bool) -> Ledger:
    ledger = Ledger(entries, ZERO, ZERO, only_trades)
    cum_qty = gross = ZERO
    for item in ledger.effective():
        cum_qty = EXACT.add(cum_qty, item.qty)
        if item.root.kind is EntryKind.TRADE:
            gross = EXACT.add(gross, EXACT.multiply(item.qty, item.px))
    return Ledger(entries, cum_qty, gross, only_trades)
