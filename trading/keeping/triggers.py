"""What one price does to an order that waits here: it fires, its trail moves, or nothing.

The rules are those of the matching engine (``trading.matching.triggers``), in ticks; prices are
``Decimal`` at this edge. A price between two ticks never fires early and never flatters a trail.
"""

from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from trading import exact
from trading.market import Quote
from trading.matching.triggers import Trail, Trigger, fired_price, fires, followed
from trading.orders import wire
from trading.orders.canonical import EXACT
from trading.vocabulary import OrdType, Side, TrailType, TriggerPriceType

_FIELDS = (
    "side",
    "ord_type",
    "stop_px",
    "price",
    "trigger_price_type",
    "trail_offset",
    "trail_type",
    "activation_px",
    "limit_offset",
)
TOUCHED = frozenset({OrdType.MARKET_IF_TOUCHED, OrdType.LIMIT_IF_TOUCHED})


@dataclass(frozen=True, slots=True)
class Fired:
    """The order goes into the market: at ``price`` where it is a LIMIT now, None for a MARKET.

    ``stop_px`` is the trigger as of this price, ``anchor_px`` the best price its trail had seen.
    """

    stop_px: Decimal
    price: Decimal | None
    anchor_px: Decimal | None


@dataclass(frozen=True, slots=True)
class Moved:
    """The trail has followed the market: its best price now, and the stop at its distance."""

    anchor_px: Decimal
    stop_px: Decimal


@dataclass(frozen=True, slots=True)
class Kept:
    """What a price is held against. ``stop_px`` is the trigger now, where a trail has taken it.

    ``trail_offset`` is a price or a percentage by ``trail_type``; ``anchor_px`` the best price
    since the trail was activated, None before.
    """

    side: Side
    ord_type: OrdType
    tick_size: Decimal
    stop_px: Decimal | None = None
    price: Decimal | None = None
    trigger_price_type: TriggerPriceType = TriggerPriceType.LAST
    trail_offset: Decimal | None = None
    trail_type: TrailType | None = None
    activation_px: Decimal | None = None
    limit_offset: Decimal | None = None
    anchor_px: Decimal | None = None

    @property
    def is_buy(self) -> bool:
        """Whether it adds to the position."""
        return self.side is Side.BUY

    @property
    def fires_below(self) -> bool:
        """Whether a falling price fires it; a rising one fires the others."""
        return self.is_buy is (self.ord_type in TOUCHED)


def kept(source: object, tick_size: Decimal, anchor_px: Decimal | None = None) -> Kept:
    """What waits of an intent or an order: any ``source`` that has these fields by their names."""
    fields = wire.read(wire.write(source, _FIELDS), _FIELDS)
    return Kept(tick_size=tick_size, anchor_px=anchor_px, **fields)


def reference_px(order: Kept, quote: Quote) -> Decimal | None:
    """Return the price by which the order is judged; None where this quote has no such price."""
    wanted = order.trigger_price_type
    if wanted is TriggerPriceType.LAST:
        return quote.last
    if wanted is TriggerPriceType.BID_ASK:
        return quote.ask if order.is_buy else quote.bid
    if wanted is TriggerPriceType.MID:
        return EXACT.divide(exact.add(quote.bid, quote.ask), Decimal(2))
    return None


def judge(order: Kept, price: Decimal) -> Fired | Moved | None:
    """Say what a fresh eligible price does; a trail follows it first and is then held against it.

    :raises ValueError: for an order without a trigger.
    """
    if _is_between(order, price):
        return None
    before = _trigger(order)
    after = followed(before, _ticks(price, order, up=order.is_buy), buy=order.is_buy)
    anchor = after.trail.anchor if after.trail is not None else None
    if fires(after, _ticks(price, order, up=order.fires_below), buy=order.is_buy):
        assert after.stop_px is not None, "only what has a stop fires"
        behind = fired_price(after, None, buy=order.is_buy)
        return Fired(
            stop_px=_price(after.stop_px, order),
            price=order.price if behind is None else _price(behind, order),
            anchor_px=_opt_price(anchor, order),
        )
    if after is before or anchor is None or after.stop_px is None:
        return None
    return Moved(_price(anchor, order), _price(after.stop_px, order))


def _is_between(order: Kept, price: Decimal) -> bool:
    """Whether the price reaches nothing: almost all do, and there may be thousands of orders."""
    stop, best = order.stop_px, order.anchor_px
    if stop is not None and (price <= stop if order.fires_below else price >= stop):
        return False
    if order.trail_offset is None:
        return True
    if best is None:
        best = order.activation_px
        reached = best is None or (price <= best if order.is_buy else price >= best)
        return not reached
    # Without a stop it has yet to be taken from the best price, as after another distance.
    return stop is not None and (price >= best if order.is_buy else price <= best)


def following(order: Kept, moved: Moved) -> Kept:
    """The order after its trail has moved."""
    return replace(order, anchor_px=moved.anchor_px, stop_px=moved.stop_px)


def from_anchor(order: Kept, anchor_px: Decimal | None) -> Kept:
    """The order whose trail has also seen ``anchor_px``, if that is better than what it knows.

    None brings its stop to the best price it knows already.
    """
    seen = order.anchor_px if anchor_px is None else anchor_px
    moved = None if seen is None or order.trail_offset is None else judge(order, seen)
    return following(order, moved) if isinstance(moved, Moved) else order


def _trigger(order: Kept) -> Trigger:
    stop = None if order.stop_px is None else _ticks(order.stop_px, order, up=order.is_buy)
    return Trigger(
        stop_px=stop,
        touch=order.ord_type in TOUCHED,
        price_type=order.trigger_price_type,
        trail=None if order.trail_offset is None else _trail(order, order.trail_offset),
    )


def _trail(order: Kept, distance: Decimal) -> Trail:
    percent = order.trail_type is TrailType.PERCENT
    return Trail(
        offset=None if percent else _ticks(distance, order, up=True),
        percent=int(EXACT.multiply(distance, Decimal(100))) if percent else None,
        limit_offset=_opt_ticks(order.limit_offset, order),
        activation_px=_opt_ticks(order.activation_px, order),
        anchor=_opt_ticks(order.anchor_px, order),
    )


def _opt_ticks(value: Decimal | None, order: Kept) -> int | None:
    return None if value is None else _ticks(value, order, up=order.is_buy)


def _ticks(value: Decimal, order: Kept, *, up: bool) -> int:
    ticks = EXACT.divide(value, order.tick_size)
    return int(ticks.to_integral_value(ROUND_CEILING if up else ROUND_FLOOR))


def _price(ticks: int, order: Kept) -> Decimal:
    return EXACT.multiply(Decimal(ticks), order.tick_size)


def _opt_price(ticks: int | None, order: Kept) -> Decimal | None:
    return None if ticks is None else _price(ticks, order)
