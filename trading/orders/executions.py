"""Reports that book: trades, corrections, busts. Money is real, so they are taken in any status."""

from dataclasses import replace

from trading.orders.canonical import ZERO, fits_column
from trading.orders.facts import DAY_LIKE
from trading.orders.ids import fingerprint
from trading.orders.ledger import EntryKind, LedgerEntry, precedes
from trading.orders.outcome import Applied, Query, Verdict, parked, recorded, unexplained
from trading.orders.reports import ExecutionReport
from trading.orders.state import Mark, OrderState, Version
from trading.orders.table import Cell
from trading.vocabulary import ExecType, OrdStatus

_CORRECTIONS = frozenset({ExecType.TRADE_CORRECT, ExecType.TRADE_CANCEL})


def trade(state: OrderState, report: ExecutionReport, cell: Cell) -> Applied:
    """Book one execution, once, and whatever correction was waiting for it."""
    known = state.ledger.entries.get(report.exec_id)
    if known is not None:
        return _again(state, report, known, EntryKind.TRADE)
    qty, px = report.last_qty, report.last_px
    if (
        qty is None
        or px is None
        or not report.exec_id
        or not fits_column(qty)
        or not fits_column(px)
        or qty <= ZERO
    ):
        return parked(state)
    entry = LedgerEntry(
        report.exec_id,
        EntryKind.TRADE,
        qty,
        px,
        report.transact_time,
        report.source,
        None,
        report.venue_seq,
        report.cl_ord_id,
        report.venue_cl_ord_id,
        report.fee,
        report.fee_currency,
        report.liquidity,
    )
    closing, done, stop, suspend = state.closing, state.done, state.stop, state.suspend
    if closing is not None and closing.closed_as is OrdStatus.REJECTED:
        # The rejection was wrong, and what was said before it does not come back with the order.
        closing = done = stop = suspend = None
    after = state.with_(
        versions=with_order_id(state, report),
        ledger=state.ledger.add(entry),
        acked=True,
        unseen=False,
        closing=closing,
        done=None if done is None else _resumed(done, report, state),
        stop=stop,
        suspend=None if suspend is None else _resumed(suspend, report, None),
    )
    entries: tuple[LedgerEntry, ...] = (entry,)
    if after.held:
        after, released = _release(after)
        entries += released
    return _booked(state, after, report, cell, entries)


def correction(state: OrderState, report: ExecutionReport, cell: Cell) -> Applied:
    """Correct or bust an execution; one we have not seen yet is waited for."""
    kind = EntryKind(report.exec_type.value)
    ref, exec_id = report.exec_ref_id, _correction_id(report)
    if ref is None or not exec_id or not _has_numbers(report):
        return parked(state)
    known = state.ledger.entries.get(exec_id)
    if known is not None:
        return _again(state, report, known, kind)
    if ref not in state.ledger.entries:
        if any(_correction_id(waiting) == exec_id for waiting in state.held):
            return recorded(state)
        return Applied(state.with_(held=(*state.held, report)), Verdict.HELD)
    entry = _correction_entry(report, kind, exec_id)
    after = state.with_(ledger=state.ledger.add(entry))
    entries: tuple[LedgerEntry, ...] = (entry,)
    if after.held:
        after, released = _release(after)
        entries += released
    return _booked(state, after, report, cell, entries)


def with_own_id(report: ExecutionReport) -> ExecutionReport:
    """Give a correction an id of its own where the venue repeats the trade's; else as it is."""
    if report.exec_type not in _CORRECTIONS or report.exec_id != report.exec_ref_id:
        return report
    return replace(report, exec_id=_correction_id(report))


def drop_held(state: OrderState, exec_id: str) -> OrderState:
    """Give up waiting for the trade of a held correction (after the query found none)."""
    return state.with_(held=tuple(item for item in state.held if item.exec_id != exec_id))


def with_order_id(state: OrderState, report: ExecutionReport) -> tuple[Version, ...]:
    """Return the versions with the venue's id put on the one the report speaks of."""
    if report.order_id is None:
        return state.versions
    named = state.version_for(report.cl_ord_id, report.venue_cl_ord_id) or state.current
    if named.order_id is not None:
        return state.versions
    return tuple(
        version._replace(order_id=report.order_id) if version is named else version
        for version in state.versions
    )


