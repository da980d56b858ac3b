"""The one place that knows which client library of Interactive Brokers is installed.

``ib_async`` is the default, ``ib_insync`` its frozen predecessor; the two cannot share an
environment. Only names both have are offered, and nothing of their view of orders is trusted:
the adapter reads the wire itself (``wire``) and uses the library to connect, frame and write.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

NAMES = ("ib_async", "ib_insync")


class NoLibrary(ImportError):
    """Neither client library of Interactive Brokers is installed."""

    def __init__(self) -> None:
        super().__init__(f"install one of {' and '.join(NAMES)} to trade at Interactive Brokers")


def installed() -> str:
    """Return the name of the library in use. :raises NoLibrary: if there is none."""
    for name in NAMES:
        if find_spec(name) is not None:
            return name
    raise NoLibrary


def load() -> Any:
    """Return the library's module; both offer IB, Contract, Order and Client under these names."""
    return import_module(installed())
