"""Our own resting orders of one side, by price and time."""

from bisect import bisect_left, insort
from collections.abc import Iterator

from trading.matching.state import WorkingOrder


def open_qty(order: WorkingOrder) -> int:
    """What of a resting order can trade now: all of it, or what an iceberg shows."""
    return order.leaves_qty if order.display_qty is None else order.shown


def _key(order: WorkingOrder) -> tuple[int, bool, int]:
    """Best price first; at a price whatever trades in parts before all-or-none, oldest first."""
    assert order.price is not None, "only priced orders rest"
    return (-order.price if order.buy else order.price, order.all_or_none, order.priority)


class RestingSide:
    """Resting orders of one side, best price first and oldest first at a price."""

    def __init__(self) -> None:
        self._orders: list[WorkingOrder] = []

    def __iter__(self) -> Iterator[WorkingOrder]:
        return iter(self._orders)

    def __len__(self) -> int:
        return len(self._orders)

    def add(self, order: WorkingOrder) -> None:
        """Put an order into its place."""
        insort(self._orders, order, key=_key)

    def remove(self, order: WorkingOrder) -> None:
        """Take an order out (same price and priority as when it was added)."""
        place = bisect_left(self._orders, _key(order), key=_key)
        assert self._orders[place].order_id == order.order_id, "a resting order moved unseen"
        del self._orders[place]

    def swap(self, old: WorkingOrder, new: WorkingOrder) -> None:
        """Replace an order by itself with other figures, at the same place."""
        place = bisect_left(self._orders, _key(old), key=_key)
        assert self._orders[place].order_id == old.order_id, "a resting order moved unseen"
        assert _key(old) == _key(new), "a swap keeps price and priority"
        self._orders[place] = new
