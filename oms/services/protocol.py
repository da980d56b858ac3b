"""The command protocol's side of the database: claim, send window, outcome, unknown, proof.

A command is committed as SENDING, with the epoch of the lease it goes out under, before a byte
leaves. What comes back is Accepted, Rejected or Unknown; Unknown is ended only by evidence.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q

from brokers.models import GatewayLease
from oms.models import Command, Order
from oms.services import outbox, streams
from oms.services.cancel_new import fold_part
from oms.services.fold import record
from oms.services.recheck import must_wait, why_not_sent
from oms.services.reports import lock_order
from tenants.binding import tenant_bound
from trading.market import InstrumentRules
from trading.orders import wire
from trading.orders.reports import ExecutionReport
from trading.protocol import Answer, next_lookup, settle
from trading.vocabulary import (
    CommandKind,
    CommandState,
    ExecType,
    OrdRejReason,
    ReportSource,
)

GATEWAY = "system:gateway"
SEND_WINDOW = timedelta(seconds=5)
ASK_AGAIN = timedelta(seconds=1)
ANSWER_WITHIN = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A command committed as SENDING: what to send and until when a byte may leave."""

    id: str
    kind: CommandKind
    account_id: int
    account_code: str
    order_pk: str
    symbol: str
    side: str
    ord_type: str
    order_id: str | None
    cl_ord_id: str
    venue_cl_ord_id: str
    payload: dict[str, Any]
    rules: InstrumentRules
    attempt: int
    new_is_open: bool
    sending_at: datetime
    valid_until: datetime


def queued_accounts(*, schema: str, connection_id: int, now: datetime) -> list[int]:
    """Accounts of the connection that have something to send now."""
    with tenant_bound(schema):
        return list(
            Command.objects.filter(
                account__connection_id=connection_id,
                state=CommandState.QUEUED,
                not_before__lte=now,
            )
            .values_list("account_id", flat=True)
            .distinct()
        )


def claim_next(
    *, schema: str, connection_id: int, account_id: int, epoch: int, now: datetime
) -> Claimed | None:
    """Commit the account's next command as SENDING; None where nothing may be sent.

    Skips what has expired (refused LOCAL), what a halt now covers and what no longer makes sense.
    """
    while True:
        with tenant_bound(schema):
            command = _next_queued(connection_id, account_id, epoch, now)
            if command is None:
                return None
            order = lock_order(command.order_id)
            assert order is not None, "orders are never deleted"
            command.refresh_from_db(fields=["state"])
            if command.state != CommandState.QUEUED:
                continue  # withdrawn while we waited for the order's lock
            reason = why_not_sent(command, order, now)
            if must_wait(command, order, reason):
                _wait(command, now)
                continue
            if reason is not None:
                _refuse_unsent(command, order, reason, now)
                continue
            return claim(command, order, epoch, now)


def holds_lease(connection_id: int, epoch: int, now: datetime) -> bool:
    """Whether the gateway of this epoch still speaks for the connection, for 2 s at least."""
    lease = GatewayLease.objects.filter(
        connection_id=connection_id, epoch=epoch, lease_until__gt=now + timedelta(seconds=2)
    )
    return lease.exists()


def _next_queued(connection_id: int, account_id: int, epoch: int, now: datetime) -> Command | None:
    unsent_new = Command.objects.filter(
        order_id=OuterRef("order_id"), kind=CommandKind.NEW, state=CommandState.SENDING
    )
    if not holds_lease(connection_id, epoch, now):
        return None
    return (
        Command.objects.filter(
            account_id=account_id, state=CommandState.QUEUED, not_before__lte=now
        )
        .filter(Q(kind=CommandKind.NEW) | ~Exists(unsent_new))
        .order_by("priority", "id")
        .first()
    )


def _wait(command: Command, now: datetime) -> None:
    command.not_before = now + ASK_AGAIN
    command.save(update_fields=["not_before"])


def _refuse_unsent(command: Command, order: Order, reason: str, now: datetime) -> None:
    outbox.finish(command, CommandState.REFUSED, now=now, by="LOCAL", code=reason)
    fold_part(
        order,
        ExecutionReport(
            exec_type=ExecType.REJECTED,
            source=ReportSource.LOCAL,
            exec_id=f"not-sent:{command.id}",
            transact_time=now,
            ord_rej_reason=OrdRejReason.NOT_SENT,
            text=reason,
        ),
        actor=GATEWAY,
        now=now,
    )


def claim(command: Command, order: Order, epoch: int, now: datetime) -> Claimed:
    """Commit the command as SENDING under ``epoch``; a request's first sending makes it pending.

    The caller holds the order's lock and the transaction.
    """
    command.state = CommandState.SENDING
    command.epoch = epoch
    command.attempt += 1
    command.sending_at = now
    command.valid_until = now + SEND_WINDOW
    command.save(update_fields=["state", "epoch", "attempt", "sending_at", "valid_until"])
    if order.held_by is not None:  # it waited for the open
        order.held_by = None
        order.save(update_fields=["held_by"])
    pending = {
        CommandKind.CANCEL.value: ExecType.PENDING_CANCEL,
        CommandKind.REPLACE.value: ExecType.PENDING_REPLACE,
    }.get(command.kind)
    if pending is not None and command.attempt == 1:
        record(
            order,
            ExecutionReport(
                exec_type=pending,
                source=ReportSource.LOCAL,
                exec_id=f"sending:{command.id}",
                transact_time=now,
                cl_ord_id=command.cl_ord_id,
                orig_cl_ord_id=command.orig_cl_ord_id,
                venue_cl_ord_id=command.venue_cl_ord_id,
                **_requested_terms(command),
            ),
            actor=GATEWAY,
            now=now,
        )
    return claimed(command, order)


