"""Rules of one number of an order: finite, storable, above zero, on its step, within its bounds."""

from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

from trading.market import InstrumentRules
from trading.orders.canonical import EXACT, dec_str

MAX_INTEGER_DIGITS = 12
MAX_DECIMALS = 12


@dataclass(frozen=True, slots=True)
class OrderFieldError:
    """Why one field is refused. ``nearest`` holds the legal values the message names."""

    field: str
    code: str
    message: str
    nearest: tuple[Decimal, ...] = ()


def amount_errors(
    name: str, value: Decimal, *, decimals: int = MAX_DECIMALS
) -> list[OrderFieldError]:
    """Rules of any positive number: finite, above zero, storable, of so many decimals at most."""
    basic = _number_error(name, value)
    if basic is not None:
        return [basic]
    if value <= 0:
        text = f"{name} {dec_str(value)} is not above zero"
        return [OrderFieldError(name, "not_positive", text)]
    return _decimals_errors(name, value, decimals)


def price_errors(name: str, value: Decimal, rules: InstrumentRules) -> list[OrderFieldError]:
    """Rules of one price: positive, storable, on the tick."""
    return amount_errors(name, value) or _tick_errors(name, value, rules)


def distance_errors(name: str, value: Decimal, rules: InstrumentRules) -> list[OrderFieldError]:
    """Rules of a distance between prices that may be nothing: not negative, storable, in ticks."""
    basic = _number_error(name, value)
    if basic is not None:
        return [basic]
    if value < 0:
        text = f"{name} {dec_str(value)} is below zero; 0 is the least"
        return [OrderFieldError(name, "out_of_range", text, (Decimal(0),))]
    return _decimals_errors(name, value, MAX_DECIMALS) or _tick_errors(name, value, rules)


def quantity_errors(name: str, value: Decimal, rules: InstrumentRules) -> list[OrderFieldError]:
    """Rules of one order quantity: positive, storable, on the lot, within the bounds."""
    found = lot_errors(name, value, rules)
    if found:
        return found
    if value < rules.min_qty:
        text = f"{dec_str(value)} is below the smallest quantity {dec_str(rules.min_qty)}"
        return [OrderFieldError(name, "below_min_qty", text, (rules.min_qty,))]
    if value > rules.max_qty:
        text = f"{dec_str(value)} is above the largest quantity {dec_str(rules.max_qty)}"
        return [OrderFieldError(name, "above_max_qty", text, (rules.max_qty,))]
    return []


def lot_errors(name: str, value: Decimal, rules: InstrumentRules) -> list[OrderFieldError]:
    """Rules of a part of an order's quantity: positive, storable, on the lot."""
    basic = amount_errors(name, value, decimals=min(rules.qty_decimals, MAX_DECIMALS))
    if basic:
        return basic
    lower, upper = _neighbours(value, rules.lot_size)
    if lower == value:
        return []
    text = (
        f"{dec_str(value)} is not a multiple of the lot {dec_str(rules.lot_size)}; "
        f"the nearest quantities are {dec_str(lower)} and {dec_str(upper)}"
    )
    return [OrderFieldError(name, "off_lot", text, (lower, upper))]


def _tick_errors(name: str, value: Decimal, rules: InstrumentRules) -> list[OrderFieldError]:
    lower, upper = _neighbours(value, rules.tick_size)
    if lower == value:
        return []
    text = (
        f"{dec_str(value)} is not a multiple of the tick {dec_str(rules.tick_size)}; "
        f"the nearest legal prices are {dec_str(lower)} and {dec_str(upper)}"
    )
    return [OrderFieldError(name, "off_tick", text, (lower, upper))]


def _number_error(name: str, value: Decimal) -> OrderFieldError | None:
    if not value.is_finite():
        return OrderFieldError(name, "not_finite", f"{name} is not a finite number")
    if value and value.adjusted() >= MAX_INTEGER_DIGITS:
        text = f"{name} has more than {MAX_INTEGER_DIGITS} digits before the point"
        return OrderFieldError(name, "out_of_range", text)
    return None


def _decimals_errors(name: str, value: Decimal, allowed: int) -> list[OrderFieldError]:
    if _decimals(value) <= allowed:
        return []
    text = f"{dec_str(value)} has more than {allowed} decimals"
    return [OrderFieldError(name, "too_many_decimals", text)]


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
