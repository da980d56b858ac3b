"""What somebody wants, before an order exists; its canonical form, hash and field rules."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from hashlib import sha256

from trading.orders.canonical import dec_str, json_text, micros
from trading.orders.validity import OrderFieldError, default_time_in_force, field_errors
from trading.vocabulary import OrdType, Side, TimeInForce

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
    anything is judged or hashed. ``tags`` and ``source`` say where it came from, ``preview_id``
    what the sender had seen before; they are no part of what is wanted.
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
    strategy: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    source: str = "api"
    preview_id: str | None = None


def canonical_json(intent: OrderIntent) -> str:
    """Return the economic content in its one spelling; a field left out equals its default.

    :raises ValueError: while ``time_in_force`` is not filled in.
    """
    if intent.time_in_force is None:
        raise ValueError("the default time in force is filled in before an intent is hashed")
    content: dict[str, object] = {
        "account": intent.account,
        "order_qty": dec_str(intent.order_qty),
        "ord_type": intent.ord_type.value,
        "side": intent.side.value,
        "symbol": intent.symbol,
        "time_in_force": intent.time_in_force.value,
    }
    for name in ("price", "stop_px", "display_qty"):
        number: Decimal | None = getattr(intent, name)
        if number is not None:
            content[name] = dec_str(number)
    if intent.expire_time is not None:
        content["expire_time"] = micros(intent.expire_time)
    if intent.exec_inst:
        content["exec_inst"] = sorted(set(intent.exec_inst))
    if intent.strategy:
        content["strategy"] = intent.strategy
    return json_text(content)


def intent_hash(intent: OrderIntent) -> str:
    """Hex SHA-256 of ``canonical_json``: equal wishes have equal hashes."""
    return sha256(canonical_json(intent).encode()).hexdigest()
