"""What an order would probably do, from the book as it is shown; nothing is guessed beyond it.

Only the best price of each side is known, so a quantity larger than what is shown there has no
expected price, and a market order has no worst one. What is None has its reason in ``unknown``.
"""

from dataclasses import dataclass, field
from decimal import Decimal

from trading import exact
from trading.market import Quote
from trading.orders.intent import OrderIntent
from trading.orders.placement import FIRED_AS
from trading.orders.validity import TRAILING_TYPES, TRIGGERED_TYPES
from trading.risk import Reference
from trading.vocabulary import OrdType, Side, TimeInForce

AT_ONCE = frozenset({TimeInForce.IOC, TimeInForce.FOK})
_BPS = Decimal(10_000)
_HUNDREDTH = Decimal("0.01")


@dataclass(slots=True)
class Estimate:
    """Prices per unit in the instrument's currency.

    ``marketable`` says that it would trade on arrival; an order that rests has its own price as
    the expected one, should the market come to it. ``slippage_bps`` is positive for a cost against
    the reference. ``takes`` says that it takes what rests there, on arrival or once fired.
    """

    marketable: bool
    takes: bool = False
    expected_px: Decimal | None = None
    worst_px: Decimal | None = None
    slippage_bps: Decimal | None = None
    unknown: dict[str, str] = field(default_factory=dict)

    @property
    def settled_px(self) -> Decimal | None:
        """The price money is reckoned at: the expected one, else the worst, else nobody knows."""
        return self.expected_px if self.expected_px is not None else self.worst_px


def estimate(intent: OrderIntent, quote: Quote, reference: Reference) -> Estimate:
    """Return what the shown book says of an order with valid fields.

    An order that waits for a price is reckoned at its stop, or at the limit it then has.
    """
    if intent.ord_type in TRIGGERED_TYPES:
        return _once_fired(intent)
    buys = intent.side is Side.BUY
    best, shown = (quote.ask, quote.ask_size) if buys else (quote.bid, quote.bid_size)
    within = intent.price is None or (intent.price >= best if buys else intent.price <= best)
    marketable = within and shown > 0
    result = Estimate(marketable, takes=marketable, worst_px=intent.price)
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


def _once_fired(intent: OrderIntent) -> Estimate:
    result = Estimate(marketable=False, takes=True, worst_px=intent.price)
    result.unknown["slippage_bps"] = "it does not trade before the market has come to its stop"
    result.expected_px = intent.stop_px if intent.price is None else intent.price
    if intent.ord_type in TRAILING_TYPES:
        result.expected_px = None
        result.unknown["expected_avg_px"] = "its stop follows the market"
    if result.worst_px is None:
        fired_as = FIRED_AS[intent.ord_type]
        result.unknown["worst_px"] = (
            "once fired it takes whatever price there is"
            if fired_as is OrdType.MARKET
            else "its limit follows its stop"
        )
    return result
