"""Orders as the library's unified parameters, and the library's orders in the port's words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from brokers.adapters.base import NewOrder, VenueOrder
from brokers.adapters.ccxt.venues import Venue
from trading.vocabulary import OrdStatus, OrdType, Side, TimeInForce

POST_ONLY = "POST_ONLY"
_TYPES = {
    OrdType.MARKET: "market",
    OrdType.LIMIT: "limit",
    OrdType.STOP: "market",
    OrdType.STOP_LIMIT: "limit",
}
_ENDED = {
    "canceled": OrdStatus.CANCELED,
    "expired": OrdStatus.EXPIRED,
    "rejected": OrdStatus.REJECTED,
}


@dataclass(frozen=True, slots=True)
class Call:
    """The arguments of the library's ``create_order``."""

    symbol: str
    type: str
    side: str
    amount: str
    price: str | None
    params: dict[str, Any]

    @property
    def arguments(self) -> tuple[Any, ...]:
        """In the order the library takes them."""
        return (self.symbol, self.type, self.side, self.amount, self.price, self.params)


def call_of(order: NewOrder, venue: Venue) -> Call:
    """Return how the library is asked for this order."""
    params: dict[str, Any] = {venue.client_id: venue.id_prefix + order.venue_cl_ord_id}
    if order.time_in_force is not TimeInForce.GTC and order.ord_type is not OrdType.MARKET:
        params["timeInForce"] = order.time_in_force.value
    if POST_ONLY in order.exec_inst:
        params["postOnly"] = True
    if order.stop_px is not None and venue.stop_param is not None:
        params[venue.stop_param] = text(order.stop_px)
    return Call(
        order.symbol,
        _TYPES[order.ord_type],
        "buy" if order.side is Side.BUY else "sell",
        text(order.order_qty),
        None if order.price is None else text(order.price),
        params,
    )


def echo_differs(order: NewOrder, said: Mapping[str, Any]) -> str | None:
    """What the exchange made of the order that was not asked for, None if it is the order.

    An exchange that does not know a parameter may take the order without it.
    """
    asked = {"side": "buy" if order.side is Side.BUY else "sell"}
    if order.stop_px is not None:
        asked["triggerPrice"] = text(order.stop_px)
    if order.price is not None:
        asked["price"] = text(order.price)
    if order.ord_type is not OrdType.MARKET and order.time_in_force is not TimeInForce.GTC:
        asked["timeInForce"] = order.time_in_force.value
    for name, wanted in asked.items():
        got = said.get(name)
        if got is None:
            # Some exchanges answer with the id alone; a stop must be shown, all else is looked up.
            if name == "triggerPrice" and said.get("status") is not None:
                return f"{name} {wanted} is missing"
            continue
        if not _same(wanted, str(got)):
            return f"{name} is {got} instead of {wanted}"
    return None


def venue_order(said: Mapping[str, Any], *, account: str, ref: str, symbol: str) -> VenueOrder:
    """An order of the exchange's books in the words of the port.

    :raises ValueError: if it lacks a quantity, or has a status nobody knows.
    """
    amount, filled = decimal(said.get("amount")), decimal(said.get("filled")) or Decimal(0)
    if amount is None:
        raise ValueError(f"order {said.get('id')} without a quantity")
    status = _status(str(said.get("status")), amount, filled)
    is_open = status in (OrdStatus.NEW, OrdStatus.PARTIALLY_FILLED)
    return VenueOrder(
        account=account,
        venue_cl_ord_id=ref,
        order_id=str(said["id"]),
        symbol=str(said.get("symbol") or symbol),
        side=Side.BUY if said.get("side") == "buy" else Side.SELL,
        ord_type=_ord_type(said),
        ord_status=status,
        order_qty=amount,
        cum_qty=filled,
        leaves_qty=amount - filled if is_open else Decimal(0),
        price=decimal(said.get("price")) if said.get("type") != "market" else None,
        time_in_force=_time_in_force(said),
        stop_px=decimal(said.get("triggerPrice")),
    )


def ref_of(said: Mapping[str, Any], venue: Venue) -> str | None:
    """Our id in an order of the exchange, None where it has none."""
    client_id = said.get("clientOrderId")
    return str(client_id).removeprefix(venue.id_prefix) if client_id else None


def milliseconds(at: datetime) -> int:
    """An instant as exchanges count."""
    return int(at.astimezone(UTC).timestamp() * 1_000)


def text(number: Decimal) -> str:
    """A number as exchanges read it, without an exponent."""
    return format(number, "f")


def decimal(value: Any) -> Decimal | None:
    """A number of the library, which gives texts; 0 and nothing are told apart."""
    return None if value is None else Decimal(str(value))


def _status(status: str, amount: Decimal, filled: Decimal) -> OrdStatus:
    """A status by what was executed, not by the word alone."""
    if filled >= amount > 0:
        return OrdStatus.FILLED
    if status in _ENDED:
        return _ENDED[status]
    if status == "open":
        return OrdStatus.PARTIALLY_FILLED if filled else OrdStatus.NEW
    raise ValueError(f"a status {status} with {filled} of {amount} filled")


def _ord_type(said: Mapping[str, Any]) -> OrdType:
    has_stop = decimal(said.get("triggerPrice")) not in (None, Decimal(0))
    if said.get("type") == "market" or (has_stop and not decimal(said.get("price"))):
        return OrdType.STOP if has_stop else OrdType.MARKET
    return OrdType.STOP_LIMIT if has_stop else OrdType.LIMIT


def _time_in_force(said: Mapping[str, Any]) -> TimeInForce:
    word = said.get("timeInForce")
    return TimeInForce(word) if word in ("GTC", "IOC", "FOK") else TimeInForce.GTC


def _same(wanted: str, got: str) -> bool:
    try:
        return Decimal(wanted) == Decimal(got)
    except ArithmeticError:
        return wanted == got
