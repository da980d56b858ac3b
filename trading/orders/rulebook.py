"""The rules of the order types in words: the tables that docs/api/orders prints.

Which type takes what is read from ``validity``; a rule here is one (field, code) the door answers.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from trading.orders.validity import (
    MARKET_WHEN_FIRED,
    NEEDED,
    POSSIBLE,
    POST_ONLY_TYPES,
    TIME_IN_FORCE_BY_TYPE,
    TRAILING_TYPES,
    TRIGGERED_TYPES,
)
from trading.vocabulary import OrdType, TimeInForce

EVERY = frozenset(OrdType)
FAMILIES: Final = MappingProxyType(
    {
        "at-once-or-resting": (OrdType.MARKET, OrdType.LIMIT, OrdType.MARKET_TO_LIMIT),
        "stops-and-if-touched": (
            OrdType.STOP,
            OrdType.STOP_LIMIT,
            OrdType.MARKET_IF_TOUCHED,
            OrdType.LIMIT_IF_TOUCHED,
        ),
        "trailing": (OrdType.TRAILING_STOP, OrdType.TRAILING_STOP_LIMIT),
        "pegged": (OrdType.PEGGED,),
    }
)
"""The types by the page that describes them."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What an order of ``types`` is refused for: 422 with ``code`` at ``field``."""

    field: str
    code: str
    text: str
    types: frozenset[OrdType] = EVERY


_MARKET, _LIMIT = frozenset({OrdType.MARKET}), frozenset({OrdType.LIMIT})
_TRAILING_LIMIT = frozenset({OrdType.TRAILING_STOP_LIMIT})
_PROTECTED = _MARKET | MARKET_WHEN_FIRED
_PEGGED = frozenset({OrdType.PEGGED})
_STEP = {"price": POSSIBLE["price"], "stop_px": TRIGGERED_TYPES, "activation_px": TRAILING_TYPES}


def _numbers(field: str, types: frozenset[OrdType]) -> tuple[Rule, ...]:
    return (
        Rule(field, "not_positive", "It is zero or negative.", types),
        Rule(field, "not_finite", "It is NaN or infinite.", types),
        Rule(field, "out_of_range", "It has more than 12 digits before the point.", types),
        Rule(field, "too_many_decimals", "It has more decimals than can be kept.", types),
    )


def _prices() -> Iterable[Rule]:
    for field, types in _STEP.items():
        yield from _numbers(field, types)
        text = "It is between two ticks; the nearest legal prices are named."
        yield Rule(field, "off_tick", text, types)


