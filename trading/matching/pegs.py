"""Prices that follow the market."""

from trading.matching.events import PegPrice
from trading.matching.state import WorkingOrder
from trading.matching.triggers import Prices


def pegged_price(order: WorkingOrder, prices: Prices) -> int | None:
    """Return the price in ticks a pegged order has now, None while there is nothing to follow.

    It never goes beyond the order's cap. A middle between two ticks is rounded away from the
    other side.
    """
    assert order.peg is not None, "only pegged orders follow"
    reference = _reference(order.peg.price_type, prices, buy=order.buy)
    if reference is None:
        return None
    price = reference + order.peg.offset
    if order.cap is None:
        return price
    return min(price, order.cap) if order.buy else max(price, order.cap)


def _reference(price_type: PegPrice, prices: Prices, *, buy: bool) -> int | None:
    own, other = (prices.bid, prices.ask) if buy else (prices.ask, prices.bid)
    if price_type is PegPrice.PRIMARY:
        return own
    if price_type is PegPrice.MARKET:
        return other
    if own is None or other is None:
        return None
    whole, half = divmod(own + other, 2)
    return whole if buy else whole + half
