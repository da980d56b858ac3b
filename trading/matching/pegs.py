"""Prices that follow the market."""

from trading.matching.state import WorkingOrder
from trading.matching.triggers import Prices
from trading.vocabulary import PegPriceType


def pegged_price(order: WorkingOrder, prices: Prices) -> int | None:
    """Return the price in ticks a pegged order has now, None while there is nothing to follow.

    It never goes beyond the order's cap, nor, post-only, up to the other side. A middle between
    two ticks is rounded away from the other side.
    """
    assert order.peg is not None, "only pegged orders follow"
    reference = _reference(order.peg.price_type, prices, buy=order.buy)
    if reference is None:
        return None
    bounds = [reference + order.peg.offset]
    if order.cap is not None:
        bounds.append(order.cap)
    other = prices.ask if order.buy else prices.bid
    if order.post_only and other is not None:
        bounds.append(other - 1 if order.buy else other + 1)
    return min(bounds) if order.buy else max(bounds)


def _reference(price_type: PegPriceType, prices: Prices, *, buy: bool) -> int | None:
    own, other = (prices.bid, prices.ask) if buy else (prices.ask, prices.bid)
    if price_type is PegPriceType.PRIMARY:
        return own
    if price_type is PegPriceType.MARKET:
        return other
    if own is None or other is None:
        return None
    whole, half = divmod(own + other, 2)
    return whole if buy else whole + half
