"""What beat wakes: comparisons with the venues, and the proof that rows are their history."""

from datetime import UTC, datetime
from typing import Any

from celery import shared_task
from django.db import connection

from oms.services.proof import verify_and_tell
from oms.services.reconciliation import RECONCILE_CHANNEL
from tenants.celery import send, tenant_task
from tenants.selectors import active_schemas


@shared_task(name="oms.reconcile", ignore_result=True)
def reconcile(**_future: Any) -> None:
    """Ask the gateway, which holds the sessions, to compare every firm's accounts now.

    The gateway also does so by its own timer; a lost wake-up costs nothing.
    """
    for schema in active_schemas():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, %s)", [RECONCILE_CHANNEL, schema])


@shared_task(name="oms.verify_replay", ignore_result=True)
def verify_replay() -> None:
    """Fan out: one task per firm, so that a slow or broken one does not hold up the others."""
    for schema in active_schemas():
        send(verify_replay_of_firm, schema)


@tenant_task(bind=False, name="oms.verify_replay_of_firm", ignore_result=True)
def verify_replay_of_firm(schema: str) -> int:
    """Prove one firm's orders and books from their history; return the contradictions found."""
    return verify_and_tell(schema=schema, now=datetime.now(UTC))
