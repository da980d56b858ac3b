"""What a claimed command asks of a venue, and what the venue's answer, or its silence, means.

Blocking and without a clock: the gateway's sender runs it in a database thread, and whoever works
a venue in one thread at instants of his own (the demo's past days) calls it as it is.
"""

from datetime import datetime, timedelta
from typing import Protocol

from brokers.adapters.base import (
    Accepted,
    CancelOrder,
    NewOrder,
    NotExecuted,
    Outcome,
    Rejected,
    ReplaceOrder,
    Unknown,
)
from brokers.adapters.capabilities import Capabilities
from oms.services import protocol
from oms.services.cancel_new import BY_CANCEL
from oms.services.protocol import Claimed
from trading.orders import wire
from trading.orders.reports import ExecutionReport
from trading.protocol import Answer
from trading.protocol import settle as refusal_means
from trading.vocabulary import (
    CommandKind,
    CxlRejReason,
    ExecType,
    OrdRejReason,
    ReportSource,
)

RETRY_CANCEL = timedelta(seconds=2)


class Speaker(Protocol):
    """Whose words an answer is in: a session's broker, or an adapter class itself."""

    @property
    def capabilities(self) -> Capabilities:
        """What the venue offers."""

    def parse(self, raw: bytes, /) -> list[ExecutionReport]:
        """Read one message of the venue."""


def request_of(command: Claimed) -> NewOrder | CancelOrder | ReplaceOrder:
    """The command in the words of the port."""
    terms = command.payload
    if command.kind is CommandKind.CANCEL:
        return CancelOrder(
            account=command.account_code,
            venue_cl_ord_id=command.venue_cl_ord_id,
            order_id=command.order_id,
            request_id=command.cl_ord_id,
            symbol=command.symbol,
        )
    if BY_CANCEL in terms:
        return CancelOrder(
            account=command.account_code,
            venue_cl_ord_id=terms["orig_venue_cl_ord_id"],
            order_id=command.order_id,
            request_id=command.cl_ord_id,
            symbol=command.symbol,
        )
    if command.kind is CommandKind.REPLACE:
        return ReplaceOrder(
            account=command.account_code,
            venue_cl_ord_id=command.venue_cl_ord_id,
            orig_venue_cl_ord_id=terms["orig_venue_cl_ord_id"],
            order_id=command.order_id,
            request_id=command.cl_ord_id,
            symbol=command.symbol,
            **{"price": None, **wire.read(terms, wire.TERMS)},
        )
    return NewOrder(
        account=command.account_code,
        venue_cl_ord_id=command.venue_cl_ord_id,
        rules=command.rules,
        valid_until=command.valid_until,
        **{"price": None, **wire.read(terms, wire.INSTRUCTION)},
    )


def settle(
    *,
    schema: str,
    command: Claimed,
    outcome: Outcome,
    broker: Speaker,
    now: datetime,
) -> None:
    """Write down what ``outcome``, in the words of ``broker``, means for the command."""
    if isinstance(outcome, Unknown):
        protocol.record_unknown(schema=schema, command_id=command.id, text=outcome.text, now=now)
    elif isinstance(outcome, NotExecuted):
        protocol.put_back(
            schema=schema,
            command_id=command.id,
            delay=outcome.retry_after,
            reason=outcome.text,
            now=now,
        )
    elif isinstance(outcome, Accepted):
        report = _answered(outcome, broker)
        protocol.record_outcome(schema=schema, command_id=command.id, report=report, now=now)
    elif (meaning := _meaning(command, outcome)) is Answer.UNKNOWN:
        text = f"the venue already has this id: {outcome.text}"
        protocol.record_unknown(schema=schema, command_id=command.id, text=text, now=now)
    elif meaning is Answer.NOT_EXECUTED:
        protocol.put_back(
            schema=schema,
            command_id=command.id,
            delay=RETRY_CANCEL,
            reason=outcome.text,
            now=now,
        )
    else:
        report = _refused(command, outcome, broker, now)
        protocol.record_outcome(schema=schema, command_id=command.id, report=report, now=now)


def _meaning(command: Claimed, outcome: Rejected) -> Answer:
    reason = outcome.reason
    return refusal_means(
        command.kind,
        Answer.REFUSED,
        proves_existence=outcome.proves_existence,
        reason=reason if isinstance(reason, CxlRejReason) else None,
        new_is_open=command.new_is_open,
    )


def _answered(outcome: Accepted, broker: Speaker) -> ExecutionReport | None:
    """What an answer reports by itself, where the venue sends no report besides."""
    if not outcome.raw or "orders" in broker.capabilities.streams:
        return None
    return broker.parse(outcome.raw)[0]


def _refused(
    command: Claimed, outcome: Rejected, broker: Speaker, now: datetime
) -> ExecutionReport:
    """The venue's refusal as it reported it, else in the words of its answer."""
    if outcome.raw:
        return broker.parse(outcome.raw)[0]
    is_new = command.kind is CommandKind.NEW
    reason = outcome.reason
    return ExecutionReport(
        exec_type=ExecType.REJECTED if is_new else ExecType.REQUEST_REFUSED,
        source=ReportSource.VENUE,
        exec_id=f"refused:{command.id}:{command.attempt}",
        transact_time=now,
        cl_ord_id=command.cl_ord_id,
        venue_cl_ord_id=command.venue_cl_ord_id,
        ord_rej_reason=reason if isinstance(reason, OrdRejReason) else None,
        cxl_rej_reason=reason if isinstance(reason, CxlRejReason) else None,
        text=outcome.text,
    )
