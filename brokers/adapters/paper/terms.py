"""What the paper venue takes, and how rows and commands become the engine's values."""

from datetime import datetime

from brokers.adapters.base import NewOrder, Rejected, ReplaceOrder
from brokers.adapters.paper.capabilities import PAPER
from brokers.adapters.paper.messages import scale_of
from brokers.adapters.paper.scale import OffScale, Scale, nanoseconds
from brokers.models import PaperOrder
from trading.matching import Engine, Replace, WorkingOrder
from trading.vocabulary import OrdRejReason, OrdType, Side, TimeInForce


def working_order(order: PaperOrder) -> WorkingOrder:
    """The resting order a row stands for."""
    scale = scale_of(order)
    assert order.price is not None, "only limit orders rest"
    return WorkingOrder(
        order_id=order.order_id,
        account=str(order.account_id),
        side=Side(order.side),
        time_in_force=TimeInForce(order.time_in_force),
        qty=scale.lots(order.order_qty),
        price=scale.ticks(order.price),
        cum_qty=scale.lots(order.cum_qty),
        priority=order.priority,
    )


def engine_time(engine: Engine, now: datetime) -> int:
    """The engine's time: ours, but never backwards when a clock is set back."""
    return max(nanoseconds(now), engine.last_at)


def why_unfit(command: NewOrder, scale: Scale, now: datetime) -> Rejected | None:
    """Why the venue does not take an order; nothing of it is kept then, its id is free again."""
    if command.valid_until is not None and now > command.valid_until:
        return Rejected(OrdRejReason.OTHER, "the order arrived after its valid_until")
    if not PAPER.takes(command.ord_type, command.time_in_force):
        text = f"{command.ord_type} with {command.time_in_force} is not traded here"
        return Rejected(OrdRejReason.OTHER, text)
    if (command.ord_type is OrdType.LIMIT) != (command.price is not None):
        return Rejected(OrdRejReason.OTHER, f"{command.ord_type} with price {command.price}")
    try:
        positive = scale.lots(command.order_qty) > 0
        positive &= command.price is None or scale.ticks(command.price) > 0
    except OffScale as failure:
        return Rejected(OrdRejReason.OTHER, str(failure))
    return None if positive else Rejected(OrdRejReason.OTHER, "a figure is not positive")


def new_terms(command: ReplaceOrder, order: PaperOrder, scale: Scale, at: int) -> Replace:
    """The amendment as the engine takes it.

    :raises ValueError: if the new terms are not acceptable.
    """
    price = order.price if command.price is None else command.price
    assert price is not None, "only limit orders rest"
    if not PAPER.takes(OrdType.LIMIT, command.time_in_force):
        raise ValueError(f"{command.time_in_force} is not traded here")
    if command.time_in_force in (TimeInForce.IOC, TimeInForce.FOK):
        raise ValueError(f"a resting order cannot become {command.time_in_force}")
    request = Replace(
        at=at,
        order_id=order.order_id,
        request_id=command.request_id,
        qty=scale.lots(command.order_qty),
        price=scale.ticks(price),
        time_in_force=command.time_in_force,
    )
    if request.qty <= 0 or scale.ticks(price) <= 0:
        raise ValueError("a figure is not positive")
    return request
