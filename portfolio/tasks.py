"""Celery's side of the books: it only wakes; what is recorded lies in Postgres."""

from datetime import UTC, datetime, timedelta

from celery import shared_task

from portfolio.selectors import holds_anything
from portfolio.services import take_pnl_snapshots
from tenants.binding import tenant_bound
from tenants.celery import send, tenant_task
from tenants.due import claim_due, rest

SNAPSHOTS_EVERY = timedelta(minutes=1)
FLAT_SNAPSHOTS_EVERY = timedelta(hours=1)


@shared_task(name="portfolio.snapshot_pnl", ignore_result=True)
def snapshot_pnl() -> None:
    """Fan out: one task per due firm, so that a slow or broken one does not hold up the others.

    A firm is claimed for less than the period, because the clock jitters.
    """
    for schema in claim_due("snapshots", every=SNAPSHOTS_EVERY / 2, now=datetime.now(UTC)):
        send(snapshot_pnl_of_firm, schema)


@tenant_task(bind=False, name="portfolio.snapshot_pnl_of_firm", ignore_result=True)
def snapshot_pnl_of_firm(schema: str) -> int:
    """Record what one firm's accounts are worth now; return the number of snapshots.

    What a firm without positions is worth changes only with events.
    """
    begun = datetime.now(UTC)
    taken = take_pnl_snapshots(schema=schema, now=begun)
    with tenant_bound(schema):
        is_flat = not holds_anything()
    if is_flat:
        rest(schema, "snapshots", begun=begun, until=begun + FLAT_SNAPSHOTS_EVERY)
    return taken
