"""Kept messages of TWS, read. Pure: bytes in, reports out.

TWS names orders by number or permanent id in most messages, and nothing says what a message
answers. So the session writes what it knew beside the fields as they came: an envelope. Reading
one needs nothing else, today or in ten years.
"""

import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from brokers.adapters.base import UnreadableMessage
from brokers.adapters.ib import codes, terms, wire
from brokers.adapters.ib.codes import Effect
from brokers.adapters.ib.fields import Unreadable
from trading.orders.ids import fingerprint
from trading.orders.reports import ExecutionReport
from trading.vocabulary import (
    CommandKind,
    CxlRejReason,
    ExecType,
    OrdRejReason,
    OrdStatus,
    ReportSource,
)

ENDED = frozenset({"Cancelled", "ApiCancelled"})
WORKING = frozenset({"Submitted", "PreSubmitted"})


@dataclass(frozen=True, slots=True)
class Envelope:
    """One message with what the session knew when it came.

    ``ref`` is our id of the order it concerns, ``order_id`` the permanent id. ``answers`` is the
    command it answers, by kind and id, where it answers one. ``refused`` says that an error has
    refused the order before. ``execution`` is the execution a commission belongs to.
    """

    at: datetime
    version: int
    fields: tuple[str, ...]
    ref: str | None = None
    order_id: str | None = None
    answers: tuple[CommandKind, str] | None = None
    refused: bool = False
    execution: tuple[str, ...] | None = None


def sealed(envelope: Envelope) -> bytes:
    """The envelope as it is kept."""
    content: dict[str, Any] = {
        "at": envelope.at.isoformat(),
        "version": envelope.version,
        "fields": list(envelope.fields),
    }
    if envelope.ref is not None:
        content["ref"] = envelope.ref
    if envelope.order_id is not None:
        content["order_id"] = envelope.order_id
    if envelope.answers is not None:
        content["answers"] = [envelope.answers[0].value, envelope.answers[1]]
    if envelope.refused:
        content["refused"] = True
    if envelope.execution is not None:
        content["execution"] = list(envelope.execution)
    return json.dumps(content, separators=(",", ":")).encode()


def opened(raw: bytes) -> Envelope:
    """Read what ``sealed`` wrote. :raises UnreadableMessage:"""
    try:
        content = json.loads(raw)
        answers, execution = content.get("answers"), content.get("execution")
        return Envelope(
            at=datetime.fromisoformat(content["at"]),
            version=int(content["version"]),
            fields=tuple(str(part) for part in content["fields"]),
            ref=content.get("ref"),
            order_id=content.get("order_id"),
            answers=None if answers is None else (CommandKind(answers[0]), str(answers[1])),
            refused=bool(content.get("refused", False)),
            execution=None if execution is None else tuple(str(part) for part in execution),
        )
    except (ValueError, KeyError, TypeError, ArithmeticError) as failure:
        raise UnreadableMessage(f"not a kept message: {failure}") from failure


def parse(raw: bytes) -> list[ExecutionReport]:
    """Return what one kept message reports; many report nothing new.

    :raises UnreadableMessage: if the message does not follow its layout.
    """
    envelope = opened(raw)
    try:
        kind = int(envelope.fields[0])
        if kind == wire.OPEN_ORDER:
            return _open_order(envelope, wire.open_order(envelope.fields, envelope.version))
        if kind == wire.ORDER_STATUS:
            return _order_status(envelope, wire.order_status(envelope.fields))
        if kind == wire.ERROR:
            return _error(envelope, wire.error(envelope.fields))
        if kind == wire.EXECUTION:
            return [_execution(envelope, wire.execution(envelope.fields))]
        if kind == wire.COMMISSION and envelope.execution is not None:
            return [_commission(envelope, wire.execution(envelope.execution))]
    except (Unreadable, IndexError, ValueError, KeyError) as failure:
        raise UnreadableMessage(f"message {envelope.fields[:2]}: {failure}") from failure
    return []


def _open_order(envelope: Envelope, order: wire.WireOrder) -> list[ExecutionReport]:
    if order.what_if:
        return []
    if envelope.answers is not None and envelope.answers[0] is CommandKind.REPLACE:
        return [
            _report(
                envelope,
                ExecType.REPLACED,
                cl_ord_id=envelope.answers[1],
                order_qty=order.order_qty,
                price=terms.price_of(order),
                stop_px=terms.stop_px_of(order),
                display_qty=order.display or None,
                time_in_force=terms.time_in_force_of(order),
            )
        ]
    works = order.order_type in terms.WAITING and order.status == "Submitted"
    return _of_status(envelope, order.status, fired=works)


