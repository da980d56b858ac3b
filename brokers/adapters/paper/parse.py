"""Messages of the paper venue, read. Pure: bytes in, reports out.

A message is one JSON object; numbers of money and quantity are strings, the time is RFC 3339.
``messages`` writes what this reads; fixtures/ holds one of each kind as the venue sent it.
"""

import json
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, TypeVar

from brokers.adapters.base import UnreadableMessage
from trading.orders.reports import ExecutionReport
from trading.vocabulary import (
    CxlRejReason,
    ExecType,
    OrdRejReason,
    OrdStatus,
    OrdType,
    ReportSource,
    TimeInForce,
)

Word = TypeVar("Word", bound=StrEnum)


def parse(raw: bytes) -> list[ExecutionReport]:
    """Return the reports of one message (the paper venue sends one each).

    :raises UnreadableMessage: if a member is missing or a value is not understood.
    """
    try:
        message = json.loads(raw)
    except ValueError as failure:
        raise UnreadableMessage(f"not JSON: {failure}") from failure
    if not isinstance(message, dict):
        raise UnreadableMessage("not a JSON object")
    try:
        return [_report(message)]
    except KeyError as failure:
        raise UnreadableMessage(f"member {failure} is missing") from failure
    except (ValueError, TypeError, InvalidOperation) as failure:
        raise UnreadableMessage(f"a value is not understood: {failure}") from failure


def _report(message: dict[str, Any]) -> ExecutionReport:
    moment = _moment(message["transact_time"])
    if moment is None:
        raise ValueError("transact_time is null")
    return ExecutionReport(
        exec_type=ExecType(message["exec_type"]),
        source=ReportSource.VENUE,
        exec_id=_text(message["exec_id"]),
        transact_time=moment,
        cl_ord_id=message.get("request_id"),
        venue_cl_ord_id=_text(message["venue_cl_ord_id"]),
        order_id=_text(message["order_id"]),
        ord_status=OrdStatus(message["ord_status"]),
        ord_type=_word(OrdType, message.get("ord_type")),
        last_qty=_decimal(message.get("last_qty")),
        last_px=_decimal(message.get("last_px")),
        exec_ref_id=message.get("exec_ref_id"),
        order_qty=_decimal(message["order_qty"]),
        price=_decimal(message["price"]),
        stop_px=_decimal(message.get("stop_px")),
        display_qty=_decimal(message.get("display_qty")),
        trail_offset=_decimal(message.get("trail_offset")),
        limit_offset=_decimal(message.get("limit_offset")),
        anchor_px=_decimal(message.get("anchor_px")),
        expire_time=_moment(message.get("expire_time")),
        restatement_reason=message.get("restatement_reason"),
        time_in_force=TimeInForce(message["time_in_force"]),
        cum_qty=_decimal(message["cum_qty"]),
        leaves_qty=_decimal(message["leaves_qty"]),
        fee=_decimal(message.get("fee")),
        fee_currency=message.get("fee_currency"),
        liquidity=message.get("liquidity"),
        text=message.get("text", ""),
        ord_rej_reason=_word(OrdRejReason, message.get("ord_rej_reason")),
        cxl_rej_reason=_word(CxlRejReason, message.get("cxl_rej_reason")),
        venue_seq=int(message["venue_seq"]),
    )


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"{value!r} is not a text")
    return value


def _moment(value: str | None) -> datetime | None:
    if value is None:
        return None
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError(f"{value} has no zone")
    return moment


def _decimal(value: object) -> Decimal | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a decimal written as a text")
    number = Decimal(value)
    if not number.is_finite():
        raise ValueError(f"{value} is not finite")
    return number


def _word(enum: type[Word], value: Any) -> Word | None:
    return None if value is None else enum(value)
