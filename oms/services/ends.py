"""Orders whose time has come where nobody but us keeps it: what is kept here, and GTD elsewhere."""

from datetime import datetime, timedelta

from oms.models import Command, Order
from oms.services import outbox
from oms.services.fold import load_state, record
from oms.services.keeping import KEEPER, ends_at
from oms.services.reports import lock_order
from oms.services.requests import has_open, new_command_state, use_cl_ord_id
from tenants.binding import tenant_bound
from trading.orders.ids import expiry_id
from trading.orders.reports import ExecutionReport
from trading.orders.requests import Action, cancel_decision
from trading.vocabulary import CommandKind, CommandState, ExecType, ReportSource

ASK_AGAIN = timedelta(seconds=5)
CONTENT = "expiry"


def _is_ours_to_end(order: Order, now: datetime) -> bool:
    if order.held_by is not None:
        due = ends_at(order)
        return due is not None and due <= now
    keeps_end = outbox.placement_of(order).keeps_end
    expires = order.expire_time
    return keeps_end and expires is not None and expires <= now


def expire(*, schema: str, order_pk: str, now: datetime) -> None:
    """End an order at its time: at once where no byte of it has left, else by a cancel.

    What its venue executes before it confirms the cancel stands; the rest is then EXPIRED.
    """
    with tenant_bound(schema):
        order = lock_order(order_pk)
        if order is None or order.is_closed or not _is_ours_to_end(order, now):
            return
        commands = outbox.open_commands(order)
        state = load_state(order)
        decision = cancel_decision(
            state,
            new_command_state(commands),
            held_by_oms=order.held_by is not None,
            cancel_open=has_open(commands, CommandKind.CANCEL),
        )
        if decision.action is Action.WITHDRAW:
            for command in commands:
                outbox.finish(command, CommandState.REFUSED, now=now, by="LOCAL", code="withdrawn")
            _expired(order, now)
        elif decision.action in {Action.QUEUE, Action.WAIT} and not _asked_lately(order, now):
            _ask(order, state.venue_cl_ord_id, now)
            outbox.wake_gateway(schema)


def _expired(order: Order, now: datetime) -> None:
    record(
        order,
        ExecutionReport(
            exec_type=ExecType.EXPIRED,
            source=ReportSource.LOCAL,
            exec_id=f"expired:{order.id}",
            transact_time=now,
            text="its time has come; it was held here",
        ),
        actor=KEEPER,
        now=now,
    )


def _asked_lately(order: Order, now: datetime) -> bool:
    """A venue that refuses the cancel is not asked again at once."""
    earlier = Command.objects.filter(order=order, kind=CommandKind.CANCEL)
    return earlier.filter(created_at__gt=now - ASK_AGAIN).exists()


def _ask(order: Order, venue_cl_ord_id: str, now: datetime) -> None:
    used = Command.objects.filter(order=order, kind=CommandKind.CANCEL).count()
    request_id = expiry_id(order.id, used + 1)
    use_cl_ord_id(order, request_id, CommandKind.CANCEL, CONTENT)
    outbox.queue_request(
        order,
        kind=CommandKind.CANCEL,
        cl_ord_id=request_id,
        venue_cl_ord_id=venue_cl_ord_id,
        payload={},
        priority=outbox.PRIORITY_CANCEL,
        now=now,
    )
