"""Kept messages of exchanges, read. Pure: bytes in, reports out; the library is not needed.

A message is kept as an envelope: what the exchange said (``info``) and the fields the library made
of it (``said``), with our id of the order. Numbers are texts.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from brokers.adapters.base import UnreadableMessage
from trading.orders.ids import fingerprint
from trading.orders.reports import ExecutionReport
from trading.vocabulary import ExecType, OrdStatus, ReportSource

ORDER_FIELDS = (
    "id", "status", "amount", "filled", "price", "triggerPrice", "lastUpdateTimestamp", "timestamp",
)  # fmt: skip
TRADE_FIELDS = ("id", "order", "side", "amount", "price", "fee", "takerOrMaker", "timestamp")


class Kind(StrEnum):
    """What a kept message is about."""

    ORDER = "ORDER"
    TRADE = "TRADE"
    REPLACED = "REPLACED"
    """An order under its new terms; ``request_id`` names the amendment."""


ENDS = {
    "canceled": ExecType.CANCELED,
    "expired": ExecType.EXPIRED,
    "rejected": ExecType.REJECTED,
}


@dataclass(frozen=True, slots=True)
class Envelope:
    """One message. ``ref`` is our id of the order at the venue, None for an order not ours."""

    kind: Kind
    at: datetime
    said: Mapping[str, Any]
    ref: str | None = None
    request_id: str | None = None
    info: Any = field(default=None)


def sealed(envelope: Envelope) -> bytes:
    """The envelope as it is kept."""
    content: dict[str, Any] = {
        "kind": envelope.kind.value,
        "at": envelope.at.isoformat(),
        "said": dict(envelope.said),
        "info": envelope.info,
    }
    if envelope.ref is not None:
        content["ref"] = envelope.ref
    if envelope.request_id is not None:
        content["request_id"] = envelope.request_id
    return json.dumps(content, separators=(",", ":"), default=str).encode()


def parse(raw: bytes) -> list[ExecutionReport]:
    """Return what one kept message reports.

    :raises UnreadableMessage: if a member is missing or a value is not understood.
    """
    try:
        content = json.loads(raw)
        envelope = Envelope(
            kind=Kind(content["kind"]),
            at=datetime.fromisoformat(content["at"]),
            said=content["said"],
            ref=content.get("ref"),
            request_id=content.get("request_id"),
        )
        if envelope.kind is Kind.TRADE:
            return [_trade(envelope)]
        if envelope.kind is Kind.REPLACED:
            return [_replaced(envelope)]
        return _order(envelope)
    except (ValueError, KeyError, TypeError, InvalidOperation) as failure:
        raise UnreadableMessage(f"not a message of an exchange: {failure!r}") from failure


def _order(envelope: Envelope) -> list[ExecutionReport]:
    """What an order's state says: that it exists, has ended, or counts more than we know of."""
    status = envelope.said.get("status")
    filled = _decimal(envelope.said.get("filled"))
    if status in ENDS:
        return [_report(envelope, ENDS[status], cum_qty=filled)]
    if status == "open":
        return [_report(envelope, ExecType.NEW)]
    if status == "closed":
        done = _report(
            envelope,
            ExecType.ORDER_STATUS,
            ord_status=OrdStatus.FILLED,
            cum_qty=filled,
            leaves_qty=Decimal(0),
        )
        return [done]
    raise ValueError(f"an order of status {status!r}")


def _replaced(envelope: Envelope) -> ExecutionReport:
    return _report(
        envelope,
        ExecType.REPLACED,
        cl_ord_id=envelope.request_id,
        order_qty=_decimal(envelope.said.get("amount")),
        price=_decimal(envelope.said.get("price")),
    )


def _trade(envelope: Envelope) -> ExecutionReport:
    said = envelope.said
    fee = said.get("fee") or {}
    liquidity = said.get("takerOrMaker")
    qty, px = _decimal(said["amount"]), _decimal(said["price"])
    if qty is None or px is None:
        raise ValueError("a trade without a quantity or a price")
    return ExecutionReport(
        exec_type=ExecType.TRADE,
        source=ReportSource.VENUE,
        exec_id=str(said["id"]),
        transact_time=_instant(envelope),
        venue_cl_ord_id=envelope.ref,
        order_id=str(said["order"]),
        last_qty=qty,
        last_px=px,
        fee=_decimal(fee.get("cost")),
        fee_currency=fee.get("currency") if fee.get("cost") is not None else None,
        liquidity=None if liquidity is None else str(liquidity).upper(),
    )


def _report(envelope: Envelope, exec_type: ExecType, **fields: Any) -> ExecutionReport:
    """A report whose id follows from what it says: streams repeat themselves after a reconnect."""
    order_id = str(envelope.said["id"])
    return ExecutionReport(
        exec_type=exec_type,
        source=ReportSource.VENUE,
        exec_id=fingerprint(
            order_id=order_id,
            exec_type=exec_type.value,
            cum_qty=str(fields.get("cum_qty") or ""),
            request_id=envelope.request_id,
        ),
        transact_time=_instant(envelope),
        venue_cl_ord_id=envelope.ref,
        order_id=order_id,
        **fields,
    )


def _instant(envelope: Envelope) -> datetime:
    """The exchange's own time where it gives one, in milliseconds since 1970."""
    stamp = envelope.said.get("lastUpdateTimestamp") or envelope.said.get("timestamp")
    return envelope.at if stamp is None else datetime.fromtimestamp(int(stamp) / 1_000, UTC)


def _decimal(value: Any) -> Decimal | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a number written as a text")
    number = Decimal(value)
    if not number.is_finite():
        raise ValueError(f"{value} is not finite")
    return number
