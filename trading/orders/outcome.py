"""What applying one report gives, and the small answers every handler shares."""

from enum import StrEnum
from typing import NamedTuple

from trading.orders.ledger import EntryKind, LedgerEntry, precedes
from trading.orders.reports import ExecutionReport
from trading.orders.state import Mark, OrderState, Version, VersionState


class Verdict(StrEnum):
    """What became of a report.

    RECORDED and RECORDED_QUERY move no status, quantity or price, yet may add a fact (a late
    NEW brings the venue's id): the state that comes with any verdict is the one to store.
    PARKED left the state alone; HELD keeps the report in it until its trade comes.
    """

    APPLIED = "APPLIED"
    RECORDED = "RECORDED"
    RECORDED_QUERY = "RECORDED_QUERY"
    LATE = "LATE"
    OVERFILL = "OVERFILL"
    PARKED = "PARKED"
    HELD = "HELD"


class Query(StrEnum):
    """What the venue should be asked next."""

    ORDER = "ORDER"
    EXECUTIONS = "EXECUTIONS"


class Applied(NamedTuple):
    """The state after a report. ``entries`` are the new ledger rows in booking order: usually
    none or one, more when a held correction follows its trade.

    Alarms: impossible_report, exec_conflict, fill_after_reject, overfill, stale_status,
    superseded_close.
    """

    state: OrderState
    verdict: Verdict
    alarm: str | None = None
    entries: tuple[LedgerEntry, ...] = ()
    query: Query | None = None

    @property
    def entry(self) -> LedgerEntry | None:
        """The first new ledger row."""
        return self.entries[0] if self.entries else None


def parked(state: OrderState, alarm: str = "impossible_report") -> Applied:
    """Keep the report aside: it cannot be true of this order as we know it."""
    return Applied(state, Verdict.PARKED, alarm, query=Query.ORDER)


def recorded(state: OrderState, query: Query | None = None) -> Applied:
    """Log the report; with a query where it raises a question."""
    verdict = Verdict.RECORDED if query is None else Verdict.RECORDED_QUERY
    return Applied(state, verdict, query=query)


def changed(before: OrderState, after: OrderState, query: Query | None = None) -> Applied:
    """APPLIED if any fact is new, else RECORDED."""
    if after == before:
        return recorded(before, query)
    return Applied(after, Verdict.APPLIED, query=query)


def marked(
    mark: Mark | None, report: ExecutionReport, on: bool, *, guarantee: bool = False
) -> Mark:
    """Return the flag after one more word on it: the latest by the venue's order counts."""
    if mark is not None and precedes(
        report.venue_seq, report.transact_time, mark.venue_seq, mark.transact_time
    ):
        return mark
    qty, px = (report.last_qty, report.last_px) if guarantee else (None, None)
    return Mark(on, report.transact_time, report.venue_seq, qty, px)


def traded_after(state: OrderState, report: ExecutionReport) -> bool:
    """Whether an execution came strictly after the report at the venue."""
    return any(
        entry.kind is EntryKind.TRADE
        and precedes(report.venue_seq, report.transact_time, entry.venue_seq, entry.transact_time)
        for entry in state.ledger.entries.values()
    )


def before_closing(state: OrderState, report: ExecutionReport) -> bool:
    """Whether the report precedes the order's end (true for an order that has not ended)."""
    closing = state.closing
    return closing is None or precedes(
        report.venue_seq, report.transact_time, closing.venue_seq, closing.transact_time
    )


def unexplained(state: OrderState, report: ExecutionReport) -> Query | None:
    """Ask for executions when the venue counts more than our ledger holds."""
    if report.cum_qty is not None and report.cum_qty > state.ledger.cum_qty:
        return Query.EXECUTIONS
    return None


def names_superseded(state: OrderState, report: ExecutionReport) -> bool:
    """Whether the report speaks of a version that a later one has replaced.

    The answer to a cancel request of ours always concerns the order.
    """
    if len(state.versions) == 1 or report.cl_ord_id in state.pending_cancels:
        return False
    current = state.current
    named = state.version_for(report.cl_ord_id, report.venue_cl_ord_id)
    if named is None and report.order_id is not None and current.order_id is not None:
        named = next((v for v in state.versions if v.order_id == report.order_id), None)
    return (
        named is not None
        and named.state is VersionState.ACCEPTED
        and named is not current
        and _holds_own_place(named, current)
    )


def _holds_own_place(named: Version, current: Version) -> bool:
    """A change nobody asked for carries on under the ids of the version before it."""
    return current.venue_cl_ord_id is not None and named.venue_cl_ord_id != current.venue_cl_ord_id
