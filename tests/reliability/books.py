"""The real position book of a schedule: what each report's executions do to it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from tests.reliability.venue import NUMBERS
from trading.journal import Fill
from trading.orders.fold import Applied
from trading.orders.ledger import EntryKind
from trading.orders.state import OrderState
from trading.rebooking import Book, PositionBook
from trading.vocabulary import Side

if TYPE_CHECKING:
    from tests.reliability.desk import Order


@dataclass(slots=True)
class Books:
    """One position over all orders; ``booked`` holds every execution's order by its id.

    ``rewritten``: a correction or bust has changed what was booked before.
    """

    position: PositionBook = field(default_factory=lambda: PositionBook(Book("A", "SPX", "USD")))
    booked: dict[str, "Order"] = field(default_factory=dict)
    rewritten: bool = False

    def book(self, order: "Order", before: OrderState, applied: Applied) -> None:
        ledger = before.ledger
        for entry in applied.entries:
            grown = ledger.add(entry)
            when = entry.transact_time
            if entry.kind is EntryKind.TRADE:
                assert entry.exec_id not in self.booked, "one execution, one booking"
                self.booked[entry.exec_id] = order
                self.position.fill(
                    self._fill(order, entry.exec_id, entry.qty, entry.px, when), when
                )
            elif entry.kind is not EntryKind.ADJUST:
                was = ledger.effective_of(entry.exec_ref_id or "")
                is_now = grown.effective_of(entry.exec_id)
                if was is not None and (
                    is_now is None or (was.qty, was.px) != (is_now.qty, is_now.px)
                ):
                    root = was.root.exec_id
                    self.rewritten = True
                    stands = None
                    if is_now is not None:
                        stands = self._fill(order, root, is_now.qty, is_now.px, when)
                    self.position.correct(root, stands, ref=entry.exec_id, at=when)
            ledger = grown

    @staticmethod
    def _fill(order: "Order", exec_id: str, qty, px, when: datetime) -> Fill:
        side = Side.BUY if order.buy else Side.SELL
        return Fill(exec_id, order.id, exec_id, side, qty, px, NUMBERS[0], "USD", when)
