"""Order lists as the API, the events and the pages show them: one form everywhere."""

from collections.abc import Iterable, Sequence
from typing import Any

from common.instants import opt_instant_str
from common.numbers import dec_str
from oms.models import Command, Order, OrderList
from oms.present import order_json
from trading.vocabulary import Side

BOTH_FILLED = "orders that exclude each other both filled before the cancel arrived"
Shown = tuple[Order, Sequence[Command]]


def list_json(row: OrderList, orders: Iterable[Shown]) -> dict[str, Any]:
    """The list object of the API; each order with its commands that have no outcome."""
    shown = sorted(orders, key=lambda item: item[0].leg_no or 0)
    code = row.account.code
    return {
        "id": row.id,
        "account": code,
        "cl_ord_id": row.cl_ord_id,
        "symbol": row.symbol,
        "contingency_type": row.contingency_type,
        "release": row.release,
        "sizing": row.sizing,
        "reprotect": row.reprotect,
        "held_by": "OMS",
        "list_order_status": row.list_order_status,
        "legs": [leg_json(row, order, commands, code) for order, commands in shown],
        "alarms": alarms(row),
        "unprotected_qty": dec_str(row.unprotected_qty),
        "overfill_qty": dec_str(row.overfill_qty),
        "proposed_order": proposed_order(row, [order for order, _ in shown]),
        "mode": row.mode,
        "source": row.source,
        "strategy": row.strategy,
        "version": row.version,
        "created_at": opt_instant_str(row.created_at),
        "updated_at": opt_instant_str(row.updated_at),
    }


def leg_json(
    row: OrderList, order: Order, commands: Sequence[Command], code: str
) -> dict[str, Any]:
    """One order of a list with what it is for; ``serves_leg`` is the leg that was asked for."""
    asked = row.legs[(order.serves_leg or 1) - 1]
    return {
        "leg_no": order.leg_no,
        "serves_leg": order.serves_leg,
        "role": asked["role"],
        "offset": asked["offset"],
        "offset_percent": asked["offset_percent"],
        "order": order_json(order, commands, account_code=code),
    }


def alarms(row: OrderList) -> list[dict[str, Any]]:
    """What people have to look at now; an alarm goes by itself when its cause does."""
    found = []
    if row.unprotected_alarm_at is not None:
        found.append(
            {
                "alarm": "unprotected_position",
                "severity": "critical",
                "qty": dec_str(row.unprotected_qty),
                "since": opt_instant_str(row.unprotected_since),
                "reason": row.unprotected_reason,
            }
        )
    open_excess = row.overfill_qty - row.flattened_qty
    if open_excess > 0:
        found.append(
            {
                "alarm": "oco_both_filled",
                "severity": "critical",
                "qty": dec_str(open_excess),
                "since": opt_instant_str(row.overfilled_at),
                "reason": BOTH_FILLED,
            }
        )
    return found


def proposed_order(row: OrderList, orders: Sequence[Order]) -> dict[str, Any] | None:
    """The order that would take back what both of two alternatives executed; None if none is due.

    Alternatives on both sides of the market took nothing too much of one side: nothing is proposed.
    """
    qty = row.overfill_qty - row.flattened_qty
    exits = [
        order
        for order in orders
        if order.cum_qty and row.legs[(order.serves_leg or 1) - 1]["role"] != "ENTRY"
    ]
    signs = {Side(order.side).sign for order in exits}
    if qty <= 0 or len(signs) != 1:
        return None
    side = Side.SELL if signs.pop() > 0 else Side.BUY
    return {
        "symbol": row.symbol,
        "side": side.value,
        "ord_type": "MARKET",
        "order_qty": dec_str(qty),
    }
