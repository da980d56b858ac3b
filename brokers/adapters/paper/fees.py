"""What the paper venue charges for an execution."""

from decimal import Decimal

from brokers.models import PaperAccount, PaperOrder
from trading.fees import ZERO, Charged, Execution, FeeSchedule, FeeTier, fee_of


def schedule_of(account: PaperAccount) -> FeeSchedule:
    """The rates of an account, for any volume."""
    rates = FeeTier(from_volume=ZERO, maker_bps=account.maker_bps, taker_bps=account.taker_bps)
    return FeeSchedule(tiers=(rates,), per_unit=account.per_unit, minimum=account.minimum_fee)


def charged(order: PaperOrder) -> Charged:
    """What an order has been charged so far."""
    return Charged(order.fee_exact, order.fee_notional, order.fee_amount)


def charge_order(account: PaperAccount, order: PaperOrder, execution: Execution) -> Decimal:
    """Charge an order for an execution, on its row; return the fee."""
    fee, after = fee_of(schedule_of(account), execution, charged(order))
    order.fee_exact, order.fee_notional = after.exact, after.notional
    order.fee_amount = after.amount
    return fee
