"""The rules: each a function of intent, context and its limit, returning a verdict.

All rules are asked and all breaches reported at once, so that a person corrects an order once.
To add a rule: a name and a code in ``codes``, a function here and its row in ``RULES``.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from trading import exact
from trading.exact import ZERO
from trading.risk.codes import RULE_OF, BreachCode, RuleId, unit_of
from trading.risk.pricing import notional, working_price
from trading.risk.values import Breach, JudgedIntent, RiskContext, Verdict
from trading.vocabulary import Side

Rule = Callable[[JudgedIntent, RiskContext, Decimal], Verdict | None]
"""None where the rule cannot be asked: a notional without any price, a collar without a limit."""


def _text(number: Decimal) -> str:
    """Write a number for a message: no exponent, no padding zeros."""
    plain = format(number, "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def _breach(code: BreachCode, message: str, *, value: Decimal, limit: Decimal, unit: str) -> Breach:
    return Breach(code, RULE_OF[code], message, value, limit, unit)


def _at_most(
    code: BreachCode,
    *,
    value: Decimal,
    limit: Decimal,
    unit: str,
    says: Callable[[], str],
    before: Decimal = ZERO,
    exempt: bool = False,
) -> Verdict:
    """The verdict of a rule that caps ``value`` at ``limit``; ``exempt`` passes whatever it is."""
    headroom = exact.subtract(limit, value)
    breach = None
    if headroom < 0 and not exempt:
        breach = _breach(code, says(), value=value, limit=limit, unit=unit)
    room = exact.ratio(headroom, limit)
    return Verdict(RULE_OF[code], value, limit, unit, before, headroom, room, breach)


def order_notional(intent: JudgedIntent, ctx: RiskContext) -> Decimal | None:
    """Return what the order is worth in the instrument's currency; None without any price."""
    price = working_price(intent, quote=ctx.quote, reference=ctx.reference)
    if price is None:
        return None
    return notional(qty=intent.order_qty, price=price, rules=ctx.rules)


def max_order_qty(intent: JudgedIntent, ctx: RiskContext, limit: Decimal) -> Verdict:
    """One order may ask for at most ``limit`` units."""
    return _at_most(
        BreachCode.QUANTITY_EXCEEDS_MAXIMUM,
        value=intent.order_qty,
        limit=limit,
        unit=unit_of(RuleId.MAX_ORDER_QTY),
        says=lambda: (
            f"The quantity {_text(intent.order_qty)} of {ctx.rules.symbol} is above the maximum of"
            f" {_text(limit)} for one order."
        ),
    )


def max_order_notional(intent: JudgedIntent, ctx: RiskContext, limit: Decimal) -> Verdict | None:
    """One order may be worth at most ``limit`` in the instrument's currency."""
    worth = order_notional(intent, ctx)
    if worth is None:
        return None
    currency = ctx.rules.currency
    return _at_most(
        BreachCode.NOTIONAL_EXCEEDS_MAXIMUM,
        value=worth,
        limit=limit,
        unit=currency,
        says=lambda: (
            f"The order is worth {_text(worth)} {currency}, above the maximum of {_text(limit)}"
            f" {currency} for one order."
        ),
    )


def price_collar(intent: JudgedIntent, ctx: RiskContext, limit: Decimal) -> Verdict | None:
    """A limit price may be worse than the reference by at most the fraction ``limit``.

    Only the dear side is checked: a buy far below the market waits, it does no harm. The limit a
    verdict shows is the bound as a price, and its room what is left of the collar's width.
    """
    if intent.price is None or ctx.reference is None:
        return None
    reference, currency = ctx.reference, ctx.rules.currency
    width = exact.multiply(reference.price.copy_abs(), limit)
    if intent.side is Side.BUY:
        bound = exact.add(reference.price, width)
        headroom, word = exact.subtract(bound, intent.price), "above"
    else:
        bound = exact.subtract(reference.price, width)
        headroom, word = exact.subtract(intent.price, bound), "below"
    breach = None
    if headroom < 0:
        seconds = reference.age.total_seconds()
        breach = _breach(
            BreachCode.PRICE_OUTSIDE_COLLAR,
            f"The price {_text(intent.price)} is {word} {_text(bound)}, the furthest allowed from"
            f" the reference {_text(reference.price)} ({reference.kind}, {seconds:.1f} s old).",
            value=intent.price,
            limit=bound,
            unit=currency,
        )
    room = exact.ratio(headroom, width) if width else min(headroom, ZERO)
    rule = RuleId.PRICE_COLLAR
    return Verdict(rule, intent.price, bound, currency, reference.price, headroom, room, breach)


def max_open_orders(_: JudgedIntent, ctx: RiskContext, limit: Decimal) -> Verdict:
    """An account may have at most ``limit`` open orders; a replacement adds none."""
    amends = ctx.amends is not None
    before = Decimal(ctx.open_orders)
    count = before if amends else before + 1
    return _at_most(
        BreachCode.OPEN_ORDERS_EXCEED_MAXIMUM,
        value=count,
        limit=limit,
        unit=unit_of(RuleId.MAX_OPEN_ORDERS),
        before=before,
        exempt=amends,
        says=lambda: (
            f"The account would have {_text(count)} open orders, above the maximum of"
            f" {_text(limit)}."
        ),
    )


