"""New terms for an order that works."""

from dataclasses import replace

from trading.matching.aggressive import IMMEDIATE, arrive, would_take
from trading.matching.events import AUCTIONS, Replace
from trading.matching.floor import Floor, rests
from trading.matching.state import WorkingOrder
from trading.matching.triggers import Trigger, fires, followed, reference_price
from trading.matching.values import EndReason
from trading.vocabulary import CxlRejReason, ExecType


def amend(floor: Floor, request: Replace) -> None:
    """Give an order new terms in place, or refuse and leave it as it is.

    A total below what is filled means: no more. Another price, a larger quantity or another
    quantity to show loses the place in time and trades as if it had just come; a smaller quantity
    keeps the place. The anchor of a trail stays where it is.

    :raises ValueError: if the quantity is not positive.
    """
    if request.qty <= 0:
        raise ValueError(f"quantity {request.qty} of {request.order_id} is not positive")
    order = floor.orders.get(request.order_id)
    if order is None:
        floor.said.refusal(request, CxlRejReason.UNKNOWN_ORDER, "no such working order")
        return
    changed = _changed(order, request)
    text = _why_not(floor, order, changed)
    if text:
        floor.said.refusal(request, CxlRejReason.OTHER, text, order)
        return
    floor.drop(order)
    floor.said.order(changed, ExecType.REPLACED, request_id=request.request_id)
    if changed.leaves_qty == 0:
        return
    if not rests(changed) and order.peg is None:
        floor.add(changed)
    elif _keeps_place(order, changed):
        shown = min(changed.shown, changed.leaves_qty)
        floor.add(replace(changed, shown=shown))
    else:
        arrive(floor, replace(changed, priority=floor.next_priority()))


def _keeps_place(order: WorkingOrder, changed: WorkingOrder) -> bool:
    same = ("price", "cap", "display_qty")
    return changed.qty <= order.qty and all(
        getattr(changed, name) == getattr(order, name) for name in same
    )


def _changed(order: WorkingOrder, request: Replace) -> WorkingOrder:
    price = order.price if request.price is None else request.price
    changed = replace(
        order,
        qty=max(request.qty, order.cum_qty),
        time_in_force=request.time_in_force,
        trigger=_kept_anchor(order, request.trigger),
        display_qty=request.display_qty,
        expire_at=_end(order, request),
    )
    if order.peg is not None:
        return replace(changed, cap=request.price if request.price is not None else order.cap)
    return replace(changed, price=price)


def _end(order: WorkingOrder, request: Replace) -> int | None:
    if request.expire_at is None and request.time_in_force is order.time_in_force:
        return order.expire_at
    return request.expire_at


def _kept_anchor(order: WorkingOrder, wanted: Trigger | None) -> Trigger | None:
    """The trigger asked for; a trail goes on from the best price seen so far."""
    old = order.trigger
    if old is None or wanted is None:
        return old
    if wanted.trail is None or old.trail is None or old.trail.anchor is None:
        return wanted
    anchored = replace(wanted, trail=replace(wanted.trail, anchor=old.trail.anchor))
    return followed(anchored, old.trail.anchor, buy=order.buy)


def _why_not(floor: Floor, order: WorkingOrder, changed: WorkingOrder) -> str:
    """Why the venue does not take the new terms, empty if it does."""
    if changed.time_in_force in IMMEDIATE and order.trigger is None:
        return "a resting order cannot become immediate"
    if changed.time_in_force != order.time_in_force and (
        changed.time_in_force in AUCTIONS or order.time_in_force in AUCTIONS
    ):
        return "an order cannot move into or out of an auction"
    if changed.display_qty is not None and not 0 < changed.display_qty <= changed.qty:
        return "the quantity shown is not within the order's"
    if changed.trigger is not None:
        reference = reference_price(floor.market.prices(), changed.trigger, buy=order.buy)
        if reference is not None and fires(changed.trigger, reference, buy=order.buy):
            return EndReason.WOULD_TRIGGER
    crosses = changed.price != order.price and rests(changed) and changed.post_only
    if crosses and would_take(floor, changed):
        return EndReason.WOULD_TAKE
    return ""
