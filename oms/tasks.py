"""What beat wakes: comparisons with the venues, and the proof that rows are their history."""

from datetime import UTC, datetime, timedelta
from typing import Any

from celery import shared_task
from django.db import connection

from oms.services.proof import verify_and_tell
from oms.services.reconciliation import RECONCILE_CHANNEL
from tenants.celery import send, tenant_task
from tenants.due import claim_due, rest

PROOF_EVERY = timedelta(days=1)
QUIET_PROOF_EVERY = timedelta(days=7)


@shared_task(name="oms.reconcile", ignore_result=True)
def reconcile(**_future: Any) -> None:
    """Ask the gateway, which holds the sessions, to compare every firm's accounts now.

    The gateway also does so by its own timer; a lost wake-up costs nothing.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_notify(%s, schema_name) FROM tenants_tenant WHERE is_active",
            [RECONCILE_CHANNEL],
        )


@shared_task(name="oms.verify_replay", ignore_result=True)
def verify_replay() -> None:
    """Fan out: one task per due firm, so that a slow or broken one does not hold up the others.

    A firm in which nothing happened since the last proof is proved again once a week.
    """
    for schema in claim_due("replay", every=PROOF_EVERY / 2, now=datetime.now(UTC)):
        send(verify_replay_of_firm, schema)


@tenant_task(bind=False, name="oms.verify_replay_of_firm", ignore_result=True)
def verify_replay_of_firm(schema: str) -> int:
    """Prove one firm's orders and books from their history; return the contradictions found."""
    begun = datetime.now(UTC)
    found = verify_and_tell(schema=schema, now=begun)
    if not found:
        rest(schema, "replay", begun=begun, until=begun + QUIET_PROOF_EVERY)
    return found
