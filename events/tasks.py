"""Celery's side of the stream: it only wakes; what is kept lies in Postgres."""

from datetime import UTC, datetime
from typing import Any

from celery import shared_task

from events.binding import active_schemas, bound
from events.services import forget_expired_answers


@shared_task(name="events.forget_expired_answers", ignore_result=True)
def forget_expired(**_future: Any) -> int:
    """Delete the stored answers to idempotency keys that are over a day old, in every firm."""
    forgotten = 0
    for schema in active_schemas():
        with bound(schema):
            forgotten += forget_expired_answers(now=datetime.now(UTC))
    return forgotten
