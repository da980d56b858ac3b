"""The two things an engine remembers: own resting orders by price and time, and the touch."""

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass

from trading.matching.state import WorkingOrder
from trading.matching.values import BeyondTouch, Policy


def is_buy(order: WorkingOrder) -> bool:
    """Whether the order adds to a position; short sales rest and trade as sales."""
    return order.side.sign > 0


def _key(order: WorkingOrder) -> tuple[int, int]:
    return (-order.price if is_buy(order) else order.price, order.priority)


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


@dataclass(slots=True)
class Touch:
    """One side of the market: its best price and displayed size, and how much of it is taken.

    ``step`` is +1 for offers (worse is higher) and -1 for bids. What was taken stays taken until
    data shows the side again.
    """

    step: int
    price: int = 0
    size: int = 0
    taken: int = 0

    def show(self, price: int, size: int) -> None:
        """The market shows this side anew."""
        self.price, self.size, self.taken = price, size, 0

    @property
    def at_best(self) -> int:
        """What is still there at the displayed price."""
        return max(self.size - self.taken, 0)

    def levels(self, policy: Policy) -> Iterator[tuple[int, int]]:
        """Yield (price, size) from the best price on, as far as the policy reaches."""
        if self.size <= 0:
            return
        reach = policy.max_levels if policy.beyond_touch is BeyondTouch.LINEAR else 1
        first, used = divmod(self.taken, self.size)
        for level in range(first, reach):
            price = self.price + self.step * level
            if price < policy.min_price:
                return
            yield price, self.size - used
            used = 0
