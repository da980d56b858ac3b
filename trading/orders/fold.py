"""Apply one report to one order: pure, total over (status, exec type), never guessing.

``apply`` looks the pair up in ``table.TABLE`` and lets the handler take the facts; what status
results is read off the facts afterwards.
"""

from collections.abc import Callable, Iterable

from trading.orders.amendments import (
    ask_replace,
    in_force_by,
    pending,
    refused,
    replaced,
    restated,
)
from trading.orders.executions import correction, drop_held, trade
from trading.orders.lifecycle import HANDLERS as LIFECYCLE
from trading.orders.outcome import Applied, Query, Verdict, parked, recorded
from trading.orders.reports import ExecutionReport
from trading.orders.state import OrderState
from trading.orders.status import missing_reports
from trading.orders.table import TABLE, Cell
from trading.vocabulary import ExecType

__all__ = [
    "Applied",
    "Query",
    "Verdict",
    "apply",
    "apply_all",
    "ask_replace",
    "drop_held",
]


def apply(state: OrderState, report: ExecutionReport) -> Applied:
    """Return the order after ``report``, what became of it, and what to book, ask or shout."""
    row = TABLE.get(report.exec_type)
    if row is None:
        return parked(state)
    handle = _HANDLERS[report.exec_type]
    if len(state.versions) == 1:
        return handle(state, report, row[state.ord_status])
    known = in_force_by(state, report)
    applied = handle(known, report, row[known.ord_status])
    return applied if known is state else _with_evidence(applied, state)


def apply_all(state: OrderState, reports: Iterable[ExecutionReport]) -> OrderState:
    """Fold many reports, oldest arrival first, and return the state they end in."""
    for report in reports:
        state = apply(state, report).state
    return state


def _with_evidence(applied: Applied, before: OrderState) -> Applied:
    """A report that also proved an amendment: parked it proves nothing, else it is news."""
    if applied.verdict is Verdict.PARKED:
        return applied._replace(state=before)
    if applied.verdict in {Verdict.RECORDED, Verdict.RECORDED_QUERY}:
        return applied._replace(verdict=Verdict.APPLIED)
    return applied


def _order_status(state: OrderState, report: ExecutionReport, _cell: Cell) -> Applied:
    """Fold what a status answer shows and we lack; it never overrules the ledger."""
    missing, query, stale = missing_reports(state, report)
    if stale:
        return Applied(state, Verdict.RECORDED, "stale_status")
    if not missing:
        return recorded(state, query)
    result = Applied(state, Verdict.RECORDED)
    for item in missing:
        result = apply(result.state, item)
    return result


_HANDLERS: dict[ExecType, Callable[[OrderState, ExecutionReport, Cell], Applied]] = {
    **LIFECYCLE,
    ExecType.TRADE: trade,
    ExecType.TRADE_CORRECT: correction,
    ExecType.TRADE_CANCEL: correction,
    ExecType.PENDING_CANCEL: pending,
    ExecType.PENDING_REPLACE: pending,
    ExecType.REQUEST_REFUSED: refused,
    ExecType.REPLACED: replaced,
    ExecType.RESTATED: restated,
    ExecType.ORDER_STATUS: _order_status,
}
