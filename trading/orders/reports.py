"""One thing a venue, a reconciliation, a person or this system says about an order."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from trading.orders.canonical import instant, micros, opt_dec_str, opt_instant, opt_micros
from trading.vocabulary import (
    CxlRejReason,
    ExecType,
    OrdRejReason,
    OrdStatus,
    OrdType,
    ReportSource,
    TimeInForce,
)


@dataclass(frozen=True, slots=True)
class ExecutionReport:
    """Field names are FIX's. ``cl_ord_id`` is the id of the request or version it answers,
    ``order_id`` the venue's, ``transact_time`` the venue's aware instant, ``venue_seq`` its
    sequence where it gives one. ``order_qty`` is a total, ``last_qty`` one execution (for
    STOPPED the guaranteed quantity), ``anchor_px`` the best price a trail kept here has seen.
    """

    exec_type: ExecType
    source: ReportSource
    exec_id: str
    transact_time: datetime
    cl_ord_id: str | None = None
    orig_cl_ord_id: str | None = None
    venue_cl_ord_id: str | None = None
    order_id: str | None = None
    ord_status: OrdStatus | None = None
    ord_type: OrdType | None = None
    last_qty: Decimal | None = None
    last_px: Decimal | None = None
    exec_ref_id: str | None = None
    order_qty: Decimal | None = None
    price: Decimal | None = None
    stop_px: Decimal | None = None
    display_qty: Decimal | None = None
    trail_offset: Decimal | None = None
    limit_offset: Decimal | None = None
    anchor_px: Decimal | None = None
    time_in_force: TimeInForce | None = None
    expire_time: datetime | None = None
    cum_qty: Decimal | None = None
    leaves_qty: Decimal | None = None
    fee: Decimal | None = None
    fee_currency: str | None = None
    liquidity: str | None = None
    text: str = ""
    ord_rej_reason: OrdRejReason | None = None
    cxl_rej_reason: CxlRejReason | None = None
    venue_seq: int | None = None
    restatement_reason: str | None = None


_DECIMALS = (
    "last_qty",
    "last_px",
    "order_qty",
    "price",
    "stop_px",
    "display_qty",
    "trail_offset",
    "limit_offset",
    "anchor_px",
    "cum_qty",
    "leaves_qty",
    "fee",
)
_PLAIN = (
    "cl_ord_id",
    "orig_cl_ord_id",
    "venue_cl_ord_id",
    "order_id",
    "exec_ref_id",
    "fee_currency",
    "liquidity",
    "venue_seq",
    "restatement_reason",
)
_ENUMS = {
    "ord_status": OrdStatus,
    "ord_type": OrdType,
    "time_in_force": TimeInForce,
    "ord_rej_reason": OrdRejReason,
    "cxl_rej_reason": CxlRejReason,
}


def to_json(report: ExecutionReport) -> dict[str, object]:
    """Return the report as JSON values; fields it does not carry are left out."""
    content: dict[str, object] = {
        "exec_type": str(report.exec_type),
        "source": report.source.value,
        "exec_id": report.exec_id,
        "transact_time": micros(report.transact_time),
        "expire_time": opt_micros(report.expire_time),
        "text": report.text or None,
    }
    for name in _DECIMALS:
        content[name] = opt_dec_str(getattr(report, name))
    for name in (*_PLAIN, *_ENUMS):
        value = getattr(report, name)
        content[name] = value if value is None or isinstance(value, int) else str(value)
    return {name: value for name, value in content.items() if value is not None}


def from_json(content: dict[str, object]) -> ExecutionReport:
    """Read what ``to_json`` wrote. :raises ValueError, KeyError: for anything else."""
    fields: dict[str, object] = {}
    for name in _DECIMALS:
        if name in content:
            fields[name] = Decimal(str(content[name]))
    for name in _PLAIN:
        if name in content:
            fields[name] = content[name]
    for name, enum in _ENUMS.items():
        if name in content:
            fields[name] = enum(str(content[name]))
    expire_time = content.get("expire_time")
    return ExecutionReport(
        exec_type=ExecType(str(content["exec_type"])),
        source=ReportSource(str(content["source"])),
        exec_id=str(content["exec_id"]),
        transact_time=instant(int(str(content["transact_time"]))),
        expire_time=opt_instant(None if expire_time is None else int(str(expire_time))),
        text=str(content.get("text", "")),
        **fields,  # type: ignore[arg-type]
    )
