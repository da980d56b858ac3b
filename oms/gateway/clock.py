"""The gateway's clock: an edge of the system reads the time, everything below is told it."""

from datetime import UTC, datetime


def utcnow() -> datetime:
    """The present instant, UTC."""
    return datetime.now(UTC)
