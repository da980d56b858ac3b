"""What an order would probably do, from the book as it is shown; nothing is guessed beyond it.

Only the best price of each side is known, so a quantity larger than what is shown there has no
expected price, and a market order has no worst one. What is None has its reason in ``unknown``.
"""

from dataclasses import dataclass, field
from decimal import Decimal

from trading import exact
from trading.market import Quote
from trading.orders.intent import OrderIntent
from trading.risk import Reference
from trading.vocabulary import Side, TimeInForce

AT_ONCE = frozenset({TimeInForce.IOC, TimeInForce.FOK})
_BPS = Decimal(10_000)
_HUNDREDTH = Decimal("0.01")


@dataclass(slots=True)
class Estimate:
    """Prices per unit in the instrument's currency.

    ``marketable`` says that it would trade on arrival; an order that rests has its own price as
    the expected one, should the market come to it. ``slippage_bps`` is positive for a cost against
    the reference.
    """

    marketable: bool
    expected_px: Decimal | None = None
    worst_px: Decimal | None = None
    slippage_bps: Decimal | None = None
    unknown: dict[str, str] = field(default_factory=dict)

    @property
    def settled_px(self) -> Decimal | None:
        """The price money is reckoned at: the expected one, else the worst, else nobody knows."""
        return self.expected_px if self.expected_px is not None else self.worst_px


def estimate(intent: OrderIntent, quote: Quote, reference: Reference) -> Estimate:
    """Return what the shown book says of an order with valid fields."""
    buys = intent.side is Side.BUY
    best, shown = (quote.ask, quote.ask_size) if buys else (quote.bid, quote.bid_size)
    within = intent.price is None or (intent.price >= best if buys else intent.price <= best)
    result = Estimate(marketable=within and shown > 0, worst_px=intent.price)
    if intent.price is None:
        result.unknown["worst_px"] = "a market order takes whatever price there is"
    if result.marketable and intent.order_qty <= shown:
        result.expected_px = best
        signed = exact.signed(exact.subtract(best, reference.price), intent.side.sign)
        bps = exact.ratio(exact.multiply(signed, _BPS), reference.price)
        result.slippage_bps = bps.quantize(_HUNDREDTH)
        return result
    if result.marketable:
        reason = f"only {shown.normalize():f} units are shown at {best.normalize():f}"
    elif shown <= 0 and intent.price is None:
        reason = "nothing is offered on the other side"
    elif intent.time_in_force in AT_ONCE:
        reason = f"at this price nothing trades now, and {intent.time_in_force} does not wait"
        result.worst_px, result.unknown["worst_px"] = None, reason
    else:
        result.expected_px = intent.price
        result.unknown["slippage_bps"] = "the order rests at its own price"
        return result
    result.unknown["expected_avg_px"] = result.unknown["slippage_bps"] = reason
    return result
