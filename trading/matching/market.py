"""The market of one instrument as the engine knows it: two sides, and the last price."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from trading.matching.triggers import Prices
from trading.matching.values import BeyondTouch, Policy


@dataclass(slots=True)
class Pool:
    """Lots that two sides share: what one takes is gone for the other."""

    left: int


@dataclass(slots=True)
class Depth:
    """One side of the market, best level first, and what of it is taken.

    ``step`` is +1 for offers (worse is higher) and -1 for bids. A quote shows one level and says
    nothing of what lies behind it; a book shows all. What was taken stays taken until data show
    the side again. A limit is reached by a level ``margin`` ticks beyond it; ``pool`` is what all
    levels of both sides hold together.
    """

    step: int
    levels: tuple[tuple[int, int], ...] = ()
    is_book: bool = False
    taken: dict[int, int] = field(default_factory=dict)
    margin: int = 0
    pool: Pool | None = None

    @property
    def best(self) -> int | None:
        """The best price displayed, in ticks."""
        return self.levels[0][0] if self.levels else None

    def show(self, levels: tuple[tuple[int, int], ...], *, is_book: bool) -> None:
        """The market shows this side anew."""
        self.levels = tuple(level for level in levels if level[1] > 0)
        self.is_book = is_book
        self.taken.clear()
        self.margin, self.pool = 0, None

    def change(self, price: int, size: int) -> None:
        """One level of a book has a new size."""
        kept = {at: left for at, left in self.levels if at != price}
        if size > 0:
            kept[price] = size
        self.levels = tuple(sorted(kept.items(), key=lambda level: level[0] * self.step))
        self.taken.pop(price, None)

    def take(self, price: int, qty: int) -> None:
        """Somebody of ours took ``qty`` at ``price``."""
        self.taken[price] = self.taken.get(price, 0) + qty
        if self.pool is not None:
            self.pool.left -= qty

    def displayed(self, price: int) -> int | None:
        """The size displayed at a price: 0 where it would be a new best, None where not known."""
        for at, size in self.levels:
            if at == price:
                return size
        best = self.best
        if best is None or price * self.step < best * self.step:
            return 0
        return 0 if self.is_book else None

    def crossing(self, price: int) -> Iterator[tuple[int, int]]:
        """Yield the displayed (price, size left) at ``price`` or better, best first."""
        for at, size in self.levels:
            if not self.reaches(at, price):
                return
            left = self._left(at, size)
            if left > 0:
                yield at, left

    def reaches(self, at: int, limit: int) -> bool:
        """Whether a level at ``at`` fills an order with this limit."""
        return at * self.step + self.margin <= limit * self.step

    def _left(self, at: int, size: int) -> int:
        left = size - self.taken.get(at, 0)
        return left if self.pool is None else min(left, self.pool.left)

    def reachable(self, policy: Policy) -> Iterator[tuple[int, int]]:
        """Yield (price, size left) from the best price on, as far as the policy reaches."""
        for price, size in self._walked(policy):
            if price < policy.min_price:
                return
            left = self._left(price, size)
            if left > 0:
                yield price, left

    def _walked(self, policy: Policy) -> Iterator[tuple[int, int]]:
        yield from self.levels
        if self.is_book or not self.levels or policy.beyond_touch is not BeyondTouch.LINEAR:
            return
        best, size = self.levels[0]
        for level in range(1, policy.max_levels):
            yield best + self.step * level, size


@dataclass(slots=True)
class Market:
    """Both sides and the last trade. ``sequence`` is that of the last change of a book, None
    while a gap makes it unbelievable.
    """

    bids: Depth = field(default_factory=lambda: Depth(step=-1))
    asks: Depth = field(default_factory=lambda: Depth(step=1))
    last: int | None = None
    sequence: int | None = None

    def own(self, *, buy: bool) -> Depth:
        """The side an order rests on."""
        return self.bids if buy else self.asks

    def opposite(self, *, buy: bool) -> Depth:
        """The side an order trades with."""
        return self.asks if buy else self.bids

    def prices(self) -> Prices:
        """What triggers and pegs are judged by."""
        return Prices(self.last, self.bids.best, self.asks.best)

    def forget_book(self) -> None:
        """A change was missed: nothing of the book is believed."""
        self.bids.show((), is_book=True)
        self.asks.show((), is_book=True)
        self.sequence = None
