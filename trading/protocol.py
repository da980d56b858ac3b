"""The command protocol's decisions: what an answer, or its absence, means for what was sent.

A command may have happened from the moment it is committed as SENDING. What ends its uncertainty
is evidence: the order's own state, a look-up that finds it, or proof that it was never received.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from trading.orders.canonical import ZERO
from trading.orders.state import OrderState
from trading.vocabulary import CommandKind, CommandState, CxlRejReason, ExecType, OrdStatus

LOOKUP_DELAYS = (
    timedelta(milliseconds=500),
    timedelta(seconds=1),
    timedelta(seconds=2),
    timedelta(seconds=5),
    timedelta(seconds=10),
    timedelta(seconds=30),
)
LOOKUP_EVERY = timedelta(seconds=60)
MAX_ATTEMPTS = 3
BETWEEN_PROOFS = timedelta(seconds=2)
OPEN_STATES = frozenset({CommandState.QUEUED, CommandState.SENDING, CommandState.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Look:
    """One look-up: when, whether it found what was sent, whether its pages could have."""

    at: datetime
    found: bool
    complete: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ends: ACKED, or REFUSED ``by`` VENUE or LOCAL with a ``code``."""

    state: CommandState
    by: str | None = None
    code: str = ""


class Answer(StrEnum):
    """What an adapter's outcome says. NOT_EXECUTED is definite: nothing was or will be done."""

    ACCEPTED = "ACCEPTED"
    REFUSED = "REFUSED"
    NOT_EXECUTED = "NOT_EXECUTED"
    UNKNOWN = "UNKNOWN"


class Step(StrEnum):
    """What to do about a command whose look-up decided nothing."""

    RESEND = "RESEND"
    PROVE = "PROVE"
    WAIT = "WAIT"


ACKED = Outcome(CommandState.ACKED)


def outcome_by_state(
    kind: CommandKind,
    command_state: CommandState,
    cl_ord_id: str,
    order: OrderState,
    exec_type: ExecType,
) -> Outcome | None:
    """How the order's state after a report of ``exec_type`` ends an open command; None leaves it.

    Existence at the venue ends its NEW, the answer to a request ends that request, a closed order
    ends all.
    """
    if kind is CommandKind.NEW:
        if order.base_status is OrdStatus.REJECTED:
            return Outcome(CommandState.REFUSED, "VENUE", "rejected")
        if (order.acked and not order.unseen) or order.cum_qty > ZERO or order.is_closed:
            return ACKED
        return None
    unresolved = cl_ord_id in order.pending_cancels or cl_ord_id in order.pending_replaces
    if command_state is CommandState.QUEUED:
        # Never sent: while the order lives it still has to go out.
        return Outcome(CommandState.REFUSED, "LOCAL", "order_closed") if order.is_closed else None
    if unresolved:
        return None
    if exec_type is ExecType.REQUEST_REFUSED:
        return Outcome(CommandState.REFUSED, "VENUE", "request_refused")
    if kind is CommandKind.REPLACE and order.cl_ord_id != cl_ord_id:
        return Outcome(CommandState.REFUSED, "VENUE", "order_closed")
    return ACKED


def settle(
    kind: CommandKind,
    answer: Answer,
    *,
    proves_existence: bool = False,
    reason: CxlRejReason | None = None,
    new_is_open: bool = False,
    was_unknown: bool = False,
) -> Answer:
    """What an answer means for the command that was sent.

    A refusal as a duplicate proves that our earlier attempt is there: what became of it is
    unknown, not refused. A cancel refused as unknown while the order's own NEW is still open has
    only come too early. "Not executed" speaks of this attempt alone: a command ``was_unknown``
    stays so, or it would pass for one that never left.
    """
    if answer is Answer.REFUSED:
        if proves_existence:
            return Answer.UNKNOWN
        if kind is CommandKind.CANCEL and reason is CxlRejReason.UNKNOWN_ORDER and new_is_open:
            answer = Answer.NOT_EXECUTED
    if answer is Answer.NOT_EXECUTED and was_unknown:
        return Answer.UNKNOWN
    return answer


def tells(
    kind: CommandKind, venue_cl_ord_id: str, *, found_as: str | None, leaves_qty: Decimal
) -> bool:
    """Whether the order as a look-up shows it answers what became of the command."""
    return leaves_qty == 0 or took_effect(kind, venue_cl_ord_id, found_as=found_as)


def took_effect(kind: CommandKind, venue_cl_ord_id: str, *, found_as: str | None) -> bool:
    """Whether an order that a look-up found is there by this very command.

    An order that is complete is no trace of the request that came too late for it: a bust may open
    it again, and the request's absence must still be provable then.
    """
    if kind is CommandKind.NEW:
        return True
    return kind is CommandKind.REPLACE and found_as == venue_cl_ord_id


def next_lookup(done: int) -> timedelta:
    """How long to wait after so many look-ups."""
    return LOOKUP_DELAYS[done] if done < len(LOOKUP_DELAYS) else LOOKUP_EVERY


def next_step(
    kind: CommandKind,
    *,
    dedup_is_full: bool,
    valid_until: datetime,
    quiet: timedelta,
    now: datetime,
) -> Step:
    """What to try when nothing was found, or nothing that decides.

    A cancel may always be repeated; another command only under the same id, where the venue
    refuses a second order under it for ever, and once the first can no longer arrive.
    """
    if kind is CommandKind.CANCEL:
        return Step.RESEND
    if now < valid_until + quiet:
        return Step.WAIT
    return Step.RESEND if dedup_is_full else Step.PROVE


def may_resend(kind: CommandKind, attempt: int) -> bool:
    """Whether one more attempt is allowed. A cancel is repeated until something answers it."""
    return kind is CommandKind.CANCEL or attempt < MAX_ATTEMPTS


def overtaken(
    kind: CommandKind,
    *,
    leaves_qty: Decimal,
    valid_until: datetime | None,
    quiet: timedelta,
    now: datetime,
) -> bool:
    """Whether a request came too late: a look-up shows that nothing of the order is left.

    Said only once the request can no longer arrive; a filled order need not have answered it.
    """
    if kind is CommandKind.NEW or leaves_qty != 0:
        return False
    return valid_until is not None and now >= valid_until + quiet


def absence_proven(
    looks: Sequence[Look], *, valid_until: datetime | None, quiet: timedelta, now: datetime
) -> bool:
    """Whether the venue provably never received the command.

    Two complete look-ups at least 2 s apart found nothing, the later of them after the last instant
    at which the command could still have arrived, and no look-up ever found it.
    """
    if valid_until is None or now < valid_until + quiet:
        return False
    blind = [look.at for look in looks if look.complete and not look.found]
    return (
        not any(look.found for look in looks)
        and len(blind) >= 2
        and blind[-1] >= valid_until + quiet
        and blind[-1] - blind[0] >= BETWEEN_PROOFS
    )
