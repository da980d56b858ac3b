"""Sends one account's commands, one after the other, and records what each came to."""

import logging
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from brokers.adapters.base import (
    Accepted,
    CancelOrder,
    NewOrder,
    NotConnected,
    Outcome,
    Rejected,
    ReplaceOrder,
    Unknown,
)
from oms.gateway.clock import utcnow
from oms.services import protocol
from oms.services.protocol import Claimed
from trading.orders.reports import ExecutionReport
from trading.vocabulary import (
    CommandKind,
    CxlRejReason,
    ExecType,
    OrdRejReason,
    OrdType,
    ReportSource,
    Side,
    TimeInForce,
)

if TYPE_CHECKING:
    from oms.gateway.session import Session

log = logging.getLogger("oms.gateway")
RETRY_CANCEL = timedelta(seconds=2)


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
    terms = command.payload
    if command.kind is CommandKind.CANCEL:
        return await broker.cancel(
            CancelOrder(
                account=command.account_code,
                venue_cl_ord_id=command.venue_cl_ord_id,
                order_id=command.order_id,
                request_id=command.cl_ord_id,
            )
        )
    price = None if terms["price"] is None else Decimal(terms["price"])
    if command.kind is CommandKind.REPLACE:
        return await broker.replace(
            ReplaceOrder(
                account=command.account_code,
                venue_cl_ord_id=command.venue_cl_ord_id,
                orig_venue_cl_ord_id=terms["orig_venue_cl_ord_id"],
                order_id=command.order_id,
                request_id=command.cl_ord_id,
                order_qty=Decimal(terms["order_qty"]),
                price=price,
                time_in_force=TimeInForce(terms["time_in_force"]),
            )
        )
    return await broker.submit(
        NewOrder(
            account=command.account_code,
            venue_cl_ord_id=command.venue_cl_ord_id,
            symbol=terms["symbol"],
            side=Side(terms["side"]),
            ord_type=OrdType(terms["ord_type"]),
            order_qty=Decimal(terms["order_qty"]),
            price=price,
            time_in_force=TimeInForce(terms["time_in_force"]),
            rules=command.rules,
            valid_until=command.valid_until,
        )
    )


async def settle(session: "Session", command: Claimed, outcome: Outcome) -> None:
    """Write down what the venue's answer, or its silence, means for the command."""
    run, schema = session.database.run, session.schema
    if isinstance(outcome, Unknown):
        await run(
            protocol.record_unknown,
            schema=schema,
            command_id=command.id,
            text=outcome.text,
            now=utcnow(),
        )
    elif isinstance(outcome, Accepted):
        await run(
            protocol.record_outcome,
            schema=schema,
            command_id=command.id,
            report=_answered(session, outcome),
            now=utcnow(),
        )
    elif outcome.proves_existence:
        await run(
            protocol.record_unknown,
            schema=schema,
            command_id=command.id,
            text=f"the venue already has this id: {outcome.text}",
            now=utcnow(),
        )
    elif _too_early(command, outcome):
        await run(
            protocol.put_back,
            schema=schema,
            command_id=command.id,
            delay=RETRY_CANCEL,
            reason="the venue does not know the order yet",
            now=utcnow(),
        )
    else:
        await run(
            protocol.record_outcome,
            schema=schema,
            command_id=command.id,
            report=_refused(session, command, outcome),
            now=utcnow(),
        )


def _too_early(command: Claimed, outcome: Rejected) -> bool:
    """A cancel of an order whose own submission is still unknown may simply be ahead of it."""
    return (
        command.kind is CommandKind.CANCEL
        and outcome.reason is CxlRejReason.UNKNOWN_ORDER
        and command.new_is_open
    )


def _answered(session: "Session", outcome: Accepted) -> ExecutionReport | None:
    """What an answer reports by itself, where the venue sends no report besides."""
    assert session.broker is not None
    if not outcome.raw or "orders" in session.broker.capabilities.streams:
        return None
    return session.broker.parse(outcome.raw)[0]


def _refused(session: "Session", command: Claimed, outcome: Rejected) -> ExecutionReport:
    """The venue's refusal as it reported it, else in the words of its answer."""
    assert session.broker is not None
    if outcome.raw:
        return session.broker.parse(outcome.raw)[0]
    is_new = command.kind is CommandKind.NEW
    reason = outcome.reason
    return ExecutionReport(
        exec_type=ExecType.REJECTED if is_new else ExecType.REQUEST_REFUSED,
        source=ReportSource.VENUE,
        exec_id=f"refused:{command.id}:{command.attempt}",
        transact_time=utcnow(),
        cl_ord_id=command.cl_ord_id,
        venue_cl_ord_id=command.venue_cl_ord_id,
        ord_rej_reason=reason if isinstance(reason, OrdRejReason) else None,
        cxl_rej_reason=reason if isinstance(reason, CxlRejReason) else None,
        text=outcome.text,
    )
