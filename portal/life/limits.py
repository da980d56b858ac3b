"""The limits an order stands under now, with what it and its account use of them."""

from dataclasses import dataclass
from decimal import Decimal

from common.numbers import dec_str
from oms.models import Order
from oms.services.outbox import reserved_notional
from risk import selectors
from trading import exact
from trading.risk import RuleId, resolve
from trading.risk.codes import unit_of

NEAR = 80
_NOT_KEPT = "measured against the price of its moment, which is not kept"


@dataclass(frozen=True, slots=True)
class LimitRow:
    """One rule. ``used`` is None with ``note`` where there is no figure; ``percent`` is whole."""

    rule: str
    of: str
    used: str | None
    limit: str
    unit: str
    percent: int | None
    note: str = ""

    @property
    def level(self) -> str:
        """How near: ok, near, over."""
        if self.percent is None or self.percent < NEAR:
            return "ok"
        return "near" if self.percent <= 100 else "over"


def limits_over(order: Order) -> list[LimitRow]:
    """Return a row per rule that binds the order's account, in the order of the rules.

    What the order itself uses is its terms in force; what the account uses is everything open
    in the order's currency, unknown outcomes counted as open.
    """
    code = order.account.code
    binding = resolve(selectors.limits(account_codes=[code]), account=code)
    currency = order.instrument.currency
    return [_row(rule, binding[rule], order, currency) for rule in RuleId if rule in binding]


def _row(rule: RuleId, limit: Decimal, order: Order, currency: str) -> LimitRow:
    unit = unit_of(rule)
    shown = currency if unit == "currency" else unit
    of, used = _used(rule, order, currency)
    percent = None if used is None else int(exact.multiply(used, Decimal(100)) // limit)
    return LimitRow(
        rule=rule.value,
        of=of,
        used=None if used is None else dec_str(used),
        limit=dec_str(limit),
        unit=shown,
        percent=percent,
        note=_NOT_KEPT if used is None else "",
    )


def _used(rule: RuleId, order: Order, currency: str) -> tuple[str, Decimal | None]:
    if rule is RuleId.MAX_ORDER_QTY:
        return "this order", order.order_qty
    if rule is RuleId.MAX_ORDER_NOTIONAL:
        price = order.price if order.price is not None else order.reserve_px
        amount = exact.multiply(order.order_qty, price)
        return "this order", exact.multiply(amount, order.instrument.multiplier)
    if rule is RuleId.MAX_OPEN_ORDERS:
        count = selectors.open_order_counts().get(order.account_id, 0)
        return "the account, with working and unknown orders", Decimal(count)
    if rule is RuleId.MAX_OPEN_NOTIONAL:
        rows = selectors.exposures_with_currency([order.account_id])
        total = exact.total(
            exact.add(row.open_buy_notional, row.open_sell_notional)
            for row, unit in rows
            if unit in (None, currency)
        )
        return "the account, with working and unknown orders", total
    return "this order", None


def reserved(order: Order) -> dict[str, str]:
    """What risk holds for the order now: the most that any outcome still open could execute."""
    return {
        "qty": dec_str(order.reserved_qty),
        "px": dec_str(order.reserve_px),
        "notional": dec_str(reserved_notional(order)),
    }
