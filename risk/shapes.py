"""The risk objects as the API shows them and as events carry them."""

from typing import Any

from common.instants import instant_str, opt_instant_str
from common.numbers import dec_str
from risk.models import Breach, Halt, RiskLimit
from trading.risk import RuleId, unit_of


def halt_json(halt: Halt) -> dict[str, Any]:
    """Return a halt; ``target`` is null for the whole firm, the lift fields until it is lifted."""
    return {
        "id": halt.id,
        "scope": halt.scope,
        "target": halt.target or None,
        "state": halt.state,
        "reason": halt.reason,
        "since": instant_str(halt.since),
        "set_by": halt.set_by,
        "lifted_at": opt_instant_str(halt.lifted_at),
        "lifted_by": halt.lifted_by or None,
        "lift_reason": halt.lift_reason or None,
    }


def limit_json(limit: RiskLimit) -> dict[str, Any]:
    """Return a limit; ``unit`` says what the value is counted in."""
    return {
        "scope": limit.scope,
        "target": limit.target or None,
        "rule": limit.rule,
        "value": dec_str(limit.value),
        "unit": unit_of(RuleId(limit.rule)),
        "enabled": limit.enabled,
        "updated_at": instant_str(limit.updated_at),
        "updated_by": limit.updated_by,
    }


def breach_json(breach: Breach) -> dict[str, Any]:
    """Return one breach of a refused order, numbers of that moment."""
    return {
        "id": breach.pk,
        "order_id": breach.order_id,
        "account": breach.account.code,
        "code": breach.code,
        "rule": breach.rule,
        "value": dec_str(breach.value),
        "limit": dec_str(breach.limit),
        "unit": breach.unit,
        "message": breach.message,
        "at": instant_str(breach.at),
    }
