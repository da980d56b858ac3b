"""What people decide where no venue does: unknown outcomes, breaks, parked reports.

An unknown outcome is decided by two people, on evidence they name. Nobody decides a fill here: a
fill comes from the venue's executions, and one that comes after the decision is still booked.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from approvals.models import Approval
from approvals.services import ask
from common.actor import Actor
from common.errors import NotFound, StateConflict
from common.instants import instant_str
from events.services import publish
from oms.models import Break, Command, Order, ParkedReport
from oms.present import break_json
from oms.selectors import access_order
from oms.services import outbox
from oms.services.fold import record
from oms.services.protocol import locked_command
from oms.services.reports import Incoming, apply_report
from trading.orders.fold import Verdict
from trading.orders.reports import ExecutionReport, from_json
from trading.vocabulary import (
    CommandKind,
    CommandState,
    ExecType,
    OrdRejReason,
    ReportSource,
)

RESOLVE = "resolve_unknown"
SCOPE = "admin"


class Finding(StrEnum):
    """What two people found out about a request whose answer never came."""

    NEVER_ARRIVED = "never_arrived"
    WORKING = "working"
    CANCELED = "canceled"


FINDINGS = {
    Finding.NEVER_ARRIVED: "The venue never received it",
    Finding.WORKING: "The venue has it and the order works",
    Finding.CANCELED: "The order is dead at the venue; fills it had are booked already",
}


class NotUnknown(StateConflict):
    """The outcome is known by now; nothing is left to decide."""


class DoesNotFit(StateConflict):
    """The order's own facts contradict the finding."""


@dataclass(frozen=True, slots=True)
class Closing:
    """Why a person ends a break or a parked report, and what proves them right."""

    reason: str
    evidence: str
    actor: Actor
    now: datetime
    correlation_id: str = ""

    @property
    def text(self) -> str:
        """The line that is kept."""
        return f"{self.reason} Evidence: {self.evidence}"[:500]


# --- unknown outcomes -----------------------------------------------------------------------------


def ask_to_resolve(
    *,
    command_id: str,
    finding: Finding,
    evidence: str,
    reason: str,
    actor: Actor,
    now: datetime,
    correlation_id: str = "",
) -> Approval:
    """Ask a second person to call an unknown outcome what ``finding`` says.

    :raises NotFound: if there is no such command, also of another's account.
    :raises NotUnknown: if its outcome is known. :raises DoesNotFit: if the finding cannot be.
    :raises Refused: as ``approvals.services.ask`` does.
    """
    command, order = _found(command_id, actor)
    _require_fit(command, finding)
    return ask(
        kind=RESOLVE,
        subject=command.id,
        scope=SCOPE,
        effect=(
            f"{command.kind} {command.cl_ord_id} of {order}: {FINDINGS[finding]}. "
            "What the order holds reserved is worked out anew."
        ),
        reason=reason,
        data={"finding": finding.value, "evidence": evidence, "order_id": order.id},
        actor=actor,
        now=now,
        correlation_id=correlation_id,
    )


def resolve_as_approved(*, approval: Approval, actor: Actor, now: datetime) -> str:
    """Fold what two people found into the order, as a report of theirs.

    :raises NotUnknown: if the venue answered meanwhile.
    :raises DoesNotFit: if the order's facts contradict the finding.
    """
    finding = Finding(approval.data["finding"])
    _found(approval.subject, actor)
    command, order = locked_command(approval.subject)
    if command.state != CommandState.UNKNOWN:
        raise NotUnknown(f"The outcome is known by now: {command.state}.")
    _require_fit(command, finding)
    command.evidence = [
        *command.evidence,
        {
            "at": instant_str(now),
            "found": finding is not Finding.NEVER_ARRIVED,
            "complete": True,
            "text": f"{approval.maker} and {actor.label}: {approval.data['evidence']}"[:500],
        },
    ]
    command.save(update_fields=["evidence"])
    if finding is Finding.NEVER_ARRIVED:
        outbox.finish(
            command, CommandState.REFUSED, now=now, by="PERSON", code=OrdRejReason.NOT_RECEIVED
        )
    folded = record(order, _report(approval, command, finding, now), actor=actor.label, now=now)
    command.refresh_from_db()
    if folded.verdict is Verdict.PARKED or command.state in Command.OPEN_STATES:
        raise DoesNotFit(
            f"The order stands at {order.ord_status} with {order.cum_qty.normalize():f} filled; "
            "that contradicts the finding. Ask the venue again."
        )
    return (
        f"{command.kind} {command.cl_ord_id} is {command.state}; the order is {order.ord_status}."
    )


def _found(command_id: str, actor: Actor) -> tuple[Command, Order]:
    command = Command.objects.filter(pk=command_id).first()
    if command is None:
        raise NotFound
    order = access_order(actor=actor, order_id=command.order_id)
    if command.state != CommandState.UNKNOWN:
        raise NotUnknown(f"The outcome is known: {command.state}. There is nothing to decide.")
    return command, order


def _require_fit(command: Command, finding: Finding) -> None:
    """:raises DoesNotFit: if a request of this kind cannot have ended so."""
    if finding is Finding.WORKING and command.kind != CommandKind.NEW:
        raise DoesNotFit(
            f"A {command.kind} does not work at a venue. If the order still works unchanged, the "
            "request never arrived; new terms come from the venue alone."
        )


