"""What applying one report to one order costs in the pure core.

``python -m bench.order_fold`` prints microseconds, the best of many rounds;
``pytest bench/test_order_fold.py`` gives the same cases to pytest-benchmark. States and reports
are made before: only ``apply`` is measured.
"""

import timeit
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial

from trading.orders.fold import apply, apply_all, ask_replace
from trading.orders.reports import ExecutionReport
from trading.orders.state import Terms, new_state
from trading.vocabulary import ExecType, OrdStatus, ReportSource

REPETITIONS = 200
ROUNDS = 200
ID = "01M7WEY0MDTXT04ZCXS6790D65"
OPEN = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
QTY, PX = Decimal(1000), Decimal("1250.25")


def report(exec_type: ExecType, number: int, **fields: object) -> ExecutionReport:
    """A venue's report with the fields that matter here; ``number`` is its place in its stream."""
    return ExecutionReport(
        exec_type=exec_type,
        source=ReportSource.VENUE,
        exec_id=f"{exec_type}-{number}",
        transact_time=OPEN + timedelta(milliseconds=number),
        venue_seq=number,
        **fields,  # type: ignore[arg-type]  # chosen by the caller, as a report's own fields
    )


def trade(number: int) -> ExecutionReport:
    """One fill of one unit."""
    return report(ExecType.TRADE, number, last_qty=Decimal(1), last_px=PX)


def cases() -> dict[str, Callable[[], object]]:
    """What is measured, by name: each call applies one report to a state that stays as it is."""
    fresh = new_state(ID, "c-1", Terms(QTY, PX))
    new = report(ExecType.NEW, 1, order_id="V1")
    working = apply(fresh, new).state
    filled_once = apply(working, trade(2)).state
    filled_often = apply_all(working, map(trade, range(2, 202)))
    asked = ask_replace(working, "r-1", f"{ID}01", Terms(QTY * 2, PX))
    replaced = report(
        ExecType.REPLACED, 3, cl_ord_id="r-1", venue_cl_ord_id=f"{ID}01", orig_cl_ord_id="c-1"
    )
    pending_cancel = report(ExecType.PENDING_CANCEL, 300, cl_ord_id="x-1")
    bust = report(ExecType.TRADE_CANCEL, 300, exec_ref_id="TRADE-2")
    correction = report(
        ExecType.TRADE_CORRECT, 300, exec_ref_id="TRADE-2", last_qty=Decimal(2), last_px=PX
    )
    answer = report(
        ExecType.ORDER_STATUS, 300, ord_status=OrdStatus.PARTIALLY_FILLED, order_qty=QTY,
        cum_qty=Decimal(1), price=PX,
    )  # fmt: skip
    measured = {
        "NEW": (fresh, new),
        "first TRADE": (working, trade(2)),
        "second TRADE": (filled_once, trade(3)),
        "201st TRADE": (filled_often, trade(300)),
        "TRADE after a replace": (apply(asked, replaced).state, trade(300)),
        "REPLACED": (asked, replaced),
        "TRADE_CORRECT": (filled_once, correction),
        "TRADE_CANCEL": (filled_once, bust),
        "PENDING_CANCEL": (working, pending_cancel),
        "CANCELED": (apply(working, pending_cancel).state, report(ExecType.CANCELED, 301)),
        "status answer": (filled_once, answer),
        "a report seen before": (filled_once, trade(2)),
    }
    return {name: partial(apply, *pair) for name, pair in measured.items()}


def microseconds(work: Callable[[], object]) -> float:
    """Best round's cost of one call."""
    return min(timeit.repeat(work, number=REPETITIONS, repeat=ROUNDS)) / REPETITIONS * 1e6


def main() -> None:
    """Print one line per case."""
    for name, work in cases().items():
        print(f"{name:<22} {microseconds(work):6.2f} µs")


if __name__ == "__main__":
    main()
