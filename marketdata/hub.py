"""QuoteHub: one reader of the quote stream per process, and any number of listeners."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import redis
import redis.asyncio

from marketdata import quotes
from trading.market import Quote

QuoteCallback = Callable[[Quote], None]

_BLOCK_MS = 2000
_PRIME_ENTRIES = 256
_BACKOFF_S = (0.05, 1.0)  # first wait, longest wait
_log = logging.getLogger(__name__)


class QuoteHub:
    """The latest quote of every symbol in memory, and a call for each new one.

    ``run`` is a task of the event loop whose callbacks these are. Quotes missed while Redis was
    away are not caught up: after a gap the newest of each symbol is told, the rest is history.
    """

    def __init__(self, redis_url: str) -> None:
        self._redis_url = redis_url
        self._latest: dict[str, Quote] = {}
        self._callbacks: list[QuoteCallback] = []
        self.connected = False

    def latest(self, symbol: str) -> Quote | None:
        """Return the newest quote seen, however old (``quotes.is_fresh`` judges its age)."""
        return self._latest.get(symbol)

    def subscribe(self, callback: QuoteCallback) -> Callable[[], None]:
        """Call ``callback`` in the loop with every new quote; returns the call that ends it.

        A callback must not block. One that raises is logged and harms no other.
        """
        self._callbacks.append(callback)

        def unsubscribe() -> None:
            if callback in self._callbacks:
                self._callbacks.remove(callback)

        return unsubscribe

    async def run(self) -> None:
        """Read until cancelled, over any restart of Redis."""
        wait = _BACKOFF_S[0]
        while True:
            client = quotes.async_client(self._redis_url, timeout_s=_BLOCK_MS / 1000 + 3)
            try:
                last_id = await self._prime(client)
                wait = _BACKOFF_S[0]
                self._set_connected(True)
                while True:
                    last_id = await self._read(client, last_id)
            except (redis.RedisError, OSError) as error:
                self._set_connected(False, error)
            finally:
                await client.aclose()
            await asyncio.sleep(wait)
            wait = min(wait * 2, _BACKOFF_S[1])

    async def _prime(self, client: redis.asyncio.Redis) -> str:
        """Tell the newest quote of each symbol; return the id to read on from."""
        entries: Any = await client.xrevrange(quotes.STREAM, count=_PRIME_ENTRIES)
        newest: dict[str, Quote] = {}
        for _, fields in reversed(entries):
            quote = _parsed(fields)
            if quote is not None:
                newest[quote.symbol] = quote
        for quote in newest.values():
            known = self._latest.get(quote.symbol)
            if known is None or known.at < quote.at:
                self._tell(quote)
        return entries[0][0].decode() if entries else "0-0"

    async def _read(self, client: redis.asyncio.Redis, last_id: str) -> str:
        answer: Any = await client.xread({quotes.STREAM: last_id}, block=_BLOCK_MS, count=500)
        if not answer:
            # Silence may mean that the stream began anew with ids below ours: look again.
            return await self._prime(client)
        for entry_id, fields in answer[0][1]:  # one stream was asked for
            quote = _parsed(fields)
            if quote is not None:
                self._tell(quote)
            last_id = entry_id.decode()
        return last_id

    def _tell(self, quote: Quote) -> None:
        self._latest[quote.symbol] = quote
        for callback in tuple(self._callbacks):
            try:
                callback(quote)
            except Exception:  # noqa: BLE001 - one listener's defect must not stop the prices
                _log.exception("a listener failed on a quote of %s", quote.symbol)

    def _set_connected(self, connected: bool, error: Exception | None = None) -> None:
        if connected and not self.connected:
            _log.info("quotes are read")
        if self.connected and not connected:
            _log.warning("quotes are not read, Redis is away: %s", error)
        self.connected = connected


def _parsed(fields: dict[bytes, bytes]) -> Quote | None:
    try:
        return quotes.parse_quote(fields[quotes.FIELD.encode()])
    except (KeyError, ValueError) as error:
        _log.warning("an entry of the quote stream is not a quote: %r", error)
        return None
