"""Delivers messages: in order within an account, accounts side by side."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Generic, Protocol, TypeVar

log = logging.getLogger("brokers")


class Addressed(Protocol):
    """Something that is for one account."""

    @property
    def account(self) -> str:
        """The account's code."""


Message = TypeVar("Message", bound=Addressed)


class Outbox(Generic[Message]):
    """One queue and one task per account. The first failed delivery ends the session: what is
    still queued is dropped and found again by the reconciliation of the next one.
    """

    def __init__(
        self, deliver: Callable[[Message], Awaitable[None]], failed: Callable[[str], None]
    ) -> None:
        self._deliver = deliver
        self._failed = failed
        self._queues: dict[str, asyncio.Queue[Message]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._closed = False

    def put(self, message: Message) -> None:
        """Queue a message; after a failure or ``close`` it is dropped."""
        if self._closed:
            return
        queue = self._queues.get(message.account)
        if queue is None:
            queue = self._queues[message.account] = asyncio.Queue()
            self._tasks.append(asyncio.get_running_loop().create_task(self._run(queue)))
        queue.put_nowait(message)

    async def close(self) -> None:
        """Stop delivering."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self, queue: asyncio.Queue[Message]) -> None:
        while not self._closed:
            message = await queue.get()
            try:
                await self._deliver(message)
            except Exception as failure:  # noqa: BLE001 - any failure of the receiver ends it
                log.warning("a message for %s was not taken: %r", message.account, failure)
                self._closed = True
                self._failed(f"a message was not taken: {failure!r}")
