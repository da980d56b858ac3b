"""What the exits of a bracket would bring, reckoned at the price the entry is expected at. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from common.errors import FieldError
from common.numbers import dec_str
from trading import exact
from trading.contingency import (
    ContingencyType,
    ListWish,
    Role,
    price_errors,
    relative_px,
    roles,
    shape_errors,
    with_defaults,
)
from trading.contingency.prices import exit_price, price_field
from trading.market import InstrumentRules
from trading.orders.intent import field_errors
from trading.orders.validity import OrderFieldError


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is won or lost, fees apart, if the entry fills whole at its price and then this exit."""

    name: str
    px: str
    amount: str
    places: int


def weigh(
    wish: ListWish, rules: InstrumentRules, preview: Mapping[str, Any]
) -> tuple[list[FieldError], list[Outcome]]:
    """Return what is wrong with the exits, under the names of POST /order-lists, and what they
    would bring. ``preview`` is the entry's; without an expected price nothing can be reckoned.
    """
    wish = with_defaults(wish)
    found = shape_errors(wish)
    entry_px = _entry_px(wish, preview)
    if not found and entry_px is not None:
        wish = _priced(wish, entry_px, rules)
        found = price_errors(wish, entry_px)
    found += [
        one for one in _field_errors(wish, rules) if one.field not in {f.field for f in found}
    ]
    rows = [FieldError(one.field, one.code, one.message) for one in found]
    if rows or entry_px is None or wish.contingency_type is not ContingencyType.OTOCO:
        return rows, []
    return [], list(_outcomes(wish, entry_px, rules))


def _entry_px(wish: ListWish, preview: Mapping[str, Any]) -> Decimal | None:
    entry, known = wish.legs[0].intent, preview["estimate"]
    stated = exit_price(entry) or entry.price
    if stated is not None or known is None:
        return stated
    return Decimal(known["reference"]["px"])


def _priced(wish: ListWish, entry_px: Decimal, rules: InstrumentRules) -> ListWish:
    legs = []
    for leg in wish.legs:
        intent = leg.intent
        if leg.is_relative:
            px = relative_px(
                entry_side=wish.legs[0].intent.side,
                ord_type=intent.ord_type,
                entry_px=entry_px,
                tick_size=rules.tick_size,
                offset=leg.offset,
                offset_percent=leg.offset_percent,
            )
            changed: dict[str, Any] = {price_field(intent.ord_type): px}
            intent = replace(intent, **changed)
        legs.append(replace(leg, intent=intent))
    return replace(wish, legs=tuple(legs))


def _field_errors(wish: ListWish, rules: InstrumentRules) -> Iterator[OrderFieldError]:
    """The rules of each leg after the first; the first was judged with its preview."""
    for number, leg in enumerate(wish.legs[1:], 1):
        if leg.intent.order_qty <= 0:
            continue  # it follows the first, whose quantity is wrong or still missing
        for one in field_errors(leg.intent, rules):
            if leg.is_relative and one.code == "required_for_type":
                continue
            yield replace(one, field=f"legs.{number}.{one.field}")


def _outcomes(wish: ListWish, entry_px: Decimal, rules: InstrumentRules) -> Iterator[Outcome]:
    entry = wish.legs[0].intent
    places = len(dec_str(rules.tick_size).partition(".")[2])
    words = {Role.TARGET: "If the target fills", Role.STOP: "If the stop fires"}
    for role, leg in zip(roles(wish), wish.legs, strict=True):
        px = exit_price(leg.intent)
        if role not in words or px is None:
            continue
        move = exact.signed(exact.subtract(px, entry_px), entry.side.sign)
        amount = exact.multiply(exact.multiply(move, entry.order_qty), rules.multiplier)
        yield Outcome(words[role], dec_str(px), dec_str(amount), places)
