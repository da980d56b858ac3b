"""The names of every rule and every breach, in one place, with the table the docs print.

A breach code reads CATEGORY_CONDITION: what was looked at, then what was wrong with it. Clients
match on these words, so a code is never renamed and never changes its meaning.
"""

from enum import StrEnum
from types import MappingProxyType
from typing import Final


class RuleId(StrEnum):
    """The rules a limit can be set for; the value is what the API and the database carry."""

    MAX_ORDER_QTY = "max_order_qty"
    MAX_ORDER_NOTIONAL = "max_order_notional"
    PRICE_COLLAR = "price_collar"
    MAX_OPEN_ORDERS = "max_open_orders"
    MAX_OPEN_NOTIONAL = "max_open_notional"
    MAX_ORDERS_PER_SECOND = "max_orders_per_second"
    DUPLICATE_ORDER = "duplicate_order"


class BreachCode(StrEnum):
    """Why the rules refuse an order."""

    QUANTITY_EXCEEDS_MAXIMUM = "QUANTITY_EXCEEDS_MAXIMUM"
    NOTIONAL_EXCEEDS_MAXIMUM = "NOTIONAL_EXCEEDS_MAXIMUM"
    PRICE_OUTSIDE_COLLAR = "PRICE_OUTSIDE_COLLAR"
    OPEN_ORDERS_EXCEED_MAXIMUM = "OPEN_ORDERS_EXCEED_MAXIMUM"
    OPEN_NOTIONAL_EXCEEDS_MAXIMUM = "OPEN_NOTIONAL_EXCEEDS_MAXIMUM"
    ORDER_RATE_EXCEEDS_MAXIMUM = "ORDER_RATE_EXCEEDS_MAXIMUM"
    ORDER_REPEATS_ANOTHER = "ORDER_REPEATS_ANOTHER"
    NO_REFERENCE_PRICE = "NO_REFERENCE_PRICE"


RULE_OF: Final = MappingProxyType(
    {
        BreachCode.QUANTITY_EXCEEDS_MAXIMUM: RuleId.MAX_ORDER_QTY,
        BreachCode.NOTIONAL_EXCEEDS_MAXIMUM: RuleId.MAX_ORDER_NOTIONAL,
        BreachCode.PRICE_OUTSIDE_COLLAR: RuleId.PRICE_COLLAR,
        BreachCode.OPEN_ORDERS_EXCEED_MAXIMUM: RuleId.MAX_OPEN_ORDERS,
        BreachCode.OPEN_NOTIONAL_EXCEEDS_MAXIMUM: RuleId.MAX_OPEN_NOTIONAL,
        BreachCode.ORDER_RATE_EXCEEDS_MAXIMUM: RuleId.MAX_ORDERS_PER_SECOND,
        BreachCode.ORDER_REPEATS_ANOTHER: RuleId.DUPLICATE_ORDER,
        BreachCode.NO_REFERENCE_PRICE: RuleId.PRICE_COLLAR,
    }
)

MEANING: Final = MappingProxyType(
    {
        BreachCode.QUANTITY_EXCEEDS_MAXIMUM: "The quantity of this one order is too large.",
        BreachCode.NOTIONAL_EXCEEDS_MAXIMUM: (
            "Quantity x price x multiplier of this one order is too large."
        ),
        BreachCode.PRICE_OUTSIDE_COLLAR: (
            "A buy limit too far above, or a sell limit too far below, the reference price."
        ),
        BreachCode.OPEN_ORDERS_EXCEED_MAXIMUM: (
            "The account would have too many open orders, unknown outcomes counted as open."
        ),
        BreachCode.OPEN_NOTIONAL_EXCEEDS_MAXIMUM: (
            "The open orders of the account, this one included, would be worth too much."
        ),
        BreachCode.ORDER_RATE_EXCEEDS_MAXIMUM: (
            "The account sent too many orders within one second."
        ),
        BreachCode.ORDER_REPEATS_ANOTHER: (
            "An equal order under another id was accepted moments ago; `allow_duplicate` passes it."
        ),
        BreachCode.NO_REFERENCE_PRICE: (
            "No fresh price to measure the order against; answered as `no_reference_price`."
        ),
    }
)

_UNIT: Final = MappingProxyType(
    {
        RuleId.MAX_ORDER_QTY: "quantity",
        RuleId.MAX_ORDER_NOTIONAL: "currency",
        RuleId.PRICE_COLLAR: "fraction",
        RuleId.MAX_OPEN_ORDERS: "orders",
        RuleId.MAX_OPEN_NOTIONAL: "currency",
        RuleId.MAX_ORDERS_PER_SECOND: "orders",
        RuleId.DUPLICATE_ORDER: "seconds",
    }
)


def unit_of(rule: RuleId) -> str:
    """Return what a limit of this rule is counted in.

    ``currency`` is the instrument's own currency, ``fraction`` a share of the reference price,
    ``seconds`` the age up to which an equal order counts.
    """
    return _UNIT[rule]


def markdown_table() -> str:
    """Return the table of all breach codes as docs/risk-codes.md shows it."""
    rows = [
        "| code | rule | limit counted in | meaning |",
        "|---|---|---|---|",
        *(
            f"| `{code}` | `{RULE_OF[code]}` | {unit_of(RULE_OF[code])} | {MEANING[code]} |"
            for code in BreachCode
        ),
    ]
    return "\n".join(rows) + "\n"
