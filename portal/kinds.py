"""Words for what kind of order one is: its type, the price it waits for, who holds it. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from trading.orders.placement import NOT_AT_THE_VENUE
from trading.orders.validity import TRAILING_TYPES, TRIGGERED_TYPES
from trading.vocabulary import HeldBy, OrdStatus, OrdType, Side, TrailType

TYPE_WORDS = {kind.value: kind.value.replace("_", " ") for kind in OrdType}
"""Order types as lists of choices name them; the FIX word is the value."""
SHORT_TYPES = {
    OrdType.STOP_LIMIT: "STP LMT",
    OrdType.MARKET_IF_TOUCHED: "MIT",
    OrdType.LIMIT_IF_TOUCHED: "LIT",
    OrdType.TRAILING_STOP: "TRAIL",
    OrdType.TRAILING_STOP_LIMIT: "TRL LMT",
    OrdType.MARKET_TO_LIMIT: "MTL",
}
"""Types whose FIX word is too long for a column; it stands in the tooltip."""
_LINE_WORDS = {
    OrdType.PEGGED: "PEG cap",
    OrdType.MARKET_IF_TOUCHED: "MIT",
    OrdType.LIMIT_IF_TOUCHED: "LIT",
    OrdType.TRAILING_STOP: "TRAIL",
    OrdType.TRAILING_STOP_LIMIT: "TRAIL",
}
_TOUCH_TYPES = frozenset({OrdType.MARKET_IF_TOUCHED, OrdType.LIMIT_IF_TOUCHED})


def short_type(ord_type: str) -> str:
    """Return the type as a narrow column shows it."""
    return SHORT_TYPES.get(OrdType(ord_type), ord_type)


def held_words(order: Mapping[str, Any]) -> str:
    """Say what it means that this system holds the order; empty where a venue has it."""
    return NOT_AT_THE_VENUE if order.get("held_by") == HeldBy.OMS else ""


def is_waiting(order: Mapping[str, Any]) -> bool:
    """Whether the order is accepted, and nothing may trade it yet."""
    return order["ord_status"] == OrdStatus.NEW and order.get("working_indicator") is False


def waiting_words(order: Mapping[str, Any]) -> str:
    """Say what a waiting order waits for; empty where that is no price."""
    kind = OrdType(order["ord_type"])
    if kind not in TRIGGERED_TYPES:
        return ""
    stop = order.get("stop_px")
    if stop is None:
        starts = order.get("activation_px")
        return f"waits for {starts} to start trailing" if starts else "waits for its first price"
    falls = (order["side"] == Side.BUY) == (kind in _TOUCH_TYPES)
    return f"waits for a price at or {'below' if falls else 'above'} {stop}"


def trail_words(order: Mapping[str, Any]) -> str:
    """Return how far a trail stays behind, as ``5 %`` or as a price; empty for other types."""
    offset = order.get("trail_offset")
    if offset is None or OrdType(order["ord_type"]) not in TRAILING_TYPES:
        return ""
    return f"{offset} %" if order.get("trail_type") == TrailType.PERCENT else str(offset)


def leg_mark(order: Mapping[str, Any]) -> str:
    """Return the stroke that ties an order of a list to its first leg; empty for other orders."""
    if not order.get("list_id"):
        return ""
    return "\u252c\u2009" if order.get("leg_no") == 1 else "\u2514\u2009"


@dataclass(frozen=True, slots=True)
class Line:
    """Where a chart draws an order; ``term`` is what moving the line amends, empty for nothing."""

    px: Decimal
    term: str


def line_of(order: Any, *, waits: bool) -> Line | None:
    """Return an order's line: at its trigger while it waits for that, else at its limit."""
    if waits and order.stop_px is not None:
        return Line(order.stop_px, "" if order.ord_type in TRAILING_TYPES else "stop_px")
    return None if order.price is None else Line(order.price, "price")


def line_words(order: Any, *, waits: bool, at: Callable[[Decimal], str]) -> str:
    """Say what a line is, as ``STP 95.00 \u2192 LMT 94.00``; ``at`` writes a price."""
    line = line_of(order, waits=waits)
    if line is None:
        return ""
    if line.term == "price":
        pegged = order.ord_type == OrdType.PEGGED
        return f"{_LINE_WORDS[OrdType.PEGGED] if pegged else 'LMT'} {at(line.px)}"
    words = [_LINE_WORDS.get(OrdType(order.ord_type), "STP"), at(line.px)]
    if order.price is not None:
        words += ["\u2192", "LMT", at(order.price)]
    if order.held_by == HeldBy.OMS:
        words.append("(here)")
    return " ".join(words)
