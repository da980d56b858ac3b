"""Reports about the order's life: acknowledged, ended, and the flags with a lifetime."""

from dataclasses import replace

from trading.orders.amendments import refused, trailed_by
from trading.orders.executions import with_order_id
from trading.orders.facts import DAY_LIKE, Version
from trading.orders.ids import is_expiry_id
from trading.orders.outcome import (
    Applied,
    Query,
    Verdict,
    before_closing,
    changed,
    marked,
    names_superseded,
    parked,
    recorded,
    traded_after,
    unexplained,
)
from trading.orders.reports import ExecutionReport
from trading.orders.state import Closing, OrderState, VersionState
from trading.orders.table import Cell
from trading.vocabulary import ExecType, OrdStatus, ReportSource, TimeInForce

_AT_ONCE = frozenset({TimeInForce.IOC, TimeInForce.FOK})


def pending_new(state: OrderState, _report: ExecutionReport, _cell: Cell) -> Applied:
    """Somebody has the request in hand; that is no evidence that the order exists."""
    return recorded(state)


def new(state: OrderState, report: ExecutionReport, cell: Cell) -> Applied:
    """The order exists. After its end the word adds the venue's id and a question."""
    if cell is Cell.PARK and not before_closing(state, report):
        return parked(state)
    ended = cell is Cell.QUERY or cell is Cell.PARK
    after = state.with_(
        acked=True,
        unseen=_unseen(state, report),
        versions=with_order_id(state, report),
        trailed=trailed_by(state, report),
        suspend=state.suspend if ended else marked(state.suspend, report, False),
    )
    if ended:
        return recorded(after, Query.ORDER if cell is Cell.QUERY else None)
    query = unexplained(after, report)
    return recorded(after, query) if cell is Cell.SAME else changed(state, after, query)


def closed(state: OrderState, report: ExecutionReport, cell: Cell) -> Applied:
    """CANCELED or EXPIRED: settles every request; of two endings the earlier counts."""
    if names_superseded(state, report):
        return recorded(state, Query.ORDER)
    closed_as = OrdStatus(report.exec_type.value)
    if state.time_in_force in _AT_ONCE:
        closed_as = OrdStatus.CANCELED
    elif any(is_expiry_id(request) for request in state.pending_cancels):
        # The venue cannot keep the time: what it took back at our request has expired.
        closed_as = OrdStatus.EXPIRED
    closing = state.closing
    if closing is not None and (
        closing.closed_as is OrdStatus.REJECTED or not before_closing(state, report)
    ):
        return recorded(state, unexplained(state, report))
    requested = bool(state.pending_cancels) or (
        report.cl_ord_id is not None and state.version_for(report.cl_ord_id, None) is None
    )
    after = _ended(
        state,
        report,
        Closing(
            closed_as=closed_as,
            transact_time=report.transact_time,
            venue_seq=report.venue_seq,
            unsolicited=closed_as is OrdStatus.CANCELED and not requested,
            text=report.text,
        ),
    )
    if cell is Cell.QUERY:
        return recorded(after, Query.ORDER)
    query = unexplained(after, report)
    if closing is not None and closing.closed_as is closed_as:
        return recorded(after, query)
    return Applied(after, Verdict.APPLIED, query=query)


def rejected(state: OrderState, report: ExecutionReport, cell: Cell) -> Applied:
    """The order never worked, unless executions say otherwise."""
    if report.ord_status not in {None, OrdStatus.REJECTED}:
        # A second message under the same id was refused; the first stands.
        return recorded(state)
    version = state.version_for(report.cl_ord_id, report.venue_cl_ord_id)
    if version is not None and version.state is VersionState.PENDING:
        return refused(state, replace(report, cl_ord_id=version.cl_ord_id), cell)
    if names_superseded(state, report):
        return recorded(state, Query.ORDER)
    if cell is Cell.SAME or state.closing is not None:
        return recorded(state)
    if cell is Cell.PARK or state.cum_qty:
        return parked(state)
    closing = Closing(
        closed_as=OrdStatus.REJECTED,
        transact_time=report.transact_time,
        venue_seq=report.venue_seq,
        text=report.text,
        ord_rej_reason=report.ord_rej_reason,
    )
    return Applied(_ended(state, report, closing), Verdict.APPLIED)