RULES: Final[tuple[Rule, ...]] = (
    Rule("order_qty", "quantity_required", "Neither order_qty nor cash_order_qty is given."),
    *_numbers("order_qty", EVERY),
    Rule("order_qty", "off_lot", "It is no multiple of the lot; the nearest are named."),
    Rule("order_qty", "below_min_qty", "It is below the instrument's smallest quantity."),
    Rule("order_qty", "above_max_qty", "It is above the instrument's largest quantity."),
    Rule("order_qty", "below_min_notional", "Price x quantity x multiplier is too little."),
    Rule("cash_order_qty", "contradictory", "order_qty says how much as well."),
    Rule("cash_order_qty", "not_allowed_for_type", "Only MARKET with IOC or DAY has it."),
    *_numbers("cash_order_qty", _MARKET),
    Rule("cash_order_qty", "below_min_qty", "At the price of now it is too few units.", _MARKET),
    Rule("cash_order_qty", "above_max_qty", "At the price of now it is too many units.", _MARKET),
    *(
        Rule(field, "required_for_type", "The type needs it.", types)
        for field, types in NEEDED.items()
    ),
    *(
        Rule(field, "not_allowed_for_type", "The type does not have it.", EVERY - types)
        for field, types in POSSIBLE.items()
        if field not in {"cash_order_qty", "extended_hours"}
    ),
    *_prices(),
    *_numbers("trail_offset", TRAILING_TYPES),
    Rule("trail_offset", "off_tick", "A PRICE distance is between two ticks.", TRAILING_TYPES),
    Rule("limit_offset", "out_of_range", "It is below zero.", _TRAILING_LIMIT),
    Rule("limit_offset", "not_finite", "It is NaN or infinite.", _TRAILING_LIMIT),
    Rule("limit_offset", "too_many_decimals", "It has too many decimals.", _TRAILING_LIMIT),
    Rule("limit_offset", "off_tick", "It is between two ticks.", _TRAILING_LIMIT),
    *_numbers("display_qty", _LIMIT),
    Rule("display_qty", "off_lot", "It is no multiple of the lot.", _LIMIT),
    Rule("min_qty", "not_allowed_for_type", "Only IOC has it."),
    *_numbers("min_qty", _MARKET | _LIMIT),
    Rule("min_qty", "off_lot", "It is no multiple of the lot.", _MARKET | _LIMIT),
    *_numbers("max_slippage_bps", _PROTECTED),
    Rule("max_slippage_bps", "unsupported_by_venue", "No venue protects what fires.", _PROTECTED),
    Rule("max_slippage_bps", "slippage_exceeds_limit", "The venue cannot bound it and the book "
         "shows too little at the best price.", _MARKET),
    Rule("time_in_force", "not_allowed_for_type", "The table above has no y for it."),
    Rule("time_in_force", "unsupported_by_venue", "The venue does not take it for the type."),
    Rule("time_in_force", "auction_cutoff", "The auction of OPG or CLS takes no more orders.",
         _MARKET | _LIMIT),
    Rule("ord_type", "unsupported_by_venue", "Neither the venue nor this system can do it."),
    Rule("expire_time", "required_for_type", "GTD needs it."),
    Rule("expire_time", "contradictory", "Only GTD has it."),
    Rule("expire_time", "invalid_expire_time", "It is less than a second away, or later than the "
         "venue keeps orders."),
    Rule("exec_inst", "invalid_choice", "The word is none of POST_ONLY, REDUCE_ONLY, ALL_OR_NONE."),
    Rule("exec_inst", "not_allowed_for_type", "POST_ONLY needs a price to rest at.",
         EVERY - POST_ONLY_TYPES),
    Rule("exec_inst", "contradictory", "POST_ONLY with a time in force that does not rest or a peg "
         "that reaches for the other side; ALL_OR_NONE with IOC, min_qty or display_qty."),
    Rule("exec_inst", "unsupported_by_venue", "The venue does not follow the instruction."),
    Rule("exec_inst", "reduce_only_violation", "REDUCE_ONLY, and more than the position less what "
         "other reduce-only orders take."),
    Rule("extended_hours", "not_allowed_for_type", "Only LIMIT with DAY or GTC has it."),
    Rule("stop_px", "would_trigger_immediately", "The market has reached it already.",
         TRIGGERED_TYPES),
    Rule("trigger_price_type", "unsupported_by_venue", "Nobody here knows that price.",
         TRIGGERED_TYPES),
)  # fmt: skip


def times_table(family: str) -> str:
    """The types of a family by the times in force they may have, and the fields that are theirs."""
    rows = [
        f"| type | {' | '.join(TimeInForce)} | needs | may have |",
        f"|---|{'---|' * len(TimeInForce)}---|---|",
    ]
    for ord_type in FAMILIES[family]:
        words = ["y" if word in TIME_IN_FORCE_BY_TYPE[ord_type] else "" for word in TimeInForce]
        needs = [field for field, types in NEEDED.items() if ord_type in types]
        may = [f for f, types in POSSIBLE.items() if ord_type in types and f not in needs]
        cells = [ord_type.value, *words, _fields(needs), _fields(may)]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def rules_table(family: str) -> str:
    """The rules an order of a family can break."""
    types = frozenset(FAMILIES[family])
    rows = ["| field | code | when | types |", "|---|---|---|---|"]
    for rule in sorted(RULES, key=lambda rule: (rule.field, rule.code)):
        named = rule.types & types
        if named:
            which = "all" if named == types else ", ".join(sorted(named))
            rows.append(f"| `{rule.field}` | `{rule.code}` | {rule.text} | {which} |")
    return "\n".join(rows) + "\n"


def _fields(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
