"""Sends one account's commands, one after the other, and records what each came to."""

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from brokers.adapters.base import (
    CancelOrder,
    NotConnected,
    Outcome,
    ReplaceOrder,
    Unknown,
)
from oms.gateway import outcomes
from oms.gateway.clock import utcnow
from oms.services import protocol
from oms.services.protocol import Claimed

if TYPE_CHECKING:
    from oms.gateway.session import Session

log = logging.getLogger("oms.gateway")


async def drain(session: "Session", account_id: int) -> None:
    """Claim and send until the account has nothing more to send now."""
    while True:
        command = await session.database.run(
            protocol.claim_next,
            schema=session.schema,
            connection_id=session.connection_id,
            account_id=account_id,
            epoch=session.epoch,
            now=utcnow(),
        )
        if command is None:
            return
        await send(session, command)


async def send(session: "Session", command: Claimed) -> None:
    """Let the bytes of a claimed command leave, unless its window has passed, and settle it."""
    if utcnow() >= command.valid_until:
        outcome: Outcome = Unknown("the send window passed before the command could leave")
    else:
        try:
            outcome = await _deliver(session, command)
        except NotConnected as failure:
            await session.database.run(
                protocol.put_back,
                schema=session.schema,
                command_id=command.id,
                delay=timedelta(seconds=1),
                reason=str(failure) or "not connected",
                now=utcnow(),
            )
            raise ConnectionError("the venue is not connected") from failure
    await settle(session, command, outcome)


async def _deliver(session: "Session", command: Claimed) -> Outcome:
    broker = session.broker
    assert broker is not None, "a session sends only while it has a broker"
    request = outcomes.request_of(command)
    if isinstance(request, CancelOrder):
        return await broker.cancel(request)
    if isinstance(request, ReplaceOrder):
        return await broker.replace(request)
    return await broker.submit(request)


async def settle(session: "Session", command: Claimed, outcome: Outcome) -> None:
    """Write down what the venue's answer, or its silence, means for the command."""
    assert session.broker is not None, "a session sends only while it has a broker"
    await session.database.run(
        outcomes.settle,
        schema=session.schema,
        command=command,
        outcome=outcome,
        broker=session.broker,
        now=utcnow(),
    )
