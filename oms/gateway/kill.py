"""Asks for the end of what works under a halt, every two seconds, until the venue proves empty.

It goes on while the venue is away: what never left is withdrawn, and a halt that stays unproved is
told to people.
"""

import asyncio
import logging
from typing import TYPE_CHECKING

from brokers.adapters.base import NotConnected, VenueOrder
from oms.gateway.clock import utcnow
from oms.gateway.database import DatabaseAway
from oms.services import kill

if TYPE_CHECKING:
    from oms.gateway.session import Session

log = logging.getLogger("oms.gateway")
EVERY_S = 2.0


async def watch(session: "Session") -> None:
    """Look after the halts of one connection for as long as its session exists."""
    proved: set[str] = set()
    while True:
        try:
            await _round(session, proved)
        except (DatabaseAway, ConnectionError, TimeoutError) as failure:
            log.warning("halts of %s are looked after later: %s", session.schema, failure)
        except Exception:
            log.exception("looking after the halts of %s fails", session.schema)
        await asyncio.sleep(EVERY_S)


async def _round(session: "Session", proved: set[str]) -> None:
    run, schema, connection_id = session.database.run, session.schema, session.connection_id
    for sweep in await run(kill.sweeps, schema=schema, connection_id=connection_id, now=utcnow()):
        if sweep.halt_id in proved and not sweep.is_open:
            continue
        await run(kill.ask_again, schema=schema, sweep=sweep, now=utcnow())
        working = await _working(session, sweep)
        is_empty = await run(
            kill.conclude,
            schema=schema,
            connection_id=connection_id,
            sweep=sweep,
            working=working or [],
            complete=working is not None,
            now=utcnow(),
        )
        if is_empty:
            proved.add(sweep.halt_id)
        elif working == []:
            session.wake(reconcile=True)  # the venue is done with orders that are open here


async def _working(session: "Session", sweep: kill.Sweep) -> list[VenueOrder] | None:
    """What the venue shows as working; None while it does not show everything."""
    if session.broker is None or not session.is_up:
        return None
    found: list[VenueOrder] = []
    for code in sweep.accounts:
        try:
            page = await session.broker.open_orders(code)
        except NotConnected:
            return None
        if not page.complete:
            return None
        found += page.orders
    return found
