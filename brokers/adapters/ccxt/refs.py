"""Our ids of orders the exchange names by its own: learnt from answers, streams and look-ups."""

from collections.abc import Awaitable, Callable
from typing import Any


class Refs:
    """The orders of one session. ``ask`` fetches one the session has not heard of."""

    def __init__(self, ask: Callable[[str, str], Awaitable[dict[str, Any] | None]]) -> None:
        self._ask = ask
        self._by_order_id: dict[str, str] = {}
        self._by_ref: dict[str, str] = {}

    def learn(self, order_id: str, ref: str | None) -> None:
        """This order of the exchange is ours, under this id."""
        if ref:
            self._by_order_id[order_id] = ref
            self._by_ref[ref] = order_id

    def order_id_of(self, ref: str) -> str | None:
        """The exchange's id of an order of ours, None while it is not known here."""
        return self._by_ref.get(ref)

    async def of(self, order_id: str, symbol: str) -> str | None:
        """Our id of an order of the exchange, None for one that is not ours."""
        known = self._by_order_id.get(order_id)
        if known is not None:
            return known
        said = await self._ask(order_id, symbol)
        ref = None if said is None else said.get("clientOrderId")
        self.learn(order_id, ref)
        return ref
