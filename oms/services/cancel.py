"""Cancels: never held up by halts, limits, approvals or versions."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from common.actor import Actor
from common.errors import Refused
from oms.models import Command, Order
from oms.selectors import open_orders, orders_under_halt
from oms.services import outbox
from oms.services.entry import warnings_of_cancel
from oms.services.fold import load_state, record
from oms.services.lists.withdrawn import CancelScope, take_back
from oms.services.requests import (
    Requested,
    answer,
    has_open,
    locked,
    new_command_state,
    refusal,
    same_request,
    use_cl_ord_id,
)
from tenants.binding import tenant_bound
from trading.orders.ids import cancel_id
from trading.orders.reports import ExecutionReport
from trading.orders.requests import Action, cancel_decision
from trading.risk import HaltScope
from trading.vocabulary import CommandKind, CommandState, ExecType, HeldBy, ReportSource, Side

CONTENT = "cancel"
WITHDRAWN = "withdrawn before it was sent"


def request_cancel(
    *,
    schema: str,
    order_id: str,
    actor: Actor,
    now: datetime,
    cl_ord_id: str | None = None,
    scope: CancelScope = CancelScope.LIST,
) -> Requested:
    """Ask for the end of an order; of a leg that excludes others, by default of all of them.

    :raises NotFound: also for another's order. :raises RequestRefused: if it is already closed.
    :raises ClOrdIdReused: if ``cl_ord_id`` names something else.
    """
    with tenant_bound(schema):
        order = locked(order_id, actor)
        if known := same_request(order, cl_ord_id, CommandKind.CANCEL, CONTENT):
            return known
        requested = cancel_locked(order, actor=actor, now=now, cl_ord_id=cl_ord_id)
        take_back(order, scope, now=now)
        return replace(requested, warnings=tuple(warnings_of_cancel(order, now)))


def cancel_all(
    *,
    schema: str,
    actor: Actor,
    now: datetime,
    account: str | None = None,
    symbol: str | None = None,
    strategy: str | None = None,
    side: Side | None = None,
) -> list[Requested | tuple[Order, Refused]]:
    """Ask for the end of every open order in the scope; one answer per order.

    Each order is its own transaction, so that one that cannot be cancelled holds up no other.
    """
    with tenant_bound(schema):
        found = open_orders(
            actor=actor, account=account, symbol=symbol, strategy=strategy, side=side
        )
        ids = list(found.values_list("id", flat=True))
    return [_try_cancel(schema, order_id, actor, now) for order_id in ids]


def cancel_halted(
    *,
    schema: str,
    scope: HaltScope,
    target: str | None,
    actor: Actor,
    now: datetime,
    accounts: Sequence[str] | None = None,
) -> list[Requested | tuple[Order, Refused]]:
    """Ask for the end of every open order a halt covers, of these ``accounts`` where named."""
    with tenant_bound(schema):
        found = orders_under_halt(actor=actor, scope=scope, target=target)
        if accounts is not None:
            found = found.filter(account__code__in=accounts)
        ids: Iterable[str] = list(found.values_list("id", flat=True))
    return [_try_cancel(schema, order_id, actor, now) for order_id in ids]


def _try_cancel(
    schema: str, order_id: str, actor: Actor, now: datetime
) -> Requested | tuple[Order, Refused]:
    with tenant_bound(schema):
        order = locked(order_id, actor)
        try:
            requested = cancel_locked(order, actor=actor, now=now)
        except Refused as reason:
            return order, reason
        take_back(order, CancelScope.LEG, now=now)
        return requested


def cancel_locked(
    order: Order, *, actor: Actor, now: datetime, cl_ord_id: str | None = None
) -> Requested:
    """Ask for the end of an order whose lock the caller holds.

    :raises RequestRefused: if it is already closed. :raises ClOrdIdReused:
    """
    commands = outbox.open_commands(order)
    state = load_state(order)
    decision = cancel_decision(
        state,
        new_command_state(commands),
        held_by_oms=order.held_by == HeldBy.OMS,
        cancel_open=has_open(commands, CommandKind.CANCEL),
    )
    if decision.action is Action.REPEAT:
        return answer(order, replay=True)
    if decision.action is Action.REFUSE:
        raise refusal(order, decision)
    used = Command.objects.filter(order=order, kind=CommandKind.CANCEL).count()
    request_id = cl_ord_id or cancel_id(order.id, used + 1)
    use_cl_ord_id(order, request_id, CommandKind.CANCEL, CONTENT)
    if decision.action is Action.WITHDRAW:
        _withdraw(order, commands, request_id, actor, now)
    else:
        outbox.queue_request(
            order,
            kind=CommandKind.CANCEL,
            cl_ord_id=request_id,
            venue_cl_ord_id=state.venue_cl_ord_id,
            payload={},
            priority=outbox.PRIORITY_CANCEL,
            now=now,
        )
        outbox.wake_gateway(actor.schema)
    return answer(order, replay=False)


def _withdraw(
    order: Order, commands: Sequence[Command], request_id: str, actor: Actor, now: datetime
) -> None:
    """No byte has left: the NEW command is taken back and the order ends at once."""
    for command in commands:
        outbox.finish(command, CommandState.REFUSED, now=now, by="LOCAL", code="withdrawn")
    record(
        order,
        ExecutionReport(
            exec_type=ExecType.CANCELED,
            source=ReportSource.LOCAL,
            exec_id=f"withdrawn:{request_id}",
            transact_time=now,
            cl_ord_id=request_id,
            text=WITHDRAWN,
        ),
        actor=actor.label,
        now=now,
    )
