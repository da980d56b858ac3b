"""Ends tasks for certain."""

import asyncio
from collections.abc import Iterable
from typing import Any

AGAIN_S = 1.0


async def end(tasks: "Iterable[asyncio.Task[Any]]") -> None:
    """Cancel tasks until every one has ended, whatever it ended with.

    Once is not enough: a wait with a time limit that is over in the very moment of the cancel
    takes the cancel with it (Python 3.11), and its loop would go on for ever.
    """
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        ended, pending = await asyncio.wait(pending, timeout=AGAIN_S)
        await asyncio.gather(*ended, return_exceptions=True)
