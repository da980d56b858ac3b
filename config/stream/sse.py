"""One client of a stream: its frames out, its heartbeats, and the reasons to end."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from common.errors import Refused
from config.stream.credentials import Credential
from config.stream.http import Receive, Request, Send

HEARTBEAT_S = 5.0
# A client whose socket takes nothing for this long is dropped; it resumes where it was.
STALLED_S = 30.0
_RETRY_MS = 2000

T = TypeVar("T")


class SseClient:
    """Writes the answer of one stream until the client leaves or its credential is refused.

    ``wake`` is set by whatever concerns the client: new events, refusal, disconnect, shutdown.
    """

    def __init__(
        self, request: Request, receive: Receive, send: Send, credential: Credential
    ) -> None:
        self.wake = asyncio.Event()
        self.credential = credential
        self._request = request
        self._receive = receive
        self._send = send
        self._loop = asyncio.get_running_loop()
        self._next_beat = 0.0
        self.is_started = False
        # What a heartbeat says, where it says more than the time.
        self.beat_data: Callable[[], Awaitable[dict[str, Any]]] | None = None
        self._gone = False
        self._watching: asyncio.Task[None] | None = None

    @property
    def is_live(self) -> bool:
        """Whether there is still somebody to send to who may have it."""
        return not self._gone and self.credential.refused is None

    async def start(self) -> None:
        """Send the head of the answer and a first heartbeat, so that proxies let it through."""
        self._watching = asyncio.create_task(self._watch(), name="stream disconnect")
        self.credential.wakes.add(self.wake)
        self.is_started = True
        headers = {
            "content-type": "text/event-stream; charset=utf-8",
            "cache-control": "no-store",
            "x-accel-buffering": "no",
            "x-content-type-options": "nosniff",
            "x-request-id": self._request.request_id,
        }
        await self._send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            }
        )
        await self.send(f"retry: {_RETRY_MS}\n\n".encode())
        await self.beat()

    async def send(self, block: bytes) -> None:
        """Send SSE blocks; a stalled or broken connection ends the stream quietly."""
        if self._gone:
            return
        try:
            async with asyncio.timeout(STALLED_S):
                await self._send({"type": "http.response.body", "body": block, "more_body": True})
        except (TimeoutError, OSError):
            self._gone = True

    async def beat(self) -> None:
        """Send a heartbeat if one is due."""
        if self._loop.time() < self._next_beat:
            return
        self._next_beat = self._loop.time() + HEARTBEAT_S
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        data = {"at": at} if self.beat_data is None else await self.beat_data()
        text = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
        await self.send(f"event: hb\ndata: {text}\n\n".encode())

    async def wait(self, longest: float = HEARTBEAT_S) -> None:
        """Sleep until something concerns this client; heartbeats go on."""
        wait = min(longest, max(0.0, self._next_beat - self._loop.time()))
        try:
            async with asyncio.timeout(wait):
                await self.wake.wait()
        except TimeoutError:
            pass
        await self.beat()

    async def meanwhile(self, work: Awaitable[T]) -> T:
        """Await a read that may take long, with heartbeats going on."""
        task = asyncio.ensure_future(work)
        try:
            while True:
                wait = max(0.0, self._next_beat - self._loop.time())
                done, _ = await asyncio.wait({task}, timeout=wait)
                if done:
                    return task.result()
                await self.beat()
        finally:
            task.cancel()

    async def finish(self) -> None:
        """End the answer, saying why where it was our doing."""
        self.credential.wakes.discard(self.wake)
        refused = self.credential.refused
        if not self._gone:
            try:
                async with asyncio.timeout(1):
                    body = b"" if refused is None else _end_block(refused)
                    await self._send({"type": "http.response.body", "body": body})
            except (TimeoutError, OSError):
                self._gone = True
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._gone = True
        self.wake.set()


def _end_block(refused: Refused) -> bytes:
    data = json.dumps({"code": refused.code, "detail": refused.detail}, ensure_ascii=False)
    return f"event: end\ndata: {data}\n\n".encode()
