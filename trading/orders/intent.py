"""What somebody wants, before an order exists; its canonical form, hash and field rules."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from hashlib import sha256

from trading.orders import wire
from trading.orders.canonical import json_text
from trading.orders.validity import OrderFieldError, default_time_in_force, field_errors
from trading.vocabulary import (
    OrdType,
    PegPriceType,
    Side,
    TimeInForce,
    TrailType,
    TriggerPriceType,
    WhenClosed,
)

__all__ = [
    "OrderFieldError",
    "OrderIntent",
    "canonical_json",
    "default_time_in_force",
    "field_errors",
    "intent_hash",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderIntent:
    """One wish, whoever wishes it. ``account`` is the account's code, prices in its instrument's
    currency, quantities in its unit, ``expire_time`` an aware instant.

    ``time_in_force`` None asks for the instrument's default; acceptance fills it in before
    anything is judged or hashed. ``order_qty`` 0 says that it follows from ``cash_order_qty``, the
    money to spend or take in; acceptance works it out. ``trail_offset`` is a price or a percentage
    by ``trail_type``, ``limit_offset`` the distance of the limit from a trail's stop,
    ``peg_offset`` ticks (positive up), ``max_slippage_bps`` how far from the best price a MARKET
    order may trade. ``allow_synthetic`` False refuses what only this system could hold;
    ``when_closed`` None asks for the default of the time in force. ``tags`` and ``source``
    say where it came from, ``preview_id`` what the sender had seen before, ``allow_duplicate`` that
    an equal order of a moment ago was meant too; they are no part of what is wanted.
    """

    account: str
    symbol: str
    side: Side
    ord_type: OrdType
    order_qty: Decimal
    time_in_force: TimeInForce | None
    cl_ord_id: str | None = None
    price: Decimal | None = None
    stop_px: Decimal | None = None
    display_qty: Decimal | None = None
    expire_time: datetime | None = None
    exec_inst: tuple[str, ...] = ()
    cash_order_qty: Decimal | None = None
    min_qty: Decimal | None = None
    trigger_price_type: TriggerPriceType | None = None
    trail_offset: Decimal | None = None
    trail_type: TrailType | None = None
    activation_px: Decimal | None = None
    limit_offset: Decimal | None = None
    peg_price_type: PegPriceType | None = None
    peg_offset: int | None = None
    max_slippage_bps: Decimal | None = None
    extended_hours: bool = False
    allow_synthetic: bool = True
    when_closed: WhenClosed | None = None
    strategy: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    source: str = "api"
    preview_id: str | None = None
    allow_duplicate: bool = False


_CONTENT = (
    *wire.INSTRUCTION,
    "account",
    "cash_order_qty",
    "max_slippage_bps",
    "when_closed",
    "strategy",
)


def canonical_json(intent: OrderIntent) -> str:
    """Return the economic content in its one spelling; a field left out equals its default.

    :raises ValueError: while ``time_in_force`` is not filled in.
    """
    if intent.time_in_force is None:
        raise ValueError("the default time in force is filled in before an intent is hashed")
    content = wire.write(intent, _CONTENT)
    if intent.cash_order_qty is not None:
        content.pop("order_qty")
    if not intent.strategy:
        content.pop("strategy", None)
    if not intent.allow_synthetic:
        content["allow_synthetic"] = False
    return json_text(content)


def intent_hash(intent: OrderIntent) -> str:
    """Hex SHA-256 of ``canonical_json``: equal wishes have equal hashes."""
    return sha256(canonical_json(intent).encode()).hexdigest()
