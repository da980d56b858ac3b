"""The order state change matrices of FIX 4.4 volume 4, replayed row by row through the fold."""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from order_life import ID, dec, report

from trading.orders.fold import apply, ask_replace
from trading.orders.reports import ExecutionReport
from trading.orders.state import OrderState, Terms, new_state
from trading.vocabulary import CxlRejReason, ExecType, OrdStatus, ReportSource, TimeInForce

MATRICES = json.loads(
    (Path(__file__).parent / "data" / "fix44-order-states.json").read_text("utf-8")
)
EXEC_TYPES = {
    "New": ExecType.NEW,
    "Rejected": ExecType.REJECTED,
    "Trade": ExecType.TRADE,
    "DoneForDay": ExecType.DONE_FOR_DAY,
    "PendingCancel": ExecType.PENDING_CANCEL,
    "Canceled": ExecType.CANCELED,
    "PendingReplace": ExecType.PENDING_REPLACE,
    "Replaced": ExecType.REPLACED,
    "Restated": ExecType.RESTATED,
    "OrderStatus": ExecType.ORDER_STATUS,
}
STATUSES = {
    "New": OrdStatus.NEW,
    "PartiallyFilled": OrdStatus.PARTIALLY_FILLED,
    "Filled": OrdStatus.FILLED,
    "DoneForDay": OrdStatus.DONE_FOR_DAY,
    "PendingCancel": OrdStatus.PENDING_CANCEL,
    "PendingReplace": OrdStatus.PENDING_REPLACE,
    "Canceled": OrdStatus.CANCELED,
    "Rejected": OrdStatus.REJECTED,
}


def opened(scenario: dict[str, Any]) -> OrderState:
    """The order of a scenario before anything was said about it."""
    first = scenario["steps"][0]
    qty = first.get("OrderQty") or scenario["steps"][1]["OrderQty"]
    word = first.get("TimeInForce") or ("GTC" if "GTC" in scenario["title"] else "DAY")
    terms = Terms(dec(qty), time_in_force=TimeInForce(word))
    return new_state(ID, first.get("ClOrdID") or ID, terms)


def said(step: dict[str, Any], seq: int) -> ExecutionReport:
    """The message of an out row."""
    refusal = step["msg"] == "OrderCancelReject"
    exec_type = ExecType.REQUEST_REFUSED if refusal else EXEC_TYPES[step["ExecType"]]
    last_qty = step.get("LastQty") or None
    return report(
        exec_type,
        seq,
        exec_id=f"E{seq}",
        source=ReportSource.VENUE,
        cl_ord_id=step.get("ClOrdID"),
        orig_cl_ord_id=step.get("OrigClOrdID"),
        ord_status=STATUSES[step["OrdStatus"]],
        order_qty=step.get("OrderQty"),
        cum_qty=step.get("CumQty"),
        leaves_qty=step.get("LeavesQty"),
        last_qty=last_qty,
        last_px=100 if last_qty else None,
        cxl_rej_reason=CxlRejReason.TOO_LATE if step.get("CxlRejReason") == 0 else None,
    )


@pytest.mark.parametrize("scenario", MATRICES["scenarios"], ids=lambda item: item["id"])
def test_matrix(scenario: dict[str, Any]) -> None:
    state = opened(scenario)
    compared = 0
    for seq, step in enumerate(scenario["steps"], 1):
        if step["dir"] == "in" and step["msg"] == "OrderCancelReplaceRequest":
            terms = replace(state.terms, order_qty=dec(step["OrderQty"]))
            state = ask_replace(state, step["ClOrdID"], f"{ID}{seq:02d}", terms)
        if step["dir"] != "out":
            continue
        after = apply(state, said(step, seq)).state
        compared += 1
        where = f"{scenario['id']} row {seq}"
        assert after.ord_status is STATUSES[step["OrdStatus"]], where
        for name, ours in (
            ("OrderQty", after.order_qty),
            ("CumQty", after.cum_qty),
            ("LeavesQty", after.leaves_qty),
        ):
            if step.get(name) is not None:
                allowed = {Decimal(step[name])}
                if scenario["id"] == "E.1.a" and seq == 2:
                    allowed.add(after.order_qty - after.cum_qty)
                assert ours in allowed, f"{where} {name}"
        if step.get("flag") != "alternative_branch":
            state = after
    assert compared > 1
