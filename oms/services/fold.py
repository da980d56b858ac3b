"""Folds one report into one order: row, event, execution, books, reservations and stream event.

The caller holds the order's row lock and the transaction. The decision itself is pure
(``trading.orders.fold``); here its result is written down.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from common.ids import new_ulid
from oms.models import Command, Execution, Order, OrderEvent, OrderList, OrderVersion, ParkedReport
from oms.services import bookings, outbox, streams
from tenants.binding import require_bound
from trading.orders import wire
from trading.orders.executions import with_own_id
from trading.orders.fold import Applied, Verdict, apply
from trading.orders.reports import ExecutionReport, to_json
from trading.orders.state import OrderState, Terms, facts_json, new_state, state_from
from trading.orders.status import asked_again
from trading.vocabulary import ExecType, OrdStatus, ReportSource, TimeInForce

STREAM_TYPES = {
    ExecType.NEW: "order.new",
    ExecType.CANCELED: "order.canceled",
    ExecType.EXPIRED: "order.expired",
    ExecType.REJECTED: "order.rejected",
    ExecType.PENDING_CANCEL: "order.pending_cancel",
    ExecType.PENDING_REPLACE: "order.pending_replace",
    ExecType.REPLACED: "order.replaced",
    ExecType.REQUEST_REFUSED: "order.request_refused",
    ExecType.RESTATED: "order.restated",
    ExecType.DONE_FOR_DAY: "order.done_for_day",
    ExecType.SUSPENDED: "order.suspended",
    ExecType.STOPPED: "order.stopped",
    ExecType.TRIGGERED: "order.triggered",
    ExecType.TRADE_CORRECT: "order.trade_corrected",
    ExecType.TRADE_CANCEL: "order.trade_canceled",
}
BOOKING = (ExecType.TRADE, ExecType.TRADE_CORRECT, ExecType.TRADE_CANCEL)
"""Reports whose repetition is compared with what was booked: other content is a conflict."""
UNCHANGED = (Verdict.RECORDED, Verdict.RECORDED_QUERY)


@dataclass(frozen=True, slots=True)
class Folded:
    """What became of one report. ``query`` asks the gateway to look the order up."""

    order: Order
    verdict: Verdict | None
    query: bool
    duplicate: bool = False


def load_state(order: Order) -> OrderState:
    """The order's state from its row and its executions."""
    if order.version == 0:
        return new_state(order.id, order.cl_ord_id, terms_of_row(order))
    rows = Execution.objects.filter(order=order).order_by("id")
    return state_from(order.facts, [bookings.ledger_entry(row) for row in rows])


def terms_of_row(row: Order | OrderVersion) -> Terms:
    """The terms an order or one link of its chain states."""
    terms = Terms(**wire.values(row, wire.TERMS))
    return replace(terms, time_in_force=TimeInForce(row.time_in_force))


def record(
    order: Order,
    report: ExecutionReport,
    *,
    actor: str,
    now: datetime,
    message_id: int | None = None,
) -> Folded:
    """Fold ``report`` into ``order`` and write everything that follows from it.

    A report seen before changes nothing. One that cannot be applied is parked, never dropped.
    """
    report = with_own_id(report)
    first = order.version == 0
    seen = not first and _seen(order, report)
    again = seen and report.exec_type is ExecType.ORDER_STATUS
    if again:
        report, seen = asked_again(report, order.version), False
    if seen and report.exec_type not in BOOKING:
        return Folded(order, None, query=False, duplicate=True)
    before = load_state(order)
    report = _as_agreed(order, before, report)
    applied = apply(before, report)
    if applied.verdict is Verdict.PARKED:
        park(order.account_id, order, report, applied.alarm or "impossible_report", message_id, now)
        return Folded(order, applied.verdict, query=applied.query is not None)
    if again and applied.state == before:
        return Folded(order, applied.verdict, query=applied.query is not None, duplicate=True)
    if seen:
        return Folded(order, applied.verdict, query=False, duplicate=True)
    held = None if first else outbox.Reservation.of(order)
    pending: Sequence[Command] = ()
    if not first:
        open_before = outbox.open_commands(order)
        pending = outbox.resolve_by_evidence(open_before, applied.state, report.exec_type, now)
    _write_row(order, applied.state, pending, report, now)
    _write_event(order, before, applied, report, actor=actor, now=now, message_id=message_id)
    executions = bookings.book(order, before.ledger, applied, actor=actor, now=now)
    if held is not None:
        outbox.move_reservation(order, held)
        _keep_versions(order, applied.state)
        event_type = _stream_type(order, before, report)
        if event_type is not None and applied.verdict not in UNCHANGED:
            execution = executions[0] if executions else None
            streams.publish_order(order, event_type, pending, order.account, actor, now, execution)
        _mark_list(order)
    return Folded(order, applied.verdict, query=applied.query is not None)


