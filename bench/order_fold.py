"""``python -m bench.order_fold``: microseconds to fold one report into one order."""

import timeit
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

from trading.orders.fold import apply
from trading.orders.reports import ExecutionReport
from trading.orders.state import OrderState, Terms, new_state
from trading.vocabulary import ExecType, ReportSource

REPETITIONS = 2_000
ROUNDS = 15
NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)


def report(exec_type: ExecType, exec_id: str, **fields: object) -> ExecutionReport:
    """A venue's report with the fields that matter here."""
    return ExecutionReport(
        exec_type=exec_type,
        source=ReportSource.VENUE,
        exec_id=exec_id,
        transact_time=NOW,
        **fields,  # type: ignore[arg-type]  # chosen by the caller, as a report's own fields
    )


def trade(number: int) -> ExecutionReport:
    """One fill of one unit."""
    return report(ExecType.TRADE, f"T{number}", last_qty=Decimal(1), last_px=Decimal("1250.25"))


def fresh() -> OrderState:
    """An order nobody has answered yet."""
    return new_state("01M7WEY0MDTXT04ZCXS6790D65", "c-1", Terms(Decimal(1000), Decimal(1250)))


def microseconds(work: Callable[[], object]) -> float:
    """Best round's cost of one call."""
    return min(timeit.repeat(work, number=REPETITIONS, repeat=ROUNDS)) / REPETITIONS * 1e6


def main() -> None:
    """Print one line per case."""
    waiting = fresh()
    working = apply(waiting, report(ExecType.NEW, "N1", order_id="V1")).state
    filled_often = working
    for number in range(200):
        filled_often = apply(filled_often, trade(number)).state
    cases: dict[str, Callable[[], object]] = {
        "NEW on a pending order": lambda: apply(waiting, report(ExecType.NEW, "N1")),
        "first TRADE": lambda: apply(working, trade(0)),
        "201st TRADE": lambda: apply(filled_often, trade(200)),
        "CANCELED": lambda: apply(working, report(ExecType.CANCELED, "C1")),
    }
    for name, work in cases.items():
        print(f"{name:<26} {microseconds(work):6.2f} µs (making the report included)")


if __name__ == "__main__":
    main()
