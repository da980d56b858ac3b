"""Runs a simulator's front on an event loop of its own, for tests whose gateway has another."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Generic, Protocol, TypeVar


class Servable(Protocol):
    """A front: it listens until it is stopped."""

    async def start(self, port: int = 0) -> None: ...

    async def stop(self) -> None: ...


Front = TypeVar("Front", bound=Servable)


class InThread(Generic[Front]):
    """A running front; ``do`` carries out one of its coroutines there and waits."""

    def __init__(self, served: Front, loop: asyncio.AbstractEventLoop) -> None:
        self.served = served
        self._loop = loop

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine on the front's loop; return its result or raise what it raises."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)


@contextmanager
def running(front: Front) -> Iterator[InThread[Front]]:
    """Serve until the block ends."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="simulator", daemon=True)
    thread.start()
    served = InThread(front, loop)
    try:
        served.do(front.start())
        yield served
    finally:
        served.do(front.stop())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
