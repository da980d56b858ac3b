"""Database work of an asyncio process: plain functions run in threads, each with its connection."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from django.db import InterfaceError, OperationalError, close_old_connections, connections

P = ParamSpec("P")
R = TypeVar("R")


class DatabaseAway(Exception):
    """Postgres did not answer; whoever asked starts again once it does."""


class DatabaseThreads:
    """Runs functions that use Django's ORM off the event loop."""

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="db")

    async def run(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Return ``function(...)``. :raises DatabaseAway: if the connection failed meanwhile."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._pool, partial(_with_fresh_connection, partial(function, *args, **kwargs))
        )

    def close(self) -> None:
        """Wait for what is running, then end the threads."""
        self._pool.shutdown(wait=True, cancel_futures=True)


def _with_fresh_connection(work: Callable[[], R]) -> R:
    close_old_connections()
    try:
        return work()
    except (OperationalError, InterfaceError) as failure:
        connections.close_all()
        raise DatabaseAway(str(failure)) from failure
