"""An order that comes: what it takes at once, and what becomes of its rest."""

from collections.abc import Iterable
from dataclasses import replace

from trading.matching.arrival import Plan, plan_arrival
from trading.matching.floor import Floor
from trading.matching.pegs import pegged_price
from trading.matching.state import WorkingOrder
from trading.matching.values import EndReason, Liquidity
from trading.vocabulary import ExecType, OrdType, TimeInForce

IMMEDIATE = (TimeInForce.IOC, TimeInForce.FOK)


def plan_of(floor: Floor, order: WorkingOrder) -> Plan:
    """Return what an order would take if it came now."""
    return plan_arrival(
        order,
        floor.sides[not order.buy],
        floor.market.opposite(buy=order.buy),
        floor.policy,
        best_only=order.to_limit and order.price is None,
    )


def would_take(floor: Floor, order: WorkingOrder) -> bool:
    """Whether an order would trade on arrival, or lock the market: a post-only may not."""
    plan = plan_of(floor, order)
    return bool(plan.takes) or plan.self_match


def arrive(floor: Floor, order: WorkingOrder) -> None:
    """Let an acknowledged order (in no book yet) trade, then let its rest stand or end."""
    if order.peg is not None:
        was_priced = order.price is not None
        order = replace(order, price=pegged_price(order, floor.market.prices()))
        if order.price is None:
            if was_priced:
                floor.said.order(order, ExecType.SUSPENDED, reason=EndReason.REPRICED)
            floor.add(order)
            return
    plan = plan_of(floor, order)
    reason = _refusal(order, plan)
    if reason is not None:
        floor.say_end(order, ExecType.CANCELED, reason)
        return
    order = _carry_out(floor, order, plan)
    if order.leaves_qty == 0:
        return
    if plan.self_match and not order.all_or_none:
        floor.say_end(order, ExecType.CANCELED, EndReason.SELF_MATCH)
    elif order.to_limit and order.price is None and plan.takes:
        rested = replace(order, price=plan.takes[0].price, ord_type=OrdType.LIMIT)
        floor.said.order(rested, ExecType.RESTATED, reason=EndReason.REPRICED)
        floor.rest(rested)
    elif order.price is None and _waits_for_more(floor, order):
        floor.add(replace(order, parked=True))
    elif order.price is None:
        floor.say_end(order, ExecType.CANCELED, EndReason.NO_LIQUIDITY)
    elif order.time_in_force in IMMEDIATE:
        floor.say_end(order, ExecType.CANCELED, EndReason.IMMEDIATE_REST)
    else:
        floor.rest(order)


def arrive_again(floor: Floor, orders: Iterable[WorkingOrder]) -> None:
    """Let working orders come once more, as at the first price after a pause."""
    for order in orders:
        floor.drop(order)
        arrive(floor, replace(order, parked=False))


def _waits_for_more(floor: Floor, order: WorkingOrder) -> bool:
    return floor.policy.market_rest_waits and order.time_in_force not in IMMEDIATE


def _refusal(order: WorkingOrder, plan: Plan) -> EndReason | None:
    """Why an order may not take what it finds, None where it may."""
    whole = plan.qty == order.leaves_qty
    if order.post_only and order.peg is None and plan.takes:
        return EndReason.WOULD_TAKE
    if order.time_in_force is TimeInForce.FOK and not whole:
        return EndReason.FILL_OR_KILL
    if plan.qty < order.min_qty:
        return EndReason.MIN_QTY
    if order.all_or_none and not whole and plan.self_match:
        return EndReason.SELF_MATCH
    return None


def _carry_out(floor: Floor, order: WorkingOrder, plan: Plan) -> WorkingOrder:
    if order.all_or_none and plan.qty < order.leaves_qty:
        return order
    for take in plan.takes:
        if take.maker is None:
            floor.market.opposite(buy=order.buy).take(take.price, take.qty)
        else:
            floor.fill_resting(floor.orders[take.maker.order_id], take.qty)
        order = floor.say_fill(order, take.qty, take.price, Liquidity.TAKER)
    return order
