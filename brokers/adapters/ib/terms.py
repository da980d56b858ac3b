"""Orders in the words of the TWS API. Numbers go out as texts: no float touches them."""

from datetime import UTC
from decimal import Decimal
from typing import Any

from brokers.adapters.base import NewOrder, ReplaceOrder
from brokers.adapters.ib.wire import WireOrder
from trading.vocabulary import (
    OrdType,
    PegPriceType,
    Side,
    TimeInForce,
    TrailType,
    TriggerPriceType,
)

ORDER_TYPES = {
    OrdType.MARKET: "MKT",
    OrdType.LIMIT: "LMT",
    OrdType.STOP: "STP",
    OrdType.STOP_LIMIT: "STP LMT",
    OrdType.MARKET_IF_TOUCHED: "MIT",
    OrdType.LIMIT_IF_TOUCHED: "LIT",
    OrdType.TRAILING_STOP: "TRAIL",
    OrdType.TRAILING_STOP_LIMIT: "TRAIL LIMIT",
    OrdType.MARKET_TO_LIMIT: "MTL",
}
PEGS = {PegPriceType.PRIMARY: "REL", PegPriceType.MARKET: "PEG MKT", PegPriceType.MID: "PEG MID"}
AT_CLOSE = {OrdType.MARKET: "MOC", OrdType.LIMIT: "LOC"}
WAITING = frozenset({"STP", "STP LMT", "MIT", "LIT", "TRAIL", "TRAIL LIMIT"})
"""TWS types that work only after their trigger has fired."""
TRIGGER_METHODS = {
    TriggerPriceType.LAST: 2,
    TriggerPriceType.BID_ASK: 4,
    TriggerPriceType.MID: 8,
}
GOOD_TILL = "%Y%m%d-%H:%M:%S"
_OURS = {name: ours for ours, name in ORDER_TYPES.items()}
_OURS |= {name: ours for ours, name in AT_CLOSE.items()}
_OURS |= dict.fromkeys(PEGS.values(), OrdType.PEGGED)
_TIFS = {"": TimeInForce.DAY, **{tif.value: tif for tif in TimeInForce if tif != TimeInForce.CLS}}


def order_fields(order: NewOrder, venue_account: str) -> dict[str, Any]:
    """Return the attributes of the library's Order for a new order."""
    fields: dict[str, Any] = {
        "account": venue_account,
        "action": "BUY" if order.side is Side.BUY else "SELL",
        "orderType": _order_type(order),
        "orderRef": order.venue_cl_ord_id,
        "tif": "DAY" if order.time_in_force is TimeInForce.CLS else order.time_in_force.value,
        "totalQuantity": text(order.order_qty),
        "lmtPrice": _opt(order.price),
        "auxPrice": _opt(order.stop_px),
        "outsideRth": order.extended_hours,
        "allOrNone": "ALL_OR_NONE" in order.exec_inst,
        "displaySize": _opt(order.display_qty),
        "minQty": _opt(order.min_qty),
        "transmit": True,
    }
    if order.expire_time is not None:
        fields["goodTillDate"] = order.expire_time.astimezone(UTC).strftime(GOOD_TILL)
    if order.trigger_price_type is not None:
        fields["triggerMethod"] = TRIGGER_METHODS[order.trigger_price_type]
    if order.trail_offset is not None:
        fields |= _trail(order.trail_offset, order.trail_type, order.stop_px, order.limit_offset)
    if order.peg_price_type is not None:
        offset = Decimal(abs(order.peg_offset or 0)) * order.rules.tick_size
        fields["auxPrice"] = text(offset)
    return {name: value for name, value in fields.items() if value is not None}


def standing_fields(order: WireOrder) -> dict[str, Any]:
    """Return the attributes of an order as it stands, for placing it again with others changed."""
    fields: dict[str, Any] = {
        "account": order.account,
        "action": order.action,
        "orderType": order.order_type,
        "orderRef": order.order_ref,
        "tif": order.tif,
        "totalQuantity": text(order.order_qty),
        "lmtPrice": _opt(order.limit),
        "auxPrice": _opt(order.aux),
        "outsideRth": order.outside_rth,
        "allOrNone": order.all_or_none,
        "displaySize": _opt(order.display),
        "minQty": _opt(order.min_qty),
        "triggerMethod": order.trigger_method,
        "trailStopPrice": _opt(order.trail_stop),
        "trailingPercent": _opt(order.trail_percent),
        "lmtPriceOffset": _opt(order.limit_offset),
        "goodTillDate": order.good_till,
        "transmit": True,
    }
    return {name: value for name, value in fields.items() if value is not None}


