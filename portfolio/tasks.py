"""Celery's side of the books: it only wakes; what is recorded lies in Postgres."""

from datetime import UTC, datetime

from celery import shared_task

from portfolio.services import take_pnl_snapshots
from tenants.celery import send, tenant_task
from tenants.selectors import active_schemas


@shared_task(name="portfolio.snapshot_pnl", ignore_result=True)
def snapshot_pnl() -> None:
    """Fan out: one task per firm, so that a slow or broken one does not hold up the others."""
    for schema in active_schemas():
        send(snapshot_pnl_of_firm, schema)


@tenant_task(bind=False, name="portfolio.snapshot_pnl_of_firm", ignore_result=True)
def snapshot_pnl_of_firm(schema: str) -> int:
    """Record what one firm's accounts are worth now; return the number of snapshots."""
    return take_pnl_snapshots(schema=schema, now=datetime.now(UTC))
