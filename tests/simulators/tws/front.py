"""The socket in front of the brokerage: handshake, requests in, messages out, faults between.

One ``Front`` serves any number of clients, each with its own client id. Everything runs on one
event loop; ``tests.simulators.tws.thread`` runs it beside a test that has its own.
"""

import asyncio
import contextlib
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.simulators.faults import Fault, FaultScript
from tests.simulators.tws import layouts
from tests.simulators.tws.answers import Answers, Asker
from tests.simulators.tws.brokerage import Brokerage, Said
from tests.simulators.tws.requests import NAMES
from tests.simulators.tws.wire import Fields, Frames, fields_of, frame

GREETING = b"API\0"
CLIENT_ID_TAKEN = (
    "Unable to connect as the client id is already in use. Retry with a unique client id."
)
BID, ASK, LAST = 1, 2, 4
TIME = "%Y%m%d-%H:%M:%S"


@dataclass(slots=True, eq=False)
class Line:
    """One client's connection."""

    writer: asyncio.StreamWriter
    asker: Asker = field(default_factory=Asker)
    held_back: bytes = b""

    def cut(self) -> None:
        """Close without a goodbye."""
        self.writer.transport.abort()


class Front:
    """A TWS that listens on loopback. ``version`` is the newest server version it offers."""

    def __init__(
        self,
        brokerage: Brokerage,
        *,
        faults: FaultScript | None = None,
        version: int = 178,
        next_order_id: int = 1,
    ) -> None:
        self.brokerage = brokerage
        self.faults = faults or FaultScript()
        self.version = version
        self.answers = Answers(brokerage, next_order_id)
        self.lines: list[Line] = []
        self.received: list[tuple[str, Fields]] = []
        self.port = 0
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()

    # --- life -----------------------------------------------------------------------------------

    async def start(self, port: int = 0) -> None:
        """Listen on loopback; ``port`` 0 takes a free one, which ``self.port`` then names."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening, cut every line and wait until all are gone."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.cut()
        await asyncio.gather(*self._serving)

    def cut(self) -> None:
        """Cut every line; whoever reconnects is served."""
        for line in list(self.lines):
            line.cut()

    async def tell(self, said: Iterable[Said]) -> None:
        """Write messages to whoever should hear them. A client that is away never hears them."""
        for message in said:
            for line in list(self.lines):
                if line.asker.started and message.client_id in (None, line.asker.client_id):
                    await self._write(line, message)

    async def quote(self, symbol: str, bid: str, ask: str, size: int = 1_000) -> None:
        """Show a market to who watches it and to the resting orders."""
        listing = self.brokerage.listing(symbol)
        said = self.brokerage.quote(symbol, bid, ask, size)
        for line in list(self.lines):
            for request_id, watched in line.asker.watches.items():
                if watched is listing:
                    for tick, price in ((BID, bid), (ASK, ask), (LAST, ask)):
                        await self._write(
                            line, Said("tickPrice", [1, 6, request_id, tick, price, size, 0])
                        )
        await self.tell(said)

    # --- one connection ---------------------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None, "a server runs its callback as a task"
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        line = Line(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            if await reader.readexactly(len(GREETING)) != GREETING:
                line.cut()
                return
            self.lines.append(line)
            frames = Frames()
            while data := await reader.read(65_536):
                for body in frames.feed(data):
                    if not line.asker.version:
                        self._shake_hands(line, body)
                    else:
                        await self._requested(line, fields_of(body))
        if line in self.lines:
            self.lines.remove(line)
        line.writer.close()

    def _is_taken(self, client_id: int) -> bool:
        return any(line.asker.client_id == client_id for line in self.lines)

    def _shake_hands(self, line: Line, body: bytes) -> None:
        """``v157..178`` is answered with the newest version both sides speak."""
        versions = body.decode().split(" ")[0].removeprefix("v")
        line.asker.version = min(self.version, int(versions.partition("..")[2]))
        line.writer.write(frame([line.asker.version, time.strftime(TIME)]))

    async def _requested(self, line: Line, fields: Fields) -> None:
        name = NAMES.get(int(fields[0]), fields[0])
        self.received.append((name, fields))
        if name == "startApi" and self._is_taken(int(fields[2])):
            line.writer.write(frame(layouts.error(-1, 326, CLIENT_ID_TAKEN)))
            line.writer.close()
            return
        fault = self.faults.of(f"in:{name}")
        kind = fault.fault if fault else None
        if kind is Fault.DROP:
            line.cut()
        elif kind is Fault.IGNORE:
            return
        elif kind is Fault.ERROR and fault is not None:
            answer = layouts.error(int(fields[1]), fault.code, fault.text)
            await self._write(line, Said("error", answer))
        else:
            if kind is Fault.DELAY and fault is not None:
                await asyncio.sleep(fault.seconds)
            said = self.answers.to(line.asker, name, fields)
            if kind is Fault.KILL:
                line.cut()
            elif kind is not Fault.SWALLOW:
                await self._deliver(line, said)

    async def _deliver(self, line: Line, said: Iterable[Said]) -> None:
        """Answers go to who asked; what concerns an order goes to the client that placed it."""
        for message in said:
            if message.client_id is None:
                await self._write(line, message)
            else:
                await self.tell([message])

    async def _write(self, line: Line, said: Said) -> None:
        fault = self.faults.of(f"out:{said.name}")
        kind = fault.fault if fault else None
        if kind in (Fault.SWALLOW, Fault.IGNORE):
            return
        if kind is Fault.DROP:
            line.cut()
            return
        if kind is Fault.DELAY and fault is not None:
            await asyncio.sleep(fault.seconds)
        data = frame(self._row(line, said))
        if kind is Fault.REORDER:
            line.held_back = data
            return
        line.writer.write(data * 2 if kind is Fault.DUPLICATE else data)
        if line.held_back:
            line.writer.write(line.held_back)
            line.held_back = b""
        if kind is Fault.KILL:
            with contextlib.suppress(ConnectionError):
                await line.writer.drain()
            line.writer.close()

    def _row(self, line: Line, said: Said) -> layouts.Row:
        """Layouts that differ by version are written for the version of this line."""
        if said.name == "openOrder":
            return layouts.open_order(said.row[0], line.asker.version, *said.row[1:])
        if said.name == "completedOrder":
            return layouts.completed_order(said.row[0], line.asker.version)
        if said.name == "execDetails":
            return layouts.execution(said.row[0], line.asker.version, *said.row[1:])
        return said.row
