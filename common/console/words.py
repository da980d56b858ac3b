"""How columns are called and which colour a word bears, the same in every table."""

from collections.abc import Mapping

LABELS: Mapping[str, str] = {
    "cl_ord_id": "client order id",
    "orig_cl_ord_id": "replaced client order id",
    "venue_cl_ord_id": "id at the venue",
    "order_id": "order id",
    "ord_status": "status",
    "ord_type": "type",
    "order_qty": "quantity",
    "cum_qty": "filled",
    "leaves_qty": "open",
    "last_qty": "quantity",
    "last_px": "price",
    "price": "limit",
    "stop_px": "stop",
    "gross_trade_amt": "gross amount",
    "ord_rej_reason": "reject reason",
    "expire_time": "expires",
    "reserve_px": "reserved at",
    "overfill_qty": "overfilled",
    "reserved_qty": "reserved",
    "display_qty": "displayed",
    "qty": "quantity",
    "time_in_force": "in force",
    "exec_type": "report",
    "transact_time": "traded at",
    "realized_pnl": "realised P&L",
    "realized": "realised",
    "unrealized": "unrealised",
    "updated_at": "updated",
    "created_at": "created",
}

GOOD, BAD, WATCH, BUSY, OWN = "success", "danger", "warning", "info", "primary"

ORDER_STATUS: Mapping[str, str] = {
    "PENDING_NEW": BUSY,
    "NEW": OWN,
    "PARTIALLY_FILLED": OWN,
    "FILLED": GOOD,
    "DONE_FOR_DAY": BUSY,
    "PENDING_CANCEL": WATCH,
    "PENDING_REPLACE": WATCH,
    "REJECTED": BAD,
    "SUSPENDED": WATCH,
    "STOPPED": WATCH,
}
COMMAND_STATE: Mapping[str, str] = {
    "QUEUED": BUSY,
    "SENDING": BUSY,
    "ACKED": GOOD,
    "REFUSED": BAD,
    "UNKNOWN": WATCH,
}
CONNECTION_STATE: Mapping[str, str] = {
    "UP": GOOD,
    "SYNCING": WATCH,
    "CONNECTING": WATCH,
    "DOWN": BAD,
}
SIDE: Mapping[str, str] = {"BUY": GOOD, "SELL": BAD, "SELL_SHORT": BAD}
MODE: Mapping[str, str] = {"PAPER": BUSY, "LIVE": WATCH}
HALT_STATE: Mapping[str, str] = {"HALTED": BAD, "REDUCING": WATCH}
VERSION_STATE: Mapping[str, str] = {"PENDING": WATCH, "ACCEPTED": GOOD, "REJECTED": BAD}
VERDICT: Mapping[str, str] = {
    "APPLIED": GOOD,
    "LATE": WATCH,
    "OVERFILL": BAD,
    "PARKED": BAD,
    "HELD": WATCH,
}
APPROVAL_STATE: Mapping[str, str] = {
    "WAITING": WATCH,
    "APPROVED": GOOD,
    "REFUSED": BAD,
}
ACCOUNT_STATE: Mapping[str, str] = {"ACTIVE": GOOD}
