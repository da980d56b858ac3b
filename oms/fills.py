"""The trade ledger as it counts now: corrected figures, without what was busted."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from oms.models import Execution
from oms.services.bookings import ledger_entry
from trading.orders.ledger import EntryKind, ledger_of


@dataclass(frozen=True, slots=True)
class Fill:
    """A trade as it counts now: its own row, and quantity and price after any correction."""

    execution: Execution
    qty: Decimal
    px: Decimal


def fills_in_force(rows: Iterable[Execution]) -> list[Fill]:
    """Return the trades that count among rows of one account, oldest first.

    A correction of a trade that is not among the rows counts for nothing.
    """
    by_exec_id = {row.exec_id: row for row in sorted(rows, key=lambda row: row.id)}
    ledger = ledger_of(ledger_entry(row) for row in by_exec_id.values())
    return [
        Fill(by_exec_id[one.root.exec_id], one.qty, one.px)
        for one in ledger.effective()
        if one.root.kind is EntryKind.TRADE
    ]
