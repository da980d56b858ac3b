"""Asks the venue about orders whose reports leave a question: a fill claimed and never told, a
report that cannot be, a late word about an order that is done.

What is asked for is kept in memory alone: the reconciliation every minute finds the same.
"""

import asyncio
import contextlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from brokers.adapters.base import NotConnected
from oms.gateway import messages, recovery
from oms.gateway.clock import utcnow
from oms.services import evidence, reconciliation
from oms.services.reports import Incoming, apply_reports

if TYPE_CHECKING:
    from oms.gateway.session import Session

log = logging.getLogger("oms.gateway")
DELAYS = (timedelta(seconds=2), timedelta(seconds=5), timedelta(seconds=15))
"""A venue's own messages may be behind its answers: the first question waits for them."""


@dataclass(slots=True)
class _Asked:
    tries: int
    due: datetime


class Inquiries:
    """The orders of one session to ask about, each until an answer leaves no question."""

    def __init__(self) -> None:
        self._asked: dict[str, _Asked] = {}
        self._wake = asyncio.Event()

    def note(self, order_pks: Iterable[str]) -> None:
        """These orders' reports leave a question."""
        for order_pk in order_pks:
            self._asked.setdefault(order_pk, _Asked(0, utcnow() + DELAYS[0]))
        self._wake.set()

    async def run(self, session: "Session") -> None:
        """Ask when it is time, while the session stands."""
        while True:
            self._wake.clear()
            now = utcnow()
            for order_pk in [pk for pk, asked in self._asked.items() if asked.due <= now]:
                await self._ask(session, order_pk)
            waits = [(asked.due - utcnow()).total_seconds() for asked in self._asked.values()]
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(min(waits), 0) if waits else None):
                    await self._wake.wait()

    async def _ask(self, session: "Session", order_pk: str) -> None:
        asked = self._asked[order_pk]
        try:
            settled = await ask(session, order_pk)
        except NotConnected as failure:
            raise ConnectionError("the venue is not connected") from failure
        if settled or asked.tries + 1 == len(DELAYS):
            if not settled:
                log.warning("order %s stays in question; reconciliation goes on", order_pk)
            del self._asked[order_pk]
            return
        self._asked[order_pk] = _Asked(asked.tries + 1, utcnow() + DELAYS[asked.tries + 1])


async def ask(session: "Session", order_pk: str) -> bool:
    """Fetch an order's executions, then its status; whether no question is left."""
    broker = session.broker
    assert broker is not None, "a session asks only while it has a broker"
    subject = await session.database.run(
        evidence.subject_of_inquiry, schema=session.schema, order_pk=order_pk
    )
    page = await broker.executions(subject.account_code, subject.since, (subject.symbol,))
    for raw in page.messages:
        await session.database.run(
            messages.take,
            schema=session.schema,
            account_code=subject.account_code,
            raw=raw,
            parse=broker.parse,
            now=utcnow(),
        )
    answer = await broker.lookup(subject.account_code, subject.venue_cl_ord_id, subject.symbol)
    if answer.found is None:
        return False
    (folded,) = await session.database.run(
        apply_reports,
        schema=session.schema,
        account_id=subject.account_id,
        incoming=[Incoming(recovery.status_report(subject.account_code, answer.found), None)],
        actor=reconciliation.ACTOR,
        now=utcnow(),
    )
    return folded is not None and not folded.query
