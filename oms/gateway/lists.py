"""Follows the lists of a connection: before anything new is sent, and after every report."""

import logging
from typing import TYPE_CHECKING

from oms.gateway.clock import utcnow
from oms.gateway.database import DatabaseAway
from oms.services.lists import follow

if TYPE_CHECKING:
    from oms.gateway.session import Session

log = logging.getLogger("oms.gateway")


async def follow_due(session: "Session") -> None:
    """Follow the lists of which a leg was reported on, or whose position is unprotected too long.

    Runs before commands are claimed, so that what a report calls for goes out with the next ones.
    """
    due = await session.database.run(
        follow.due_lists, schema=session.schema, connection_id=session.connection_id, now=utcnow()
    )
    await _follow(session, due)


async def follow_open(session: "Session") -> None:
    """Follow every list that has something open."""
    found = await session.database.run(
        follow.open_lists, schema=session.schema, connection_id=session.connection_id
    )
    await _follow(session, found)


async def _follow(session: "Session", list_ids: list[str]) -> None:
    for list_id in list_ids:
        try:
            await session.database.run(
                follow.follow, schema=session.schema, list_id=list_id, now=utcnow()
            )
        except DatabaseAway:
            raise
        except Exception:
            # One list nobody can follow holds up no other; it stays due and is tried again.
            log.exception("list %s of %s cannot be followed", list_id, session.schema)
