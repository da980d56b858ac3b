"""Writes of the event stream. Everything here joins the caller's tenant-bound transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from common.ids import new_ulid
from events.chain import canonical, event_json, link
from events.models import GENESIS_HASH, Event, IdempotentAnswer, Proof
from events.selectors import head


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


def keep_proof(
    *, name: str, figure: str, problem: str, now: datetime, detail: str = "",
    position: int = 0, hash: str = "",  # noqa: A002 - the name the chain gives it
) -> Proof:  # fmt: skip
    """Write down what a proof found, over what it found the last time."""
    row, _ = Proof.objects.update_or_create(
        name=name,
        defaults={
            "at": now,
            "figure": figure[:64],
            "detail": detail[:500],
            "problem": problem[:500],
            "position": position,
            "hash": hash,
        },
    )
    return row


def prove_chain(*, now: datetime, most: int = 20_000) -> Proof:
    """Verify the hashes of the next ``most`` events after the last proof's end, and keep that.

    A wrong event is named and the proof stays before it until somebody has looked. The whole
    stream from its beginning is walked by ``manage.py verify_chain``.
    """
    last = Proof.objects.filter(name="chain").first()
    position, previous = (last.position, last.hash) if last and last.hash else (0, GENESIS_HASH)
    end, _ = head()
    problem = ""
    rows = Event.objects.filter(position__gt=position, position__lte=end).order_by("position")
    for event in rows[:most].iterator():
        if event.position != position + 1:
            problem = f"position {position + 1} is missing"
        elif (expected := link(previous, canonical(event_json(event)))) != event.hash:
            problem = f"position {event.position} ({event.id}) is not what was hashed"
        if problem:
            break
        position, previous = position + 1, expected
    if not problem and position < end and not rows.exclude(position__lte=position).exists():
        problem = f"the stream ends at {position}, its head says {end}"
    return keep_proof(
        name="chain",
        figure=f"{position} of {end}",
        detail="every hash holds up to there",
        problem=problem,
        now=now,
        position=position,
        hash=previous,
    )
