"""Pre-trade risk as pure functions: an intent, what is known, and limits in; breaches out."""

from trading.risk.codes import RULE_OF, BreachCode, RuleId, markdown_table, unit_of
from trading.risk.halts import HaltScope, HaltState, covers, most_severe, only_reduces
from trading.risk.limits import DEFAULT_LIMITS, Limit, LimitScope, resolve, value_problem
from trading.risk.pricing import choose_reference, notional, working_price
from trading.risk.rules import RULES, evaluate, order_notional
from trading.risk.values import (
    Breach,
    JudgedIntent,
    Reference,
    ReferenceKind,
    ReferencePolicy,
    RiskContext,
)

__all__ = [
    "DEFAULT_LIMITS",
    "RULES",
    "RULE_OF",
    "Breach",
    "BreachCode",
    "HaltScope",
    "HaltState",
    "JudgedIntent",
    "Limit",
    "LimitScope",
    "Reference",
    "ReferenceKind",
    "ReferencePolicy",
    "RiskContext",
    "RuleId",
    "choose_reference",
    "covers",
    "evaluate",
    "markdown_table",
    "most_severe",
    "notional",
    "only_reduces",
    "order_notional",
    "resolve",
    "unit_of",
    "value_problem",
    "working_price",
]
