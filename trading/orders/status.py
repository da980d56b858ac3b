"""Status answers only add information: they are turned into the report that is missing."""

from dataclasses import replace
from datetime import timedelta

from trading.orders.canonical import ZERO, dec_str, opt_dec_str
from trading.orders.facts import DAY_LIKE
from trading.orders.ids import fingerprint
from trading.orders.outcome import Query
from trading.orders.reports import ExecutionReport
from trading.orders.state import OrderState, Terms, Version, VersionState
from trading.vocabulary import ExecType, OrdStatus, ReportSource

_WORKING = frozenset({OrdStatus.NEW, OrdStatus.PARTIALLY_FILLED, OrdStatus.FILLED})
_SAID_BY = {
    OrdStatus.CANCELED: ExecType.CANCELED,
    OrdStatus.EXPIRED: ExecType.EXPIRED,
    OrdStatus.REJECTED: ExecType.REJECTED,
    OrdStatus.DONE_FOR_DAY: ExecType.DONE_FOR_DAY,
    OrdStatus.SUSPENDED: ExecType.SUSPENDED,
    OrdStatus.STOPPED: ExecType.STOPPED,
}
_A_MOMENT = timedelta(microseconds=1)
_ENDINGS = frozenset({OrdStatus.CANCELED, OrdStatus.EXPIRED})


def is_absence(report: ExecutionReport) -> bool:
    """A "no such order" answer: evidence for the command protocol, never a rejection."""
    return report.ord_status is OrdStatus.REJECTED and report.order_qty == 0


def asked_again(answer: ExecutionReport, version: int) -> ExecutionReport:
    """An answer that was given before, to the order as it is now (``version`` counts its events).

    What it shows may conclude nothing the first time, for want of executions, and all the next.
    """
    return replace(answer, exec_id=fingerprint(answer=answer.exec_id, version=version))


def missing_reports(
    state: OrderState, answer: ExecutionReport, *, account: str = ""
) -> tuple[tuple[ExecutionReport, ...], Query | None, bool]:
    """Compare a status answer with what we know.

    Returns the reports the venue must have sent and we lack (source RECON, ids that depend on
    their content only), what to ask next, and whether the answer is older than our ledger.
    """
    said = answer.ord_status
    if said is None or is_absence(answer):
        return (), None, False
    if answer.cum_qty is None:
        if said in {OrdStatus.PARTIALLY_FILLED, OrdStatus.FILLED}:
            return (), Query.EXECUTIONS, False
    elif answer.cum_qty > state.cum_qty:
        return (), Query.EXECUTIONS, False
    elif answer.cum_qty < state.cum_qty:
        return (), None, True
    missing: list[ExecutionReport] = []
    query: Query | None = None
    terms = _reported_terms(answer, state.terms)
    if state.closing is not None:
        closed_too = said in _SAID_BY or said is OrdStatus.FILLED
        if _ended_under_others(state, said, terms):
            earlier = replace(answer, transact_time=state.closing.transact_time - _A_MOMENT)
            missing += _term_change(state, earlier, terms)[0]
        made = tuple(replace(item, exec_id=_made_id(state, item, account)) for item in missing)
        return made, None if closed_too else Query.ORDER, False
    if terms != state.terms and said is not OrdStatus.REJECTED:
        if not _shows_executed_as_total(state, said, terms):
            missing, query = _term_change(state, answer, terms)
    elif said in _WORKING and (state.unseen or not state.acked):
        missing.append(_said(answer, ExecType.NEW))
    if said is OrdStatus.FILLED and not missing and state.cum_qty < state.order_qty:
        query = Query.EXECUTIONS
    if said in _SAID_BY and (missing or state.base_status is not said):
        missing.append(_said(answer, _SAID_BY[said]))
    made = tuple(replace(item, exec_id=_made_id(state, item, account)) for item in missing)
    return made, query, False


def _shows_executed_as_total(state: OrderState, said: OrdStatus, terms: Terms) -> bool:
    """Whether the venue may only have put what was executed where an ended order's total stands.

    Some do, and that is no other term: taken for one it would hide an overfill.
    """
    ended = said in _ENDINGS or (said is OrdStatus.DONE_FOR_DAY and terms.time_in_force in DAY_LIKE)
    complete = said is OrdStatus.FILLED and state.cum_qty >= state.order_qty
    return (ended or complete) and terms.order_qty <= state.cum_qty


