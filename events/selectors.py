"""Reads of the bound tenant's stream."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from common.actor import Actor
from events.chain import canonical, event_json, link
from events.models import GENESIS_HASH, Event, StreamHead, SubscriberCursor
from events.visibility import visible_filter


@dataclass(frozen=True, slots=True)
class SubscriberStatus:
    """One subscriber's distance from the head; ``retry_at`` is set while it backs off."""

    name: str
    position: int
    lag: int
    failures: int
    last_error: str


@dataclass(frozen=True, slots=True)
class StreamStatus:
    """The state of one tenant's stream: ``waiting`` events are committed without a position."""

    position: int
    waiting: int
    subscribers: tuple[SubscriberStatus, ...]


def head() -> tuple[int, str]:
    """Return the last position given and its hash; (0, genesis) in a new tenant."""
    row = StreamHead.objects.filter(pk=1).values_list("position", "hash").first()
    return row or (0, GENESIS_HASH)


def visible_events(*, actor: Actor, after: int, types: tuple[str, ...] = ()) -> QuerySet[Event]:
    """Return the events the actor may see whose positions are above ``after``.

    ``types`` are exact or end in ``.*``; none asks for all.
    """
    rows = Event.objects.filter(visible_filter(actor), position__gt=after)
    wanted = Q()
    for pattern in types:
        wanted |= Q(type__startswith=pattern[:-1]) if pattern.endswith(".*") else Q(type=pattern)
    return rows.filter(wanted)


@dataclass(frozen=True, slots=True)
class ChainLink:
    """One event in its public form, and what ties it into the firm's chain.

    ``hash`` and ``previous_hash`` are None until the relay has given the event its position.
    """

    event: dict[str, Any]
    previous_hash: str | None
    hash: str | None


def links_about(*, actor: Actor, subject: str) -> list[ChainLink]:
    """Return the events about one object that the actor may see, oldest first, with their links."""
    rows = Event.objects.filter(visible_filter(actor), subject=subject).order_by("seq")
    found = list(rows)
    before = [row.position - 1 for row in found if row.position is not None]
    hashes = dict(Event.objects.filter(position__in=before).values_list("position", "hash"))
    hashes[0] = GENESIS_HASH
    return [
        ChainLink(
            event=event_json(row),
            previous_hash=None if row.position is None else hashes[row.position - 1],
            hash=row.hash,
        )
        for row in found
    ]


def stream_status() -> StreamStatus:
    """Return how far relay and subscribers are, for metrics, health and the dispatcher's log."""
    position, _ = head()
    return StreamStatus(
        position=position,
        waiting=Event.objects.filter(position=None).count(),
        subscribers=tuple(
            SubscriberStatus(
                row.name,
                row.position,
                max(position - row.position, 0),
                row.failures,
                row.last_error,
            )
            for row in SubscriberCursor.objects.order_by("name")
        ),
    )


def chain_problems(*, chunk: int = 2000) -> Iterator[str]:
    """Walk the whole stream; yield one line per wrong position or hash, nothing when it holds.

    The walk compares what is stored now with the chain, and its end with ``StreamHead``, so an
    edited, removed, inserted or cut-off event shows. After a wrong hash it goes on from the stored
    one, so each damage is named once.
    """
    final_position, final_hash = head()
    position, previous = 0, GENESIS_HASH
    while position < final_position:
        rows = list(
            Event.objects.filter(position__gt=position, position__lte=final_position).order_by(
                "position"
            )[:chunk]
        )
        if not rows:
            break
        for event in rows:
            assert event.position is not None
            assert event.hash is not None
            if event.position != position + 1:
                yield f"positions {position + 1} to {event.position - 1} are missing"
            elif link(previous, canonical(event_json(event))) != event.hash:
                yield f"position {event.position} ({event.id}) is not what was hashed"
            position, previous = event.position, event.hash
    if position != final_position:
        yield f"the stream ends at {position}, its head says {final_position}"
    elif previous != final_hash:
        yield f"the last hash at position {position} is not the one of the head"
    beyond = Event.objects.filter(position__gt=final_position).count()
    if beyond and head()[0] == final_position:
        yield f"{beyond} events lie beyond the head at {final_position}"
