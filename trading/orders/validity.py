"""Field rules of an intent: which fields for which type and time in force, with exact codes.

What a rule needs of the market, the clock or the venue is ``trading.orders.entry`` and
``trading.orders.placement``; here an order is only held against itself and its instrument.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from trading.market import InstrumentRules
from trading.orders.canonical import EXACT, dec_str
from trading.orders.numbers import (
    OrderFieldError,
    amount_errors,
    distance_errors,
    lot_errors,
    price_errors,
    quantity_errors,
)
from trading.vocabulary import OrdType, PegPriceType, Side, TimeInForce, TrailType

__all__ = [
    "NEEDED",
    "POSSIBLE",
    "TIME_IN_FORCE_BY_FIELD",
    "TIME_IN_FORCE_BY_TYPE",
    "OrderFieldError",
    "default_time_in_force",
    "field_errors",
    "notional_errors",
]

if TYPE_CHECKING:
    from trading.orders.intent import OrderIntent

RESTING = (TimeInForce.DAY, TimeInForce.GTC, TimeInForce.GTD)
TIME_IN_FORCE_BY_TYPE: dict[OrdType, tuple[TimeInForce, ...]] = {
    OrdType.MARKET: (
        TimeInForce.DAY,
        TimeInForce.IOC,
        TimeInForce.FOK,
        TimeInForce.OPG,
        TimeInForce.CLS,
    ),
    OrdType.LIMIT: tuple(TimeInForce),
    OrdType.STOP: RESTING,
    OrdType.MARKET_IF_TOUCHED: RESTING,
    OrdType.TRAILING_STOP: RESTING,
    OrdType.STOP_LIMIT: (*RESTING, TimeInForce.IOC, TimeInForce.FOK),
    OrdType.LIMIT_IF_TOUCHED: (*RESTING, TimeInForce.IOC, TimeInForce.FOK),
    OrdType.TRAILING_STOP_LIMIT: (*RESTING, TimeInForce.IOC, TimeInForce.FOK),
    OrdType.MARKET_TO_LIMIT: RESTING,
    OrdType.PEGGED: RESTING,
}
PRICED_TYPES = frozenset(
    {OrdType.LIMIT, OrdType.STOP_LIMIT, OrdType.LIMIT_IF_TOUCHED, OrdType.PEGGED}
)
STOP_TYPES = frozenset(
    {OrdType.STOP, OrdType.STOP_LIMIT, OrdType.MARKET_IF_TOUCHED, OrdType.LIMIT_IF_TOUCHED}
)
TRAILING_TYPES = frozenset({OrdType.TRAILING_STOP, OrdType.TRAILING_STOP_LIMIT})
TRIGGERED_TYPES = STOP_TYPES | TRAILING_TYPES
MARKET_WHEN_FIRED = frozenset({OrdType.STOP, OrdType.MARKET_IF_TOUCHED, OrdType.TRAILING_STOP})
_TRAILING_LIMIT, _PEGGED = frozenset({OrdType.TRAILING_STOP_LIMIT}), frozenset({OrdType.PEGGED})
_MARKET, _LIMIT = frozenset({OrdType.MARKET}), frozenset({OrdType.LIMIT})

NEEDED: Final[Mapping[str, frozenset[OrdType]]] = MappingProxyType(
    {
        "price": PRICED_TYPES,
        "stop_px": STOP_TYPES,
        "trail_offset": TRAILING_TYPES,
        "trail_type": TRAILING_TYPES,
        "limit_offset": _TRAILING_LIMIT,
        "peg_price_type": _PEGGED,
    }
)
"""Fields without which an order of a type is not complete."""
POSSIBLE: Final[Mapping[str, frozenset[OrdType]]] = MappingProxyType(
    {
        **NEEDED,
        "stop_px": STOP_TYPES | TRAILING_TYPES,
        "activation_px": TRAILING_TYPES,
        "trigger_price_type": TRIGGERED_TYPES,
        "peg_offset": _PEGGED,
        "cash_order_qty": _MARKET,
        "display_qty": _LIMIT,
        "max_slippage_bps": _MARKET | MARKET_WHEN_FIRED,
        "extended_hours": _LIMIT,
    }
)
"""The types that have a field at all; a field that is not here has nothing to do with the type."""
TIME_IN_FORCE_BY_FIELD: Final[Mapping[str, frozenset[TimeInForce]]] = MappingProxyType(
    {
        "cash_order_qty": frozenset({TimeInForce.IOC, TimeInForce.DAY}),
        "min_qty": frozenset({TimeInForce.IOC}),
        "extended_hours": frozenset({TimeInForce.DAY, TimeInForce.GTC}),
    }
)
"""Fields that only some times in force have a use for."""
MOST_WORTH = Decimal(10) ** 15
"""In the instrument's currency: what is reserved for every open order has to fit one column."""
EXEC_INSTS = frozenset({"POST_ONLY", "REDUCE_ONLY", "ALL_OR_NONE"})
POST_ONLY_TYPES = frozenset({OrdType.LIMIT, OrdType.PEGGED})
MAX_TRAIL_PERCENT = Decimal(50)
MAX_SLIPPAGE_BPS = Decimal(10_000)
"""A whole price; a protection that far away protects from nothing."""


