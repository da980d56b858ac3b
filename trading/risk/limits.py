"""Limits: what a firm starts with, which values make sense, and which of several applies."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from trading.risk.codes import RuleId


class LimitScope(StrEnum):
    """Whom a limit binds."""

    TENANT = "tenant"
    ACCOUNT = "account"


DEFAULT_LIMITS: Final[Mapping[RuleId, Decimal]] = MappingProxyType(
    {
        RuleId.MAX_ORDER_QTY: Decimal(100_000),
        RuleId.MAX_ORDER_NOTIONAL: Decimal(5_000_000),
        RuleId.PRICE_COLLAR: Decimal("0.10"),
        RuleId.DUPLICATE_ORDER: Decimal(1),
    }
)

COUNTS: Final = frozenset({RuleId.MAX_OPEN_ORDERS, RuleId.MAX_ORDERS_PER_SECOND})
LONGEST_WINDOW = Decimal(60)
MICROSECONDS = Decimal(1_000_000)
BY_HAND = timedelta(seconds=5)
"""People repeat a click more slowly than programs repeat a call."""


@dataclass(frozen=True, slots=True)
class Limit:
    """One stored limit. ``target`` is an account code, or empty for the whole firm."""

    scope: LimitScope
    target: str
    rule: RuleId
    value: Decimal
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Bound:
    """The value that binds an account, and whose it is: ``tenant``, ``account`` or ``default``."""

    value: Decimal
    scope: str


def bounds(limits: Iterable[Limit], *, account: str) -> dict[RuleId, Bound]:
    """Return what binds the account for each rule: the tightest of what covers it.

    A firm that has said nothing about a rule gets its default; switching the firm's row off is
    saying something. An account's row can only tighten, never widen: a lower bound, or a longer
    look back for equal orders.
    """
    said: set[RuleId] = set()
    binding: dict[RuleId, Bound] = {}

    def tighten(rule: RuleId, value: Decimal, scope: str) -> None:
        held = binding.get(rule)
        if held is None or (
            value > held.value if rule is RuleId.DUPLICATE_ORDER else value < held.value
        ):
            binding[rule] = Bound(value, scope)

    for limit in limits:
        if limit.scope is LimitScope.TENANT:
            said.add(limit.rule)
        elif limit.target != account:
            continue
        if limit.enabled:
            tighten(limit.rule, limit.value, limit.scope.value)
    for rule, value in DEFAULT_LIMITS.items():
        if rule not in said:
            tighten(rule, value, "default")
    return binding


def resolve(limits: Iterable[Limit], *, account: str) -> dict[RuleId, Decimal]:
    """Return the value of each rule that binds the account (see ``bounds``)."""
    return {rule: bound.value for rule, bound in bounds(limits, account=account).items()}


def value_problem(rule: RuleId, value: Decimal) -> str | None:
    """Return what is wrong with a limit's value, None where it makes sense."""
    if not value.is_finite() or value <= 0:
        return "A limit is a number above zero."
    if rule is RuleId.PRICE_COLLAR and value >= 1:
        return "The collar is a fraction of the reference price, below 1 (0.1 is ten per cent)."
    if rule in COUNTS and value != value.to_integral_value():
        return "A number of orders is a whole number."
    if rule is RuleId.DUPLICATE_ORDER and value > LONGEST_WINDOW:
        return "Equal orders are compared over at most 60 seconds."
    return None


def duplicate_window(limit: Decimal, *, by_hand: bool) -> timedelta:
    """Return how long an order is compared with new ones; ``limit`` is the rule's, in seconds."""
    window = timedelta(microseconds=int(limit * MICROSECONDS))
    return max(window, BY_HAND) if by_hand else window
