"""What an order meets at entry besides its own fields: the price, the position and the clock."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from trading.exact import PRICE_STEP
from trading.market import InstrumentRules, Quote
from trading.orders.canonical import EXACT, dec_str
from trading.orders.intent import OrderIntent
from trading.orders.numbers import OrderFieldError
from trading.vocabulary import OrdType, Side, TimeInForce, WhenClosed

SOONEST_END = timedelta(seconds=1)
QUEUES_BY_ITSELF = frozenset({TimeInForce.GTC, TimeInForce.GTD, TimeInForce.OPG, TimeInForce.CLS})
"""Times in force that reach beyond a closed session: such an order waits unless it says no."""
_WHOLE_BPS = Decimal(10_000)


@dataclass(frozen=True, slots=True)
class Converted:
    """Units an amount of money buys or sells, and what of it is left at the reference price.

    ``reserve_px`` is what a unit counts at so that all of them count as the whole amount.
    """

    order_qty: Decimal
    unspent: Decimal
    reserve_px: Decimal


def best_opposite(side: Side, quote: Quote) -> Decimal | None:
    """The price an order of this side trades at first; None while nobody is there."""
    px, size = (quote.ask, quote.ask_size) if side is Side.BUY else (quote.bid, quote.bid_size)
    return px if size > 0 else None


def units_for(
    cash: Decimal, px: Decimal, *, protection_bps: Decimal, rules: InstrumentRules
) -> Converted | OrderFieldError:
    """Return how many units ``cash`` is at ``px``, with room for a price so much worse.

    The quantity is rounded down to the lot. One too small to be an order is the error.
    """
    unit = EXACT.multiply(px, rules.multiplier)
    dearest = EXACT.divide(EXACT.multiply(unit, EXACT.add(_WHOLE_BPS, protection_bps)), _WHOLE_BPS)
    qty = _in_steps(EXACT.divide(cash, dearest), rules.lot_size, ROUND_FLOOR)
    if qty < rules.min_qty:
        text = (
            f"{dec_str(cash)} {rules.currency} is {dec_str(qty)} units at {dec_str(px)}, "
            f"below the smallest quantity {dec_str(rules.min_qty)}"
        )
        return OrderFieldError("cash_order_qty", "below_min_qty", text, (rules.min_qty,))
    if qty > rules.max_qty:
        text = (
            f"{dec_str(cash)} {rules.currency} is {dec_str(qty)} units at {dec_str(px)}, "
            f"above the largest quantity {dec_str(rules.max_qty)}"
        )
        return OrderFieldError("cash_order_qty", "above_max_qty", text, (rules.max_qty,))
    each = EXACT.divide(cash, EXACT.multiply(qty, rules.multiplier))
    return Converted(
        order_qty=qty,
        unspent=EXACT.subtract(cash, EXACT.multiply(qty, unit)),
        reserve_px=_in_steps(each, PRICE_STEP, ROUND_CEILING),
    )


def worst_px(side: Side, best: Decimal, *, bps: Decimal, tick_size: Decimal) -> Decimal:
    """The last price a protected MARKET order may trade at, rounded in the client's favour."""
    away = bps if side is Side.BUY else EXACT.minus(bps)
    px = EXACT.divide(EXACT.multiply(best, EXACT.add(_WHOLE_BPS, away)), _WHOLE_BPS)
    return _in_steps(px, tick_size, ROUND_FLOOR if side is Side.BUY else ROUND_CEILING)


def reduce_only_error(
    side: Side, qty: Decimal, *, position_qty: Decimal, others: Decimal
) -> OrderFieldError | None:
    """Whether the order could open or turn the position.

    ``others`` is what other open reduce-only orders of this side may still take from it.
    """
    held = position_qty if side is Side.SELL else EXACT.minus(position_qty)
    room = EXACT.subtract(max(held, Decimal(0)), others)
    if side is not Side.SELL_SHORT and qty <= room:
        return None
    text = (
        f"the position is {dec_str(position_qty)} and other reduce-only orders take "
        f"{dec_str(others)} of it; {side} {dec_str(qty)} would do more than reduce it"
    )
    return OrderFieldError("exec_inst", "reduce_only_violation", text, (max(room, Decimal(0)),))


def expire_time_error(
    expire_time: datetime | None, now: datetime, *, max_days: int | None
) -> OrderFieldError | None:
    """Whether a good-till-date order ends too soon, or later than its venue keeps orders."""
    if expire_time is None:
        return None
    if expire_time <= now + SOONEST_END:
        text = f"{expire_time.isoformat()} is past or less than a second away"
        return OrderFieldError("expire_time", "invalid_expire_time", text)
    if max_days is not None and expire_time > now + timedelta(days=max_days):
        text = f"the venue keeps orders for {max_days} days at most"
        return OrderFieldError("expire_time", "invalid_expire_time", text)
    return None


def when_closed(asked: WhenClosed | None, time_in_force: TimeInForce) -> WhenClosed:
    """What becomes of an order that comes while its session is closed."""
    if asked is not None:
        return asked
    return WhenClosed.QUEUE if time_in_force in QUEUES_BY_ITSELF else WhenClosed.REJECT


def limit_beyond_stop(intent: OrderIntent) -> bool:
    """Whether a STOP_LIMIT rests when it fires: its limit asks for more than its stop."""
    if intent.ord_type is not OrdType.STOP_LIMIT or intent.price is None or intent.stop_px is None:
        return False
    if intent.side is Side.BUY:
        return intent.price < intent.stop_px
    return intent.price > intent.stop_px


def _in_steps(value: Decimal, step: Decimal, rounding: str) -> Decimal:
    steps = EXACT.divide(value, step).to_integral_value(rounding=rounding)
    return EXACT.multiply(steps, step)