def default_time_in_force(ord_type: OrdType, continuous: bool) -> TimeInForce:
    """DAY where the calendar has sessions; round the clock IOC for MARKET, GTC otherwise."""
    if not continuous:
        return TimeInForce.DAY
    return TimeInForce.IOC if ord_type is OrdType.MARKET else TimeInForce.GTC


def field_errors(
    intent: "OrderIntent", rules: InstrumentRules, *, reference_price: Decimal | None = None
) -> list[OrderFieldError]:
    """Return every field rule the intent breaks, at most one per field and cause.

    ``reference_price`` prices an order without a price of its own for the notional floor; without
    it that one rule is left to the caller.
    """
    errors = [
        *_amount_errors(intent, rules),
        *_presence_errors(intent),
        *_price_errors(intent, rules),
        *_trail_errors(intent, rules),
        *_part_errors(intent, rules),
        *_protection_errors(intent),
        *_time_in_force_errors(intent),
        *_exec_inst_errors(intent),
    ]
    return errors or notional_errors(intent, rules, reference_price)


def notional_errors(
    intent: "OrderIntent", rules: InstrumentRules, reference_price: Decimal | None
) -> list[OrderFieldError]:
    """Return whether price x quantity x multiplier is too little to be an order, or too much to be
    kept.

    The price is the order's own, else ``reference_price``; without either nothing can be said.
    """
    price = intent.price if intent.price is not None else reference_price
    if price is None or intent.order_qty <= 0:
        return []
    notional = EXACT.multiply(EXACT.multiply(price, intent.order_qty), rules.multiplier)
    if notional > MOST_WORTH:
        text = (
            f"{dec_str(notional)} {rules.currency} is above {dec_str(MOST_WORTH)} "
            f"{rules.currency}, the largest order value that is kept"
        )
        return [OrderFieldError("order_qty", "out_of_range", text)]
    if notional >= rules.min_notional:
        return []
    text = (
        f"{dec_str(notional)} {rules.currency} is below the smallest order value "
        f"{dec_str(rules.min_notional)} {rules.currency}"
    )
    return [OrderFieldError("order_qty", "below_min_notional", text)]


def _amount_errors(intent: "OrderIntent", rules: InstrumentRules) -> Iterator[OrderFieldError]:
    """Exactly one of a quantity and an amount of money says how much."""
    cash = intent.cash_order_qty
    if cash is None and intent.order_qty == 0:
        text = "say how much: order_qty in units, or cash_order_qty in money for a MARKET order"
        yield OrderFieldError("order_qty", "quantity_required", text)
    elif cash is None:
        yield from quantity_errors("order_qty", intent.order_qty, rules)
    elif intent.order_qty != 0:
        text = "order_qty and cash_order_qty both say how much; name one of them"
        yield OrderFieldError("cash_order_qty", "contradictory", text)
    elif intent.ord_type in POSSIBLE["cash_order_qty"]:
        yield from amount_errors("cash_order_qty", cash)


def _presence_errors(intent: "OrderIntent") -> Iterator[OrderFieldError]:
    """Fields the type needs and does not have, has and does not know, or too early or late for."""
    for name, types in POSSIBLE.items():
        value = getattr(intent, name)
        given = value is not None and value is not False
        if given and intent.ord_type not in types:
            text = f"a {intent.ord_type} order has no {name}"
            yield OrderFieldError(name, "not_allowed_for_type", text)
        elif not given and intent.ord_type in NEEDED.get(name, ()):
            text = f"a {intent.ord_type} order needs {name}"
            yield OrderFieldError(name, "required_for_type", text)
    for name, words in TIME_IN_FORCE_BY_FIELD.items():
        value = getattr(intent, name)
        given = value is not None and value is not False
        possible = intent.ord_type in POSSIBLE.get(name, frozenset(OrdType))
        if given and possible and intent.time_in_force not in words:
            text = f"{name} goes with {', '.join(sorted(words))}, not with {intent.time_in_force}"
            yield OrderFieldError(name, "not_allowed_for_type", text)


def _price_errors(intent: "OrderIntent", rules: InstrumentRules) -> Iterator[OrderFieldError]:
    for name in ("price", "stop_px", "activation_px"):
        value = getattr(intent, name)
        if value is not None and intent.ord_type in POSSIBLE[name]:
            yield from price_errors(name, value, rules)


