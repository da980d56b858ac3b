"""Runs one subscriber over one tenant: in order, at least once, each with its own cursor.

A failing handler stops only its own subscriber in its own tenant, until a retry succeeds: order is
kept, so nothing is skipped. The trouble stands in ``SubscriberCursor`` and in the log.
"""

import logging
from datetime import datetime, timedelta

from django.db import InterfaceError, OperationalError, connection

from events.binding import bound
from events.models import Event, SubscriberCursor
from events.selectors import head
from events.subscribers import Subscriber
from events.visibility import type_matches

logger = logging.getLogger(__name__)

BATCH = 200
LONGEST_WAIT = timedelta(minutes=5)


def backoff(failures: int) -> timedelta:
    """Return the wait after the n-th failure in a row: 1 s, 2 s, 4 s ... up to five minutes."""
    return min(timedelta(seconds=2 ** min(failures - 1, 16)), LONGEST_WAIT)


def run_subscriber(subscriber: Subscriber, schema: str, *, now: datetime) -> int:
    """Handle the events that lie ahead of the cursor, at most a batch; return how many it passed.

    A handler's exception ends the batch and is recorded with the time of the next try.
    """
    with bound(schema):
        cursor = _cursor(subscriber, now)
        if cursor.retry_at is not None and cursor.retry_at > now:
            return 0
        events = list(
            Event.objects.filter(position__gt=cursor.position).order_by("position")[:BATCH]
        )
    passed = 0
    for event in events:
        # Events of other types are stepped over together with the next handled one, or at the end.
        is_last = event is events[-1]
        if not type_matches(subscriber.types, event.type) and not is_last:
            passed += 1
            continue
        if not _step(subscriber, schema, event, now):
            break
        passed += 1
    return passed


def _cursor(subscriber: Subscriber, now: datetime) -> SubscriberCursor:
    """Return the cursor, made where this tenant is followed for the first time."""
    existing = SubscriberCursor.objects.filter(pk=subscriber.name).first()
    if existing is not None:
        return existing
    start = head()[0] if subscriber.start == "head" else 0
    cursor, _ = SubscriberCursor.objects.get_or_create(
        name=subscriber.name, defaults={"position": start, "updated_at": now}
    )
    return cursor


def _step(subscriber: Subscriber, schema: str, event: Event, now: datetime) -> bool:
    """Handle one event and move the cursor onto it; False if another must come first.

    :raises OperationalError: if the database itself is gone (the handler is not to blame).
    """
    assert event.position is not None
    try:
        with bound(schema):
            # Another dispatcher at work on the same cursor is left alone, not waited for.
            cursor = (
                SubscriberCursor.objects.select_for_update(skip_locked=True)
                .filter(pk=subscriber.name, position__lt=event.position)
                .first()
            )
            if cursor is None:
                return False
            if type_matches(subscriber.types, event.type):
                subscriber.handler(event, now=now)
            cursor.position = event.position
            cursor.updated_at = now
            cursor.failures, cursor.last_error, cursor.retry_at = 0, "", None
            cursor.save()
    except Exception as error:
        if isinstance(error, OperationalError | InterfaceError) and not connection.is_usable():
            raise
        _record_failure(subscriber, schema, event, error, now)
        return False
    return True


def _record_failure(
    subscriber: Subscriber, schema: str, event: Event, error: Exception, now: datetime
) -> None:
    """Store why the subscriber stands still and when it tries again."""
    with bound(schema):
        cursor = SubscriberCursor.objects.select_for_update().get(pk=subscriber.name)
        if cursor.position >= (event.position or 0):
            return  # another dispatcher has succeeded meanwhile
        cursor.failures += 1
        cursor.last_error = f"{type(error).__name__}: {error}"[:500]
        cursor.retry_at = now + backoff(cursor.failures)
        cursor.updated_at = now
        cursor.save()
        failures, lag = cursor.failures, head()[0] - cursor.position
    logger.error(
        "subscriber %s failed at position %s (%s) of %s, failure %s in a row, %s behind",
        subscriber.name,
        event.position,
        event.type,
        schema,
        failures,
        lag,
        exc_info=error,
    )