def _ended_under_others(state: OrderState, said: OrdStatus, terms: Terms) -> bool:
    """Whether the venue's ending differs from ours only because the total in force was another.

    Terms of an ended order were put in force before its end, whenever we hear of them.
    """
    complete = terms.order_qty <= state.cum_qty
    if terms == state.terms or state.cum_qty == ZERO:
        return False
    if state.base_status is OrdStatus.FILLED:
        return said in _ENDINGS and not complete
    return state.base_status in _ENDINGS and said is OrdStatus.FILLED and complete


def _term_change(
    state: OrderState, answer: ExecutionReport, terms: Terms
) -> tuple[list[ExecutionReport], Query | None]:
    """Other terms than ours: our replace took effect, an old snapshot, or the venue's change."""
    for version in state.versions:
        same = _same_figures(version.terms, terms)
        if _may_be_in_force(state, version, answer) and (
            same or _may_be_trimmed(state, version, answer)
        ):
            report = _said(answer, ExecType.REPLACED)
            if not same:
                report = replace(report, order_qty=None, price=None, stop_px=None)
            return [
                replace(
                    report,
                    cl_ord_id=version.cl_ord_id,
                    orig_cl_ord_id=state.cl_ord_id,
                    venue_cl_ord_id=version.venue_cl_ord_id,
                )
            ], None
    if any(_same_figures(version.terms, terms) for version in state.versions):
        return [], Query.ORDER
    return [_said(answer, ExecType.RESTATED)], None


def _may_be_trimmed(state: OrderState, version: Version, answer: ExecutionReport) -> bool:
    """Whether a complete order under the version's own id may only show what was executed.

    Its own, smaller total is in force then, and not the one that stands in its place.
    """
    return (
        answer.ord_status is OrdStatus.FILLED
        and answer.venue_cl_ord_id == version.venue_cl_ord_id
        and answer.order_qty == state.cum_qty >= version.terms.order_qty
    )


def _may_be_in_force(state: OrderState, version: Version, answer: ExecutionReport) -> bool:
    """Still asked for; or given up by us, while the answer shows the order under its id or ended.

    The end of an order settles its requests, also one that had taken effect unheard.
    """
    if version.state is VersionState.PENDING:
        return True
    named = answer.venue_cl_ord_id is not None and answer.venue_cl_ord_id == version.venue_cl_ord_id
    return version.state is VersionState.REJECTED and (named or state.closing is not None)


def _same_figures(left: Terms, right: Terms) -> bool:
    return (left.order_qty, left.price, left.stop_px) == (
        right.order_qty,
        right.price,
        right.stop_px,
    )


def _reported_terms(answer: ExecutionReport, base: Terms) -> Terms:
    order_qty = base.order_qty if answer.order_qty is None else answer.order_qty
    price = base.price if answer.price is None else answer.price
    stop_px = base.stop_px if answer.stop_px is None else answer.stop_px
    if (order_qty, price, stop_px) == (base.order_qty, base.price, base.stop_px):
        return base
    return replace(base, order_qty=order_qty, price=price, stop_px=stop_px)


def _said(answer: ExecutionReport, exec_type: ExecType) -> ExecutionReport:
    """Return the report the venue would have sent for what its answer shows."""
    return replace(
        answer,
        exec_type=exec_type,
        source=ReportSource.RECON,
        # A refusal is of this order only if the answer says so itself.
        ord_status=answer.ord_status if exec_type is not ExecType.NEW else None,
        # The answer's sequence numbers the answer, not the event it tells of.
        venue_seq=None,
        last_qty=None if exec_type is not ExecType.STOPPED else answer.last_qty,
        text=answer.text or f"{exec_type.value.lower()} found by status query",
    )


def _made_id(state: OrderState, report: ExecutionReport, account: str) -> str:
    return fingerprint(
        account=account,
        order=state.id,
        kind=report.exec_type.value,
        cum_qty=dec_str(state.cum_qty),
        order_qty=opt_dec_str(report.order_qty),
        price=opt_dec_str(report.price),
        stop_px=opt_dec_str(report.stop_px),
    )
