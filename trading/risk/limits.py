"""Limits: what a firm starts with, which values make sense, and which of several applies."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
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
    }
)


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
    saying something. An account's row can only tighten, never widen.
    """
    said: set[RuleId] = set()
    binding: dict[RuleId, Bound] = {}

    def tighten(rule: RuleId, value: Decimal, scope: str) -> None:
        if rule not in binding or value < binding[rule].value:
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
    if rule is RuleId.MAX_OPEN_ORDERS and value != value.to_integral_value():
        return "A number of orders is a whole number."
    return None
