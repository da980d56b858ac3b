"""The socket to a TWS or IB Gateway: every message seen, every question answered or timed out.

The library connects, frames and writes; what comes in is taken before its decoder, so that
neither its view of orders nor its floats stand between the wire and us.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

from brokers.adapters.base import NotConnected
from brokers.adapters.ib import codes, lib, wire

log = logging.getLogger("brokers.ib")
CONNECT_S = 4.0
ANSWER_S = 10.0
PER_SECOND = 45
"""TWS cuts clients that send more than 50 messages a second."""
FIRST_REQUEST = 1_500_000_000
"""Requests are numbered far above orders, so that an error names one or the other."""
KNOCKED_OUT = "client id {} is in use at this TWS; give the connection another one"
_REQUEST_AT = {
    wire.CONTRACT: 1,
    wire.CONTRACT_END: 2,
    wire.EXECUTION: 1,
    wire.EXECUTIONS_END: 2,
    wire.VALUE_MULTI: 2,
    wire.VALUES_MULTI_END: 2,
}
"""Where a message names the request it answers."""

Fields = tuple[str, ...]


class QuestionRefused(Exception):
    """TWS answered a question with an error."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"{code} {text}")
        self.code = code


@dataclass(slots=True, eq=False)
class _Question:
    rows: frozenset[int]
    end: int
    request_id: int | None
    answer: "asyncio.Future[list[Fields]]"
    got: list[Fields] = field(default_factory=list)

    def concerns(self, fields: Fields, version: int) -> bool:
        """Whether a message belongs to the answer."""
        kind = int(fields[0])
        if kind != self.end and kind not in self.rows:
            return False
        place = _REQUEST_AT.get(kind)
        if place is None or self.request_id is None:
            return True
        if kind == wire.CONTRACT and version < wire.SIZE_RULES:
            place += 1
        return int(fields[place]) == self.request_id