def _mark_list(order: Order) -> None:
    """What happens to a leg may call for something at the others: the gateway follows the list."""
    if order.list_id is not None:
        OrderList.objects.filter(pk=order.list_id).update(is_due=True)
        outbox.wake_gateway(require_bound())


def _as_agreed(order: Order, state: OrderState, report: ExecutionReport) -> ExecutionReport:
    """Without the time in force a venue was told instead of one agreed that it cannot keep."""
    said = report.time_in_force
    if said is None or report.source is ReportSource.LOCAL:
        return report
    agreed = {version.terms.time_in_force for version in state.versions}
    if agreed == {said}:
        return report
    told = {word: outbox.placement_of(order, word).time_in_force for word in agreed}
    if any(word is not said and told[word] is said for word in agreed):
        return replace(report, time_in_force=None, expire_time=None)
    return report


def _seen(order: Order, report: ExecutionReport) -> bool:
    return OrderEvent.objects.filter(
        order=order, exec_type=report.exec_type, exec_id=report.exec_id
    ).exists()


def park(
    account_id: int,
    order: Order | None,
    report: ExecutionReport | None,
    reason: str,
    message_id: int | None,
    now: datetime,
) -> ParkedReport:
    """Keep what could not be applied for a person, with the reason."""
    return ParkedReport.objects.create(
        id=new_ulid(now),
        account_id=account_id,
        order=order,
        reason=reason[:64],
        report=to_json(report) if report else None,
        broker_message_id=message_id,
        at=now,
    )


def _write_row(
    order: Order,
    state: OrderState,
    pending: Sequence[Command],
    report: ExecutionReport,
    now: datetime,
) -> None:
    order.cl_ord_id = state.cl_ord_id
    order.orig_cl_ord_id = _orig_cl_ord_id(state)
    order.order_id = state.order_id
    for name, value in wire.values(state, wire.TERMS).items():
        setattr(order, name, value)
    order.ord_status = state.ord_status
    order.is_closed = state.is_closed
    if state.is_closed:
        order.held_by = None
    ends_at_an_instant = state.time_in_force is TimeInForce.GTD
    order.synthetic_tif = ends_at_an_instant and outbox.placement_of(order).keeps_end
    order.cum_qty = state.cum_qty
    order.leaves_qty = state.leaves_qty
    order.overfill_qty = state.overfill_qty
    order.gross_trade_amt = state.gross_trade_amt
    order.reserved_qty, order.reserve_px = outbox.reservation(order, state, pending)
    if report.text:
        order.text = report.text[:500]
    order.ord_rej_reason = (
        (report.ord_rej_reason or order.ord_rej_reason)
        if state.base_status is OrdStatus.REJECTED
        else None
    )
    order.facts = facts_json(state)
    order.version += 1
    order.updated_at = now
    order.save(force_insert=order.version == 1)


def _orig_cl_ord_id(state: OrderState) -> str | None:
    """The accepted id before the one in force; None while nothing was amended."""
    named = [version.cl_ord_id for version in state.accepted if version.cl_ord_id is not None]
    return named[-2] if len(named) > 1 else None


def _write_event(
    order: Order,
    before: OrderState,
    applied: Applied,
    report: ExecutionReport,
    *,
    actor: str,
    now: datetime,
    message_id: int | None,
) -> None:
    OrderEvent.objects.create(
        order=order,
        seq=order.version,
        at=now,
        exec_type=report.exec_type,
        exec_id=report.exec_id,
        source=report.source,
        verdict=applied.verdict,
        before=before.ord_status,
        after=applied.state.ord_status,
        report=to_json(report),
        actor=actor,
        broker_message_id=message_id,
    )


def _keep_versions(order: Order, state: OrderState) -> None:
    """Bring the amend chain's rows in step with the state (most orders have one version)."""
    if len(state.versions) == 1:
        return
    for version in state.versions:
        shown = state.version_state(version)
        OrderVersion.objects.filter(order=order, venue_cl_ord_id=version.venue_cl_ord_id).exclude(
            state=shown
        ).update(state=shown)


def _stream_type(order: Order, before: OrderState, report: ExecutionReport) -> str | None:
    if report.exec_type is ExecType.TRADE:
        full = order.cum_qty >= order.order_qty
        return "order.filled" if full else "order.partially_filled"
    if report.exec_type is ExecType.ORDER_STATUS and order.ord_status != before.ord_status:
        return f"order.{order.ord_status.lower()}"
    return STREAM_TYPES.get(report.exec_type)
