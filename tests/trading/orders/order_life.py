"""Short words for the reports of an order's life, so that scenarios read as a list."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from trading.orders.fold import Applied, apply, ask_replace
from trading.orders.reports import ExecutionReport
from trading.orders.state import OrderState, Terms, new_state
from trading.vocabulary import ExecType, OrdStatus, ReportSource, TimeInForce

ID = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
START = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)
E = ExecType
S = OrdStatus


def dec(value: object) -> Decimal:
    return Decimal(str(value))


def order(qty: object = 10, tif: TimeInForce = TimeInForce.DAY, price: object = 100) -> OrderState:
    return new_state(ID, "X", Terms(dec(qty), price=dec(price), time_in_force=tif))


def report(
    exec_type: ExecType, seq: int | None = None, *, at: float | None = None, **fields: object
) -> ExecutionReport:
    """A venue's report; ``seq`` is also its second after the start unless ``at`` says else."""
    seconds = at if at is not None else (seq or 0)
    values = {
        name: dec(value) if name in DECIMALS and value is not None else value
        for name, value in fields.items()
    }
    values.setdefault("exec_id", f"{exec_type.value}-{seq}-{seconds}")
    return ExecutionReport(
        exec_type=exec_type,
        source=values.pop("source", ReportSource.VENUE),
        transact_time=START + timedelta(seconds=seconds),
        venue_seq=seq,
        **values,
    )


DECIMALS = {"last_qty", "last_px", "order_qty", "price", "cum_qty", "leaves_qty", "fee", "stop_px"}


def trade(exec_id: str, qty: object, px: object = 100, seq: int | None = None, **more: object):
    return report(E.TRADE, seq, exec_id=exec_id, last_qty=qty, last_px=px, **more)


def run(state: OrderState, *reports: ExecutionReport) -> OrderState:
    for item in reports:
        state = apply(state, item).state
    return state


def last(state: OrderState, *reports: ExecutionReport) -> Applied:
    *before, final = reports
    return apply(run(state, *before), final)


def asked(state: OrderState, cl_ord_id: str, qty: object, price: object = 100) -> OrderState:
    """The state once a replace is queued."""
    terms = replace(state.terms, order_qty=dec(qty), price=dec(price))
    return ask_replace(state, cl_ord_id, f"{ID}{state.next_version:02d}", terms)


def view(state: OrderState) -> dict[str, object]:
    """What the order row shows."""
    return {
        "ord_status": state.ord_status,
        "base_status": state.base_status,
        "is_closed": state.is_closed,
        "closed_as": state.closed_as,
        "order_qty": state.order_qty,
        "cum_qty": state.cum_qty,
        "leaves_qty": state.leaves_qty,
        "overfill_qty": state.overfill_qty,
        "gross_trade_amt": state.gross_trade_amt,
        "avg_px": state.avg_px,
        "terms": state.terms,
        "cl_ord_id": state.cl_ord_id,
        "venue_cl_ord_id": state.venue_cl_ord_id,
        "order_id": state.order_id,
        "acked": state.acked,
        "pending": (state.pending_cancels, state.pending_replaces),
        "held": state.held,
        "reserved": state.reserved_qty(),
    }
