"""The rules: each a function of intent, context and its limit, returning a breach or None.

All rules are asked and all breaches reported at once, so that a person corrects an order once.
To add a rule: a name and a code in ``codes``, a function here and its row in ``RULES``.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from trading import exact
from trading.risk.codes import RULE_OF, BreachCode, RuleId, unit_of
from trading.risk.pricing import notional, working_price
from trading.risk.values import Breach, JudgedIntent, RiskContext
from trading.vocabulary import Side

Rule = Callable[[JudgedIntent, RiskContext, Decimal], Breach | None]


def _text(number: Decimal) -> str:
    """Write a number for a message: no exponent, no padding zeros."""
    plain = format(number, "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def _breach(code: BreachCode, message: str, *, value: Decimal, limit: Decimal, unit: str) -> Breach:
    return Breach(code, RULE_OF[code], message, value, limit, unit)


def order_notional(intent: JudgedIntent, ctx: RiskContext) -> Decimal | None:
    """Return what the order is worth in the instrument's currency; None without any price."""
    price = working_price(intent, quote=ctx.quote, reference=ctx.reference)
    if price is None:
        return None
    return notional(qty=intent.order_qty, price=price, rules=ctx.rules)


def max_order_qty(intent: JudgedIntent, ctx: RiskContext, limit: Decimal) -> Breach | None:
    """One order may ask for at most ``limit`` units."""
    if intent.order_qty <= limit:
        return None
    return _breach(
        BreachCode.QUANTITY_EXCEEDS_MAXIMUM,
        f"The quantity {_text(intent.order_qty)} of {ctx.rules.symbol} is above the maximum of"
        f" {_text(limit)} for one order.",
        value=intent.order_qty,
        limit=limit,
        unit=unit_of(RuleId.MAX_ORDER_QTY),
    )


def max_order_notional(intent: JudgedIntent, ctx: RiskContext, limit: Decimal) -> Breach | None:
    """One order may be worth at most ``limit`` in the instrument's currency."""
    worth = order_notional(intent, ctx)
    if worth is None or worth <= limit:
        return None
    currency = ctx.rules.currency
    return _breach(
        BreachCode.NOTIONAL_EXCEEDS_MAXIMUM,
        f"The order is worth {_text(worth)} {currency}, above the maximum of {_text(limit)}"
        f" {currency} for one order.",
        value=worth,
        limit=limit,
        unit=currency,
    )


def price_collar(intent: JudgedIntent, ctx: RiskContext, limit: Decimal) -> Breach | None:
    """A limit price may be worse than the reference by at most the fraction ``limit``.

    Only the dear side is checked: a buy far below the market waits, it does no harm.
    """
    if intent.price is None or ctx.reference is None:
        return None
    reference = ctx.reference
    width = exact.multiply(reference.price.copy_abs(), limit)
    if intent.side is Side.BUY:
        bound = exact.add(reference.price, width)
        inside, word = intent.price <= bound, "above"
    else:
        bound = exact.subtract(reference.price, width)
        inside, word = intent.price >= bound, "below"
    if inside:
        return None
    seconds = reference.age.total_seconds()
    return _breach(
        BreachCode.PRICE_OUTSIDE_COLLAR,
        f"The price {_text(intent.price)} is {word} {_text(bound)}, the furthest allowed from the"
        f" reference {_text(reference.price)} ({reference.kind}, {seconds:.1f} s old).",
        value=intent.price,
        limit=bound,
        unit=ctx.rules.currency,
    )


def max_open_orders(_: JudgedIntent, ctx: RiskContext, limit: Decimal) -> Breach | None:
    """An account may have at most ``limit`` open orders; a replacement adds none."""
    count = Decimal(ctx.open_orders + 1)
    if ctx.amends is not None or count <= limit:
        return None
    return _breach(
        BreachCode.OPEN_ORDERS_EXCEED_MAXIMUM,
        f"The account would have {_text(count)} open orders, above the maximum of {_text(limit)}.",
        value=count,
        limit=limit,
        unit=unit_of(RuleId.MAX_OPEN_ORDERS),
    )


def max_open_notional(intent: JudgedIntent, ctx: RiskContext, limit: Decimal) -> Breach | None:
    """All open orders of an account in one currency may be worth at most ``limit`` together.

    A replacement worth no more than the order it replaces passes whatever else is open.
    """
    worth = order_notional(intent, ctx)
    if worth is None:
        return None
    before = Decimal(0) if ctx.amends is None else ctx.amends
    if ctx.amends is not None and worth <= before:
        return None
    total = exact.subtract(exact.add(ctx.open_notional, worth), before)
    if total <= limit:
        return None
    currency = ctx.rules.currency
    return _breach(
        BreachCode.OPEN_NOTIONAL_EXCEEDS_MAXIMUM,
        f"The open orders of the account would be worth {_text(total)} {currency}, above the"
        f" maximum of {_text(limit)} {currency}.",
        value=total,
        limit=limit,
        unit=currency,
    )


RULES: Final[Mapping[RuleId, Rule]] = MappingProxyType(
    {
        RuleId.MAX_ORDER_QTY: max_order_qty,
        RuleId.MAX_ORDER_NOTIONAL: max_order_notional,
        RuleId.PRICE_COLLAR: price_collar,
        RuleId.MAX_OPEN_ORDERS: max_open_orders,
        RuleId.MAX_OPEN_NOTIONAL: max_open_notional,
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


def evaluate(
    intent: JudgedIntent, ctx: RiskContext, limits: Mapping[RuleId, Decimal]
) -> tuple[Breach, ...]:
    """Return every breach, in the order of ``RULES``; empty where the order may go.

    A rule without a limit is not asked. Without a reference price nothing can be judged, so that
    one breach is added first, whatever the limits are (closed, not open, when data is missing).
    """
    found = (
        rule(intent, ctx, limits[rule_id]) for rule_id, rule in RULES.items() if rule_id in limits
    )
    breaches = tuple(breach for breach in found if breach is not None)
    return breaches if ctx.reference is not None else (_reference_missing(ctx), *breaches)
