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
from brokers.models.faults import COMMANDS_OF, MEANINGS, FaultSwitch, PaperFault
from brokers.models.paper import (
    FILLS_AND_CORRECTIONS,
    PaperAccount,
    PaperClientId,
    PaperExecution,
    PaperOrder,
    PaperVenue,
)
from brokers.models.venue import OrderNumber, VenueSymbol

__all__ = [
    "COMMANDS_OF",
    "FILLS_AND_CORRECTIONS",
    "MEANINGS",
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
