"""Which events an actor may see: one rule, as a filter for Postgres and as a predicate.

A key bound to some accounts sees what names one of those accounts, and what concerns the whole
firm (halts, connections). What names no account is hidden from it: the rule fails closed. Events
of the books need ``positions:read`` besides ``orders:read``.
"""

import re
from typing import Any

from django.db.models import Q

from common.actor import Actor
from common.errors import FieldError, Invalid

_PATTERN = re.compile(r"[a-z_]+(\.[a-z_]+)*(\.\*)?", re.ASCII)
_MOST_PATTERNS = 20

_FIRM_WIDE = ("halt.", "connection.")
_BOOKS = ("position.", "balance.", "pnl.")


def visible_filter(actor: Actor) -> Q:
    """Return the condition on ``Event`` rows that ``is_visible`` states for one event."""
    condition = Q()
    if not actor.may("positions:read"):
        for prefix in _BOOKS:
            condition &= ~Q(type__startswith=prefix)
    if actor.accounts is None:
        return condition
    accounts = sorted(actor.accounts)
    firm_wide = Q(type__startswith=_FIRM_WIDE[1]) | (
        Q(type__startswith=_FIRM_WIDE[0])
        & (~Q(data__contains={"scope": "account"}) | Q(data__target__in=accounts))
    )
    return condition & (Q(data__account__in=accounts) | firm_wide)


def is_visible(actor: Actor, event: dict[str, Any]) -> bool:
    """Whether ``actor`` may see an event given in its public form."""
    kind: str = event["type"]
    if kind.startswith(_BOOKS) and not actor.may("positions:read"):
        return False
    if actor.accounts is None:
        return True
    data = event["data"]
    if data.get("account") in actor.accounts:
        return True
    if kind.startswith("halt."):
        return data.get("scope") != "account" or data.get("target") in actor.accounts
    return kind.startswith("connection.")


def type_patterns(text: str | None) -> tuple[str, ...]:
    """Return the event types of a request's ``type``: one, or several with commas between.

    :raises Invalid: if one is neither a type nor a group such as ``order.*``.
    """
    patterns = tuple(text.split(",")) if text else ()
    for pattern in patterns:
        if not _PATTERN.fullmatch(pattern) or len(patterns) > _MOST_PATTERNS:
            message = (
                f"{pattern[:64]!r} is not an event type such as order.filled or order.*;"
                f" at most {_MOST_PATTERNS}, with commas between."
            )
            raise Invalid(message, errors=[FieldError("type", "invalid_choice", message)])
    return patterns


def type_matches(patterns: tuple[str, ...], kind: str) -> bool:
    """Whether an event type is asked for: ``order.new`` by itself or by ``order.*``.

    No pattern at all asks for everything.
    """
    return not patterns or any(
        kind.startswith(pattern[:-1]) if pattern.endswith(".*") else kind == pattern
        for pattern in patterns
    )
