"""What a heartbeat tells of the world outside: how old each feed is, how each broker stands.

The states of a firm's connections are read from Postgres, at most once in four seconds however
many browsers ask.
"""

import asyncio
import logging

from common.actor import Actor
from config.stream.store import AWAY, EventStore

logger = logging.getLogger(__name__)

FRESH_S = 4.0


class BrokerLights:
    """The connection's state of every account, by firm."""

    def __init__(self, store: EventStore) -> None:
        self._store = store
        self._known: dict[str, tuple[float, dict[str, str]]] = {}
        self._asking: dict[str, asyncio.Lock] = {}

    async def of(self, actor: Actor) -> dict[str, str] | None:
        """Return the state by account code, as far as the actor sees; None if nobody knows."""
        loop = asyncio.get_running_loop()
        async with self._asking.setdefault(actor.schema, asyncio.Lock()):
            at, states = self._known.get(actor.schema, (float("-inf"), {}))
            if loop.time() - at > FRESH_S:
                try:
                    states = await self._store.account_states(actor.schema)
                except AWAY as error:
                    logger.warning("stream: broker states are not readable: %s", error)
                    self._known.pop(actor.schema, None)
                    return None
                self._known[actor.schema] = (loop.time(), states)
        return {code: state for code, state in states.items() if actor.reaches(code)}
