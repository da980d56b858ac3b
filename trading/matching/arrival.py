"""An order while it trades aggressively, and the plan of what it would take."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from trading.matching.book import RestingSide, Touch
from trading.matching.state import WorkingOrder
from trading.matching.values import Policy
from trading.vocabulary import OrdType, TimeInForce


@dataclass(slots=True)
class Arrival:
    """An order on arrival (or after an amend): it trades first, and may rest afterwards.

    ``price`` is its limit in ticks, None for MARKET; ``buy`` is False for sales and short sales.
    """

    order_id: str
    account: str
    buy: bool
    ord_type: OrdType
    time_in_force: TimeInForce
    qty: int
    price: int | None
    cum_qty: int = 0

    @property
    def leaves_qty(self) -> int:
        """What is still to be filled."""
        return self.qty - self.cum_qty

    def accepts(self, price: int) -> bool:
        """Whether it may trade at this price."""
        if self.price is None:
            return True
        return price <= self.price if self.buy else price >= self.price


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


def plan_arrival(arrival: Arrival, resting: RestingSide, touch: Touch, policy: Policy) -> Plan:
    """Walk what stands on the other side, best price first, resting orders before the market.

    Stops at the order's limit, when it is full, and before a resting order of its own account.
    """
    plan = Plan()
    left = arrival.leaves_qty
    for price, size, maker in _opposite(arrival, resting, touch, policy):
        if left == 0 or not arrival.accepts(price):
            break
        if maker is not None and maker.account == arrival.account:
            plan.self_match = True
            break
        take = min(left, size)
        plan.takes.append(Take(price, take, maker))
        left -= take
    return plan


def _opposite(
    arrival: Arrival, resting: RestingSide, touch: Touch, policy: Policy
) -> Iterator[tuple[int, int, WorkingOrder | None]]:
    """Yield (price, size, resting order or None = the market), merged best price first."""
    step = 1 if arrival.buy else -1
    levels = touch.levels(policy)
    level = next(levels, None)
    for order in resting:
        if not policy.internal_crossing and order.account != arrival.account:
            continue
        while level is not None and level[0] * step < order.price * step:
            yield level[0], level[1], None
            level = next(levels, None)
        yield order.price, order.leaves_qty, order
    while level is not None:
        yield level[0], level[1], None
        level = next(levels, None)