def done_for_day(state: OrderState, report: ExecutionReport, cell: Cell) -> Applied:
    """No more fills today. The flag is kept on a complete order too: a bust may uncover it."""
    outlives = state.time_in_force not in DAY_LIKE
    if state.closing is not None or (outlives and traded_after(state, report)):
        return recorded(state)
    after = _there(state, report, done=marked(state.done, report, True))
    query = unexplained(after, report)
    if cell is Cell.SAME and after.ord_status is state.ord_status:
        return recorded(after, query)
    return changed(state, after, query)


def suspended(state: OrderState, report: ExecutionReport, cell: Cell) -> Applied:
    """Not eligible to trade until something happens; a trade since then is that something.

    The flag is kept on a complete order too: a bust may uncover it.
    """
    if cell is Cell.QUERY:
        return recorded(state, Query.ORDER)
    if state.closing is not None or traded_after(state, report):
        return recorded(state)
    after = _there(state, report, suspend=marked(state.suspend, report, True))
    return recorded(after) if cell is Cell.SAME else changed(state, after)


def stopped(state: OrderState, report: ExecutionReport, cell: Cell) -> Applied:
    """The venue guarantees an execution; nothing is filled by that."""
    if cell is Cell.QUERY:
        return recorded(state, Query.ORDER)
    if state.closing is not None:
        return recorded(state)
    mark = marked(state.stop, report, True, guarantee=True)
    after = _there(state, report, stop=mark)
    return recorded(after) if cell is Cell.SAME else changed(state, after)


def triggered(state: OrderState, report: ExecutionReport, cell: Cell) -> Applied:
    """A stop has fired or a held order was released: it works from now on.

    The price a trail gives its limit on firing is a change of terms nobody asked for.
    """
    if cell is Cell.QUERY:
        return recorded(state, Query.ORDER)
    after = _there(
        state,
        report,
        triggered=True,
        suspend=marked(state.suspend, report, False),
        trailed=trailed_by(state, report),
    )
    if report.price is not None and report.price != state.price:
        fired = Version(
            number=state.next_version,
            cl_ord_id=None,
            venue_cl_ord_id=None,
            terms=replace(state.terms, price=report.price),
            state=VersionState.ACCEPTED,
            venue_seq=report.venue_seq,
            accepted_at=report.transact_time,
            exec_id=report.exec_id,
        )
        after = after.with_(versions=(*after.versions, fired))
    return recorded(after) if cell is Cell.SAME else changed(state, after)


def _there(state: OrderState, report: ExecutionReport, **facts: object) -> OrderState:
    """The venue speaks of the order as its own: it exists, under the id it names."""
    return state.with_(
        acked=True,
        unseen=_unseen(state, report),
        versions=with_order_id(state, report),
        **facts,
    )


def _unseen(state: OrderState, report: ExecutionReport) -> bool:
    """Whether still nobody but this system has said that the order exists."""
    return report.source is ReportSource.LOCAL and (state.unseen or not state.acked)


def _ended(state: OrderState, report: ExecutionReport, closing: Closing) -> OrderState:
    """End the order: every open request is settled by that."""
    settled = state.pending_cancels | state.pending_replaces
    if report.cl_ord_id is not None and state.version_for(report.cl_ord_id, None) is None:
        settled |= {report.cl_ord_id}
    return state.with_(
        closing=closing,
        versions=tuple(
            version._replace(state=VersionState.REJECTED)
            if version.state is VersionState.PENDING
            else version
            for version in with_order_id(state, report)
        ),
        pending_cancels=frozenset(),
        pending_replaces=frozenset(),
        resolved=state.resolved | settled,
    )


HANDLERS = {
    ExecType.PENDING_NEW: pending_new,
    ExecType.NEW: new,
    ExecType.CANCELED: closed,
    ExecType.EXPIRED: closed,
    ExecType.REJECTED: rejected,
    ExecType.DONE_FOR_DAY: done_for_day,
    ExecType.SUSPENDED: suspended,
    ExecType.STOPPED: stopped,
    ExecType.TRIGGERED: triggered,
}
