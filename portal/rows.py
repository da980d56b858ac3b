"""What a grid shows of an API object: one presenter per grid, for pages and for the stream.

A page's table and the stream of events are filled by the same functions, so they cannot disagree.
Pure: the API's object in (what events carry as ``data``), strings out. Amounts keep the exact
digits of the API; the browser groups and aligns them. An empty string is "not known" or "none".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from portal import kinds
from portal.badges import status_badge, unknown_badge
from trading.orders.requests import (
    REASONS,
    Action,
    Decision,
    cancel_decision,
    replace_decision,
)
from trading.vocabulary import CommandKind, CommandState, OrdStatus, TimeInForce

CLOSED = frozenset({"FILLED", "CANCELED", "REJECTED", "EXPIRED", "DONE_FOR_DAY"})
SIDE_WORDS = {"SELL_SHORT": "SHORT"}
"""Sides whose FIX word is too long for a column; it stands in the tooltip."""
_ORDER = (
    "account", "cl_ord_id", "orig_cl_ord_id", "order_id", "symbol", "side", "ord_type",
    "order_qty", "price", "stop_px", "time_in_force", "expire_time", "ord_status", "cum_qty",
    "leaves_qty", "avg_px", "mode", "source", "strategy", "ord_rej_reason", "text", "held_by",
    "list_id",
    "created_at", "updated_at",
)  # fmt: skip
_EXECUTION = (
    "order_id", "exec_id", "exec_type", "symbol", "side", "last_qty", "last_px", "fee",
    "fee_currency", "liquidity", "transact_time",
)  # fmt: skip
_POSITION = (
    "account", "symbol", "qty", "avg_px", "cost", "mark", "mark_at", "market_value",
    "unrealized_pnl", "realized_pnl", "currency", "updated_at",
)  # fmt: skip
_QUOTE = (
    "last", "bid", "ask", "bid_size", "ask_size", "spread", "open", "high", "low", "prev_close",
    "change", "change_pct", "feed", "history_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class GridRow:
    """One row: its key in the grid, a version of which the highest wins, and cells as strings."""

    id: str
    v: int
    row: dict[str, str]

    def as_json(self) -> dict[str, Any]:
        """Return the row as the stream sends it."""
        return {"id": self.id, "v": self.v, "row": self.row}


@dataclass(frozen=True, slots=True)
class _Standing:
    """What an order object tells of the order's state; the length of its chain it does not."""

    ord_status: OrdStatus
    time_in_force: TimeInForce
    cum_qty: Decimal
    may_amend: bool = True


def order_row(order: Mapping[str, Any]) -> GridRow:
    """Return the row of an order object.

    ``pending`` names commands without an outcome, such as ``NEW UNKNOWN``; ``unknown_since`` is
    the earliest instant one of them became unknown; ``is_open`` is ``yes`` while it may trade.
    ``leg`` and ``leg_mark`` are its place in an order list; ``side_word`` and ``type_word`` are
    side and type as a column shows them, ``trail`` how far a trail stays behind; ``status_*`` is
    the badge (``status_title`` has
    the FIX word); ``why_not_cancel`` and ``why_not_amend`` say what stands in the way of a verb,
    and are empty where nothing does.
    """
    row = _picked(order, _ORDER)
    pending = order.get("pending") or ()
    unknown = [_text(one["since"]) for one in pending if one["state"] == "UNKNOWN"]
    row["pending"] = ", ".join(f"{one['kind']} {one['state']}" for one in pending)
    row["unknown_since"] = min(unknown, default="")
    row["is_open"] = _yes(row["ord_status"] not in CLOSED)
    badge, mark = status_badge(order), unknown_badge(pending)
    row["status_mark"], row["status_word"] = badge.mark, badge.word
    row["status_tone"], row["status_title"] = badge.tone, badge.title
    row["unknown_title"] = mark.title if mark else ""
    row["mode_tone"] = row["mode"].lower()
    row["side_word"] = SIDE_WORDS.get(row["side"], row["side"])
    row["type_word"] = kinds.short_type(row["ord_type"])
    row["trail"] = kinds.trail_words(order)
    row["leg"] = f"leg {order['leg_no']}" if order.get("list_id") else ""
    row["leg_mark"] = kinds.leg_mark(order)
    row |= _hindrances(order, pending)
    return GridRow(order["id"], int(order["version"]), row)


def _hindrances(order: Mapping[str, Any], pending: Any) -> dict[str, str]:
    """What the services would say to a cancel or an amendment now: the same decisions decide."""
    standing = _Standing(
        OrdStatus(order["ord_status"]),
        TimeInForce(order["time_in_force"]),
        Decimal(order["cum_qty"]),
    )
    kinds = {one["kind"] for one in pending}
    new = next((one["state"] for one in pending if one["kind"] == CommandKind.NEW), None)
    # A state this version does not know is one in which nothing may be assumed to be unsent.
    known = new if new in CommandState.__members__ else CommandState.SENDING if new else None
    new_state = None if known is None else CommandState(known)
    cancelling = CommandKind.CANCEL in kinds
    held = order.get("held_by") is not None
    cancel = cancel_decision(standing, new_state, held_by_oms=held, cancel_open=cancelling)
    amend = replace_decision(
        standing,
        new_state,
        held_by_oms=held,
        cancel_open=cancelling,
        replace_open=CommandKind.REPLACE in kinds,
        managed_by_parent=order.get("list_id") is not None,
    )
    return {"why_not_cancel": _why_not(cancel), "why_not_amend": _why_not(amend)}


def _why_not(decision: Decision) -> str:
    if decision.action is Action.REPEAT:
        return REASONS["cancel_pending"]
    if decision.action is Action.REFUSE:
        return REASONS.get(decision.reason, decision.reason.replace("_", " "))
    return ""


def execution_row(execution: Mapping[str, Any], *, account: str) -> GridRow:
    """Return the row of one entry of the trade ledger, which never changes."""
    row = _picked(execution, _EXECUTION)
    row["account"] = account
    row["late"] = _yes(execution.get("late"))
    return GridRow(_text(execution["id"]), 1, row)


def position_row(position: Mapping[str, Any], *, v: int) -> GridRow:
    """Return the row of a position; ``v`` is the stream's position at which it was so."""
    row = _picked(position, _POSITION)
    row["simulated"] = _yes(position.get("simulated"))
    row["way"] = way_of(row["qty"])
    return GridRow(f"{row['account']}:{row['symbol']}", v, row)


def way_of(qty: str) -> str:
    """Say in a word which way a signed quantity lies."""
    return "flat" if qty == "0" else "short" if qty.startswith("-") else "long"


def quote_cells(quote: Mapping[str, Any]) -> dict[str, str]:
    """Return the cells of a quote: ``k`` its symbol, ``t`` when, ``sim`` if it replays history."""
    cells = {"k": _text(quote["symbol"]), **_picked(quote, _QUOTE)}
    cells["t"] = _text(quote.get("at"))
    cells["sim"] = _yes(quote.get("simulated"))
    return cells


def text_cells(shown: Mapping[str, Any]) -> dict[str, str]:
    """Return an object of the API as cells: strings as they are, nothing for what is not known."""
    return {
        name: _yes(value) if isinstance(value, bool) else _text(value)
        for name, value in shown.items()
    }


def _picked(source: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, str]:
    return {name: _text(source.get(name)) for name in names}


def _text(value: Any) -> str:
    """:raises TypeError: for a number or a list: amounts are strings wherever they travel."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no string; the API's objects hold amounts as strings.")
    return value


def _yes(value: object) -> str:
    return "yes" if value else ""
