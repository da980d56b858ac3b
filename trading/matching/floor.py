"""Where orders of one instrument meet: who works, who rests where, and what has been said."""

from collections.abc import Mapping
from dataclasses import replace

from trading.matching.book import RestingSide
from trading.matching.events import AUCTIONS, Phase
from trading.matching.market import Market
from trading.matching.reporter import Reporter
from trading.matching.state import WorkingOrder
from trading.matching.values import EndReason, Liquidity, Policy
from trading.vocabulary import ExecType, OrdStatus

_CLOSED_BY = {
    ExecType.CANCELED: OrdStatus.CANCELED,
    ExecType.EXPIRED: OrdStatus.EXPIRED,
    ExecType.REJECTED: OrdStatus.REJECTED,
}


class Floor:
    """The orders that work and the market they work in; the moves every rule is made of."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.market = Market()
        self.phase = Phase.OPEN
        self.carry = 0
        self.orders: dict[str, WorkingOrder] = {}
        self.watching: dict[str, WorkingOrder] = {}  # of them: moved by prices that cross nothing
        self.timed: dict[str, WorkingOrder] = {}  # of them: end at an instant
        self.sides = {True: RestingSide(), False: RestingSide()}  # True: purchases
        self.said = Reporter()
        self.last_priority = 0

    @property
    def is_open(self) -> bool:
        """Whether anything can trade."""
        return self.phase is Phase.OPEN

    def next_priority(self) -> int:
        """The place in time after everybody who is here."""
        self.last_priority += 1
        return self.last_priority

    def by_priority(self) -> list[WorkingOrder]:
        """Everything that works, oldest first."""
        return _oldest_first(self.orders)

    def watchers(self) -> list[WorkingOrder]:
        """The orders with a trigger or a peg, and those that are parked, oldest first."""
        return _oldest_first(self.watching)

    def overdue(self, before: int) -> list[WorkingOrder]:
        """The orders whose time lies before an instant (ns), oldest first."""
        due = {
            order_id: order
            for order_id, order in self.timed.items()
            if order.expire_at is not None and order.expire_at < before
        }
        return _oldest_first(due)

    def add(self, order: WorkingOrder) -> None:
        """Let an order work: in the book, or wherever it waits."""
        self._list(order)
        if rests(order):
            self.sides[order.buy].add(order)

    def drop(self, order: WorkingOrder) -> None:
        """Take an order out; it must be as it was added."""
        del self.orders[order.order_id]
        self.watching.pop(order.order_id, None)
        self.timed.pop(order.order_id, None)
        if rests(order):
            self.sides[order.buy].remove(order)

    def change(self, old: WorkingOrder, new: WorkingOrder) -> None:
        """Let an order have other figures; it keeps its place if price and priority are equal."""
        if rests(old) and rests(new) and (old.price, old.priority) == (new.price, new.priority):
            self.sides[old.buy].swap(old, new)
            self._list(new)
        else:
            self.drop(old)
            self.add(new)

    def _list(self, order: WorkingOrder) -> None:
        """Note an order as it is now; what it waits for changes only while it is in no book."""
        self.orders[order.order_id] = order
        if order.trigger is not None or order.peg is not None or order.parked:
            self.watching[order.order_id] = order
        if order.expire_at is not None:
            self.timed[order.order_id] = order

    def rest(self, order: WorkingOrder) -> None:
        """Put a priced order into the book, behind what others display at its price."""
        assert order.price is not None, "only priced orders rest"
        ahead = self.market.own(buy=order.buy).displayed(order.price)
        shown = 0 if order.display_qty is None else min(order.display_qty, order.leaves_qty)
        self.add(replace(order, queue_ahead=ahead, shown=shown, parked=False))

    def end(
        self,
        order: WorkingOrder,
        exec_type: ExecType,
        reason: EndReason,
        request_id: str | None = None,
    ) -> None:
        """End an order that works and say why."""
        self.drop(order)
        self.say_end(order, exec_type, reason, request_id)

    def say_end(
        self,
        order: WorkingOrder,
        exec_type: ExecType,
        reason: EndReason,
        request_id: str | None = None,
    ) -> None:
        """Say that an order that is in no book has ended."""
        self.said.order(
            order,
            exec_type,
            status=_CLOSED_BY[exec_type],
            reason=reason,
            request_id=request_id,
        )

    def say_fill(
        self, order: WorkingOrder, qty: int, price: int, liquidity: Liquidity
    ) -> WorkingOrder:
        """Say that ``qty`` of an order traded at ``price``; return the order after it."""
        filled = replace(order, cum_qty=order.cum_qty + qty)
        self.said.order(filled, ExecType.TRADE, last_qty=qty, last_px=price, liquidity=liquidity)
        return filled

    def fill_resting(self, order: WorkingOrder, qty: int) -> WorkingOrder | None:
        """A resting order trades at its own price; return what is left of it.

        An iceberg whose shown part is used up shows the next one, behind everybody.
        """
        assert order.price is not None, "only priced orders rest"
        filled = self.say_fill(order, qty, order.price, Liquidity.MAKER)
        if filled.leaves_qty == 0:
            self.drop(order)
            return None
        if filled.display_qty is None:
            self.change(order, filled)
            return filled
        filled = replace(filled, shown=order.shown - qty)
        if filled.shown > 0:
            self.change(order, filled)
            return filled
        self.drop(order)
        self.rest(replace(filled, priority=self.next_priority()))
        return self.orders[order.order_id]


def _oldest_first(orders: Mapping[str, WorkingOrder]) -> list[WorkingOrder]:
    return sorted(orders.values(), key=lambda order: order.priority)


def rests(order: WorkingOrder) -> bool:
    """Whether an order stands in the book and can be traded with."""
    return (
        order.price is not None
        and order.trigger is None
        and not order.parked
        and order.time_in_force not in AUCTIONS
    )
