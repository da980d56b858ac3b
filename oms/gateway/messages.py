"""A message of the venue: stored as it came, then read, then folded."""

import logging
from collections.abc import Callable
from datetime import datetime

from brokers.adapters.base import UnreadableMessage
from brokers.models import BrokerAccount, Direction
from brokers.services import store_message
from oms.services.fold import park
from oms.services.reports import Incoming, apply_reports
from tenants.binding import tenant_bound
from trading.orders.reports import ExecutionReport

log = logging.getLogger("oms.gateway")
ACTOR = "system:gateway"


def take(
    *,
    schema: str,
    account_code: str,
    raw: bytes,
    parse: Callable[[bytes], list[ExecutionReport]],
    now: datetime,
) -> list[str]:
    """Store ``raw``, then apply what it reports. What cannot be read is parked for a person.

    Returns the orders about which the venue is to be asked.
    """
    with tenant_bound(schema):
        account_id = BrokerAccount.objects.values_list("pk", flat=True).get(code=account_code)
        message_id = store_message(
            account_id=account_id, direction=Direction.IN, raw=raw, now=now
        ).pk
    try:
        reports = parse(raw)
    except UnreadableMessage as failure:
        log.error("unreadable message of account %s kept as %s", account_code, message_id)
        with tenant_bound(schema):
            park(account_id, None, None, f"unreadable: {failure}", message_id, now)
        return []
    folded = apply_reports(
        schema=schema,
        account_id=account_id,
        incoming=[Incoming(report, message_id) for report in reports],
        actor=ACTOR,
        now=now,
    )
    return [item.order.pk for item in folded if item is not None and item.query]
