"""Reads of orders. ``access_order`` is the one door to an order somebody asks for."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db.models import QuerySet

from brokers.models import BrokerMessage
from common.actor import Actor
from common.errors import NotFound
from oms.models import Break, ClOrdId, Command, Execution, Order, OrderEvent
from trading.vocabulary import Side


class BreakState(StrEnum):
    """Which breaks are wanted."""

    OPEN = "OPEN"
    CLOSED = "CLOSED"
    ALL = "ALL"


def _visible(actor: Actor) -> QuerySet[Order]:
    rows = Order.objects.select_related("account", "instrument")
    if actor.accounts is not None:
        rows = rows.filter(account__code__in=list(actor.accounts))
    return rows


def access_order(*, actor: Actor, order_id: str) -> Order:
    """:raises NotFound: absent or not the actor's to see; both look the same."""
    order = _visible(actor).filter(pk=order_id).first()
    if order is None:
        raise NotFound
    return order


def list_orders(
    *,
    actor: Actor,
    account: str | None = None,
    symbol: str | None = None,
    side: Side | None = None,
    ord_status: Iterable[str] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    strategy: str | None = None,
    cl_ord_id: str | None = None,
) -> QuerySet[Order]:
    """The orders the actor may see; ``cl_ord_id`` finds any id of an amend chain."""
    wanted: dict[str, Any] = {
        "account__code": account,
        "symbol": symbol,
        "side": side,
        "created_at__gte": since,
        "created_at__lt": until,
        "strategy": strategy,
    }
    rows = _visible(actor).filter(**{k: v for k, v in wanted.items() if v is not None})
    if ord_status:
        rows = rows.filter(ord_status__in=list(ord_status))
    if cl_ord_id is not None:
        named = ClOrdId.objects.filter(cl_ord_id=cl_ord_id).values("order_id")
        rows = rows.filter(pk__in=named)
    return rows


def open_orders(
    *,
    actor: Actor,
    account: str | None = None,
    symbol: str | None = None,
    strategy: str | None = None,
    side: Side | None = None,
) -> QuerySet[Order]:
    """Orders that may still trade, oldest first."""
    rows = list_orders(actor=actor, account=account, symbol=symbol, strategy=strategy, side=side)
    return rows.filter(is_closed=False).order_by("id")


def open_commands_of(order_ids: Iterable[str]) -> Mapping[str, list[Command]]:
    """Commands without an outcome by order id, in one query.

    Read before the order rows they are shown with: an outcome committed in between then shows as
    still pending, never as settled beside terms that are no longer in force.
    """
    found: dict[str, list[Command]] = {order_id: [] for order_id in order_ids}
    rows = Command.objects.filter(order_id__in=found, state__in=Command.OPEN_STATES)
    for command in rows.order_by("id"):
        found[command.order_id].append(command)
    return found


def with_commands(orders: Sequence[Order]) -> list[tuple[Order, list[Command]]]:
    """The orders of a page as they are now, in its sequence, each with its open commands."""
    pending = open_commands_of(order.id for order in orders)
    rows = Order.objects.select_related("account").in_bulk(list(pending))
    return [(rows[order_id], commands) for order_id, commands in pending.items()]


def events_of(order: Order) -> list[tuple[OrderEvent, str | None]]:
    """Every event of the order's life with the venue's raw message where one caused it."""
    events = list(OrderEvent.objects.filter(order=order).order_by("seq"))
    ids = [event.broker_message_id for event in events if event.broker_message_id]
    raw = dict(BrokerMessage.objects.filter(pk__in=ids).values_list("pk", "raw"))
    return [(event, raw.get(event.broker_message_id or 0)) for event in events]


def list_executions(
    *,
    actor: Actor,
    account: str | None = None,
    symbol: str | None = None,
    order_id: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> QuerySet[Execution]:
    """The trade ledger as far as the actor may see it."""
    rows = Execution.objects.select_related("order", "account")
    if actor.accounts is not None:
        rows = rows.filter(account__code__in=list(actor.accounts))
    wanted: dict[str, Any] = {
        "account__code": account,
        "symbol": symbol,
        "order_id": order_id,
        "transact_time__gte": since,
        "transact_time__lt": until,
    }
    return rows.filter(**{k: v for k, v in wanted.items() if v is not None})


def list_breaks(*, actor: Actor, account: str | None, state: BreakState) -> QuerySet[Break]:
    """Reconciliation differences of the accounts the actor reaches."""
    rows = Break.objects.select_related("account")
    if actor.accounts is not None:
        rows = rows.filter(account__code__in=list(actor.accounts))
    if account is not None:
        rows = rows.filter(account__code=account)
    if state is not BreakState.ALL:
        rows = rows.filter(closed_at__isnull=state is BreakState.OPEN)
    return rows