def max_open_notional(intent: JudgedIntent, ctx: RiskContext, limit: Decimal) -> Verdict | None:
    """All open orders of an account in one currency may be worth at most ``limit`` together.

    A replacement worth no more than the order it replaces passes whatever else is open.
    """
    worth = order_notional(intent, ctx)
    if worth is None:
        return None
    held = Decimal(0) if ctx.amends is None else ctx.amends
    before = exact.subtract(ctx.open_notional, held)
    total = exact.add(before, worth)
    currency = ctx.rules.currency
    return _at_most(
        BreachCode.OPEN_NOTIONAL_EXCEEDS_MAXIMUM,
        value=total,
        limit=limit,
        unit=currency,
        before=before,
        exempt=ctx.amends is not None and worth <= held,
        says=lambda: (
            f"The open orders of the account would be worth {_text(total)} {currency}, above the"
            f" maximum of {_text(limit)} {currency}."
        ),
    )


def max_orders_per_second(_: JudgedIntent, ctx: RiskContext, limit: Decimal) -> Verdict | None:
    """An account may send at most ``limit`` orders within one second."""
    if ctx.recent.orders is None:
        return None
    before = Decimal(ctx.recent.orders)
    return _at_most(
        BreachCode.ORDER_RATE_EXCEEDS_MAXIMUM,
        value=before + 1,
        limit=limit,
        unit=unit_of(RuleId.MAX_ORDERS_PER_SECOND),
        before=before,
        says=lambda: (
            f"The account has sent {_text(before)} orders within the last second, and"
            f" {_text(limit)} is the maximum; send this one later."
        ),
    )


def duplicate_order(_: JudgedIntent, ctx: RiskContext, __: Decimal) -> Verdict | None:
    """An order equal to one accepted moments ago is taken for a slip; None where there is none.

    The value is that order's age. How long it counts was decided where it was looked for.
    """
    twin = ctx.recent.twin
    if twin is None:
        return None
    age, window = _seconds(twin.age), _seconds(twin.window)
    unit = unit_of(RuleId.DUPLICATE_ORDER)
    message = (
        f"An equal order ({twin.cl_ord_id}) was accepted {_text(age)} s ago. If a second one is"
        f" meant, send it with allow_duplicate, or once {_text(window)} s have passed."
    )
    breach = _breach(BreachCode.ORDER_REPEATS_ANOTHER, message, value=age, limit=window, unit=unit)
    headroom = exact.subtract(age, window)
    room = exact.ratio(headroom, window)
    return Verdict(RuleId.DUPLICATE_ORDER, age, window, unit, ZERO, headroom, room, breach)


def _seconds(span: timedelta) -> Decimal:
    return Decimal(span // timedelta(milliseconds=1)) / 1000


RULES: Final[Mapping[RuleId, Rule]] = MappingProxyType(
    {
        RuleId.MAX_ORDER_QTY: max_order_qty,
        RuleId.MAX_ORDER_NOTIONAL: max_order_notional,
        RuleId.PRICE_COLLAR: price_collar,
        RuleId.MAX_OPEN_ORDERS: max_open_orders,
        RuleId.MAX_OPEN_NOTIONAL: max_open_notional,
        RuleId.MAX_ORDERS_PER_SECOND: max_orders_per_second,
        RuleId.DUPLICATE_ORDER: duplicate_order,
    }
)


def _reference_missing(ctx: RiskContext) -> Breach:
    return _breach(
        BreachCode.NO_REFERENCE_PRICE,
        f"There is no fresh price of {ctx.rules.symbol} to measure the order against.",
        value=Decimal(0),
        limit=Decimal(0),
        unit=ctx.rules.currency,
    )


def verdicts(
    intent: JudgedIntent, ctx: RiskContext, limits: Mapping[RuleId, Decimal]
) -> tuple[Verdict, ...]:
    """Return what every rule with a limit says, in the order of ``RULES``."""
    found = (
        rule(intent, ctx, limits[rule_id]) for rule_id, rule in RULES.items() if rule_id in limits
    )
    return tuple(verdict for verdict in found if verdict is not None)


def evaluate(
    intent: JudgedIntent, ctx: RiskContext, limits: Mapping[RuleId, Decimal]
) -> tuple[Breach, ...]:
    """Return every breach, in the order of ``RULES``; empty where the order may go.

    A rule without a limit is not asked. Without a reference price nothing can be judged, so that
    one breach is added first, whatever the limits are (closed, not open, when data is missing).
    """
    said = verdicts(intent, ctx, limits)
    breaches = tuple(verdict.breach for verdict in said if verdict.breach is not None)
    return breaches if ctx.reference is not None else (_reference_missing(ctx), *breaches)
