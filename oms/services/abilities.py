"""What may be asked of an order right now: the decisions of cancel and replace, for pages."""

from collections.abc import Sequence
from dataclasses import dataclass

from oms.models import Command, Order
from oms.services.fold import load_state
from oms.services.requests import has_open, new_command_state
from trading.orders.requests import (
    REASONS,
    Action,
    Decision,
    cancel_decision,
    replace_decision,
)
from trading.vocabulary import CommandKind, CommandState


@dataclass(frozen=True, slots=True)
class Abilities:
    """Why each verb is not possible now, in words; empty where it is.

    The verbs decide again under the order's lock: this is for buttons, not for guards.
    """

    no_amend: str
    no_cancel: str
    no_question: str


def abilities_of(order: Order, pending: Sequence[Command]) -> Abilities:
    """Return what the order's state and its open commands allow."""
    state, new = load_state(order), new_command_state(pending)
    cancel_open = has_open(pending, CommandKind.CANCEL)
    replace_open = has_open(pending, CommandKind.REPLACE)
    held = order.held_by is not None
    cancel = cancel_decision(state, new, held_by_oms=held, cancel_open=cancel_open)
    unknown = any(command.state == CommandState.UNKNOWN for command in pending)
    return Abilities(
        no_amend=_why_not(
            replace_decision(
                state,
                new,
                held_by_oms=held,
                cancel_open=cancel_open,
                replace_open=replace_open,
                managed_by_parent=order.list_id is not None,
            )
        ),
        no_cancel="A cancel is on its way." if cancel_open else _why_not(cancel),
        no_question="" if unknown else "The outcome of every request is known.",
    )


def _why_not(decision: Decision) -> str:
    if decision.action is Action.REPEAT:
        return "A cancel is on its way."
    if decision.action is not Action.REFUSE:
        return ""
    words = REASONS.get(decision.reason, decision.reason.replace("_", " ") + ".")
    return words[0].upper() + words[1:]
