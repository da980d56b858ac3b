"""What the paper venue charges for an execution."""

from decimal import ROUND_HALF_EVEN, Context, Decimal

from trading import exact

_BASIS_POINT = Decimal("0.0001")
_CENT = Decimal("0.01")
_WIDE = Context(prec=96, rounding=ROUND_HALF_EVEN)


def fee_of(*, qty: Decimal, px: Decimal, multiplier: Decimal, bps: Decimal) -> Decimal:
    """Basis points of the traded amount, rounded half-even to the cent.

    >>> fee_of(qty=Decimal(10), px=Decimal("1250.50"), multiplier=Decimal(1), bps=Decimal(1))
    Decimal('1.25')
    """
    traded = exact.multiply(exact.multiply(qty, px), multiplier)
    rate = exact.multiply(bps, _BASIS_POINT)
    return _WIDE.quantize(exact.multiply(traded, rate), _CENT)
