"""The public form of an event and the hash chain over it.

The hash of an event is sha256 over the hex hash of the event before it, followed by the canonical
JSON of the event (keys sorted, no spaces, UTF-8), so any later edit, removal or insertion breaks
every hash that follows. The first event follows ``models.GENESIS_HASH``.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from events.models import Event


def utc_text(moment: datetime) -> str:
    """Return an aware datetime as the API writes it, such as ``2026-01-05T14:30:00.25Z``.

    Stated here because the form is hashed: it must outlive changes of the API's.
    """
    text = moment.astimezone(UTC).isoformat().removesuffix("+00:00")
    return (text.rstrip("0").rstrip(".") if "." in text else text) + "Z"


def event_json(event: Event) -> dict[str, Any]:
    """Return the event as API, stream and webhooks show it."""
    return {
        "id": event.id,
        "position": event.position,
        "type": event.type,
        "subject": event.subject,
        "occurred_at": utc_text(event.occurred_at),
        "actor": event.actor,
        "correlation_id": event.correlation_id,
        "data": event.data,
    }


def canonical(value: Mapping[str, Any]) -> str:
    """Return the one JSON text that stands for ``value``.

    :raises ValueError: if it holds NaN or an infinity.
    """
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def link(previous: str, canonical_text: str) -> str:
    """Return the hex hash of an event that follows the one hashed ``previous``."""
    return hashlib.sha256((previous + canonical_text).encode()).hexdigest()