def _order_status(envelope: Envelope, status: wire.WireStatus) -> list[ExecutionReport]:
    if status.status == "Filled":
        return [
            _report(
                envelope,
                ExecType.ORDER_STATUS,
                ord_status=OrdStatus.FILLED,
                order_qty=status.filled + status.remaining,
                cum_qty=status.filled,
                leaves_qty=status.remaining,
            )
        ]
    return _of_status(envelope, status.status)


def _of_status(envelope: Envelope, status: str, *, fired: bool = False) -> list[ExecutionReport]:
    """What a status word alone says: only that the order exists, has ended, or is held."""
    if envelope.refused:
        return []
    if status in WORKING:
        return [_report(envelope, ExecType.TRIGGERED if fired else ExecType.NEW)]
    if status in ENDED:
        return [_report(envelope, ExecType.CANCELED)]
    if status == "Inactive":
        return [_report(envelope, ExecType.SUSPENDED)]
    return []


def _error(envelope: Envelope, error: wire.WireError) -> list[ExecutionReport]:
    effect = codes.effect_of(error.code)
    text = f"{error.code} {error.text}"
    answers = envelope.answers
    if effect is Effect.CANCEL_REFUSED and answers is not None:
        reason = codes.CANCEL_REFUSALS[error.code]
        return [_refusal(envelope, answers[1], reason, text)]
    if effect is Effect.REFUSED and answers is not None:
        if answers[0] is CommandKind.NEW:
            rejected = codes.REFUSALS[error.code]
            return [_report(envelope, ExecType.REJECTED, ord_rej_reason=rejected, text=text)]
        return [_refusal(envelope, answers[1], CxlRejReason.OTHER, text)]
    return []


def _refusal(
    envelope: Envelope, request_id: str, reason: CxlRejReason, text: str
) -> ExecutionReport:
    return _report(
        envelope,
        ExecType.REQUEST_REFUSED,
        cl_ord_id=request_id,
        cxl_rej_reason=reason,
        text=text,
    )


def _execution(envelope: Envelope, execution: wire.WireExecution) -> ExecutionReport:
    corrects = execution.corrects
    return ExecutionReport(
        exec_type=ExecType.TRADE if corrects is None else ExecType.TRADE_CORRECT,
        source=ReportSource.VENUE,
        exec_id=execution.exec_id,
        exec_ref_id=corrects,
        transact_time=execution.at,
        venue_cl_ord_id=execution.order_ref or envelope.ref,
        order_id=str(execution.perm_id) if execution.perm_id else envelope.order_id,
        last_qty=execution.shares,
        last_px=execution.price,
        cum_qty=execution.cum_qty,
        liquidity=execution.liquidity or None,
    )


def _commission(envelope: Envelope, execution: wire.WireExecution) -> ExecutionReport:
    """A commission comes apart from its execution: it corrects the execution's fee alone."""
    exec_id, fee, currency = wire.commission(envelope.fields)
    return replace(
        _execution(envelope, execution),
        exec_type=ExecType.TRADE_CORRECT,
        exec_id=f"{exec_id}+fee",
        exec_ref_id=exec_id,
        transact_time=envelope.at,
        fee=fee,
        fee_currency=currency,
    )


def _report(
    envelope: Envelope,
    exec_type: ExecType,
    *,
    ord_rej_reason: OrdRejReason | None = None,
    text: str = "",
    **fields: Any,
) -> ExecutionReport:
    """A report whose id follows from what it says: TWS repeats itself and numbers nothing."""
    said = fields.get("cl_ord_id") or fields.get("cum_qty") or ""
    return ExecutionReport(
        exec_type=exec_type,
        source=ReportSource.VENUE,
        exec_id=fingerprint(
            venue_cl_ord_id=envelope.ref,
            order_id=envelope.order_id,
            exec_type=exec_type.value,
            said=str(said),
        ),
        transact_time=envelope.at,
        venue_cl_ord_id=envelope.ref,
        order_id=envelope.order_id,
        ord_rej_reason=ord_rej_reason,
        text=text,
        **fields,
    )
