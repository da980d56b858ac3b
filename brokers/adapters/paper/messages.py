"""Messages of the paper venue, written. ``parse`` reads them back."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from brokers.adapters.paper.fees import fee_of
from brokers.adapters.paper.scale import Scale
from brokers.models import PaperAccount, PaperExecution, PaperOrder
from common.numbers import dec_str, opt_dec_str
from trading.matching import EndReason, Liquidity, Report
from trading.vocabulary import CxlRejReason, ExecType, OrdRejReason, OrdStatus, Side

CLOSED = frozenset({OrdStatus.CANCELED, OrdStatus.EXPIRED, OrdStatus.REJECTED})


@dataclass(frozen=True, slots=True)
class Message:
    """One message on its way to an account's owner."""

    account: str
    raw: bytes
    exec_type: ExecType


@dataclass(frozen=True, slots=True)
class Stamp:
    """Whose message it is, its number in that account's journal, and when."""

    account: PaperAccount
    seq: int
    now: datetime


def scale_of(order: PaperOrder) -> Scale:
    """The tick and lot the order was entered with."""
    return Scale(order.symbol, order.tick_size, order.lot_size)


def leaves_qty(order: PaperOrder) -> Decimal:
    """What may still be filled: 0 for an order that is done."""
    if OrdStatus(order.ord_status) in CLOSED:
        return Decimal(0)
    rest: Decimal = order.order_qty - order.cum_qty
    return rest


def report_row(order: PaperOrder, report: Report, stamp: Stamp) -> PaperExecution:
    """The journal entry, with its message, of one engine report. ``order`` already has the
    figures the report leaves it with.
    """
    content = _content(order, report.exec_type, stamp)
    optional = {
        "request_id": report.request_id,
        "text": report.text or report.reason,
        "ord_rej_reason": _rejection(report),
    }
    content |= {name: str(value) for name, value in optional.items() if value}
    row = _row(order, content, stamp)
    if report.exec_type is ExecType.TRADE:
        _add_trade(row, order, report, content, stamp)
    row.raw = _written(content)
    return row


def refusal_row(
    order: PaperOrder, *, request_id: str, reason: CxlRejReason, text: str, stamp: Stamp
) -> PaperExecution:
    """The journal entry of a refused cancel or replace of an order, working or done."""
    content = _content(order, ExecType.REQUEST_REFUSED, stamp)
    content |= {"request_id": request_id, "cxl_rej_reason": str(reason), "text": text}
    row = _row(order, content, stamp)
    row.raw = _written(content)
    return row


def _add_trade(
    row: PaperExecution,
    order: PaperOrder,
    report: Report,
    content: dict[str, Any],
    stamp: Stamp,
) -> None:
    scale = scale_of(order)
    qty, px = scale.quantity(report.last_qty), scale.price(report.last_px)
    maker = report.liquidity is Liquidity.MAKER
    bps = stamp.account.maker_bps if maker else stamp.account.taker_bps
    fee = fee_of(qty=qty, px=px, multiplier=order.multiplier, bps=bps)
    sign = Side(order.side).sign
    row.qty_delta = sign * qty
    row.cash_delta = -sign * qty * px * order.multiplier - fee
    content |= {
        "last_qty": dec_str(qty),
        "last_px": dec_str(px),
        "fee": dec_str(fee),
        "fee_currency": order.currency,
        "liquidity": str(report.liquidity),
    }


def _content(order: PaperOrder, exec_type: ExecType, stamp: Stamp) -> dict[str, Any]:
    code = stamp.account.account.code
    return {
        "exec_type": str(exec_type),
        "exec_id": f"{code}.{stamp.seq}",
        "venue_seq": stamp.seq,
        "transact_time": _instant(stamp.now),
        "account": code,
        "order_id": order.order_id,
        "venue_cl_ord_id": order.venue_cl_ord_id,
        "symbol": order.symbol,
        "side": order.side,
        "ord_type": order.ord_type,
        "time_in_force": order.time_in_force,
        "ord_status": order.ord_status,
        "order_qty": dec_str(order.order_qty),
        "price": opt_dec_str(order.price),
        "cum_qty": dec_str(order.cum_qty),
        "leaves_qty": dec_str(leaves_qty(order)),
    }


def _row(order: PaperOrder, content: dict[str, Any], stamp: Stamp) -> PaperExecution:
    return PaperExecution(
        account_id=stamp.account.account_id,
        order=order,
        venue_seq=stamp.seq,
        exec_id=content["exec_id"],
        exec_type=content["exec_type"],
        symbol=order.symbol,
        currency=order.currency,
        qty_delta=Decimal(0),
        cash_delta=Decimal(0),
        transact_time=stamp.now,
    )


def _rejection(report: Report) -> OrdRejReason | None:
    if report.exec_type is not ExecType.REJECTED:
        return None
    if report.reason is EndReason.NO_LIQUIDITY:
        return OrdRejReason.NO_LIQUIDITY
    return OrdRejReason.OTHER


def _written(content: dict[str, Any]) -> str:
    return json.dumps(content, separators=(",", ":"))


def _instant(moment: datetime) -> str:
    text = moment.astimezone(UTC).isoformat(timespec="microseconds")
    return text.replace("+00:00", "Z")
