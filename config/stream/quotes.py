"""The latest quote of each symbol, as the Redis stream ``quotes`` brings them.

Quotes are conflated: a client that is slow gets the latest of each symbol it asked for, never a
backlog.
"""

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Latest:
    """One symbol's newest quote as an SSE block; ``version`` grows with every quote received."""

    version: int
    frame: bytes


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

        :raises ValueError: if it is not JSON of an object with a symbol.
        """
        quote = json.loads(text)
        if not isinstance(quote, dict) or not isinstance(quote.get("symbol"), str):
            raise ValueError("a quote without a symbol")
        self._version += 1
        data = json.dumps(quote, separators=(",", ":"), ensure_ascii=False)
        frame = f"event: quote\ndata: {data}\n\n".encode()
        self._latest[quote["symbol"]] = Latest(self._version, frame)

    def lacks(self, symbols: Iterable[str]) -> list[str]:
        """Return the symbols of which nothing is known yet."""
        return [symbol for symbol in symbols if symbol not in self._latest]

    def newer(self, seen: dict[str, int]) -> list[bytes]:
        """Return the frames newer than the versions in ``seen``, and note them there."""
        frames = []
        for symbol, version in seen.items():
            latest = self._latest.get(symbol)
            if latest is not None and latest.version > version:
                frames.append(latest.frame)
                seen[symbol] = latest.version
        return frames

    def reset(self) -> None:
        """Forget everything: nobody follows quotes any more, so nothing keeps them fresh."""
        self._latest.clear()
        self.last_id = None

    def wake(self) -> None:
        """Have every client look."""
        for event in self.wakes:
            event.set()
