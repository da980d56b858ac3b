"""Field rules of an intent: which numbers, which fields for which type, with exact codes."""

from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING

from trading.market import InstrumentRules
from trading.orders.canonical import EXACT, dec_str
from trading.vocabulary import OrdType, TimeInForce

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
EXEC_INSTS = frozenset({"POST_ONLY", "REDUCE_ONLY", "ALL_OR_NONE"})

MAX_INTEGER_DIGITS = 12
MAX_DECIMALS = 12


@dataclass(frozen=True, slots=True)
class OrderFieldError:
    """Why one field is refused. ``nearest`` holds the legal values the message names."""

    field: str
    code: str
    message: str
    nearest: tuple[Decimal, ...] = ()


def default_time_in_force(ord_type: OrdType, continuous: bool) -> TimeInForce:
    """DAY where the calendar has sessions; round the clock IOC for MARKET, GTC otherwise."""
    if not continuous:
        return TimeInForce.DAY
    return TimeInForce.IOC if ord_type is OrdType.MARKET else TimeInForce.GTC


def field_errors(
    intent: "OrderIntent", rules: InstrumentRules, *, reference_price: Decimal | None = None
) -> list[OrderFieldError]:
    """Return every field rule the intent breaks, at most one per field and cause.

    ``reference_price`` prices a MARKET order for the notional floor; without it that one rule
    is left to the caller.
    """
    errors = [
        *_amount_errors(intent, rules),
        *_price_errors(intent, rules),
        *_display_errors(intent, rules),
        *_time_in_force_errors(intent),
        *_exec_inst_errors(intent),
    ]
    if not errors:
        errors = _notional_errors(intent, rules, reference_price)
    return errors


def price_errors(name: str, value: Decimal, rules: InstrumentRules) -> list[OrderFieldError]:
    """Rules of one price: positive, storable, on the tick."""
    basic = _number_error(name, value)
    if basic is not None:
        return [basic]
    if _decimals(value) > MAX_DECIMALS:
        return [_too_many_decimals(name, value, MAX_DECIMALS)]
    lower, upper = _neighbours(value, rules.tick_size)
    if lower == value:
        return []
    text = (
        f"{dec_str(value)} is not a multiple of the tick {dec_str(rules.tick_size)}; "
        f"the nearest legal prices are {dec_str(lower)} and {dec_str(upper)}"
    )
    return [OrderFieldError(name, "off_tick", text, (lower, upper))]


def quantity_errors(name: str, value: Decimal, rules: InstrumentRules) -> list[OrderFieldError]:
    """Rules of one order quantity: positive, storable, on the lot, within the bounds."""
    return _quantity_errors(name, value, rules, bounded=True)


def _quantity_errors(
    name: str, value: Decimal, rules: InstrumentRules, *, bounded: bool
) -> list[OrderFieldError]:
    basic = _number_error(name, value)
    if basic is not None:
        return [basic]
    if _decimals(value) > min(rules.qty_decimals, MAX_DECIMALS):
        return [_too_many_decimals(name, value, min(rules.qty_decimals, MAX_DECIMALS))]
    lower, upper = _neighbours(value, rules.lot_size)
    if lower != value:
        text = (
            f"{dec_str(value)} is not a multiple of the lot {dec_str(rules.lot_size)}; "
            f"the nearest quantities are {dec_str(lower)} and {dec_str(upper)}"
        )
        return [OrderFieldError(name, "off_lot", text, (lower, upper))]
    if bounded and value < rules.min_qty:
        text = f"{dec_str(value)} is below the smallest quantity {dec_str(rules.min_qty)}"
        return [OrderFieldError(name, "below_min_qty", text, (rules.min_qty,))]
    if bounded and value > rules.max_qty:
        text = f"{dec_str(value)} is above the largest quantity {dec_str(rules.max_qty)}"
        return [OrderFieldError(name, "above_max_qty", text, (rules.max_qty,))]
    return []


def _amount_errors(intent: "OrderIntent", rules: InstrumentRules) -> list[OrderFieldError]:
    """Exactly one of a quantity and an amount of money says how much."""
    if intent.order_qty == 0 and intent.cash_order_qty is None:
        text = "say how much: order_qty in units, or cash_order_qty in money for a MARKET order"
        return [OrderFieldError("order_qty", "quantity_required", text)]
    return _quantity_errors("order_qty", intent.order_qty, rules, bounded=True)


def _price_errors(intent: "OrderIntent", rules: InstrumentRules) -> list[OrderFieldError]:
    errors: list[OrderFieldError] = []
    for name, value, types in (
        ("price", intent.price, PRICED_TYPES),
        ("stop_px", intent.stop_px, STOP_TYPES),
    ):
        wanted = intent.ord_type in types
        if value is None and wanted:
            text = f"a {intent.ord_type} order needs {name}"
            errors.append(OrderFieldError(name, "required_for_type", text))
        elif value is not None and not wanted:
            text = f"a {intent.ord_type} order has no {name}"
            errors.append(OrderFieldError(name, "not_allowed_for_type", text))
        elif value is not None:
            errors += price_errors(name, value, rules)
    return errors


