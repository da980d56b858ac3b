"""What the paper venue charges for an execution."""

from decimal import Decimal

from trading import exact
from trading.fees import ZERO, Charged, FeeSchedule, FeeTier, charge


def fee_of(*, qty: Decimal, px: Decimal, multiplier: Decimal, bps: Decimal) -> Decimal:
    """Basis points of the traded amount, each execution by itself, half-even to the cent.

    >>> fee_of(qty=Decimal(10), px=Decimal("1250.50"), multiplier=Decimal(1), bps=Decimal(1))
    Decimal('1.25')
    """
    schedule = FeeSchedule(tiers=(FeeTier(from_volume=ZERO, maker_bps=bps, taker_bps=bps),))
    notional = exact.multiply(exact.multiply(qty, px), multiplier)
    fee, _ = charge(schedule, Charged(), notional=notional, qty=qty, is_maker=False)
    return fee
