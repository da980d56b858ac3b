"""Orders that wait: for a price to follow or to fire at, for the market to open, for their end."""

from dataclasses import replace

from trading.matching.aggressive import IMMEDIATE, arrive, arrive_again
from trading.matching.floor import Floor
from trading.matching.pegs import pegged_price
from trading.matching.state import WorkingOrder
from trading.matching.triggers import (
    Prices,
    Trigger,
    fired_price,
    fires,
    followed,
    reference_price,
)
from trading.matching.values import EndReason
from trading.vocabulary import ExecType, TimeInForce

TELL_EVERY_NS = 1_000_000_000
"""A trailed stop moves with every price and is reported once a second at most."""


def armed(trigger: Trigger, prices: Prices, *, buy: bool) -> Trigger | EndReason:
    """Return the trigger of an order that comes now, or why it cannot be taken.

    A trail that is active at once needs a price to start from; a stop the market has reached
    already is on the wrong side.
    """
    reference = reference_price(prices, trigger, buy=buy)
    if reference is None:
        needs = trigger.trail is not None and trigger.trail.activation_px is None
        return EndReason.NO_REFERENCE if needs else trigger
    trigger = followed(trigger, reference, buy=buy)
    return EndReason.WOULD_TRIGGER if fires(trigger, reference, buy=buy) else trigger


def release_parked(floor: Floor) -> None:
    """The market trades again: orders that came or stayed over the pause meet its first price."""
    arrive_again(floor, [order for order in floor.watchers() if order.parked])


def reprice_pegs(floor: Floor) -> None:
    """Move pegged orders to where the market has gone; each move loses the place in time."""
    prices = floor.market.prices()
    for seen in floor.watchers():
        order = floor.orders.get(seen.order_id)  # one that moved before may have met it
        if order is None or order.peg is None or order.parked:
            continue
        price = pegged_price(order, prices)
        if price == order.price:
            continue
        floor.drop(order)
        moved = replace(order, price=price, priority=floor.next_priority())
        if price is None:
            floor.said.order(moved, ExecType.SUSPENDED, reason=EndReason.REPRICED)
            floor.add(moved)
        else:
            floor.said.order(moved, ExecType.RESTATED, reason=EndReason.REPRICED)
            arrive(floor, moved)


def fire_triggers(floor: Floor) -> None:
    """Let trails follow and send what fires into the market, oldest first."""
    prices = floor.market.prices()
    for order in floor.watchers():
        if order.trigger is None or order.order_id not in floor.orders:
            continue
        reference = reference_price(prices, order.trigger, buy=order.buy)
        if reference is None:
            continue
        trigger = followed(order.trigger, reference, buy=order.buy)
        if fires(trigger, reference, buy=order.buy):
            _fire(floor, order, trigger)
        elif trigger is not order.trigger:
            floor.change(order, replace(order, trigger=trigger, untold=True))
    tell_trails(floor)


def tell_trails(floor: Floor) -> None:
    """Report the stops that have moved, each once a second at most."""
    now = floor.said.last_at
    for order in floor.watchers():
        if order.untold and is_telling_time(order, now):
            told = replace(order, untold=False, told_at=now)
            floor.said.order(told, ExecType.RESTATED, reason=EndReason.TRAILED)
            floor.change(order, told)


def is_telling_time(order: WorkingOrder, now: int) -> bool:
    """Whether a stop that moved may be reported at an instant (ns)."""
    return now - order.told_at >= TELL_EVERY_NS


def would_move(floor: Floor, prices: Prices, now: int) -> bool:
    """Whether these prices, at an instant (ns), would fire, reprice or report a waiting order."""
    for order in floor.watching.values():
        if order.parked:
            return True
        if order.peg is not None and pegged_price(order, prices) != order.price:
            return True
        if order.trigger is not None and _would_speak(order, order.trigger, prices, now):
            return True
    return False


def _would_speak(order: WorkingOrder, trigger: Trigger, prices: Prices, now: int) -> bool:
    reference = reference_price(prices, trigger, buy=order.buy)
    if reference is None:
        return order.untold and is_telling_time(order, now)
    moved = followed(trigger, reference, buy=order.buy)
    if fires(moved, reference, buy=order.buy):
        return True
    return (order.untold or moved is not trigger) and is_telling_time(order, now)


def _fire(floor: Floor, order: WorkingOrder, trigger: Trigger) -> None:
    floor.drop(order)
    fired = replace(
        order,
        trigger=None,
        untold=False,
        price=fired_price(trigger, order.price, buy=order.buy),
        priority=floor.next_priority(),
    )
    floor.said.order(fired, ExecType.TRIGGERED, fired=trigger)
    arrive(floor, fired)


def expire_due(floor: Floor, before: int) -> None:
    """End orders whose time lies before an instant (ns)."""
    for order in floor.overdue(before):
        is_day = order.time_in_force is TimeInForce.DAY
        reason = EndReason.SESSION_CLOSE if is_day else EndReason.EXPIRE_TIME
        floor.end(order, ExecType.EXPIRED, reason)


def close_session(floor: Floor) -> None:
    """End DAY orders; what stays waits for the next opening."""
    for order in floor.by_priority():
        if order.time_in_force is TimeInForce.DAY:
            floor.end(order, ExecType.EXPIRED, EndReason.SESSION_CLOSE)
    park_all(floor)


def park_all(floor: Floor) -> None:
    """Take every order out of the book until the market trades again."""
    for order in floor.by_priority():
        waits = order.trigger is not None or order.time_in_force in (
            TimeInForce.OPG,
            TimeInForce.CLS,
        )
        if not waits and not order.parked:
            floor.change(order, replace(order, parked=True))


def may_wait_for_opening(order: WorkingOrder) -> bool:
    """Whether an order that comes while nothing trades can be kept."""
    if order.trigger is not None:
        return True
    return order.price is not None and order.time_in_force not in IMMEDIATE
