"""Auctions and corporate actions."""

from dataclasses import replace

from trading.matching.events import Auction, Split
from trading.matching.floor import Floor, rests
from trading.matching.state import WorkingOrder
from trading.matching.triggers import Trigger
from trading.matching.values import EndReason, Liquidity
from trading.vocabulary import ExecType

BASIS_POINTS = 10_000


def uncross(floor: Floor, auction: Auction) -> None:
    """Fill the orders of one auction at its price, MARKET before LIMIT, then price and time.

    Our fills together stay below the policy's share of the auction's volume; what is not filled
    ends with the auction.
    """
    waiting = [
        order for order in floor.by_priority() if order.time_in_force is auction.time_in_force
    ]
    budget = auction.volume * floor.policy.auction_cap_bp // BASIS_POINTS
    for order in sorted(waiting, key=_auction_key):
        floor.drop(order)
        take = 0
        if auction.price is not None and _takes_part(order, auction.price):
            take = min(order.leaves_qty, budget)
        if take > 0:
            assert auction.price is not None, "a fill has a price"
            budget -= take
            order = floor.say_fill(order, take, auction.price, Liquidity.AUCTION)
        if order.leaves_qty:
            floor.say_end(order, ExecType.EXPIRED, EndReason.AUCTION_END)


def _auction_key(order: WorkingOrder) -> tuple[bool, int, int]:
    if order.price is None:
        return (False, 0, order.priority)
    return (True, -order.price if order.buy else order.price, order.priority)


def _takes_part(order: WorkingOrder, price: int) -> bool:
    if order.price is None:
        return True
    return price <= order.price if order.buy else price >= order.price


def split(floor: Floor, event: Split) -> None:
    """Restate what works: quantities rounded down to the lot, prices never against the client.

    An order of which no whole lot is left is cancelled. Filled quantity is restated alike, so that
    the average price scales and nothing is booked.
    """
    for order in floor.by_priority():
        changed = _after_split(order, event)
        floor.drop(order)
        if changed.leaves_qty <= 0:
            floor.say_end(order, ExecType.CANCELED, EndReason.CORPORATE_ACTION)
            continue
        floor.said.order(changed, ExecType.RESTATED, reason=EndReason.CORPORATE_ACTION)
        if rests(changed):
            floor.rest(changed)
        else:
            floor.add(changed)


def _after_split(order: WorkingOrder, event: Split) -> WorkingOrder:
    price = order.price
    if price is not None:
        price = _scaled(price, event, up=not order.buy)
    cum_qty = order.cum_qty * event.new // event.old
    return replace(
        order,
        qty=max(order.qty * event.new // event.old, cum_qty),
        cum_qty=cum_qty,
        price=price,
        cap=None if order.cap is None else _scaled(order.cap, event, up=not order.buy),
        display_qty=None
        if order.display_qty is None
        else max(1, order.display_qty * event.new // event.old),
        min_qty=order.min_qty * event.new // event.old,
        trigger=None if order.trigger is None else _split_trigger(order.trigger, order, event),
    )


def _split_trigger(trigger: Trigger, order: WorkingOrder, event: Split) -> Trigger:
    """Prices and distances in ticks scale, percentages stay."""
    away = order.buy is not trigger.touch
    stop = None if trigger.stop_px is None else _scaled(trigger.stop_px, event, up=away)
    trail = trigger.trail
    if trail is not None:
        trail = replace(
            trail,
            offset=None if trail.offset is None else max(1, _scaled(trail.offset, event, up=True)),
            limit_offset=None
            if trail.limit_offset is None
            else _scaled(trail.limit_offset, event, up=True),
            activation_px=None
            if trail.activation_px is None
            else _scaled(trail.activation_px, event, up=not order.buy),
            anchor=None if trail.anchor is None else _scaled(trail.anchor, event, up=order.buy),
        )
    return replace(trigger, stop_px=stop, trail=trail)


def _scaled(ticks: int, event: Split, *, up: bool) -> int:
    if up:
        return -(-ticks * event.old // event.new)
    return ticks * event.old // event.new


def delist(floor: Floor) -> None:
    """Cancel everything."""
    for order in floor.by_priority():
        floor.end(order, ExecType.CANCELED, EndReason.DELISTED)
