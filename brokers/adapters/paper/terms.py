"""What the paper venue takes, and how rows and commands become the engine's values."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from brokers.adapters.base import NewOrder, Rejected, ReplaceOrder
from brokers.adapters.capabilities import Capabilities
from brokers.adapters.paper.messages import scale_of
from brokers.models import PaperOrder
from trading.matching import (
    Engine,
    Peg,
    Replace,
    Trail,
    Trigger,
    WorkingOrder,
    order_from_json,
)
from trading.matching import NewOrder as Entry
from trading.matching.scale import Scale, nanoseconds
from trading.orders.validity import PRICED_TYPES, STOP_TYPES, TRAILING_TYPES
from trading.vocabulary import (
    OrdRejReason,
    OrdType,
    Side,
    TimeInForce,
    TrailType,
    TriggerPriceType,
)

TOUCHES = frozenset({OrdType.MARKET_IF_TOUCHED, OrdType.LIMIT_IF_TOUCHED})
BECOMES_LIMIT = PRICED_TYPES | {OrdType.TRAILING_STOP_LIMIT}
AT_ONCE = frozenset({TimeInForce.IOC, TimeInForce.FOK})
DEFAULT_TRIGGER = TriggerPriceType.LAST
PERCENT = Decimal(100)
Word = TypeVar("Word", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Arrival:
    """An order's number here, whose it is, when it came and when it ends (ns since 1970)."""

    order_id: str
    account_id: int
    at: int
    ends_at: int | None


# --- orders that come ---------------------------------------------------------------------------


def engine_time(engine: Engine, now: datetime) -> int:
    """The engine's time: ours, but never backwards when a clock is set back."""
    return max(nanoseconds(now), engine.last_at)


def why_unfit(command: NewOrder, able: Capabilities, now: datetime) -> Rejected | None:
    """Why the venue does not take an order; nothing of it is kept then, its id is free again."""
    if command.valid_until is not None and now > command.valid_until:
        return Rejected(OrdRejReason.OTHER, "the order arrived after its valid_until")
    lacking = able.lacks(command)
    if lacking:
        terms = ", ".join(f"{name} {getattr(command, name)}" for name in lacking)
        return Rejected(OrdRejReason.OTHER, f"{command.ord_type} with {terms} is not traded here")
    if command.expire_time is not None and command.expire_time <= now:
        return Rejected(OrdRejReason.OTHER, f"expire_time {command.expire_time} has passed")
    return None


def entry_of(command: NewOrder, scale: Scale, arrival: Arrival) -> Entry:
    """The order as the engine takes it.

    :raises ValueError: if its terms contradict its type, each other or the scale.
    """
    if (command.ord_type in PRICED_TYPES) != (command.price is not None):
        raise ValueError(f"{command.ord_type} with price {command.price}")
    if (command.time_in_force is TimeInForce.GTD) != (command.expire_time is not None):
        raise ValueError(f"{command.time_in_force} with expire_time {command.expire_time}")
    flags = set(command.exec_inst)
    _refuse_contradictions(command, flags)
    return Entry(
        at=arrival.at,
        order_id=arrival.order_id,
        account=str(arrival.account_id),
        side=command.side,
        ord_type=OrdType.LIMIT if command.ord_type in BECOMES_LIMIT else OrdType.MARKET,
        time_in_force=command.time_in_force,
        qty=_positive(scale.lots(command.order_qty)),
        price=None if command.price is None else _positive(scale.ticks(command.price)),
        trigger=trigger_of(Waits.of(command), scale),
        peg=_peg_of(command),
        to_limit=command.ord_type is OrdType.MARKET_TO_LIMIT,
        display_qty=_lots(scale, command.display_qty),
        min_qty=_lots(scale, command.min_qty) or 0,
        post_only="POST_ONLY" in flags,
        all_or_none="ALL_OR_NONE" in flags,
        expire_at=arrival.ends_at,
    )


def _refuse_contradictions(command: NewOrder, flags: set[str]) -> None:
    at_once = command.time_in_force in AT_ONCE
    may_be_careful = command.ord_type in {OrdType.LIMIT, OrdType.PEGGED} and not at_once
    if "POST_ONLY" in flags and not may_be_careful:
        raise ValueError(f"POST_ONLY with {command.ord_type} and {command.time_in_force}")
    in_parts = command.min_qty is not None or command.display_qty is not None
    if "ALL_OR_NONE" in flags and (in_parts or command.time_in_force is TimeInForce.IOC):
        raise ValueError("ALL_OR_NONE trades in one piece or not at all")
    if command.min_qty is not None and command.time_in_force is not TimeInForce.IOC:
        raise ValueError(f"min_qty with {command.time_in_force}")
    if command.display_qty is not None and command.ord_type is not OrdType.LIMIT:
        raise ValueError(f"display_qty with {command.ord_type}")


def _peg_of(command: NewOrder) -> Peg | None:
    if (command.ord_type is OrdType.PEGGED) != (command.peg_price_type is not None):
        raise ValueError(f"{command.ord_type} with peg_price_type {command.peg_price_type}")
    if command.peg_price_type is None:
        return None
    return Peg(command.peg_price_type, command.peg_offset or 0)


