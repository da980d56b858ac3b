"""What the paper venue charges for an execution."""

from dataclasses import dataclass
from decimal import Decimal

from brokers.models import PaperAccount, PaperOrder
from trading import exact
from trading.fees import ZERO, Charged, FeeSchedule, FeeTier, charge


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


def schedule_of(account: PaperAccount) -> FeeSchedule:
    """The rates of an account, for any volume."""
    rates = FeeTier(from_volume=ZERO, maker_bps=account.maker_bps, taker_bps=account.taker_bps)
    return FeeSchedule(tiers=(rates,), per_unit=account.per_unit, minimum=account.minimum_fee)


def fee_of(schedule: FeeSchedule, execution: Execution, before: Charged) -> tuple[Decimal, Charged]:
    """Return the fee of one execution and what its order has been charged after it.

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


def charge_order(account: PaperAccount, order: PaperOrder, execution: Execution) -> Decimal:
    """Charge an order for an execution, on its row; return the fee."""
    before = Charged(order.fee_exact, order.fee_notional, order.fee_amount)
    fee, after = fee_of(schedule_of(account), execution, before)
    order.fee_exact, order.fee_notional = after.exact, after.notional
    order.fee_amount = after.amount
    return fee
