"""Pre-trade risk as pure functions: an intent, what is known, and limits in; breaches out."""

from trading.risk.codes import RULE_OF, BreachCode, RuleId, markdown_table, unit_of
from trading.risk.halts import HaltScope, HaltState, covers, most_severe, only_reduces
from trading.risk.limits import (
    DEFAULT_LIMITS,
    Bound,
    Limit,
    LimitScope,
    bounds,
    duplicate_window,
    resolve,
    value_problem,
)
from trading.risk.pricing import choose_reference, notional, working_price
from trading.risk.rules import RULES, evaluate, order_notional, verdicts
from trading.risk.values import (
    Breach,
    JudgedIntent,
    Recent,
    Reference,
    ReferenceKind,
    ReferencePolicy,
    RiskContext,
    Twin,
    Verdict,
)

__all__ = [
    "DEFAULT_LIMITS",
    "RULES",
    "RULE_OF",
    "Bound",
    "Breach",
    "BreachCode",
    "HaltScope",
    "HaltState",
    "JudgedIntent",
    "Limit",
    "LimitScope",
    "Recent",
    "Reference",
    "ReferenceKind",
    "ReferencePolicy",
    "RiskContext",
    "RuleId",
    "Twin",
    "Verdict",
    "bounds",
    "choose_reference",
    "covers",
    "duplicate_window",
    "evaluate",
    "markdown_table",
    "most_severe",
    "notional",
    "only_reduces",
    "order_notional",
    "resolve",
    "unit_of",
    "value_problem",
    "verdicts",
    "working_price",
]