# --- what an order waits for --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Waits:
    """What an order waits for before it can trade, in decimals, by the names of the port."""

    ord_type: OrdType
    stop_px: Decimal | None
    trigger_price_type: TriggerPriceType | None
    trail_offset: Decimal | None
    trail_type: TrailType | None
    activation_px: Decimal | None
    limit_offset: Decimal | None

    @classmethod
    def of(cls, command: NewOrder) -> "Waits":
        """What an order that comes asks for."""
        return cls(**{name: getattr(command, name) for name in cls.__slots__})

    @classmethod
    def amended(cls, order: PaperOrder, command: ReplaceOrder) -> "Waits":
        """What an order asks for after an amendment."""
        return cls(
            ord_type=OrdType(order.ord_type),
            stop_px=command.stop_px,
            trigger_price_type=_word(TriggerPriceType, order.trigger_price_type),
            trail_offset=command.trail_offset,
            trail_type=_word(TrailType, order.trail_type),
            activation_px=order.activation_px,
            limit_offset=command.limit_offset,
        )


def trigger_of(waits: Waits, scale: Scale) -> Trigger | None:
    """The engine's trigger, None for a type that waits for no price.

    :raises ValueError: if the terms are not those of the type.
    """
    stop = None if waits.stop_px is None else _positive(scale.ticks(waits.stop_px))
    price_type = waits.trigger_price_type or DEFAULT_TRIGGER
    if waits.ord_type in STOP_TYPES:
        if stop is None:
            raise ValueError(f"{waits.ord_type} without stop_px")
        return Trigger(stop, touch=waits.ord_type in TOUCHES, price_type=price_type)
    if waits.ord_type in TRAILING_TYPES:
        return Trigger(stop, price_type=price_type, trail=_trail_of(waits, scale))
    if stop is not None or waits.trail_offset is not None:
        raise ValueError(f"{waits.ord_type} waits for no price")
    return None


def _trail_of(waits: Waits, scale: Scale) -> Trail:
    if waits.trail_offset is None or waits.trail_type is None:
        raise ValueError(f"{waits.ord_type} without trail_offset and trail_type")
    if (waits.ord_type is OrdType.TRAILING_STOP_LIMIT) != (waits.limit_offset is not None):
        raise ValueError(f"{waits.ord_type} with limit_offset {waits.limit_offset}")
    by_price = waits.trail_type is TrailType.PRICE
    activation = waits.activation_px
    return Trail(
        offset=_positive(scale.ticks(waits.trail_offset)) if by_price else None,
        percent=None if by_price else _hundredths(waits.trail_offset),
        limit_offset=None if waits.limit_offset is None else scale.ticks(waits.limit_offset),
        activation_px=None if activation is None else _positive(scale.ticks(activation)),
    )


def _hundredths(percent: Decimal) -> int:
    count = percent * PERCENT
    if count != count.to_integral_value() or not 0 < percent < PERCENT:
        raise ValueError(f"a trail of {percent} % is not between 0 and 100 in two decimals")
    return int(count)


# --- orders that are here -----------------------------------------------------------------------


def working_order(order: PaperOrder) -> WorkingOrder:
    """The order a row stands for, as it was last reported; its end is that of the row."""
    scale = scale_of(order)
    ends_at = order.day_ends_at or order.expire_time
    expire_at = None if ends_at is None else nanoseconds(ends_at)
    if order.working is not None:
        return order_from_json({**order.working, "expire_at": expire_at})
    assert order.price is not None, "rows older than the other order types are limit orders"
    return WorkingOrder(
        order_id=order.order_id,
        account=str(order.account_id),
        side=Side(order.side),
        time_in_force=TimeInForce(order.time_in_force),
        qty=scale.lots(order.order_qty),
        price=scale.ticks(order.price),
        cum_qty=scale.lots(order.cum_qty),
        priority=order.priority,
        expire_at=expire_at,
    )


def new_terms(
    command: ReplaceOrder, order: PaperOrder, at: int, *, able: Capabilities, ends_at: int | None
) -> Replace:
    """The amendment as the engine takes it.

    :raises ValueError: if the new terms are not acceptable.
    """
    scale = scale_of(order)
    ord_type = OrdType(order.ord_type)
    if not able.takes(ord_type, command.time_in_force):
        raise ValueError(f"{command.time_in_force} is not traded here")
    if command.time_in_force in AT_ONCE and command.time_in_force != order.time_in_force:
        raise ValueError(f"a resting order cannot become {command.time_in_force}")
    if (command.time_in_force is TimeInForce.GTD) != (command.expire_time is not None):
        raise ValueError(f"{command.time_in_force} with expire_time {command.expire_time}")
    if ends_at is not None and ends_at <= at:
        raise ValueError("the order would have ended already")
    if command.display_qty is not None and ord_type is not OrdType.LIMIT:
        raise ValueError(f"display_qty with {ord_type}")
    if order.price is None and command.price is not None:
        raise ValueError(f"{ord_type} has no price yet")
    price = order.price if command.price is None else command.price
    return Replace(
        at=at,
        order_id=order.order_id,
        request_id=command.request_id,
        qty=_positive(scale.lots(command.order_qty)),
        price=None if price is None else _positive(scale.ticks(price)),
        time_in_force=command.time_in_force,
        trigger=trigger_of(Waits.amended(order, command), scale),
        display_qty=_lots(scale, command.display_qty),
        expire_at=ends_at,
    )


def _positive(figure: int) -> int:
    if figure <= 0:
        raise ValueError("a figure is not positive")
    return figure


def _lots(scale: Scale, quantity: Decimal | None) -> int | None:
    return None if quantity is None else _positive(scale.lots(quantity))


def _word(enum: type[Word], value: str | None) -> Word | None:
    return None if value is None else enum(value)