def amended_fields(standing: WireOrder, request: ReplaceOrder) -> dict[str, Any]:
    """Return the attributes an amendment changes; those it does not name stay as they are."""
    fields: dict[str, Any] = {
        "orderRef": request.venue_cl_ord_id,
        "totalQuantity": text(request.order_qty),
        "lmtPrice": _opt(request.price),
        "auxPrice": _opt(request.stop_px),
        "displaySize": _opt(request.display_qty),
    }
    if request.trail_offset is not None:
        del fields["auxPrice"]  # a trail's distance stands there, its stop elsewhere
        percent = standing.trail_percent is not None
        fields["trailingPercent" if percent else "auxPrice"] = text(request.trail_offset)
        fields["trailStopPrice"] = _opt(request.stop_px)
        fields["lmtPriceOffset"] = _opt(request.limit_offset)
    if request.expire_time is not None:
        fields["goodTillDate"] = request.expire_time.astimezone(UTC).strftime(GOOD_TILL)
    return {name: value for name, value in fields.items() if value is not None}


def shows(order: WireOrder, request: ReplaceOrder) -> bool:
    """Whether an order at the venue has the quantity and prices an amendment asked for."""
    return has_terms(order, request.order_qty, request.price, request.stop_px)


def has_terms(
    order: WireOrder, order_qty: Decimal, price: Decimal | None, stop_px: Decimal | None
) -> bool:
    """Whether an order at the venue has these; a price of None is not compared."""
    return (
        order.order_qty == order_qty
        and (price is None or order.limit == price)
        and (stop_px is None or stop_px_of(order) == stop_px)
    )


def ord_type_of(order: WireOrder) -> OrdType | None:
    """The order's type in our words, None for one we do not have."""
    return _OURS.get(order.order_type)


def time_in_force_of(order: WireOrder) -> TimeInForce:
    """The order's time in force in our words; an order at the close is a DAY order there."""
    return TimeInForce.CLS if order.order_type in AT_CLOSE.values() else _TIFS[order.tif]


def price_of(order: WireOrder) -> Decimal | None:
    """The limit, where the type has one (TWS writes 0 where it has none)."""
    limited = ord_type_of(order) in (
        OrdType.LIMIT,
        OrdType.STOP_LIMIT,
        OrdType.LIMIT_IF_TOUCHED,
        OrdType.PEGGED,
    )
    return order.limit if limited else None


def stop_px_of(order: WireOrder) -> Decimal | None:
    """The trigger, where the type has one; a trail's stands in a field of its own."""
    if order.order_type.startswith("TRAIL"):
        return order.trail_stop
    return order.aux if order.order_type in WAITING else None


def text(number: Decimal) -> str:
    """A number as TWS reads it, without an exponent."""
    return format(number, "f")


def _opt(number: Decimal | None) -> str | None:
    return None if number is None else text(number)


def _order_type(order: NewOrder) -> str:
    if order.time_in_force is TimeInForce.CLS:
        return AT_CLOSE[order.ord_type]
    if order.ord_type is OrdType.PEGGED:
        return PEGS[order.peg_price_type or PegPriceType.PRIMARY]
    return ORDER_TYPES[order.ord_type]


def _trail(
    offset: Decimal, kind: TrailType | None, stop_px: Decimal | None, limit_offset: Decimal | None
) -> dict[str, Any]:
    """A trail's distance is the auxiliary price or a percentage, its first stop apart from it."""
    percent = kind is TrailType.PERCENT
    return {
        "auxPrice": None if percent else text(offset),
        "trailingPercent": text(offset) if percent else None,
        "trailStopPrice": _opt(stop_px),
        "lmtPriceOffset": _opt(limit_offset),
    }