def _report(
    approval: Approval, command: Command, finding: Finding, now: datetime
) -> ExecutionReport:
    is_new = command.kind == CommandKind.NEW
    refused = ExecType.REJECTED if is_new else ExecType.REQUEST_REFUSED
    absent = finding is Finding.NEVER_ARRIVED
    exec_type = {
        Finding.NEVER_ARRIVED: refused,
        Finding.WORKING: ExecType.NEW,
        Finding.CANCELED: ExecType.CANCELED,
    }[finding]
    return ExecutionReport(
        exec_type=exec_type,
        source=ReportSource.PERSON,
        exec_id=f"person:{approval.id}",
        transact_time=now,
        cl_ord_id=command.cl_ord_id,
        ord_rej_reason=OrdRejReason.NOT_RECEIVED if absent and is_new else None,
        text=f"decided by {approval.maker} and a second person",
    )


# --- breaks ---------------------------------------------------------------------------------------


def assign_break(
    *, break_id: str, owner: str, reason: str, actor: Actor, now: datetime, correlation_id: str = ""
) -> Break:
    """Say who looks after a break. ``owner`` is a label such as ``user:olivia@acme.test``.

    :raises NotFound: if there is none. :raises StateConflict: if it is closed.
    """
    row = _open_break(break_id, actor)
    row.owner = owner
    row.save(update_fields=["owner"])
    _tell_break("break.assigned", row, reason, actor, now, correlation_id)
    return row


def close_break(*, break_id: str, closing: Closing) -> Break:
    """Close a break as explained. Should the difference persist, a comparison opens a new one.

    :raises NotFound: if there is none. :raises StateConflict: if it is closed.
    """
    row = _open_break(break_id, closing.actor)
    row.closed_at = closing.now
    row.closed_by = closing.actor.label
    row.resolution = closing.text
    row.save(update_fields=["closed_at", "closed_by", "resolution"])
    _tell_break(
        "break.closed", row, closing.reason, closing.actor, closing.now, closing.correlation_id
    )
    return row


def _open_break(break_id: str, actor: Actor) -> Break:
    row = Break.objects.select_for_update(of=("self",)).select_related("account")
    found = row.filter(pk=break_id).first()
    if found is None or not actor.reaches(found.account.code):
        raise NotFound
    if found.closed_at is not None:
        raise StateConflict(f"It was closed at {instant_str(found.closed_at)}.")
    return found


def _tell_break(
    kind: str, row: Break, reason: str, actor: Actor, now: datetime, correlation_id: str
) -> None:
    publish(
        type=kind,
        subject=row.id,
        data={**break_json(row), "owner": row.owner or None, "reason": reason},
        actor=actor.label,
        correlation_id=correlation_id,
        now=now,
    )


# --- parked reports -------------------------------------------------------------------------------


def settle_parked(*, parked_id: str, closing: Closing) -> ParkedReport:
    """Put a parked report aside for good; what it said is not booked.

    :raises NotFound: if there is none. :raises StateConflict: if it is settled.
    """
    row = _unsettled(parked_id, closing.actor)
    _settle(row, closing.text, closing)
    return row


def apply_parked(*, parked_id: str, closing: Closing) -> ParkedReport:
    """Fold a parked report again, now that what it lacked may be there.

    :raises NotFound: if there is none. :raises StateConflict: if it is settled, cannot be read, or
        still fits no order; then it stays parked.
    """
    row = _unsettled(parked_id, closing.actor)
    if row.report is None:
        raise StateConflict("It could not be read, so there is nothing to apply; settle it.")
    incoming = Incoming(from_json(row.report), row.broker_message_id)
    folded = apply_report(row.account_id, incoming, actor=closing.actor.label, now=closing.now)
    if folded is None or folded.verdict is Verdict.PARKED:
        raise StateConflict("It still fits no order; it stays parked.")
    row.order = folded.order
    what = "was known already" if folded.duplicate else f"applied to {folded.order.id}"
    _settle(row, f"{what}. {closing.text}"[:500], closing)
    return row


def _unsettled(parked_id: str, actor: Actor) -> ParkedReport:
    rows = ParkedReport.objects.select_for_update(of=("self",)).select_related("account")
    row = rows.filter(pk=parked_id).first()
    if row is None or not actor.reaches(row.account.code):
        raise NotFound
    if row.resolved_at is not None:
        raise StateConflict(f"{row.resolved_by} settled it at {instant_str(row.resolved_at)}.")
    return row


def _settle(row: ParkedReport, resolution: str, closing: Closing) -> None:
    row.resolved_at = closing.now
    row.resolved_by = closing.actor.label
    row.resolution = resolution
    row.save(update_fields=["order", "resolved_at", "resolved_by", "resolution"])
    publish(
        type="report.settled",
        subject=row.id,
        data={
            "account": row.account.code,
            "order_id": row.order_id,
            "reason": row.reason,
            "resolution": resolution,
        },
        actor=closing.actor.label,
        correlation_id=closing.correlation_id,
        now=closing.now,
    )