def _display_errors(intent: "OrderIntent", rules: InstrumentRules) -> list[OrderFieldError]:
    shown = intent.display_qty
    if shown is None:
        return []
    if intent.ord_type is not OrdType.LIMIT:
        text = f"a {intent.ord_type} order has no display_qty"
        return [OrderFieldError("display_qty", "not_allowed_for_type", text)]
    errors = _quantity_errors("display_qty", shown, rules, bounded=False)
    if not errors and intent.order_qty.is_finite() and shown > intent.order_qty:
        text = f"display_qty {dec_str(shown)} exceeds order_qty {dec_str(intent.order_qty)}"
        errors = [OrderFieldError("display_qty", "out_of_range", text)]
    return errors


def _time_in_force_errors(intent: "OrderIntent") -> list[OrderFieldError]:
    errors: list[OrderFieldError] = []
    allowed = TIME_IN_FORCE_BY_TYPE[intent.ord_type]
    if intent.time_in_force not in allowed:
        text = f"a {intent.ord_type} order may be {', '.join(allowed)}, not {intent.time_in_force}"
        errors.append(OrderFieldError("time_in_force", "not_allowed_for_type", text))
    if intent.time_in_force is TimeInForce.GTD and intent.expire_time is None:
        text = "a GTD order needs expire_time, the instant it ends at"
        errors.append(OrderFieldError("expire_time", "required_for_type", text))
    elif intent.time_in_force is not TimeInForce.GTD and intent.expire_time is not None:
        text = f"{intent.time_in_force} ends by its own rule, expire_time says otherwise"
        errors.append(OrderFieldError("expire_time", "contradictory", text))
    return errors


def _exec_inst_errors(intent: "OrderIntent") -> list[OrderFieldError]:
    flags = set(intent.exec_inst)
    at_once = intent.time_in_force in {TimeInForce.IOC, TimeInForce.FOK}
    errors: list[OrderFieldError] = []
    for word in sorted(flags - EXEC_INSTS):
        text = f"{word} is none of {', '.join(sorted(EXEC_INSTS))}"
        errors.append(OrderFieldError("exec_inst", "invalid_choice", text))
    if "POST_ONLY" in flags and intent.ord_type is not OrdType.LIMIT:
        text = f"POST_ONLY needs a price to rest at; a {intent.ord_type} order has none"
        errors.append(OrderFieldError("exec_inst", "not_allowed_for_type", text))
    elif "POST_ONLY" in flags and at_once:
        text = f"POST_ONLY never trades on arrival, {intent.time_in_force} only then"
        errors.append(OrderFieldError("exec_inst", "contradictory", text))
    if "ALL_OR_NONE" in flags and intent.time_in_force is TimeInForce.IOC:
        text = "ALL_OR_NONE with IOC is what FOK says"
        errors.append(OrderFieldError("exec_inst", "contradictory", text))
    elif "ALL_OR_NONE" in flags and intent.display_qty is not None:
        text = "ALL_OR_NONE trades in one piece, display_qty shows a part"
        errors.append(OrderFieldError("exec_inst", "contradictory", text))
    return errors


def _notional_errors(
    intent: "OrderIntent", rules: InstrumentRules, reference_price: Decimal | None
) -> list[OrderFieldError]:
    price = intent.price if intent.price is not None else reference_price
    if price is None or rules.min_notional <= 0:
        return []
    notional = EXACT.multiply(EXACT.multiply(price, intent.order_qty), rules.multiplier)
    if notional >= rules.min_notional:
        return []
    text = (
        f"{dec_str(notional)} {rules.currency} is below the smallest order value "
        f"{dec_str(rules.min_notional)} {rules.currency}"
    )
    return [OrderFieldError("order_qty", "below_min_notional", text)]


def _number_error(name: str, value: Decimal) -> OrderFieldError | None:
    if not value.is_finite():
        return OrderFieldError(name, "not_finite", f"{name} is not a finite number")
    if value <= 0:
        return OrderFieldError(name, "not_positive", f"{name} {dec_str(value)} is not above zero")
    if value.adjusted() >= MAX_INTEGER_DIGITS:
        text = f"{name} has more than {MAX_INTEGER_DIGITS} digits before the point"
        return OrderFieldError(name, "out_of_range", text)
    return None


def _too_many_decimals(name: str, value: Decimal, allowed: int) -> OrderFieldError:
    text = f"{dec_str(value)} has more than {allowed} decimals"
    return OrderFieldError(name, "too_many_decimals", text)


def _decimals(value: Decimal) -> int:
    """Decimals that matter: trailing zeros do not."""
    exponent = value.normalize(EXACT).as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _neighbours(value: Decimal, step: Decimal) -> tuple[Decimal, Decimal]:
    """Return the two positive multiples of ``step`` nearest to ``value`` (equal if it is one)."""
    steps = EXACT.divide(value, step).to_integral_value(rounding=ROUND_FLOOR)
    lower = EXACT.multiply(steps, step)
    if lower == value:
        return value, value
    if steps == 0:
        return step, EXACT.multiply(step, Decimal(2))
    return lower, EXACT.add(lower, step)
