"""The fields of an order by kind, and their one spelling as JSON values.

Intents, terms, versions and the commands to a venue all carry some of these names; whoever writes
or reads them names which.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from trading.orders.canonical import dec_str, instant, micros
from trading.vocabulary import (
    OrdType,
    PegPriceType,
    Side,
    TimeInForce,
    TrailType,
    TriggerPriceType,
    WhenClosed,
)

DECIMALS = frozenset(
    {
        "order_qty",
        "price",
        "stop_px",
        "display_qty",
        "cash_order_qty",
        "min_qty",
        "trail_offset",
        "activation_px",
        "limit_offset",
        "max_slippage_bps",
    }
)
WORDS: Mapping[str, type[StrEnum]] = {
    "side": Side,
    "ord_type": OrdType,
    "time_in_force": TimeInForce,
    "trigger_price_type": TriggerPriceType,
    "trail_type": TrailType,
    "peg_price_type": PegPriceType,
    "when_closed": WhenClosed,
}
TERMS = (
    "order_qty",
    "price",
    "stop_px",
    "display_qty",
    "time_in_force",
    "expire_time",
    "trail_offset",
    "limit_offset",
)
"""What an amendment may change: the fields of ``trading.orders.facts.Terms``."""
FIXED = (
    "symbol",
    "side",
    "ord_type",
    "exec_inst",
    "min_qty",
    "trigger_price_type",
    "trail_type",
    "activation_px",
    "peg_price_type",
    "peg_offset",
    "extended_hours",
)
"""What a venue is told besides the terms, and no amendment changes."""
INSTRUCTION = (*FIXED, *TERMS)
"""Everything a venue is told about an order."""


def values(source: object, names: Iterable[str]) -> dict[str, Any]:
    """The named attributes of ``source`` as they are."""
    return {name: getattr(source, name) for name in names}


def write(source: object, names: Iterable[str]) -> dict[str, Any]:
    """The named attributes as JSON values; what is None or empty is left out.

    Decimals become text in their one spelling, instants microseconds, flags of ``exec_inst`` a
    sorted list.
    """
    content: dict[str, Any] = {}
    for name in names:
        value = getattr(source, name)
        if value is None or value is False or value in ((), []):
            continue
        content[name] = _written(name, value)
    return content


def _written(name: str, value: Any) -> Any:
    if isinstance(value, Decimal):
        return dec_str(value)
    if isinstance(value, datetime):
        return micros(value)
    if isinstance(value, StrEnum):
        return value.value
    if name == "exec_inst":
        return sorted(set(value))
    return value


def read(content: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Read what ``write`` wrote; names that are absent or null are left out.

    :raises ValueError: for a word or number that is none.
    """
    found: dict[str, Any] = {}
    for name in names:
        value = content.get(name)
        if value is None:
            continue
        if name in DECIMALS:
            value = Decimal(value)
        elif name in WORDS:
            value = WORDS[name](value)
        elif name == "expire_time":
            value = instant(value)
        elif name == "exec_inst":
            value = tuple(value)
        found[name] = value
    return found
