"""Runs a front on an event loop of its own, for tests whose gateway has another."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

from tests.simulators.tws.front import Front


class FrontInThread:
    """A running front; ``do`` carries out one of its coroutines there and waits."""

    def __init__(self, front: Front, loop: asyncio.AbstractEventLoop) -> None:
        self.front = front
        self._loop = loop

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine on the front's loop; return its result or raise what it raises."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)


@contextmanager
def running(front: Front) -> Iterator[FrontInThread]:
    """Serve until the block ends."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="tws-front", daemon=True)
    thread.start()
    served = FrontInThread(front, loop)
    try:
        served.do(front.start())
        yield served
    finally:
        served.do(front.stop())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
