"""Connections as the API and the events show them."""

from datetime import UTC, datetime
from typing import Any

from brokers.models import BrokerConnection, PaperFault


def instant(moment: datetime | None) -> str | None:
    """RFC 3339 in UTC with a Z."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def connection_json(connection: BrokerConnection) -> dict[str, Any]:
    """The connection object; who lists it adds ``accounts`` and ``faults``."""
    return {
        "name": connection.name,
        "broker": connection.broker,
        "mode": connection.mode,
        "state": connection.state,
        "reason": connection.reason,
        "since": instant(connection.state_since),
        "last_seen_at": instant(connection.last_seen_at),
    }


def fault_json(fault: PaperFault) -> dict[str, Any]:
    """One switched-on fault of a paper venue."""
    return {
        "switch": fault.switch,
        "command": fault.command,
        "times": fault.remaining,
        "delay_ms": fault.delay_ms,
        "set_by": fault.set_by,
        "set_at": instant(fault.set_at),
    }