def _trail_errors(intent: "OrderIntent", rules: InstrumentRules) -> Iterator[OrderFieldError]:
    """A trail's distance is a price in ticks, or a percentage from 0.01 to 50."""
    if intent.ord_type not in TRAILING_TYPES:
        return
    if (offset := intent.trail_offset) is not None:
        if intent.trail_type is TrailType.PERCENT:
            found = amount_errors("trail_offset", offset, decimals=2)
            if not found and offset > MAX_TRAIL_PERCENT:
                text = f"a trail of {dec_str(offset)} % is too wide; 0.01 to 50 are possible"
                found = [OrderFieldError("trail_offset", "out_of_range", text)]
            yield from found
        else:
            yield from price_errors("trail_offset", offset, rules)
    if intent.limit_offset is not None and intent.ord_type in POSSIBLE["limit_offset"]:
        yield from distance_errors("limit_offset", intent.limit_offset, rules)


def _part_errors(intent: "OrderIntent", rules: InstrumentRules) -> Iterator[OrderFieldError]:
    """Quantities that are parts of the whole: what is shown, and the least to trade."""
    for name in ("display_qty", "min_qty"):
        part: Decimal | None = getattr(intent, name)
        if part is None or intent.ord_type not in POSSIBLE.get(name, frozenset(OrdType)):
            continue
        found = lot_errors(name, part, rules)
        whole = intent.order_qty
        if not found and intent.cash_order_qty is None and whole.is_finite() and part > whole:
            text = f"{name} {dec_str(part)} exceeds order_qty {dec_str(whole)}"
            found = [OrderFieldError(name, "out_of_range", text)]
        yield from found


def _protection_errors(intent: "OrderIntent") -> Iterator[OrderFieldError]:
    bps = intent.max_slippage_bps
    if bps is None or intent.ord_type not in POSSIBLE["max_slippage_bps"]:
        return
    found = amount_errors("max_slippage_bps", bps)
    if not found and bps >= MAX_SLIPPAGE_BPS:
        text = f"{dec_str(bps)} basis points are the whole price; stay below 10000"
        found = [OrderFieldError("max_slippage_bps", "out_of_range", text)]
    yield from found


def _time_in_force_errors(intent: "OrderIntent") -> Iterator[OrderFieldError]:
    allowed = TIME_IN_FORCE_BY_TYPE[intent.ord_type]
    if intent.time_in_force not in allowed:
        text = f"a {intent.ord_type} order may be {', '.join(allowed)}, not {intent.time_in_force}"
        yield OrderFieldError("time_in_force", "not_allowed_for_type", text)
    if intent.time_in_force is TimeInForce.GTD and intent.expire_time is None:
        text = "a GTD order needs expire_time, the instant it ends at"
        yield OrderFieldError("expire_time", "required_for_type", text)
    elif intent.time_in_force is not TimeInForce.GTD and intent.expire_time is not None:
        text = f"{intent.time_in_force} ends by its own rule, expire_time says otherwise"
        yield OrderFieldError("expire_time", "contradictory", text)


def _exec_inst_errors(intent: "OrderIntent") -> Iterator[OrderFieldError]:
    flags = set(intent.exec_inst)
    for word in sorted(flags - EXEC_INSTS):
        text = f"{word} is none of {', '.join(sorted(EXEC_INSTS))}"
        yield OrderFieldError("exec_inst", "invalid_choice", text)
    if "POST_ONLY" in flags:
        yield from _post_only_errors(intent)
    if "ALL_OR_NONE" in flags:
        yield from _all_or_none_errors(intent)


def _post_only_errors(intent: "OrderIntent") -> Iterator[OrderFieldError]:
    if intent.ord_type not in POST_ONLY_TYPES:
        text = f"POST_ONLY needs a price to rest at; a {intent.ord_type} order has none"
        yield OrderFieldError("exec_inst", "not_allowed_for_type", text)
    elif intent.time_in_force not in RESTING:
        text = f"POST_ONLY never trades on arrival, {intent.time_in_force} only then"
        yield OrderFieldError("exec_inst", "contradictory", text)
    elif intent.ord_type is OrdType.PEGGED and not _is_passive(intent):
        text = "POST_ONLY rests behind the other side; this peg reaches for it"
        yield OrderFieldError("exec_inst", "contradictory", text)


def _is_passive(intent: "OrderIntent") -> bool:
    """Whether a peg stays away from the other side of the market."""
    towards = (intent.peg_offset or 0) * (1 if intent.side is Side.BUY else -1)
    return towards < 0 if intent.peg_price_type is PegPriceType.MARKET else towards <= 0


def _all_or_none_errors(intent: "OrderIntent") -> Iterator[OrderFieldError]:
    if intent.time_in_force is TimeInForce.IOC:
        text = "ALL_OR_NONE with IOC is what FOK says"
        yield OrderFieldError("exec_inst", "contradictory", text)
        return
    for name in ("min_qty", "display_qty"):
        if getattr(intent, name) is not None:
            text = f"ALL_OR_NONE trades in one piece, {name} names a part"
            yield OrderFieldError("exec_inst", "contradictory", text)
            return
