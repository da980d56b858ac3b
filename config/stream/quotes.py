"""The latest quote of each symbol, as the Redis stream ``quotes`` brings them.

Quotes are conflated: a client that is slow gets the latest of each symbol it asked for, never a
backlog.
"""

import asyncio
import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from marketdata.quotes import parse_quote
from portal.rows import quote_cells
from trading.market import Quote

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Latest:
    """One symbol's newest quote as SSE blocks; ``version`` grows with every quote received."""

    version: int
    frame: bytes
    cells: bytes
    feed: str
    at: str
    text: str


class QuoteBoard:
    """What is newest per symbol, and the clients to wake when something moves."""

    def __init__(self) -> None:
        self.wakes: set[asyncio.Event] = set()
        # The last entry read from the stream; None until its end has been looked up.
        self.last_id: str | None = None
        self._latest: dict[str, Latest] = {}
        self._version = 0

    def take(self, text: str) -> None:
        """Take one quote's JSON.

        :raises ValueError: if it is not JSON of an object with a symbol, or its cells are no text.
        """
        quote = json.loads(text)
        if not isinstance(quote, dict) or not isinstance(quote.get("symbol"), str):
            raise ValueError("a quote without a symbol")
        self._version += 1
        try:
            cells = quote_cells(quote)
        except TypeError as error:
            raise ValueError(str(error)) from error
        self._latest[quote["symbol"]] = Latest(
            self._version, _block(quote), _block(cells), cells["feed"], cells["t"], text
        )

    def quotes(self, symbols: Iterable[str]) -> dict[str, Quote]:
        """Return the newest quotes of these symbols as values; a malformed one is left out."""
        found = {}
        for symbol in symbols:
            latest = self._latest.get(symbol)
            if latest is None:
                continue
            try:
                found[symbol] = parse_quote(latest.text)
            except ValueError:
                logger.exception("stream: the quote of %s cannot be valued", symbol)
        return found

    def lacks(self, symbols: Iterable[str]) -> list[str]:
        """Return the symbols of which nothing is known yet."""
        return [symbol for symbol in symbols if symbol not in self._latest]

    def newer(self, seen: dict[str, int]) -> list[Latest]:
        """Return the quotes newer than the versions in ``seen``, and note them there."""
        found = []
        for symbol, version in seen.items():
            latest = self._latest.get(symbol)
            if latest is not None and latest.version > version:
                found.append(latest)
                seen[symbol] = latest.version
        return found

    def feed_ages(self, symbols: Iterable[str], now: datetime) -> dict[str, str]:
        """Return the seconds since each feed's newest quote of these symbols."""
        newest: dict[str, str] = {}
        for symbol in symbols:
            latest = self._latest.get(symbol)
            if latest is not None:
                newest[latest.feed] = max(latest.at, newest.get(latest.feed, ""))
        ages = {}
        for feed, at in newest.items():
            try:
                ages[feed] = f"{max(0.0, (now - datetime.fromisoformat(at)).total_seconds()):.1f}"
            except (ValueError, TypeError):  # a quote without an instant has no age
                continue
        return ages

    def reset(self) -> None:
        """Forget everything: nobody follows quotes any more, so nothing keeps them fresh."""
        self._latest.clear()
        self.last_id = None

    def wake(self) -> None:
        """Have every client look."""
        for event in self.wakes:
            event.set()


def _block(data: dict[str, object] | dict[str, str]) -> bytes:
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
    return f"event: quote\ndata: {text}\n\n".encode()
