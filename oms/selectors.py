"""Reads of orders. ``access_order`` is the one door to an order somebody asks for."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from django.db import connection
from django.db.models import Count, Q, QuerySet

from brokers.models import BrokerMessage
from common.actor import Actor
from common.errors import NotFound
from common.ids import first_ulid_of
from common.redaction import without_secrets
from oms.models import (
    Break,
    ClOrdId,
    Command,
    Execution,
    Order,
    OrderEvent,
    OrderVersion,
    ParkedReport,
)
from trading.exact import total
from trading.orders.placement import REDUCE_ONLY
from trading.risk import HaltScope
from trading.vocabulary import CommandKind, CommandState, OrdStatus, Side


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
    ids: Sequence[str] | None = None,
) -> QuerySet[Order]:
    """The orders the actor may see; ``cl_ord_id`` finds any id of an amend chain."""
    wanted: dict[str, Any] = {
        "account__code": account,
        "symbol": symbol,
        "side": side,
        "created_at__gte": since,
        "created_at__lt": until,
        "strategy": strategy,
        "pk__in": ids,
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


def reducing_orders(account_ids: Iterable[int]) -> list[Order]:
    """Open reduce-only orders of accounts that no list manages."""
    rows = Order.objects.filter(account_id__in=account_ids, is_closed=False, list_id=None)
    # Few orders carry an instruction, and an index knows which.
    return [order for order in rows.exclude(exec_inst=[]) if REDUCE_ONLY in order.exec_inst]


def open_reducing_qty(
    account_id: int, symbol: str, side: Side, *, but: str | None = None
) -> Decimal:
    """What open reduce-only orders of one side, ``but`` one, may still take from a position."""
    return total(
        order.leaves_qty
        for order in reducing_orders([account_id])
        if (order.symbol, order.side) == (symbol, side) and order.id != but
    )


def orders_under_halt(*, actor: Actor, scope: HaltScope, target: str | None) -> QuerySet[Order]:
    """Orders that may still trade and fall under a halt, oldest first."""
    rows = open_orders(actor=actor)
    column = {
        HaltScope.ACCOUNT: "account__code",
        HaltScope.STRATEGY: "strategy",
        HaltScope.INSTRUMENT: "symbol",
        HaltScope.VENUE: "account__connection__name",
    }.get(scope)
    return rows if column is None else rows.filter(**{column: target})


def find_orders(*, actor: Actor, text: str, most: int) -> list[Order]:
    """Return the newest orders one of whose ids (ours, the client's, the venue's) starts so."""
    starts = Q(cl_ord_id__startswith=text) | Q(order_id__startswith=text)
    rows = _visible(actor).filter(starts | Q(id__startswith=text.upper()))
    return list(rows.order_by("-id")[:most])


def unknown_among(orders: QuerySet[Order]) -> int:
    """Return how many of the orders have a request whose outcome nobody knows."""
    unknown = Command.objects.filter(state=CommandState.UNKNOWN, order__in=orders)
    return unknown.values("order_id").distinct().count()


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
    """Every event of the order's life with the venue's message where one caused it.

    Messages are as they came but for secrets, which are removed.
    """
    events = list(OrderEvent.objects.filter(order=order).order_by("seq"))
    ids = [event.broker_message_id for event in events if event.broker_message_id]
    raw = dict(BrokerMessage.objects.filter(pk__in=ids).values_list("pk", "raw"))
    return [
        (
            event,
            without_secrets(raw[event.broker_message_id]) if event.broker_message_id else None,
        )
        for event in events
    ]


def messages_of(order: Order) -> list[BrokerMessage]:
    """The stored messages that told of the order or were sent for it, oldest first.

    A message belongs to it by an event or a parked report that names it, or by a venue id of the
    order's amend chain. Secrets are removed.
    """
    named = [
        *OrderEvent.objects.filter(order=order).values_list("broker_message_id", flat=True),
        *ParkedReport.objects.filter(order=order).values_list("broker_message_id", flat=True),
    ]
    ids = OrderVersion.objects.filter(order=order).values_list("venue_cl_ord_id", flat=True)
    rows = BrokerMessage.objects.filter(
        Q(pk__in={pk for pk in named if pk is not None})
        | Q(account_id=order.account_id, venue_cl_ord_id__in=[one for one in ids if one])
    )
    messages = list(rows.order_by("id"))
    for message in messages:
        message.raw = without_secrets(message.raw)
    return messages


def parked_of(order: Order) -> list[ParkedReport]:
    """Reports about the order that could not be applied, oldest first."""
    return list(ParkedReport.objects.filter(order=order).order_by("id"))


def commands_of(order: Order) -> list[Command]:
    """Everything a venue was asked for the order, oldest first."""
    return list(Command.objects.filter(order=order).order_by("id"))


def versions_of(order: Order) -> list[OrderVersion]:
    """The amend chain, v0 first."""
    return list(OrderVersion.objects.filter(order=order).order_by("number"))


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The ids of the orders taken just before and just after one; None at an end."""

    before: str | None
    after: str | None


def neighbours_of(order: Order, *, actor: Actor) -> Neighbours:
    """The orders beside ``order`` among those the actor may see."""
    ids = _visible(actor).values_list("id", flat=True)
    return Neighbours(
        ids.filter(id__lt=order.id).order_by("-id").first(),
        ids.filter(id__gt=order.id).order_by("id").first(),
    )


def list_executions(
    *,
    actor: Actor,
    account: str | None = None,
    symbol: str | None = None,
    side: Side | None = None,
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
        "side": side,
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


def knows_request(order_id: str, cl_ord_id: str) -> bool:
    """Whether a request of this id (an order, a replace, a cancel) reached this order."""
    return ClOrdId.objects.filter(order_id=order_id, cl_ord_id=cl_ord_id).exists()


@dataclass(frozen=True, slots=True)
class Flow:
    """Orders since some moment: how many, how many rejected and why, and how fast venues answered.

    The times run from sending to the answer of a NEW, in milliseconds; None where nothing was sent.
    """

    orders: int
    rejected: int
    reasons: tuple[tuple[str, int], ...]
    p50_ms: float | None
    p99_ms: float | None


def flow_since(since: datetime) -> Flow:
    """Return the firm's flow since a moment; ids bear their time, so only those rows are read."""
    first = first_ulid_of(since)
    rows = Order.objects.filter(pk__gte=first).order_by()
    rejected = rows.filter(ord_status=OrdStatus.REJECTED)
    reasons = rejected.values("ord_rej_reason").annotate(n=Count("pk")).order_by("-n")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT percentile_cont(ARRAY[0.5, 0.99]) WITHIN GROUP"
            " (ORDER BY extract(epoch FROM outcome_at - sending_at) * 1000)"
            " FROM oms_command WHERE id >= %s AND kind = %s AND state = %s"
            " AND sending_at IS NOT NULL",
            [first, CommandKind.NEW, CommandState.ACKED],
        )
        (times,) = cursor.fetchone()
    p50, p99 = (None, None) if times is None else map(float, times)
    counted = [(str(row["ord_rej_reason"] or "other"), row["n"]) for row in reasons]
    return Flow(rows.count(), sum(n for _, n in counted), tuple(counted), p50, p99)
