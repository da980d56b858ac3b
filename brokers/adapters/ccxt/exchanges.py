"""One class for each exchange: what the registry names and the gateway makes sessions of."""

from typing import ClassVar

from brokers.adapters.capabilities import Capabilities
from brokers.adapters.ccxt.adapter import CcxtBroker
from brokers.adapters.ccxt.venues import BINANCE, Venue


class Binance(CcxtBroker):
    """Binance spot."""

    venue: ClassVar[Venue] = BINANCE
    capabilities: ClassVar[Capabilities] = BINANCE.capabilities
