"""Writes of the event stream. Everything here joins the caller's tenant-bound transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from common.ids import new_ulid
from events.models import Event, IdempotentAnswer


@dataclass(frozen=True, slots=True)
class Draft:
    """An event about to be published; ``data`` is the whole object as the API shows it."""

    type: str
    subject: str
    data: Mapping[str, Any]


def publish(
    *,
    type: str,  # noqa: A002 - the name the contract gives the field
    subject: str,
    data: Mapping[str, Any],
    actor: str,
    correlation_id: str = "",
    now: datetime,
) -> Event:
    """Add one event to the bound tenant's stream; it exists if the caller's transaction commits.

    The insert wakes the dispatcher by a trigger (NOTIFY blotter_events), which also fires only on
    commit. ``data`` must be plain JSON: decimals and times as strings.

    :raises TypeError: if ``data`` holds anything else.
    """
    draft = Draft(type, subject, data)
    return publish_many(drafts=[draft], actor=actor, correlation_id=correlation_id, now=now)[0]


def publish_many(
    *, drafts: Sequence[Draft], actor: str, correlation_id: str = "", now: datetime
) -> list[Event]:
    """Add several events in the order given, by one statement.

    :raises TypeError: if the data of one is not plain JSON.
    """
    return Event.objects.bulk_create(
        Event(
            id=new_ulid(now),
            type=draft.type,
            subject=draft.subject,
            occurred_at=now,
            actor=actor,
            correlation_id=correlation_id,
            data=dict(draft.data),
        )
        for draft in drafts
    )


def forget_expired_answers(*, now: datetime) -> int:
    """Delete answers past their day and return how many there were."""
    deleted, _ = IdempotentAnswer.objects.filter(expires_at__lte=now).delete()
    return deleted
