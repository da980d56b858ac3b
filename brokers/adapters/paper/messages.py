"""Messages of the paper venue, written. ``parse`` reads them back."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from brokers.adapters.paper.fees import charge_order
from brokers.models import PaperAccount, PaperExecution, PaperOrder
from common.numbers import dec_str, opt_dec_str
from trading.matching import EndReason, Report
from trading.matching.recording import execution_of
from trading.matching.scale import Scale
from trading.vocabulary import CxlRejReason, ExecType, OrdRejReason, OrdStatus, Side

CLOSED = frozenset({OrdStatus.CANCELED, OrdStatus.EXPIRED, OrdStatus.REJECTED})
RESTATEMENTS = {
    EndReason.TRAILED: "TRAILED",
    EndReason.REPRICED: "REPRICING",
    EndReason.CORPORATE_ACTION: "CORPORATE_ACTION",
}
REFUSALS = {
    EndReason.NO_LIQUIDITY: OrdRejReason.NO_LIQUIDITY,
    EndReason.WOULD_TAKE: OrdRejReason.WOULD_TAKE,
    EndReason.SELF_MATCH: OrdRejReason.SELF_MATCH,
}


@dataclass(frozen=True, slots=True)
class Message:
    """One message on its way to an account's owner: its row, and what the engine said if it did."""

    account: str
    raw: bytes
    exec_type: ExecType
    order: PaperOrder
    row: PaperExecution
    report: Report | None = None


@dataclass(frozen=True, slots=True)
class Correction:
    """What the venue makes of a fill afterwards: TRADE_CANCEL or TRADE_CORRECT, and its figures
    from now on (those of the fill where it is taken back).
    """

    exec_type: ExecType
    qty: Decimal
    px: Decimal


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
    return max(rest, Decimal(0))


def report_row(order: PaperOrder, report: Report, stamp: Stamp) -> PaperExecution:
    """The journal entry, with its message, of one engine report. ``order`` already has the
    figures the report leaves it with.
    """
    content = _content(order, report.exec_type, stamp) | _trailed(order, report)
    optional = {
        "request_id": report.request_id,
        "text": report.text or _reason(order, report),
        "ord_rej_reason": rejection_of(report),
        "restatement_reason": _restatement(report),
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


def correction_row(
    order: PaperOrder, fill: PaperExecution, correction: Correction, stamp: Stamp
) -> PaperExecution:
    """The journal entry that takes a fill back or gives it other figures; its fee goes with a
    fill that is taken back and stays with one that is corrected.
    """
    told = json.loads(fill.raw)
    content = _content(order, correction.exec_type, stamp) | {
        "exec_ref_id": fill.exec_id,
        "last_qty": dec_str(correction.qty),
        "last_px": dec_str(correction.px),
        "liquidity": told["liquidity"],
    }
    row = _row(order, content, stamp)
    if correction.exec_type is ExecType.TRADE_CANCEL:
        row.qty_delta, row.cash_delta = -fill.qty_delta, -fill.cash_delta
    else:
        sign = Side(order.side).sign
        was = Decimal(told["last_qty"]) * Decimal(told["last_px"])
        now = correction.qty * correction.px
        row.qty_delta = sign * (correction.qty - Decimal(told["last_qty"]))
        row.cash_delta = -sign * (now - was) * order.multiplier
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
    fee = charge_order(stamp.account, order, execution_of(scale, report, order.multiplier))
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
    terms = {
        "stop_px": opt_dec_str(order.stop_px),
        "display_qty": opt_dec_str(order.display_qty),
        "trail_offset": opt_dec_str(order.trail_offset),
        "limit_offset": opt_dec_str(order.limit_offset),
        "expire_time": None if order.expire_time is None else _instant(order.expire_time),
    }
    content = {
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
    return content | {name: value for name, value in terms.items() if value is not None}


def _trailed(order: PaperOrder, report: Report) -> dict[str, str]:
    """How far a trail has come: its stop and the best price seen, where it moves or fires."""
    if report.anchor_px is None or report.stop_px is None:
        return {}
    fired = report.exec_type is ExecType.TRIGGERED
    if report.reason is not EndReason.TRAILED and not fired:
        return {}
    scale = scale_of(order)
    return {
        "stop_px": dec_str(scale.price(report.stop_px)),
        "anchor_px": dec_str(scale.price(report.anchor_px)),
    }


def _reason(order: PaperOrder, report: Report) -> str | None:
    """Why, in a word; a peg that moved says where to."""
    if report.reason is EndReason.REPRICED and order.peg_price_type and report.price is not None:
        return f"{report.reason} to {dec_str(scale_of(order).price(report.price))}"
    return report.reason


def _restatement(report: Report) -> str | None:
    if report.exec_type is not ExecType.RESTATED or report.reason is None:
        return None
    return RESTATEMENTS[report.reason]


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


def rejection_of(report: Report) -> OrdRejReason | None:
    """The word for why the venue did not take an order, None of any other report."""
    if report.exec_type is not ExecType.REJECTED:
        return None
    if report.reason is None:
        return OrdRejReason.OTHER
    return REFUSALS.get(report.reason, OrdRejReason.OTHER)


def _written(content: dict[str, Any]) -> str:
    return json.dumps(content, separators=(",", ":"))


def _instant(moment: datetime) -> str:
    text = moment.astimezone(UTC).isoformat(timespec="microseconds")
    return text.replace("+00:00", "Z")
