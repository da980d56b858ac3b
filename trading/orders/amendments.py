"""Reports about requests and terms: pending, refused, replaced, restated."""

from dataclasses import replace
from decimal import Decimal

from trading.orders.canonical import EXACT, ZERO, fits_column
from trading.orders.facts import DAY_LIKE, Trailed
from trading.orders.ids import fingerprint
from trading.orders.ledger import EntryKind, LedgerEntry, precedes
from trading.orders.outcome import (
    Applied,
    Query,
    Verdict,
    before_closing,
    changed,
    marked,
    parked,
    recorded,
    unexplained,
)
from trading.orders.reports import ExecutionReport
from trading.orders.state import Mark, OrderState, Terms, Version, VersionState
from trading.orders.table import Cell
from trading.vocabulary import CxlRejReason, ExecType, OrdStatus, ReportSource, TimeInForce

TRAILED = "TRAILED"
"""Why this system restates a stop it keeps: its trail has moved. That is no change of terms."""

CORPORATE_ACTIONS = frozenset({"CORPORATE_ACTION", "GT_CORPORATE_ACTION"})
# What a venue can only say of terms that are in force. PENDING words, refusals and status answers
# may name a version that is still asked for.
_SAID_OF_ITS_VERSION = frozenset(
    {
        ExecType.TRADE,
        ExecType.TRADE_CORRECT,
        ExecType.TRADE_CANCEL,
        ExecType.CANCELED,
        ExecType.EXPIRED,
        ExecType.DONE_FOR_DAY,
        ExecType.SUSPENDED,
        ExecType.STOPPED,
        ExecType.TRIGGERED,
        ExecType.RESTATED,
    }
)


def ask_replace(
    state: OrderState, cl_ord_id: str, venue_cl_ord_id: str | None, terms: Terms
) -> OrderState:
    """Add the version a replace asks for. It is PENDING and reserves; no status moves."""
    version = Version(state.next_version, cl_ord_id, venue_cl_ord_id, terms, VersionState.PENDING)
    return state.with_(versions=(*state.versions, version))


def in_force_by(state: OrderState, report: ExecutionReport) -> OrderState:
    """Conclude that a replace took effect from a report on what only its version could do.

    The venue's word REPLACED may be lost or late; when it comes, its instant and terms count.
    """
    if report.exec_type not in _SAID_OF_ITS_VERSION or report.source is ReportSource.LOCAL:
        return state
    named = state.version_for(None, report.venue_cl_ord_id)
    if named is None or named.number == 0:
        return state
    if named.state is VersionState.ACCEPTED and not (
        named.is_concluded and _put_in_force_by(report, named)
    ):
        return state
    concluded = named._replace(
        state=VersionState.ACCEPTED,
        order_id=named.order_id or report.order_id,
        venue_seq=report.venue_seq,
        accepted_at=report.transact_time,
    )
    request = {named.cl_ord_id or ""}
    return state.with_(
        versions=tuple(concluded if item is named else item for item in state.versions),
        acked=True,
        unseen=False,
        pending_replaces=state.pending_replaces - request,
        resolved=state.resolved | request,
    )


def pending(state: OrderState, report: ExecutionReport, cell: Cell) -> Applied:
    """A cancel or replace is on its way; one that was answered already is old news."""
    cancel = report.exec_type is ExecType.PENDING_CANCEL
    open_ids = state.pending_cancels if cancel else state.pending_replaces
    request = report.cl_ord_id or ""
    if (
        cell is Cell.SAME
        or state.closing is not None
        or request in state.resolved
        or request in open_ids
        or (not request and open_ids)
    ):
        return recorded(state, unexplained(state, report))
    if cancel:
        after = state.with_(pending_cancels=open_ids | {request})
    else:
        after = state.with_(pending_replaces=open_ids | {request})
        unknown = state.version_for(request, None) is None
        if request and unknown and report.source is ReportSource.LOCAL:
            terms = _terms(report, state.terms)
            if not _storable(terms):
                return parked(state)
            after = ask_replace(after, request, report.venue_cl_ord_id, terms)
    return changed(state, after, unexplained(state, report))


