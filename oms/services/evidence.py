"""Unknown outcomes: what look-ups found, what they prove, and what may be done about it.

Silence is never evidence. A command is sent again only under the same id and only where the venue
refuses a second order under it; it is called refused only when its absence is proven.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from common.instants import instant_str
from oms.models import Command, Order
from oms.services import outbox
from oms.services.cancel_new import fold_part
from oms.services.fold import load_state, record
from oms.services.protocol import (
    GATEWAY,
    Claimed,
    claim,
    claimed,
    locked_command,
)
from oms.services.recheck import why_not_sent
from tenants.binding import tenant_bound
from trading.orders.reports import ExecutionReport
from trading.protocol import Look, may_resend, next_lookup
from trading.protocol import absence_proven as proven
from trading.vocabulary import (
    CommandKind,
    CommandState,
    CxlRejReason,
    ExecType,
    OrdRejReason,
    ReportSource,
)

CLOCK_SLACK = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Subject:
    """An order the venue is to be asked about; executions from ``since`` on concern it."""

    account_id: int
    account_code: str
    venue_cl_ord_id: str
    symbol: str
    since: datetime


def subject_of_inquiry(*, schema: str, order_pk: str) -> Subject:
    """What the venue must be told to be asked about an order."""
    with tenant_bound(schema):
        order = Order.objects.select_related("account").get(pk=order_pk)
        return Subject(
            order.account_id,
            order.account.code,
            load_state(order).venue_cl_ord_id,
            order.symbol,
            order.created_at - CLOCK_SLACK,
        )


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
        command.next_lookup_at = now + next_lookup(len(command.evidence))
        command.save(update_fields=["evidence", "next_lookup_at"])


def absence_proven(*, schema: str, command_id: str, quiet: timedelta, now: datetime) -> bool:
    """Whether the command's look-ups prove that the venue never received it."""
    with tenant_bound(schema):
        command, _ = locked_command(command_id)
        looks = [
            Look(datetime.fromisoformat(row["at"]), row["found"], row["complete"])
            for row in command.evidence
        ]
        return proven(looks, valid_until=command.valid_until, quiet=quiet, now=now)


def resend(*, schema: str, command_id: str, epoch: int, now: datetime) -> Claimed | None:
    """Commit the command as SENDING once more under the same venue id; None if it must not be.

    Only for venues that deduplicate that id over open and closed orders.
    """
    with tenant_bound(schema):
        command, order = locked_command(command_id)
        if command.state != CommandState.UNKNOWN:
            return None
        if not may_resend(CommandKind(command.kind), command.attempt):
            return None
        if why_not_sent(command, order, now) is not None:
            return None
        return claim(command, order, epoch, now)


def refuse_as_overtaken(*, schema: str, command_id: str, now: datetime) -> None:
    """Nothing of the order is left to cancel or replace: the request is REFUSED as too late."""
    with tenant_bound(schema):
        command, order = locked_command(command_id)
        if command.state != CommandState.UNKNOWN:
            return
        outbox.finish(
            command, CommandState.REFUSED, now=now, by="VENUE", code=CxlRejReason.TOO_LATE
        )
        record(
            order,
            ExecutionReport(
                exec_type=ExecType.REQUEST_REFUSED,
                source=ReportSource.RECON,
                exec_id=f"too-late:{command.id}",
                transact_time=now,
                cl_ord_id=command.cl_ord_id,
                cxl_rej_reason=CxlRejReason.TOO_LATE,
                text="nothing of the order was left when the venue was asked",
            ),
            actor=GATEWAY,
            now=now,
        )


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
        fold_part(
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
