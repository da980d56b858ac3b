"""Unknown outcomes: what look-ups found, what they prove, and what may be done about it.

Silence is never evidence. A command is sent again only under the same id and only where the venue
refuses a second order under it; it is called refused only when its absence is proven.
"""

from datetime import datetime, timedelta

from common.instants import instant_str
from oms.models import Command
from oms.services import outbox
from oms.services.fold import record
from oms.services.protocol import (
    GATEWAY,
    LOOKUP_DELAYS_S,
    Claimed,
    claim,
    claimed,
    locked_command,
    why_not_sent,
)
from tenants.binding import tenant_bound
from trading.orders.reports import ExecutionReport
from trading.vocabulary import CommandKind, CommandState, ExecType, OrdRejReason, ReportSource

LOOKUP_EVERY_S = 60
MAX_ATTEMPTS = 3
BETWEEN_PROOFS = timedelta(seconds=2)


def due_lookups(*, schema: str, connection_id: int, now: datetime) -> list[Claimed]:
    """Unknown commands whose next look-up is due."""
    with tenant_bound(schema):
        rows = Command.objects.filter(
            account__connection_id=connection_id,
            state=CommandState.UNKNOWN,
            next_lookup_at__lte=now,
        ).select_related("order__account", "order__instrument")
        return [claimed(command, command.order) for command in rows.order_by("next_lookup_at")]


def record_lookup(
    *, schema: str, command_id: str, found: bool, complete: bool, text: str, now: datetime
) -> None:
    """Append one look-up to the command's evidence and set the time of the next."""
    with tenant_bound(schema):
        command, _ = locked_command(command_id)
        command.evidence = [
            *command.evidence,
            {"at": instant_str(now), "found": found, "complete": complete, "text": text},
        ]
        done = len(command.evidence)
        delay = LOOKUP_DELAYS_S[done] if done < len(LOOKUP_DELAYS_S) else LOOKUP_EVERY_S
        command.next_lookup_at = now + timedelta(seconds=delay)
        command.save(update_fields=["evidence", "next_lookup_at"])


def absence_proven(*, schema: str, command_id: str, quiet: timedelta, now: datetime) -> bool:
    """Two complete look-ups at least 2 s apart, after the venue's quiet time, found nothing."""
    with tenant_bound(schema):
        command, _ = locked_command(command_id)
        if command.valid_until is None or now < command.valid_until + quiet:
            return False
        blind = [
            datetime.fromisoformat(row["at"])
            for row in command.evidence
            if row["complete"] and not row["found"]
        ]
        found = any(row["found"] for row in command.evidence)
        quiet_since = command.valid_until + quiet
        after_quiet = any(
            datetime.fromisoformat(row["at"]) >= quiet_since for row in command.evidence
        )
        return (
            not found and after_quiet and len(blind) >= 2 and blind[-1] - blind[0] >= BETWEEN_PROOFS
        )


def resend(*, schema: str, command_id: str, epoch: int, now: datetime) -> Claimed | None:
    """Commit the command as SENDING once more under the same venue id; None if it must not be.

    Only for venues that deduplicate that id over open and closed orders.
    """
    with tenant_bound(schema):
        command, order = locked_command(command_id)
        if command.state != CommandState.UNKNOWN or command.attempt >= MAX_ATTEMPTS:
            return None
        if why_not_sent(command, order, now) is not None:
            return None
        return claim(command, order, epoch, now)


def refuse_as_absent(*, schema: str, command_id: str, now: datetime) -> None:
    """The venue provably never received it: REFUSED, and a NEW's order is REJECTED."""
    with tenant_bound(schema):
        command, order = locked_command(command_id)
        if command.state != CommandState.UNKNOWN:
            return
        outbox.finish(
            command, CommandState.REFUSED, now=now, by="VENUE", code=OrdRejReason.NOT_RECEIVED
        )
        is_new = command.kind == CommandKind.NEW
        record(
            order,
            ExecutionReport(
                exec_type=ExecType.REJECTED if is_new else ExecType.REQUEST_REFUSED,
                source=ReportSource.RECON,
                exec_id=f"absent:{command.id}",
                transact_time=now,
                cl_ord_id=command.cl_ord_id,
                ord_rej_reason=OrdRejReason.NOT_RECEIVED if is_new else None,
                text="proven absent at the venue",
            ),
            actor=GATEWAY,
            now=now,
        )
