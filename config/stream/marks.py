"""What the positions of followed accounts are worth, told at most once a second.

The books are read by the API's own selectors, in a thread, when something was booked; prices come
from the quotes this process has anyway. So a mark costs no query, and equals what the API says.
"""

import asyncio
import json
import logging
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from django.db import DatabaseError, connection

from brokers.models import BrokerAccount
from config.stream.quotes import QuoteBoard
from portal.books.positions import AccountBooks, cells, read_books
from tenants.binding import tenant_bound

logger = logging.getLogger(__name__)

EVERY_S = 1.0
# Bookings reach us as events; what does not (a reservation freed by hand) is seen this late.
READ_AGAIN_S = 10.0


@dataclass(slots=True)
class _Firm:
    """The books of a firm's followed accounts, and through which position they are read."""

    read_through: int = -1
    moved_at: int = -1
    read_at: float = float("-inf")
    day: date | None = None
    books: dict[str, AccountBooks] = field(default_factory=dict)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Marks:
    """Values the positions of every firm that has a browser open."""

    def __init__(self, board: QuoteBoard) -> None:
        self._board = board
        self._firms: dict[str, _Firm] = {}
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="stream-marks")

    def stop(self) -> None:
        """End the thread that reads books."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def moved(self, schema: str, position: int) -> None:
        """Note an event at which books may have changed."""
        firm = self._firms.setdefault(schema, _Firm())
        firm.moved_at = max(firm.moved_at, position)

    async def books_of(
        self, schema: str, accounts: Iterable[str], *, tip: int
    ) -> list[AccountBooks]:
        """Return the books of these accounts as they are at the position ``tip`` or later.

        While the database is away they are as they were last.
        """
        wanted = set(accounts)
        firm = self._firms.setdefault(schema, _Firm())
        async with firm.lock:
            if self._is_old(firm, wanted):
                await self._read(schema, firm, wanted | set(firm.books), tip)
        return [firm.books[code] for code in sorted(wanted) if code in firm.books]

    def blocks(self, books: Iterable[AccountBooks], seen: dict[str, str]) -> bytes:
        """Return what changed since ``seen``, and note it there."""
        now = datetime.now(UTC)
        out = []
        for book in books:
            for row in cells(book, self._board.quotes(book.symbols), now):
                text = json.dumps(row, separators=(",", ":"), ensure_ascii=False)
                if seen.get(row["k"]) != text:
                    seen[row["k"]] = text
                    out.append(f"event: mark\ndata: {text}\n\n".encode())
        return b"".join(out)

    def _is_old(self, firm: _Firm, wanted: set[str]) -> bool:
        loop = asyncio.get_running_loop()
        return (
            firm.moved_at > firm.read_through
            or loop.time() - firm.read_at > READ_AGAIN_S
            or datetime.now(UTC).date() != firm.day
            or not wanted <= set(firm.books)
        )

    async def _read(self, schema: str, firm: _Firm, accounts: set[str], tip: int) -> None:
        loop = asyncio.get_running_loop()
        now = datetime.now(UTC)
        try:
            found = await loop.run_in_executor(self._thread, _read, schema, accounts, now)
        except DatabaseError as error:
            logger.warning("stream: the books of %s are not readable: %s", schema, error)
            return
        firm.books, firm.read_through = found, max(tip, firm.read_through)
        firm.read_at, firm.day = loop.time(), now.date()


def _read(schema: str, accounts: set[str], now: datetime) -> dict[str, AccountBooks]:
    """Runs in a thread; keeps no database connection.

    :raises DatabaseError: if the database is away.
    """
    try:
        with tenant_bound(schema):
            rows = list(BrokerAccount.objects.filter(code__in=accounts).order_by("code"))
            return read_books(rows, now=now)
    finally:
        connection.close()
