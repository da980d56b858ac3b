"""Celery's side of the stream: it only wakes; what is kept lies in Postgres."""

from datetime import UTC, datetime, timedelta
from typing import Any

from celery import shared_task

from events.binding import bound, claim_due, rest
from events.services import forget_expired_answers

EVERY = timedelta(hours=1)
QUIET_EVERY = timedelta(days=1)


@shared_task(name="events.forget_expired_answers", ignore_result=True)
def forget_expired(**_future: Any) -> int:
    """Delete the stored answers to idempotency keys that are over a day old, in every due firm.

    A firm in which nothing happens is due once a day. It is claimed for less than the period,
    because the clock jitters.
    """
    begun = datetime.now(UTC)
    forgotten = 0
    for schema in claim_due("answers", every=EVERY / 2, now=begun):
        with bound(schema):
            deleted = forget_expired_answers(now=begun)
        if not deleted:
            rest(schema, "answers", begun=begun, until=begun + QUIET_EVERY)
        forgotten += deleted
    return forgotten