class Line:
    """One connection under one client id. ``on_message`` hears what is no answer to a question;
    ``on_end`` hears, once, why the line is gone.
    """

    def __init__(self, on_message: Callable[[Fields], None], on_end: Callable[[str], None]) -> None:
        self._library = lib.load()
        self._ib = self._library.IB()
        self._client = self._ib.client
        self._on_message = on_message
        self._on_end = on_end
        self._questions: list[_Question] = []
        self._request_ids = count(FIRST_REQUEST)
        self._ended = False
        self._refusal = ""
        self._sent: list[float] = []
        self.version = 0
        self.next_valid_id = 0
        self.is_reachable = False
        """Whether TWS itself is connected to the brokerage (codes 1100 to 1102)."""

    async def open(self, host: str, port: int, client_id: int) -> None:
        """Shake hands and wait for the accounts and the next order number.

        :raises NotConnected: with the reason: nobody listens, the client id is taken, no answer.
        """
        # The library's own reading of messages, and its memory of orders, are left out.
        self._client.decoder.interpret = self._arrived
        self._client.MaxRequests = 0  # a command the library kept back would leave too late
        self._client.apiEnd += self._line_lost
        try:
            await self._client.connectAsync(host, port, client_id, CONNECT_S)
        except (OSError, TimeoutError) as failure:
            self.close()
            reason = self._refusal or str(failure) or "no answer"
            raise NotConnected(f"TWS at {host}:{port}: {reason}") from failure
        self.version = int(self._client.serverVersion())
        self.is_reachable = True

    def close(self) -> None:
        """End the line; safe at any time."""
        self._end("closed by us")
        if self._client.isConnected():
            self._client.disconnect()

    @property
    def accounts(self) -> list[str]:
        """The accounts this login may trade."""
        return list(self._client.getAccounts())

    def contract(self, **fields: Any) -> Any:
        """A contract of the library."""
        return self._library.Contract(**fields)

    def order(self, **fields: Any) -> Any:
        """An order of the library."""
        return self._library.Order(**fields)

    def any_execution(self) -> Any:
        """A filter of the library that lets every execution pass."""
        return self._library.ExecutionFilter()

    # --- commands -------------------------------------------------------------------------------

    async def write(self, send: Callable[[Any], None], *, not_after: datetime | None) -> None:
        """Write one command once the pace allows it, unless it is then too late for it.

        :raises NotConnected: if nothing was written.
        """
        await self._pace()
        if self._ended or not self._client.isConnected():
            raise NotConnected("the line to TWS is down")
        if not_after is not None and datetime.now(UTC) > not_after:
            raise NotConnected("the command's time was over before it could be written")
        send(self._client)

    async def _pace(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            now = loop.time()
            self._sent = [at for at in self._sent if now - at < 1.0]
            if len(self._sent) < PER_SECOND:
                self._sent.append(now)
                return
            await asyncio.sleep(self._sent[0] + 1.0 - now)

    # --- questions --------------------------------------------------------------------------------

    async def ask(
        self,
        send: Callable[[Any, int], None],
        *,
        rows: frozenset[int],
        end: int,
        numbered: bool = False,
    ) -> list[Fields]:
        """Send a question and return the messages of its answer, in order.

        ``send`` gets the client and a request number, which ``numbered`` answers carry.

        :raises NotConnected: if the line is or goes down.
        :raises QuestionRefused: if TWS answers with an error.
        :raises TimeoutError: if the answer does not end in time: then nothing is known.
        """
        if self._ended:
            raise NotConnected("the line to TWS is down")
        request_id = next(self._request_ids) if numbered else None
        with self._asking(rows, end, request_id) as question:
            await self.write(lambda client: send(client, request_id or 0), not_after=None)
            return await asyncio.wait_for(question.answer, ANSWER_S)

    @contextmanager
    def _asking(
        self, rows: frozenset[int], end: int, request_id: int | None
    ) -> Iterator[_Question]:
        answer: asyncio.Future[list[Fields]] = asyncio.get_running_loop().create_future()
        question = _Question(rows, end, request_id, answer)
        self._questions.append(question)
        try:
            yield question
        finally:
            self._questions.remove(question)

    # --- what comes in ----------------------------------------------------------------------------

    def _arrived(self, message: list[str]) -> None:
        fields = tuple(message)
        try:
            kind = int(fields[0])
            if kind == wire.NEXT_VALID_ID:
                self.next_valid_id = int(fields[2])
            taken = self._answered(kind, fields)
            if kind == wire.ERROR and self._of_the_line(wire.error(fields)):
                return
        except (ValueError, IndexError):
            taken = False  # whoever reads it will say that it cannot be read
        if not taken:
            self._on_message(fields)

    def _answered(self, kind: int, fields: Fields) -> bool:
        """Give a message to the questions it answers; whether nobody else needs it."""
        taken = False
        for question in self._questions:
            if question.answer.done():
                continue
            if kind == wire.ERROR and question.request_id is not None:
                error = wire.error(fields)
                if error.number == question.request_id:
                    question.answer.set_exception(QuestionRefused(error.code, error.text))
                    taken = True
            elif question.concerns(fields, self.version):
                taken = True
                if kind == question.end:
                    question.answer.set_result(question.got)
                else:
                    question.got.append(fields)
        # What carries no request number may be news as well as an answer.
        return taken and kind not in (wire.OPEN_ORDER, wire.ORDER_STATUS, wire.COMMISSION)

    def _of_the_line(self, error: wire.WireError) -> bool:
        """Codes about the connection itself; whether it was one."""
        if error.code == codes.CLIENT_ID_IN_USE:
            self._refusal = KNOCKED_OUT.format(self._client.clientId)
        elif error.code == codes.CONNECTIVITY_LOST:
            self.is_reachable = False
            log.warning("TWS has lost the brokerage: %s", error.text)
        elif error.code in (codes.RESTORED, codes.RESTORED_DATA_LOST, codes.PORT_CHANGED):
            # What happened meanwhile was not told: a new session asks for all of it.
            asyncio.get_running_loop().call_soon(self._drop, f"{error.code} {error.text}")
        elif error.number != -1:
            return False
        return True

    def _drop(self, reason: str) -> None:
        self._end(reason)
        if self._client.isConnected():
            self._client.disconnect()

    def _line_lost(self) -> None:
        self._end(self._refusal or "TWS closed the line")

    def _end(self, reason: str) -> None:
        if self._ended:
            return
        self._ended = True
        self.is_reachable = False
        for question in self._questions:
            if not question.answer.done():
                question.answer.set_exception(NotConnected(reason))
        self._on_end(reason)
