"""What an operator does to orders from the console: the usual verbs, with the reason kept.

The reason becomes an event of the firm's stream in the same transaction as the deed.
"""

from datetime import datetime

from django.db import connection

from brokers.selectors import access_account
from common.actor import Actor
from events.services import publish
from oms.models import Command, Order
from oms.services import outbox
from oms.services.cancel import request_cancel
from oms.services.reconciliation import RECONCILE_CHANNEL
from oms.services.requests import Requested, locked
from tenants.binding import tenant_bound
from trading.vocabulary import CommandState


def cancel_by_hand(
    *,
    schema: str,
    order_id: str,
    reason: str,
    actor: Actor,
    now: datetime,
    correlation_id: str = "",
) -> Requested:
    """Ask for the end of an order, and say why.

    :raises NotFound: also for another's order. :raises RequestRefused: if it is already closed.
    """
    with tenant_bound(schema):
        requested = request_cancel(schema=schema, order_id=order_id, actor=actor, now=now)
        _keep_reason(
            "console.cancel", requested.order, requested.account_code, reason, actor, now,
            correlation_id,
        )  # fmt: skip
        return requested


def ask_venue(
    *,
    schema: str,
    order_id: str,
    reason: str,
    actor: Actor,
    now: datetime,
    correlation_id: str = "",
) -> int:
    """Bring the look-ups of the order's unknown commands forward, and compare the account.

    Returns how many look-ups are due now. Nothing is concluded here: the gateway asks, and only
    what the venue says counts.

    :raises NotFound: also for another's order.
    """
    with tenant_bound(schema):
        order = locked(order_id, actor)
        due = Command.objects.filter(order=order, state=CommandState.UNKNOWN).update(
            next_lookup_at=now
        )
        outbox.wake_gateway(schema)
        _wake_reconciliation(schema)
        _keep_reason(
            "console.lookup", order, order.account.code, reason, actor, now, correlation_id
        )
        return due


def compare_now(
    *,
    schema: str,
    account_code: str,
    reason: str,
    actor: Actor,
    now: datetime,
    correlation_id: str = "",
) -> None:
    """Ask the gateway to compare the firm's accounts with their venues at once.

    :raises NotFound: if the actor reaches no such account.
    """
    with tenant_bound(schema):
        account = access_account(actor, account_code)
        _wake_reconciliation(schema)
        publish(
            type="console.reconcile",
            subject=account.code,
            data={"account": account.code, "reason": reason},
            actor=actor.label,
            correlation_id=correlation_id,
            now=now,
        )


def _wake_reconciliation(schema: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [RECONCILE_CHANNEL, schema])


def _keep_reason(
    kind: str,
    order: Order,
    account_code: str,
    reason: str,
    actor: Actor,
    now: datetime,
    correlation_id: str,
) -> None:
    publish(
        type=kind,
        subject=order.id,
        data={"account": account_code, "order_id": order.id, "reason": reason},
        actor=actor.label,
        correlation_id=correlation_id,
        now=now,
    )