def refused(state: OrderState, report: ExecutionReport, cell: Cell) -> Applied:
    """A request was refused: it alone is settled, terms and base status stay."""
    if report.cxl_rej_reason is CxlRejReason.DUPLICATE_CL_ORD_ID:
        # Our earlier attempt under this id exists at the venue: a look-up decides, not this.
        return recorded(state, Query.ORDER)
    request = _request_of(state, report)
    if request is None:
        return recorded(state, Query.ORDER)
    version = state.version_for(request, None)
    if version is not None and version.state is VersionState.ACCEPTED:
        known = request in state.resolved and not version.is_concluded
        return recorded(state, None if known else Query.ORDER)
    query = {
        CxlRejReason.TOO_LATE: Query.EXECUTIONS,
        CxlRejReason.UNKNOWN_ORDER: Query.ORDER,
    }.get(report.cxl_rej_reason or CxlRejReason.OTHER)
    after = state.with_(
        pending_cancels=state.pending_cancels - {request},
        pending_replaces=state.pending_replaces - {request},
        resolved=state.resolved | {request},
        versions=tuple(
            item._replace(state=VersionState.REJECTED) if item is version else item
            for item in state.versions
        ),
    )
    if cell is Cell.SAME:
        return recorded(after, query)
    return changed(state, after, query or unexplained(after, report))


def replaced(state: OrderState, report: ExecutionReport, cell: Cell) -> Applied:
    """New terms are in force; without a request of ours it is a restatement."""
    version = state.version_for(report.cl_ord_id, report.venue_cl_ord_id)
    asked = report.cl_ord_id is not None and (
        report.cl_ord_id in state.pending_replaces or report.orig_cl_ord_id is not None
    )
    if version is None and not asked:
        return restated(state, report, cell)
    if version is not None and _is_settled(version, report):
        same_word = version.number > 0 and version.exec_id == report.exec_id
        return recorded(state) if same_word else restated(state, report, cell)
    if cell is Cell.PARK or not before_closing(state, report):
        return parked(state)
    base = state.terms if version is None else version.terms
    terms = _terms(_without_trail(state, report), base)
    if not _storable(terms):
        return parked(state)
    versions = state.versions
    if version is None:
        version = Version(
            state.next_version,
            report.cl_ord_id,
            report.venue_cl_ord_id,
            terms,
            VersionState.PENDING,
        )
        versions = (*versions, version)
    accepted = Version(
        version.number,
        version.cl_ord_id,
        version.venue_cl_ord_id or report.venue_cl_ord_id,
        terms,
        VersionState.ACCEPTED,
        report.order_id or version.order_id,
        report.venue_seq,
        report.transact_time,
        None if report.source is ReportSource.RECON else report.exec_id,
    )
    request = version.cl_ord_id or ""
    after = state.with_(
        versions=tuple([accepted if item is version else item for item in versions]),
        acked=state.acked or report.source is not ReportSource.LOCAL,
        unseen=state.unseen and report.source is ReportSource.LOCAL,
        trailed=_trail_under(state, terms),
        pending_replaces=state.pending_replaces - {request},
        resolved=state.resolved | {request},
        done=_done_after(state, report, terms),
        stop=marked(state.stop, report, False),
        suspend=marked(state.suspend, report, False),
    )
    verdict = Verdict.APPLIED if state.closing is None else Verdict.LATE
    return Applied(after, verdict, query=unexplained(after, report))


def restated(state: OrderState, report: ExecutionReport, cell: Cell) -> Applied:
    """The venue states the terms itself: they become a version nobody asked for."""
    if report.exec_id and any(item.exec_id == report.exec_id for item in state.versions[1:]):
        return recorded(state)
    if cell is Cell.PARK or not before_closing(state, report):
        return parked(state)
    if report.restatement_reason == TRAILED:
        return changed(state, state.with_(trailed=trailed_by(state, report)))
    terms = _terms(report, state.terms)
    if not _storable(terms):
        return parked(state)
    entries: tuple[LedgerEntry, ...] = ()
    ledger = state.ledger
    if report.restatement_reason in CORPORATE_ACTIONS and report.cum_qty is not None:
        entry = _adjustment(state, report, report.cum_qty)
        if entry is not None and entry.exec_id not in ledger.entries:
            ledger, entries = ledger.add(entry), (entry,)
    versions = state.versions
    if terms != state.terms:
        version = Version(
            state.next_version,
            None,
            None,
            terms,
            VersionState.ACCEPTED,
            report.order_id,
            report.venue_seq,
            report.transact_time,
            report.exec_id or None,
        )
        versions = (*versions, version)
    said = report.ord_status
    after = state.with_(
        versions=versions,
        ledger=ledger,
        acked=state.acked or report.source is not ReportSource.LOCAL,
        unseen=state.unseen and report.source is ReportSource.LOCAL,
        done=state.done if said is OrdStatus.DONE_FOR_DAY else _done_after(state, report, terms),
        stop=marked(state.stop, report, said is OrdStatus.STOPPED, guarantee=True),
        suspend=marked(state.suspend, report, said is OrdStatus.SUSPENDED),
    )
    query = unexplained(after, report)
    if state.closing is not None:
        return Applied(after, Verdict.LATE, None, entries, query)
    if entries:
        return Applied(after, Verdict.APPLIED, None, entries, query)
    return changed(state, after, query)


