"""Tells the firm's event stream what became of an order, in the transaction that did it."""

from collections.abc import Iterable
from datetime import datetime

from brokers.models import BrokerAccount
from events.services import publish
from oms.models import Command, Execution, Order
from oms.present import execution_json, order_json


def publish_order(
    order: Order,
    event_type: str,
    pending: Iterable[Command],
    account: BrokerAccount,
    actor: str,
    now: datetime,
    execution: Execution | None = None,
) -> None:
    """Publish one ``order.*`` event whose data is the whole order as the API shows it.

    A fill's event carries its execution beside the order's own fields.
    """
    data = order_json(order, pending, account_code=account.code)
    if execution is not None:
        data["execution"] = execution_json(execution, broker_order_id=order.order_id)
    publish(
        type=event_type,
        subject=order.id,
        data=data,
        actor=actor,
        correlation_id=order.id,
        now=now,
    )
