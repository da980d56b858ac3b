"""What an order was told beyond side, quantity, type and price, and how far that has come."""

from dataclasses import dataclass
from typing import Any

from oms.life import OrderLife
from oms.services.fold import load_state
from portal import kinds
from portal.templatetags.blotter import number


@dataclass(frozen=True, slots=True)
class Told:
    """One instruction in words; ``is_amount`` where the privacy mode hides it."""

    name: str
    words: str
    is_amount: bool = False


_AMOUNTS = (
    ("cash_order_qty", "Money", 2),
    ("display_qty", "Shown", None),
    ("min_qty", "At least", None),
)


def told_of(life: OrderLife) -> list[Told]:
    """Return the instructions the order has, in the sequence people ask for them."""
    order = life.shown
    rows = [
        Told("Placed", kinds.held_words(order) or _at_venue(order)),
        Told("Waiting", kinds.waiting_words(order) if kinds.is_waiting(order) else ""),
        Told("Trail", _trail(life)),
        Told("Activates at", _number(order["activation_px"], life.places)),
        Told("Limit offset", _number(order["limit_offset"])),
        Told("Fired by", order["trigger_price_type"] or ""),
        Told("Pegged to", _peg(order)),
        Told("Ends", order["expire_time"] or ""),
        *(
            Told(name, _number(order[field], places), is_amount=True)
            for field, name, places in _AMOUNTS
        ),
        Told("Slippage", f"{order['max_slippage_bps']} bp" if order["max_slippage_bps"] else ""),
        Told("Instructions", ", ".join(order["exec_inst"])),
        Told("Hours", "extended" if order["extended_hours"] else ""),
    ]
    return [one for one in rows if one.words]


def _number(value: str | None, places: int | None = None) -> str:
    return "" if value is None else number(value, places)


def _at_venue(order: dict[str, Any]) -> str:
    waits = kinds.is_waiting(order) and kinds.waiting_words(order)
    return "at the venue, which holds the stop" if waits else ""


def _trail(life: OrderLife) -> str:
    """How far it stays behind; where the trail is kept here, the best price and the stop now."""
    words = kinds.trail_words(life.shown)
    if not words:
        return ""
    trailed = load_state(life.order).trailed
    if trailed is None:
        return f"{words} behind"
    return f"{words} behind the best price {number(trailed.anchor_px, life.places)}"


def _peg(order: dict[str, Any]) -> str:
    if order["peg_price_type"] is None:
        return ""
    offset = order["peg_offset"]
    return f"{order['peg_price_type']} {offset:+d} ticks" if offset else order["peg_price_type"]
