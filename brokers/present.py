"""Connections as the API and the events show them."""

from typing import Any

from brokers.models import BrokerConnection, PaperFault
from common.instants import opt_instant_str


def connection_json(connection: BrokerConnection) -> dict[str, Any]:
    """The connection object; who lists it adds ``accounts`` and ``faults``."""
    return {
        "name": connection.name,
        "broker": connection.broker,
        "mode": connection.mode,
        "state": connection.state,
        "reason": connection.reason,
        "since": opt_instant_str(connection.state_since),
        "last_seen_at": opt_instant_str(connection.last_seen_at),
    }


def fault_json(fault: PaperFault) -> dict[str, Any]:
    """One switched-on fault of a paper venue."""
    return {
        "switch": fault.switch,
        "command": fault.command,
        "times": fault.remaining,
        "delay_ms": fault.delay_ms,
        "account": fault.account or None,
        "symbol": fault.symbol or None,
        "skip": fault.skip,
        "one_in": fault.one_in,
        "set_by": fault.set_by,
        "set_at": opt_instant_str(fault.set_at),
    }
