"""What happens to resting orders when the market shows a price or somebody trades."""

from collections.abc import Mapping
from dataclasses import replace

from trading.matching.book import open_qty
from trading.matching.events import TradeTick
from trading.matching.floor import Floor
from trading.matching.state import WorkingOrder
from trading.matching.values import QueueModel

BASIS_POINTS = 10_000


def displayed_sizes(floor: Floor) -> dict[str, int | None]:
    """Return what is displayed at the price of each resting order, to compare with afterwards."""
    return {
        order.order_id: floor.market.own(buy=buy).displayed(order.price)
        for buy, side in floor.sides.items()
        for order in side
        if order.price is not None
    }


def move_queues(floor: Floor, before: Mapping[str, int | None]) -> None:
    """Bring the queue before each resting order up to date with what is displayed now.

    A size that shrank without a trade shortens the queue only as far as it must (pessimistic), or
    in proportion, rounded against the order.
    """
    for order_id, was in before.items():
        order = floor.orders[order_id]
        assert order.price is not None, "only priced orders rest"
        now = floor.market.own(buy=order.buy).displayed(order.price)
        ahead = _queue_ahead(floor.policy.queue_model, order.queue_ahead, was, now)
        if ahead != order.queue_ahead:
            floor.change(order, replace(order, queue_ahead=ahead))


def _queue_ahead(
    model: QueueModel, ahead: int | None, was: int | None, now: int | None
) -> int | None:
    if now is None:
        return ahead
    if ahead is None:
        return now
    if model is QueueModel.PROBABILISTIC and was and now < was:
        return -(-ahead * now // was)
    return min(ahead, now)


def fill_crossed(floor: Floor) -> None:
    """Fill resting orders that the other side's displayed prices have reached, at their own price,
    best and oldest first, up to the sizes shown.
    """
    for buy in (True, False):
        again = True
        while again:
            again = False
            for order in list(floor.sides[buy]):
                current = floor.orders.get(order.order_id)
                if current is not None and current.priority == order.priority:
                    again |= _fill_from_shown(floor, current)


def _fill_from_shown(floor: Floor, order: WorkingOrder) -> bool:
    """Fill one order; whether it is an iceberg that goes on at another place."""
    assert order.price is not None, "only priced orders rest"
    depth = floor.market.opposite(buy=order.buy)
    levels = list(depth.crossing(order.price))
    wanted = open_qty(order)
    found = sum(size for _, size in levels)
    if found == 0 or (order.all_or_none and found < wanted):
        return False
    left = taken = min(wanted, found)
    for price, size in levels:
        take = min(left, size)
        if take == 0:
            break
        depth.take(price, take)
        left -= take
    rest = floor.fill_resting(order, taken)
    return rest is not None and rest.priority != order.priority


def fill_by_trade(floor: Floor, trade: TradeTick) -> None:
    """Let resting orders take part in somebody's trade.

    At its price whoever stood before us is served first; a trade through our price reaches us in
    any case. All fills together stay below the share of the volume the policy allows; parts of a
    lot are kept for the next trade.
    """
    share = trade.qty * floor.policy.volume_cap_bp + floor.carry
    budget, floor.carry = divmod(share, BASIS_POINTS)
    for buy in (True, False):
        step = 1 if buy else -1
        at_price = trade.qty
        for order in list(floor.sides[buy]):
            assert order.price is not None, "only priced orders rest"
            if order.price * step < trade.price * step:
                break
            take = min(open_qty(order), budget)
            if order.price == trade.price:
                if order.queue_ahead is None:
                    continue
                order, excess = _served_before(floor, order, trade.qty, at_price)
                take = min(take, excess)
                at_price -= take if _may_fill(order, take) else 0
            if take > 0 and _may_fill(order, take):
                budget -= take
                floor.fill_resting(order, take)


def _served_before(
    floor: Floor, order: WorkingOrder, traded: int, at_price: int
) -> tuple[WorkingOrder, int]:
    """Return the order with its queue shortened by a trade, and what of the trade reaches it."""
    assert order.queue_ahead is not None, "an order without a known queue is passed over"
    excess = max(0, at_price - order.queue_ahead)
    moved = replace(order, queue_ahead=max(0, order.queue_ahead - traded))
    floor.change(order, moved)
    return moved, excess


def _may_fill(order: WorkingOrder, qty: int) -> bool:
    return not order.all_or_none or qty == order.leaves_qty
