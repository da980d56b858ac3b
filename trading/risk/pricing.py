"""Which price an order is measured against, and what it is worth."""

from datetime import datetime
from decimal import Decimal

from trading import exact
from trading.market import InstrumentRules, Quote
from trading.risk.values import (
    JudgedIntent,
    Reference,
    ReferenceKind,
    ReferencePolicy,
)
from trading.vocabulary import Side

_BPS = Decimal(10_000)


def choose_reference(
    quote: Quote | None, *, now: datetime, policy: ReferencePolicy
) -> Reference | None:
    """Return the midpoint where it is fresh and narrow, else a recent last trade, else None.

    A quote from the future is as far from now as one from the past: a wrong clock must not make
    a price look fresh.
    """
    if quote is None:
        return None
    age = abs(now - quote.at)
    if age <= policy.max_mid_age and _is_narrow(quote, policy.max_spread_bps):
        return Reference(quote.mid, ReferenceKind.MID, age)
    if age <= policy.max_last_age:
        return Reference(quote.last, ReferenceKind.LAST, age)
    return None


def _is_narrow(quote: Quote, max_spread_bps: Decimal) -> bool:
    """Whether both sides are there, in order, and close enough together."""
    if quote.bid_size <= 0 or quote.ask_size <= 0 or quote.ask < quote.bid:
        return False
    spread = exact.multiply(quote.ask - quote.bid, _BPS)
    return spread <= exact.multiply(quote.mid.copy_abs(), max_spread_bps)


def working_price(
    intent: JudgedIntent, *, quote: Quote | None, reference: Reference | None
) -> Decimal | None:
    """Return the price one unit is counted at, None where nothing says.

    A buy limit counts at its limit, the most it can cost. A sell limit below the bid would trade
    at the bid, so it counts at the higher of the two. A market order counts at the best price of
    the other side, or at the reference where that side is empty.
    """
    if intent.price is not None:
        if intent.side is Side.BUY or quote is None or quote.bid_size <= 0:
            return intent.price
        return max(intent.price, quote.bid)
    if quote is not None:
        best, size = (
            (quote.ask, quote.ask_size) if intent.side is Side.BUY else (quote.bid, quote.bid_size)
        )
        if size > 0:
            return best
    return None if reference is None else reference.price


def notional(*, qty: Decimal, price: Decimal, rules: InstrumentRules) -> Decimal:
    """Return quantity x price x multiplier in the instrument's currency, exact, never negative."""
    worth = exact.multiply(exact.multiply(qty, price), rules.multiplier)
    return worth.copy_abs()  # abs() would round to 28 digits, and hide a tick above a limit
