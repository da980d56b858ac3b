"""Instants at the edges: how they are written."""

from datetime import UTC, datetime


def instant_str(value: datetime) -> str:
    """Return an instant as the API writes it: UTC, ``Z``, no padding zeros.

    >>> instant_str(datetime(2026, 1, 31, 9, 30, 0, 500000, tzinfo=UTC))
    '2026-01-31T09:30:00.5Z'
    """
    text = value.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00")
    return text.rstrip("0").rstrip(".") + "Z"


def opt_instant_str(value: datetime | None) -> str | None:
    """Like ``instant_str``; None stays None."""
    return None if value is None else instant_str(value)
