"""Orders and executions as the API, the events and the pages show them: one form everywhere."""

from collections.abc import Iterable
from typing import Any

from common.instants import opt_instant_str
from common.numbers import dec_str, opt_dec_str
from oms.models import Break, Command, Execution, Order, OrderEvent
from trading.orders.placement import NOT_AT_THE_VENUE
from trading.orders.validity import TRIGGERED_TYPES
from trading.vocabulary import CommandState, OrdStatus

NOT_WORKING = frozenset({OrdStatus.PENDING_NEW, OrdStatus.SUSPENDED, OrdStatus.DONE_FOR_DAY})


def pending_row(command: Command) -> dict[str, Any]:
    """One command without an outcome."""
    since = {
        CommandState.SENDING.value: command.sending_at,
        CommandState.UNKNOWN.value: command.unknown_since,
    }.get(command.state, command.created_at)
    return {
        "kind": command.kind,
        "cl_ord_id": command.cl_ord_id,
        "state": command.state,
        "since": opt_instant_str(since),
    }


def order_json(order: Order, commands: Iterable[Command], *, account_code: str) -> dict[str, Any]:
    """The order object of the API; ``commands`` are its commands without an outcome."""
    avg_px = order.gross_trade_amt / order.cum_qty if order.cum_qty else None
    return {
        "id": order.id,
        "account": account_code,
        "cl_ord_id": order.cl_ord_id,
        "orig_cl_ord_id": order.orig_cl_ord_id,
        "order_id": order.order_id,
        "symbol": order.symbol,
        "side": order.side,
        "ord_type": order.ord_type,
        "order_qty": dec_str(order.order_qty),
        "price": opt_dec_str(order.price),
        "stop_px": opt_dec_str(order.stop_px),
        "display_qty": opt_dec_str(order.display_qty),
        "time_in_force": order.time_in_force,
        "expire_time": opt_instant_str(order.expire_time),
        "exec_inst": order.exec_inst,
        "cash_order_qty": opt_dec_str(order.cash_order_qty),
        "unspent_cash": opt_dec_str(order.unspent_cash),
        "min_qty": opt_dec_str(order.min_qty),
        "trigger_price_type": order.trigger_price_type,
        "trail_offset": opt_dec_str(order.trail_offset),
        "trail_type": order.trail_type,
        "activation_px": opt_dec_str(order.activation_px),
        "limit_offset": opt_dec_str(order.limit_offset),
        "peg_price_type": order.peg_price_type,
        "peg_offset": order.peg_offset,
        "max_slippage_bps": opt_dec_str(order.max_slippage_bps),
        "extended_hours": order.extended_hours,
        "held_by": order.held_by,
        "held_note": NOT_AT_THE_VENUE if order.held_by else None,
        "synthetic_tif": order.synthetic_tif,
        "anchor_px": order.facts.get("trailed", {}).get("anchor_px"),
        "working_indicator": is_working(order),
        "ord_status": order.ord_status,
        "cum_qty": dec_str(order.cum_qty),
        "leaves_qty": dec_str(order.leaves_qty),
        "avg_px": None if avg_px is None else dec_str(round(avg_px, 12)),
        "overfill_qty": dec_str(order.overfill_qty),
        "pending": [pending_row(command) for command in commands],
        "mode": order.mode,
        "source": order.source,
        "strategy": order.strategy,
        "list_id": order.list_id,
        "leg_no": order.leg_no,
        "ord_rej_reason": order.ord_rej_reason,
        "text": order.text,
        "tags": order.tags,
        "version": order.version,
        "created_at": opt_instant_str(order.created_at),
        "updated_at": opt_instant_str(order.updated_at),
    }


def is_working(order: Order) -> bool:
    """Whether the order may trade now: at a venue, open, and not waiting for its trigger."""
    if order.is_closed or order.held_by is not None or order.ord_status in NOT_WORKING:
        return False
    fired = order.facts.get("triggered", False) or order.cum_qty > 0
    return fired or order.ord_type not in TRIGGERED_TYPES


def execution_json(execution: Execution, *, broker_order_id: str | None) -> dict[str, Any]:
    """One row of the trade ledger; ``order_id`` is our order's id."""
    return {
        "id": execution.id,
        "order_id": execution.order_id,
        "broker_order_id": broker_order_id,
        "exec_id": execution.exec_id,
        "exec_type": execution.exec_type,
        "side": execution.side,
        "symbol": execution.symbol,
        "last_qty": dec_str(execution.last_qty),
        "last_px": dec_str(execution.last_px),
        "fee": dec_str(execution.fee),
        "fee_currency": execution.fee_currency,
        "liquidity": execution.liquidity,
        "late": execution.late,
        "transact_time": opt_instant_str(execution.transact_time),
    }


def event_json(event: OrderEvent, raw: str | None) -> dict[str, Any]:
    """One event of an order's life; ``raw`` is the venue's message for those who may see it."""
    return {
        "seq": event.seq,
        "at": opt_instant_str(event.at),
        "exec_type": event.exec_type,
        "ord_status": event.after,
        "source": event.source,
        "actor": event.actor,
        "verdict": event.verdict,
        "before": event.before,
        "after": event.after,
        "report": event.report,
        "raw": raw,
    }


def break_json(row: Break) -> dict[str, Any]:
    """A reconciliation difference, open until ``closed_at``."""
    return {
        "id": row.id,
        "account": row.account.code,
        "kind": row.kind,
        "subject": row.subject,
        "ours": row.ours,
        "theirs": row.theirs,
        "detail": row.detail,
        "opened_at": opt_instant_str(row.opened_at),
        "closed_at": opt_instant_str(row.closed_at),
        "resolution": row.resolution,
    }