def _requested_terms(command: Command) -> dict[str, Any]:
    if command.kind != CommandKind.REPLACE:
        return {}
    return wire.read(command.payload, wire.TERMS)


def claimed(command: Command, order: Order) -> Claimed:
    """The command as the gateway sends it."""
    assert command.valid_until is not None
    assert command.sending_at is not None
    new_is_open = Command.objects.filter(
        order=order, kind=CommandKind.NEW, state__in=Command.OPEN_STATES
    )
    return Claimed(
        id=command.id,
        kind=CommandKind(command.kind),
        account_id=command.account_id,
        account_code=order.account.code,
        order_pk=order.id,
        symbol=order.symbol,
        side=order.side,
        ord_type=order.ord_type,
        order_id=order.order_id,
        cl_ord_id=command.cl_ord_id,
        venue_cl_ord_id=command.venue_cl_ord_id,
        payload=(
            outbox.told_terms(order, command.payload)
            if command.kind == CommandKind.REPLACE
            else command.payload
        ),
        rules=order.instrument.rules,
        attempt=command.attempt,
        new_is_open=new_is_open.exists(),
        sending_at=command.sending_at,
        valid_until=command.valid_until,
    )


def record_outcome(
    *,
    schema: str,
    command_id: str,
    report: ExecutionReport | None,
    now: datetime,
) -> None:
    """The venue answered: fold what it said; the fold ends the command.

    Without a report (accepted, and the order's state already tells) the command is ACKED.
    """
    with tenant_bound(schema):
        command, order = locked_command(command_id)
        if report is not None:
            fold_part(order, report, actor=GATEWAY, now=now)
            command.refresh_from_db(fields=["state"])
        if command.kind == CommandKind.NEW and command.state in (
            CommandState.SENDING,
            CommandState.UNKNOWN,
        ):
            outbox.finish(command, CommandState.ACKED, now=now)


def record_unknown(*, schema: str, command_id: str, text: str, now: datetime) -> None:
    """Silence, or an answer that proves nothing: the command may have happened."""
    with tenant_bound(schema):
        command, order = locked_command(command_id)
        if command.state != CommandState.SENDING:
            return  # a report has already told what became of it
        _mark_unknown(command, order, text, now)


def _mark_unknown(command: Command, order: Order, text: str, now: datetime) -> None:
    command.state = CommandState.UNKNOWN
    command.unknown_since = command.unknown_since or now
    command.next_lookup_at = now + next_lookup(0)
    command.outcome_text = text[:500]
    command.save(update_fields=["state", "unknown_since", "next_lookup_at", "outcome_text"])
    streams.publish_order(
        order, "order.unknown", outbox.open_commands(order), order.account, GATEWAY, now
    )


def take_over(*, schema: str, connection_id: int, epoch: int, now: datetime) -> int:
    """What an earlier holder left SENDING may or may not have left: it is UNKNOWN now."""
    with tenant_bound(schema):
        left = list(
            Command.objects.filter(account__connection_id=connection_id, state=CommandState.SENDING)
            .exclude(epoch=epoch)
            .values_list("id", flat=True)
        )
    for command_id in left:
        record_unknown(
            schema=schema, command_id=command_id, text="the sender stopped while sending", now=now
        )
    return len(left)


def give_up_waiting(*, schema: str, connection_id: int, now: datetime) -> int:
    """A request that was taken and never reported on is unknown too: it is looked up."""
    with tenant_bound(schema):
        overdue = list(
            Command.objects.filter(
                account__connection_id=connection_id,
                state=CommandState.SENDING,
                sending_at__lt=now - ANSWER_WITHIN,
            ).values_list("id", flat=True)
        )
    for command_id in overdue:
        record_unknown(schema=schema, command_id=command_id, text="no answer within 10 s", now=now)
    return len(overdue)


def put_back(*, schema: str, command_id: str, delay: timedelta, reason: str, now: datetime) -> None:
    """The venue said that nothing was executed: the command waits its turn again.

    One whose earlier attempt is of unknown outcome stays UNKNOWN: this answer is not about that.
    """
    with tenant_bound(schema):
        command, order = locked_command(command_id)
        was_unknown = command.unknown_since is not None
        kind = CommandKind(command.kind)
        if settle(kind, Answer.NOT_EXECUTED, was_unknown=was_unknown) is Answer.UNKNOWN:
            _mark_unknown(command, order, reason, now)
            return
        command.state = CommandState.QUEUED
        command.not_before = now + delay
        command.outcome_text = reason[:500]
        command.next_lookup_at = None
        command.save(update_fields=["state", "not_before", "outcome_text", "next_lookup_at"])


def locked_command(command_id: str) -> tuple[Command, Order]:
    """The command with its order under the order's row lock."""
    order_pk = Command.objects.values_list("order_id", flat=True).get(pk=command_id)
    order = lock_order(order_pk)
    assert order is not None, "orders are never deleted"
    return Command.objects.get(pk=command_id), order
