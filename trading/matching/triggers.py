"""Orders that wait for a price: stops, if-touched orders and trails, as pure functions.

A trigger is judged by a reference price in ticks. Where a reference falls between two ticks it is
rounded so that nothing fires half a tick early.
"""

from dataclasses import dataclass, replace

from trading.vocabulary import TriggerPriceType

HUNDREDTHS = 10_000
"""Parts of a whole in ``Trail.percent``: hundredths of a percent."""


@dataclass(frozen=True, slots=True)
class Trail:
    """A stop that follows the market at a distance and never moves back.

    Exactly one of ``offset`` (ticks) and ``percent`` (hundredths of a percent of the anchor) is
    set. ``limit_offset`` (ticks) makes the fired order a LIMIT that far beyond its stop, None a
    MARKET. Before ``activation_px`` (ticks) is reached there is no ``anchor``, the best price seen
    since.
    """

    offset: int | None = None
    percent: int | None = None
    limit_offset: int | None = None
    activation_px: int | None = None
    anchor: int | None = None

    def __post_init__(self) -> None:
        given = self.offset if self.offset is not None else self.percent
        if (self.offset is None) == (self.percent is None) or given is None or given <= 0:
            raise ValueError("a trail has one positive distance, in ticks or in percent")


@dataclass(frozen=True, slots=True)
class Trigger:
    """What an order waits for. ``stop_px`` is in ticks; a trail may begin without one.

    A stop fires when the market moves against the position to be closed (a sale at or below, a
    purchase at or above), ``touch`` turns that round (market-if-touched, limit-if-touched).
    """

    stop_px: int | None = None
    touch: bool = False
    price_type: TriggerPriceType = TriggerPriceType.LAST
    trail: Trail | None = None

    def __post_init__(self) -> None:
        if self.stop_px is None and self.trail is None:
            raise ValueError("a trigger needs a stop price or a trail")
        if self.touch and self.trail is not None:
            raise ValueError("an if-touched order does not trail")


@dataclass(frozen=True, slots=True)
class Prices:
    """What triggers can be judged by, in ticks; None where the market does not say."""

    last: int | None = None
    bid: int | None = None
    ask: int | None = None


def reference_price(prices: Prices, trigger: Trigger, *, buy: bool) -> int | None:
    """Return the price in ticks by which a trigger is judged, None while there is none.

    BID_ASK is what the order would trade at: the bid for a sale, the offer for a purchase. There
    is no MARK here.
    """
    if trigger.price_type is TriggerPriceType.LAST:
        return prices.last
    if trigger.price_type is TriggerPriceType.BID_ASK:
        return prices.ask if buy else prices.bid
    if trigger.price_type is TriggerPriceType.MARK:
        return None
    if prices.bid is None or prices.ask is None:
        return None
    whole, half = divmod(prices.bid + prices.ask, 2)
    return whole + half if _fires_below(trigger, buy=buy) else whole


def fires(trigger: Trigger, reference: int, *, buy: bool) -> bool:
    """Whether the order is to be sent into the market at this reference; equality fires."""
    if trigger.stop_px is None:
        return False
    if _fires_below(trigger, buy=buy):
        return reference <= trigger.stop_px
    return reference >= trigger.stop_px


def followed(trigger: Trigger, reference: int, *, buy: bool) -> Trigger:
    """Return the trigger after its trail has seen a reference; others come back as they are.

    The anchor is the best reference since activation, the stop keeps its distance from it and
    never moves back.
    """
    trail = trigger.trail
    if trail is None:
        return trigger
    if trail.anchor is None:
        if not _is_activated(trail, reference, buy=buy):
            return trigger
        anchor = reference
    else:
        anchor = min(trail.anchor, reference) if buy else max(trail.anchor, reference)
    stop = _stop_at(anchor, trail, buy=buy)
    if trigger.stop_px is not None:
        stop = min(stop, trigger.stop_px) if buy else max(stop, trigger.stop_px)
    if anchor == trail.anchor and stop == trigger.stop_px:
        return trigger
    return replace(trigger, stop_px=stop, trail=replace(trail, anchor=anchor))


def fired_price(trigger: Trigger, price: int | None, *, buy: bool) -> int | None:
    """Return the limit in ticks a fired order has: its own, its trail's, or None for MARKET."""
    trail = trigger.trail
    if trail is None or trail.limit_offset is None:
        return price
    assert trigger.stop_px is not None, "only a trail with a stop fires"
    return trigger.stop_px + (trail.limit_offset if buy else -trail.limit_offset)


def _fires_below(trigger: Trigger, *, buy: bool) -> bool:
    return buy is trigger.touch


def _is_activated(trail: Trail, reference: int, *, buy: bool) -> bool:
    if trail.activation_px is None:
        return True
    return reference <= trail.activation_px if buy else reference >= trail.activation_px


def _stop_at(anchor: int, trail: Trail, *, buy: bool) -> int:
    """Derived triggers are rounded away from the market: up for a purchase, down for a sale."""
    if trail.offset is not None:
        return anchor + trail.offset if buy else anchor - trail.offset
    assert trail.percent is not None, "a trail has a distance"
    if buy:
        return -(-anchor * (HUNDREDTHS + trail.percent) // HUNDREDTHS)
    return anchor * (HUNDREDTHS - trail.percent) // HUNDREDTHS
