"""Connections and accounts (ours), and the tables that are the paper venue's own memory."""

from brokers.models.connections import (
    PAPER_BROKERS,
    BrokerAccount,
    BrokerConnection,
    BrokerMessage,
    Direction,
    GatewayLease,
)
from brokers.models.paper import (
    FaultSwitch,
    PaperAccount,
    PaperClientId,
    PaperExecution,
    PaperFault,
    PaperOrder,
    PaperVenue,
)

__all__ = [
    "PAPER_BROKERS",
    "BrokerAccount",
    "BrokerConnection",
    "BrokerMessage",
    "Direction",
    "FaultSwitch",
    "GatewayLease",
    "PaperAccount",
    "PaperClientId",
    "PaperExecution",
    "PaperFault",
    "PaperOrder",
    "PaperVenue",
]
