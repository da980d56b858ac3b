"""Prices of exits: where they lie against the entry, and those that follow from its average."""

from decimal import Decimal
from fractions import Fraction
from math import ceil, floor

from trading import exact
from trading.contingency.values import ZERO
from trading.orders.intent import OrderIntent
from trading.vocabulary import OrdType, Side

PROTECTIVE_TYPES = frozenset(
    {OrdType.STOP, OrdType.STOP_LIMIT, OrdType.TRAILING_STOP, OrdType.TRAILING_STOP_LIMIT}
)
PROFIT_TYPES = frozenset({OrdType.LIMIT, OrdType.MARKET_IF_TOUCHED, OrdType.LIMIT_IF_TOUCHED})
RELATIVE_TYPES = frozenset({OrdType.LIMIT, OrdType.STOP, OrdType.MARKET_IF_TOUCHED})
"""Types with one price, which a distance from the entry can give."""


def exit_price(intent: OrderIntent) -> Decimal | None:
    """Return the price at which an exit begins to work; None for a trail that has no stop yet."""
    return intent.price if intent.ord_type is OrdType.LIMIT else intent.stop_px


def price_field(ord_type: OrdType) -> str:
    """Return the name of the field ``exit_price`` reads."""
    return "price" if ord_type is OrdType.LIMIT else "stop_px"


def relative_px(
    *,
    entry_side: Side,
    ord_type: OrdType,
    entry_px: Decimal,
    tick_size: Decimal,
    offset: Decimal | None = None,
    offset_percent: Decimal | None = None,
) -> Decimal:
    """Return the price of an exit at a distance from the entry, on the tick.

    ``offset`` is in price units, ``offset_percent`` in percent of ``entry_px``; exactly one is
    given. A profit lies beyond the entry, a stop before it; either is rounded away from the entry.
    The result is 0 or less where the distance is more than the price.
    """
    if offset is None:
        assert offset_percent is not None, "one distance is given"
        distance = Fraction(entry_px) * Fraction(offset_percent) / 100
    else:
        distance = Fraction(offset)
    up = (entry_side.sign > 0) == (ord_type in PROFIT_TYPES)
    wanted = Fraction(entry_px) + (distance if up else -distance)
    ticks = wanted / Fraction(tick_size)
    whole = ceil(ticks) if up else floor(ticks)
    return max(ZERO, exact.multiply(tick_size, Decimal(whole)))
