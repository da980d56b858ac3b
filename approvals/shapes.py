"""An approval as events carry it."""

from typing import Any

from approvals.models import Approval
from common.instants import instant_str, opt_instant_str


def approval_json(approval: Approval) -> dict[str, Any]:
    """Return an approval; the decision's fields are null until it is over."""
    return {
        "id": approval.id,
        "kind": approval.kind,
        "subject": approval.subject,
        "effect": approval.effect,
        "reason": approval.reason,
        "made_by": approval.maker,
        "made_at": instant_str(approval.made_at),
        "expires_at": instant_str(approval.expires_at),
        "state": approval.state,
        "decided_by": approval.checker or None,
        "decided_at": opt_instant_str(approval.decided_at),
        "decision_reason": approval.decision_reason or None,
        "outcome": approval.outcome or None,
    }
