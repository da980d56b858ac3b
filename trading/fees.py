"""What an execution costs, from a venue's published schedule. Amounts are Decimals.

Fees are worked out from totals, so that rounding never adds up: what an execution is charged is
the fee of everything filled so far less what has been charged before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal

from trading import exact

ZERO = Decimal(0)
BASIS_POINT = Decimal("0.0001")
_WIDE = Context(prec=96, rounding=ROUND_HALF_EVEN)


@dataclass(frozen=True, slots=True)
class FeeTier:
    """Rates from a trailing 30-day volume on (``from_volume``, as money).

    Rates are basis points of notional; a negative one is a rebate.
    """

    from_volume: Decimal
    maker_bps: Decimal
    taker_bps: Decimal


@dataclass(frozen=True, slots=True)
class FeeSchedule:
    """How one venue charges one kind of instrument, in one currency.

    ``per_unit`` is money per unit of quantity, on top of the tier's rates. ``minimum`` and
    ``maximum_bps`` (of the order's notional) hold for an order as a whole; the difference to the
    minimum is charged with the execution that ends the order. ``decimals`` is the exponent of the
    currency's minor unit.
    """

    tiers: tuple[FeeTier, ...]
    per_unit: Decimal = ZERO
    minimum: Decimal = ZERO
    maximum_bps: Decimal | None = None
    decimals: int = 2

    def __post_init__(self) -> None:
        volumes = [tier.from_volume for tier in self.tiers]
        if not volumes or volumes[0] != 0 or volumes != sorted(set(volumes)):
            raise ValueError("tiers begin at a volume of 0 and rise")

    def tier(self, volume: Decimal) -> FeeTier:
        """Return the tier of a trailing 30-day volume."""
        return [tier for tier in self.tiers if tier.from_volume <= volume][-1]


@dataclass(frozen=True, slots=True)
class Charged:
    """What an order has been charged so far, and the exact sum that amount rounds."""

    exact: Decimal = ZERO
    notional: Decimal = ZERO
    amount: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Execution:
    """One fill: quantity, price, what turns their product into money, and who rested."""

    qty: Decimal
    px: Decimal
    multiplier: Decimal
    is_maker: bool
    ends_order: bool

    @property
    def notional(self) -> Decimal:
        """The amount traded."""
        return exact.multiply(exact.multiply(self.qty, self.px), self.multiplier)


def fee_of(schedule: FeeSchedule, execution: Execution, before: Charged) -> tuple[Decimal, Charged]:
    """Return the fee of one execution at the lowest tier, and what its order has been charged.

    >>> rates = FeeSchedule(tiers=(FeeTier(ZERO, maker_bps=ZERO, taker_bps=Decimal(1)),))
    >>> fill = Execution(Decimal(10), Decimal("1250.50"), Decimal(1), False, True)
    >>> fee_of(rates, fill, Charged())[0]
    Decimal('1.25')
    """
    return charge(
        schedule,
        before,
        notional=execution.notional,
        qty=execution.qty,
        is_maker=execution.is_maker,
        ends_order=execution.ends_order,
    )


def charge(
    schedule: FeeSchedule,
    before: Charged,
    *,
    notional: Decimal,
    qty: Decimal,
    is_maker: bool,
    volume: Decimal = ZERO,
    ends_order: bool = False,
) -> tuple[Decimal, Charged]:
    """Return the fee of one execution and what its order has been charged after it.

    ``notional`` and ``qty`` are positive; ``volume`` is the account's trailing 30-day volume. The
    fee is rounded half-even to the minor unit, the remainder carried to the order's next one.
    """
    tier = schedule.tier(volume)
    rate = tier.maker_bps if is_maker else tier.taker_bps
    by_value = exact.multiply(exact.multiply(notional, rate), BASIS_POINT)
    by_quantity = exact.multiply(qty, schedule.per_unit)
    fees = exact.add(exact.add(before.exact, by_value), by_quantity)
    total = exact.add(before.notional, notional)
    due = fees
    if schedule.maximum_bps is not None:
        most = exact.multiply(exact.multiply(total, schedule.maximum_bps), BASIS_POINT)
        due = min(due, most)
    if ends_order:
        due = max(due, schedule.minimum)
    amount = _WIDE.quantize(due, Decimal(1).scaleb(-schedule.decimals))
    return exact.subtract(amount, before.amount), Charged(fees, total, amount)


def thirty_day_volume(traded: Sequence[tuple[int, Decimal]], now: int) -> Decimal:
    """Return the notional traded in the 30 days before ``now``; instants are ns since 1970."""
    since = now - 30 * 86_400 * 1_000_000_000
    return exact.total(notional for at, notional in traded if since < at <= now)