def _resumed(mark: Mark, report: ExecutionReport, day: OrderState | None) -> Mark:
    """Clear a flag that a later trade ends; done for day ends a DAY-like order for good."""
    if not mark.on or (day is not None and day.time_in_force in DAY_LIKE):
        return mark
    if precedes(report.venue_seq, report.transact_time, mark.venue_seq, mark.transact_time):
        return mark
    return Mark(False, report.transact_time, report.venue_seq)


def _release(state: OrderState) -> tuple[OrderState, tuple[LedgerEntry, ...]]:
    """Book the held corrections whose reference is known by now, chains of them included.

    One whose own id has meanwhile come with another execution stays held: which of the two the
    venue meant is for a person to say, and what is booked is not written over.
    """
    released: list[LedgerEntry] = []
    ready = True
    while ready:
        ready = False
        for waiting in state.held:
            exec_id = _correction_id(waiting)
            if waiting.exec_ref_id in state.ledger.entries and exec_id not in state.ledger.entries:
                kind = EntryKind(waiting.exec_type.value)
                entry = _correction_entry(waiting, kind, exec_id)
                state = state.with_(
                    ledger=state.ledger.add(entry),
                    held=tuple(item for item in state.held if item is not waiting),
                )
                released.append(entry)
                ready = True
                break
    return state, tuple(released)


def _booked(
    before: OrderState,
    after: OrderState,
    report: ExecutionReport,
    cell: Cell,
    entries: tuple[LedgerEntry, ...],
) -> Applied:
    """Say what kind of booking this was, and what to ask or shout about."""
    alarm: str | None = None
    query = unexplained(after, report)
    verdict = Verdict.LATE if cell is Cell.LATE else Verdict.APPLIED
    order_qty = after.order_qty
    if after.ledger.cum_qty > order_qty and after.overfill_qty > before.overfill_qty:
        verdict, alarm = Verdict.OVERFILL, "overfill"
    if before.closing is not None and after.closing is None:
        alarm, query = "fill_after_reject", Query.ORDER
    elif before.ledger.cum_qty >= before.order_qty and after.ledger.cum_qty < order_qty:
        query = Query.ORDER
    elif report.ord_status is OrdStatus.FILLED and after.ledger.cum_qty < order_qty:
        query = Query.EXECUTIONS
    return Applied(after, verdict, alarm, entries, query)


def _again(
    state: OrderState, report: ExecutionReport, known: LedgerEntry, kind: EntryKind
) -> Applied:
    """Count an execution id once; with other content it is a conflict nobody may guess away."""
    same = known.kind is kind and known.exec_ref_id == report.exec_ref_id
    if same and kind is not EntryKind.TRADE_CANCEL:
        same = known.qty == report.last_qty and known.px == report.last_px
    return recorded(state) if same else parked(state, "exec_conflict")


def _correction_id(report: ExecutionReport) -> str:
    """Id of the correction's own row; venues that repeat the trade's id get one made here."""
    if report.exec_id != report.exec_ref_id:
        return report.exec_id
    return fingerprint(
        exec_id=report.exec_id,
        exec_type=report.exec_type.value,
        qty=str(report.last_qty and report.last_qty.normalize()),
        px=str(report.last_px and report.last_px.normalize()),
    )


def _correction_entry(report: ExecutionReport, kind: EntryKind, exec_id: str) -> LedgerEntry:
    busted = kind is EntryKind.TRADE_CANCEL
    return LedgerEntry(
        exec_id,
        kind,
        ZERO if busted else report.last_qty or ZERO,
        ZERO if busted else report.last_px or ZERO,
        report.transact_time,
        report.source,
        report.exec_ref_id,
        report.venue_seq,
        report.cl_ord_id,
        report.venue_cl_ord_id,
        report.fee,
        report.fee_currency,
        report.liquidity,
    )


def _has_numbers(report: ExecutionReport) -> bool:
    """A bust needs no numbers; a correction needs a quantity above zero and a price."""
    if report.exec_type is ExecType.TRADE_CANCEL:
        return True
    qty, px = report.last_qty, report.last_px
    return (
        qty is not None and px is not None and fits_column(qty) and fits_column(px) and qty > ZERO
    )
