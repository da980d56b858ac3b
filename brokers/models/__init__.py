"""Connections and accounts, what venues call our things, and the paper venue's own memory."""

from brokers.models.connections import (
    PAPER_BROKERS,
    BrokerAccount,
    BrokerConnection,
    BrokerMessage,
    Direction,
    GatewayLease,
)
from brokers.models.credentials import Credential, CredentialKey, CredentialUse
from brokers.models.paper import (
    FaultSwitch,
    PaperAccount,
    PaperClientId,
    PaperExecution,
    PaperFault,
    PaperOrder,
    PaperVenue,
)
from brokers.models.venue import OrderNumber, VenueSymbol

__all__ = [
    "PAPER_BROKERS",
    "BrokerAccount",
    "BrokerConnection",
    "BrokerMessage",
    "Credential",
    "CredentialKey",
    "CredentialUse",
    "Direction",
    "FaultSwitch",
    "GatewayLease",
    "OrderNumber",
    "PaperAccount",
    "PaperClientId",
    "PaperExecution",
    "PaperFault",
    "PaperOrder",
    "PaperVenue",
    "VenueSymbol",
]
