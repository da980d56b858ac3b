"""The one place that makes exchanges of the library ccxt, and that says where they connect to.

The library takes seconds to load and is loaded by the gateway alone, when a connection needs it.
Every number it gives is a text (``number = str``): no float ever holds a price or a quantity.
"""

import asyncio
import inspect
from collections.abc import Callable
from contextvars import copy_context
from decimal import Context, localcontext, setcontext
from functools import partial
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from brokers.adapters.ccxt.setup import Setup
from brokers.adapters.ccxt.venues import Venue

ORDER_TIMEOUT_MS = 10_000


class NoSandbox(Exception):
    """The exchange has no test environment, so a paper connection has nowhere to go."""


def make_exchange(venue: Venue, setup: Setup) -> Any:
    """Return the library's exchange for one connection, not yet connected.

    :raises NoSandbox: for a paper connection to an exchange without a test environment.
    """
    import ccxt.pro

    exchange = getattr(ccxt.pro, venue.name)(
        {
            **setup.credentials,
            "enableRateLimit": True,
            "timeout": ORDER_TIMEOUT_MS,
            "maxRetriesOnFailure": 0,
            "newUpdates": True,
            "options": dict(venue.options),
        }
    )
    exchange.number = str
    exchange.options["maxRetriesOnFailure"] = 0
    if setup.base_url:
        exchange.urls["api"] = redirected(exchange.urls["api"], setup.base_url)
    elif setup.sandbox:
        if "test" not in exchange.urls:
            raise NoSandbox(f"{venue.name} has no test environment; use a live connection")
        exchange.set_sandbox_mode(True)
    return Apart(exchange)


class Apart:
    """The library's exchange, each of its calls under a decimal context of its own.

    The library sets the rounding of whichever context it runs in; ours must stay as it is.
    """

    def __init__(self, exchange: Any) -> None:
        self._exchange = exchange

    def __getattr__(self, name: str) -> Any:
        """An attribute of the exchange; its methods come wrapped."""
        value = getattr(self._exchange, name)
        if inspect.iscoroutinefunction(value):
            return partial(_awaited, value)
        return partial(_called, value) if inspect.ismethod(value) else value


async def _awaited(method: Callable[..., Any], *args: Any, **options: Any) -> Any:
    context = copy_context()
    context.run(setcontext, Context())
    call = method(*args, **options)
    return await asyncio.get_running_loop().create_task(call, context=context)


def _called(method: Callable[..., Any], *args: Any, **options: Any) -> Any:
    with localcontext():
        return method(*args, **options)


def redirected(urls: Any, base_url: str) -> Any:
    """The same tree of addresses with every host replaced, so that nothing leads elsewhere.

    >>> redirected({"public": "https://api.x.com/v3", "ws": {"a": "wss://s.x.com/ws"}}, "http://h:1")
    {'public': 'http://h:1/v3', 'ws': {'a': 'ws://h:1/ws'}}
    """
    if isinstance(urls, dict):
        return {name: redirected(value, base_url) for name, value in urls.items()}
    parts, base = urlsplit(urls), urlsplit(base_url)
    is_socket = parts.scheme.startswith("ws")
    secure = base.scheme == "https"
    scheme = ("wss" if secure else "ws") if is_socket else base.scheme
    return urlunsplit((scheme, base.netloc, parts.path, parts.query, ""))