def trailed_by(state: OrderState, report: ExecutionReport) -> Trailed | None:
    """How far the order's trail has come after a report that may say so."""
    if report.anchor_px is None:
        return state.trailed
    return Trailed(report.anchor_px, report.stop_px)


def _trail_under(state: OrderState, terms: Terms) -> Trailed | None:
    """A new distance or trigger takes the stop from the anchor anew; the anchor stays."""
    trailed = state.trailed
    if trailed is None:
        return None
    same = (terms.trail_offset, terms.stop_px) == (state.terms.trail_offset, state.terms.stop_px)
    return trailed if same else replace(trailed, stop_px=None)


def _without_trail(state: OrderState, report: ExecutionReport) -> ExecutionReport:
    """A request that states the stop where the trail has taken it asks for no other trigger."""
    trailed = state.trailed
    if trailed is None or trailed.stop_px is None or report.stop_px != trailed.stop_px:
        return report
    return replace(report, stop_px=None)


def _is_settled(version: Version, report: ExecutionReport) -> bool:
    """Whether the version's acceptance is known; a concluded one still takes the venue's word."""
    concluded = version.is_concluded and report.source is not ReportSource.RECON
    return version.state is VersionState.ACCEPTED and not concluded


def _put_in_force_by(report: ExecutionReport, version: Version) -> bool:
    """Whether the report is earlier evidence of the version than what it was concluded from."""
    return version.accepted_at is not None and precedes(
        report.venue_seq, report.transact_time, version.venue_seq, version.accepted_at
    )


def _done_after(state: OrderState, report: ExecutionReport, terms: Terms) -> Mark | None:
    """New terms wake an order that outlives the day; a DAY-like one is over."""
    return state.done if terms.time_in_force in DAY_LIKE else marked(state.done, report, False)


def _request_of(state: OrderState, report: ExecutionReport) -> str | None:
    """Which request an answer settles: named, or the only one that waits."""
    if report.cl_ord_id is not None:
        return report.cl_ord_id
    version = state.version_for(None, report.venue_cl_ord_id)
    if version is not None and version.state is VersionState.PENDING:
        return version.cl_ord_id
    waiting = [*state.pending_cancels, *state.pending_replaces]
    return waiting[0] if len(waiting) == 1 else None


def _terms(report: ExecutionReport, base: Terms) -> Terms:
    """Take what the report states over ``base``; only a GTD order ends at an instant."""
    time_in_force = report.time_in_force or base.time_in_force
    expire_time = base.expire_time if report.expire_time is None else report.expire_time
    return Terms(
        order_qty=base.order_qty if report.order_qty is None else report.order_qty,
        price=base.price if report.price is None else report.price,
        stop_px=base.stop_px if report.stop_px is None else report.stop_px,
        display_qty=base.display_qty if report.display_qty is None else report.display_qty,
        time_in_force=time_in_force,
        expire_time=expire_time if time_in_force is TimeInForce.GTD else None,
        trail_offset=base.trail_offset if report.trail_offset is None else report.trail_offset,
        limit_offset=base.limit_offset if report.limit_offset is None else report.limit_offset,
    )


def _storable(terms: Terms) -> bool:
    """Whether the database can hold these terms: a total above zero, an end where there is one."""
    numbers = (
        terms.order_qty,
        terms.price,
        terms.stop_px,
        terms.display_qty,
        terms.trail_offset,
        terms.limit_offset,
    )
    ends = terms.time_in_force is not TimeInForce.GTD or terms.expire_time is not None
    unfit = [n for n in numbers if n is not None and not fits_column(n)]
    return ends and not unfit and terms.order_qty > ZERO


def _adjustment(state: OrderState, report: ExecutionReport, cum_qty: Decimal) -> LedgerEntry | None:
    """A split changes what was executed, not what was paid: one row of quantity, no amount."""
    delta = EXACT.subtract(cum_qty, state.ledger.cum_qty) if fits_column(cum_qty) else ZERO
    if delta == 0:
        return None
    made = fingerprint(order=state.id, kind="ADJUST", cum_qty=str(cum_qty.normalize()))
    return LedgerEntry(
        exec_id=report.exec_id or made,
        kind=EntryKind.ADJUST,
        qty=delta,
        px=ZERO,
        transact_time=report.transact_time,
        source=report.source,
        venue_seq=report.venue_seq,
    )
