"""Which adapter serves which broker: the one line a new broker adds."""

from functools import cache
from importlib import import_module

from brokers.adapters.base import Broker
from brokers.adapters.capabilities import Capabilities

ADAPTERS = {
    "ccxt:binance": "brokers.adapters.ccxt.exchanges.Binance",
    "ib": "brokers.adapters.ib.adapter.IbBroker",
    "paper": "brokers.adapters.paper.adapter.PaperBroker",
    "paper-plain": "brokers.adapters.paper.adapter.PlainPaperBroker",
}


@cache
def adapter_class(broker: str) -> type[Broker]:
    """Return the adapter of a broker's name. :raises KeyError: for a name nobody registered."""
    module, _, name = ADAPTERS[broker].rpartition(".")
    found: type[Broker] = getattr(import_module(module), name)
    return found


def capabilities_of(broker: str) -> Capabilities | None:
    """Return what the broker's adapter declares, without a session; None if there is no adapter."""
    return adapter_class(broker).capabilities if broker in ADAPTERS else None
