"""What an arriving order would take: planned before anything moves."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from trading.matching.book import RestingSide, open_qty
from trading.matching.market import Depth
from trading.matching.state import WorkingOrder
from trading.matching.values import Policy


@dataclass(frozen=True, slots=True)
class Take:
    """One planned fill; ``maker`` is the resting order it meets, None = the market."""

    price: int
    qty: int
    maker: WorkingOrder | None = None


@dataclass(slots=True)
class Plan:
    """What an arriving order would take, and whether its own account stands in the way."""

    takes: list[Take] = field(default_factory=list)
    self_match: bool = False

    @property
    def qty(self) -> int:
        """The lots it would take in all."""
        return sum(take.qty for take in self.takes)


def plan_arrival(
    order: WorkingOrder, resting: RestingSide, depth: Depth, policy: Policy, *, best_only: bool
) -> Plan:
    """Walk what stands on the other side, best price first, resting orders before the market.

    Stops at the order's limit, when it is full, and before a resting order of its own account;
    with ``best_only`` after the best price.
    """
    plan = Plan()
    left = order.leaves_qty
    for price, size, maker in _opposite(order, resting, depth, policy):
        if left == 0 or not _accepts(order, price, depth, maker):
            break
        if best_only and plan.takes and price != plan.takes[0].price:
            break
        if maker is not None and maker.account == order.account:
            plan.self_match = True
            break
        if maker is not None and maker.all_or_none and size > left:
            continue
        take = min(left, size)
        plan.takes.append(Take(price, take, maker))
        left -= take
    return plan


def _accepts(order: WorkingOrder, price: int, depth: Depth, maker: WorkingOrder | None) -> bool:
    if order.price is None:
        return True
    if maker is None:
        return depth.reaches(price, order.price)
    return price <= order.price if order.buy else price >= order.price


def _opposite(
    order: WorkingOrder, resting: RestingSide, depth: Depth, policy: Policy
) -> Iterator[tuple[int, int, WorkingOrder | None]]:
    """Yield (price, size, resting order or None = the market), merged best price first."""
    step = 1 if order.buy else -1
    levels = depth.reachable(policy)
    level = next(levels, None)
    for maker in resting:
        if not policy.internal_crossing and maker.account != order.account:
            continue
        assert maker.price is not None, "only priced orders rest"
        while level is not None and level[0] * step < maker.price * step:
            yield level[0], level[1], None
            level = next(levels, None)
        yield maker.price, open_qty(maker), maker
    while level is not None:
        yield level[0], level[1], None
        level = next(levels, None)
