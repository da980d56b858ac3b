"""Decimal arithmetic that never loses a digit without saying so.

Python's default context rounds every sum and product to 28 digits, which is less than a price
times a quantity may need (24 digits each). Books are kept in the context below instead: 96
digits, and a result that would not fit raises ``decimal.Inexact`` rather than being rounded.
Amounts of money are kept to 18 decimals; ``money`` is the one place that rounds to them.
"""

from collections.abc import Iterable
from decimal import (
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
)

MONEY_DECIMALS = 18
MONEY_STEP = Decimal(1).scaleb(-MONEY_DECIMALS)
PRICE_DECIMALS = 12
PRICE_STEP = Decimal(1).scaleb(-PRICE_DECIMALS)
ZERO = Decimal(0)

_DIGITS = 96
_EXACT = Context(
    prec=_DIGITS,
    rounding=ROUND_HALF_EVEN,
    traps=[Inexact, InvalidOperation, DivisionByZero, Overflow],
)
# Two contexts, because rounding to a step is itself an inexact operation that is wanted.
_ROUNDING = Context(
    prec=_DIGITS, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation, DivisionByZero, Overflow]
)


def add(left: Decimal, right: Decimal) -> Decimal:
    """Return the exact sum. :raises decimal.Inexact: beyond 96 digits."""
    return _EXACT.add(left, right)


def subtract(left: Decimal, right: Decimal) -> Decimal:
    """Return the exact difference. :raises decimal.Inexact: beyond 96 digits."""
    return _EXACT.subtract(left, right)


def multiply(left: Decimal, right: Decimal) -> Decimal:
    """Return the exact product. :raises decimal.Inexact: beyond 96 digits."""
    return _EXACT.multiply(left, right)


def negate(value: Decimal) -> Decimal:
    """Return the exact negative; plain ``-value`` would round to the caller's context."""
    return _EXACT.minus(value)


def signed(units: Decimal, sign: int) -> Decimal:
    """Return ``units`` where sign is positive, their negative where it is not."""
    return units if sign > 0 else _EXACT.minus(units)


def total(values: Iterable[Decimal]) -> Decimal:
    """Return the exact sum of any number of values, 0 of none."""
    plus, result = _EXACT.add, ZERO
    for value in values:
        result = plus(result, value)
    return result


def money(value: Decimal) -> Decimal:
    """Return ``value`` to 18 decimals, half to even."""
    return _ROUNDING.quantize(value, MONEY_STEP)


def share(amount: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    """Return ``amount`` x ``part`` / ``whole`` as money; the whole's share is the amount itself."""
    if part == whole:
        return amount
    return money(_ROUNDING.divide(_EXACT.multiply(amount, part), whole))


def ratio(amount: Decimal, units: Decimal) -> Decimal:
    """Return ``amount`` / ``units`` to 90 digits and more, for comparing and deriving."""
    return _ROUNDING.divide(amount, units)


def price(amount: Decimal, units: Decimal) -> Decimal:
    """Return ``amount`` / ``units`` to 12 decimals, half to even: a price to show."""
    return _ROUNDING.quantize(ratio(amount, units), PRICE_STEP)
