"""Amending where a venue can only cancel and take a new order in its place.

The cancel goes out as the replace. Its confirmation, with the final quantity, puts the new terms
in force and queues what is left of them as a new order, all in one transaction; so whoever hears
the confirmation first (the stream, a look-up, a reconciliation) carries on, also after a crash.
The venue counts that new order from nothing: its figures are read as those of the whole.
"""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from common.numbers import dec_str
from oms.models import Command, Order
from oms.services import outbox
from oms.services.alarms import Alarm, AlarmKind, raise_alarms
from oms.services.fold import Folded, record
from tenants.binding import require_bound
from trading.orders import wire
from trading.orders.reports import ExecutionReport
from trading.vocabulary import CommandKind, CommandState, ExecType, OrdStatus, ReportSource

BY_CANCEL = "by_cancel"
"""Marks the payload of a replace that is sent as a cancel."""
AFTER = outbox.AFTER
ACTOR = "system:oms"
_SENT = (CommandState.SENDING, CommandState.UNKNOWN)


def fold_part(
    order: Order,
    report: ExecutionReport,
    *,
    actor: str,
    now: datetime,
    message_id: int | None = None,
) -> Folded:
    """Fold a report that may be about one part of an order amended by cancel and new.

    The caller holds the order's lock and the transaction.
    """
    report = as_of_the_whole(order, report)
    if report.exec_type is ExecType.REJECTED:
        report = _not_an_ending(order, report, now)
    asked = _confirmed_by(order, report)
    if asked is not None:
        _carry_on(order, asked, report, actor=actor, now=now)
    return record(order, report, actor=actor, now=now, message_id=message_id)


def as_of_the_whole(order: Order, report: ExecutionReport) -> ExecutionReport:
    """The report with the quantities of the whole order, where it states those of its last part."""
    if report.source is ReportSource.LOCAL or report.venue_cl_ord_id in {None, order.pk}:
        return report
    part = _part(order, report.venue_cl_ord_id)
    if part is None:
        return report
    before = Decimal(part.payload[AFTER])
    return replace(
        report,
        order_qty=None if report.order_qty is None else before + report.order_qty,
        cum_qty=None if report.cum_qty is None else before + report.cum_qty,
    )


def filled_before(venue_cl_ord_ids: list[str]) -> dict[str, Decimal]:
    """What was filled before, by the venue's id of each part that is the rest of an order."""
    rows = Command.objects.filter(
        kind=CommandKind.NEW, venue_cl_ord_id__in=venue_cl_ord_ids, payload__has_key=AFTER
    )
    return {row.venue_cl_ord_id: Decimal(row.payload[AFTER]) for row in rows}


def _part(order: Order, venue_cl_ord_id: str | None) -> Command | None:
    """The command that sent the rest of the order under this id."""
    rows = Command.objects.filter(order=order, kind=CommandKind.NEW, payload__has_key=AFTER)
    if venue_cl_ord_id is not None:
        rows = rows.filter(venue_cl_ord_id=venue_cl_ord_id)
    return rows.order_by("-id").first()


def _not_an_ending(order: Order, report: ExecutionReport, now: datetime) -> ExecutionReport:
    """What never came to work is the rest alone: the order has worked and is cancelled by that."""
    part = _part(order, report.venue_cl_ord_id)
    if part is None or (report.venue_cl_ord_id is None and part.state != CommandState.REFUSED):
        return report
    if part.state in Command.OPEN_STATES:
        outbox.finish(part, CommandState.REFUSED, now=now, by="VENUE", code="rejected")
    _tell_half_done(order, report, now)
    return replace(
        report,
        exec_type=ExecType.CANCELED,
        ord_status=None,
        cl_ord_id=None,
        ord_rej_reason=None,
        text=f"replace failed after cancel: {report.text}"[:500],
    )


def _confirmed_by(order: Order, report: ExecutionReport) -> Command | None:
    """The replace whose cancel this confirms, None if there is none or the order is to end."""
    says_so = report.exec_type is ExecType.CANCELED or (
        report.exec_type is ExecType.ORDER_STATUS and report.ord_status is OrdStatus.CANCELED
    )
    if not says_so or report.source is ReportSource.LOCAL:
        return None
    asked = Command.objects.filter(
        order=order, kind=CommandKind.REPLACE, state__in=_SENT, payload__has_key=BY_CANCEL
    ).first()
    if asked is None:
        return None
    if report.venue_cl_ord_id not in {None, asked.payload["orig_venue_cl_ord_id"]}:
        return None
    ends = Command.objects.filter(
        order=order, kind=CommandKind.CANCEL, state__in=Command.OPEN_STATES
    )
    return None if ends.exists() else asked


def _carry_on(
    order: Order, asked: Command, report: ExecutionReport, *, actor: str, now: datetime
) -> None:
    """Put the new terms in force and queue what is left of them."""
    terms = wire.read(asked.payload, wire.TERMS)
    filled = max(report.cum_qty or Decimal(0), order.cum_qty)
    record(
        order,
        ExecutionReport(
            exec_type=ExecType.REPLACED,
            source=ReportSource.LOCAL,
            exec_id=f"amended:{asked.id}",
            transact_time=report.transact_time,
            venue_seq=report.venue_seq,
            cl_ord_id=asked.cl_ord_id,
            orig_cl_ord_id=asked.orig_cl_ord_id,
            venue_cl_ord_id=asked.venue_cl_ord_id,
            **terms,
        ),
        actor=actor,
        now=now,
    )
    rest = terms["order_qty"] - filled
    if rest <= 0:
        return
    command = outbox.queue_new(
        order,
        outbox.placement_of(order),
        now,
        venue_cl_ord_id=asked.venue_cl_ord_id,
        priority=outbox.PRIORITY_REPLACE,
    )
    command.payload |= {"order_qty": dec_str(rest), AFTER: dec_str(filled)}
    if order.display_qty is not None:
        command.payload["display_qty"] = dec_str(min(order.display_qty, rest))
    command.save(update_fields=["payload"])
    outbox.wake_gateway(require_bound())


def _tell_half_done(order: Order, report: ExecutionReport, now: datetime) -> None:
    """A person has to know: the order wanted in place of the old one is not there."""
    alarm = Alarm(
        ours="replaced",
        theirs="cancelled",
        detail=(
            f"{order.cl_ord_id}: the old order is cancelled and the new one was not taken:"
            f" {report.text}"
        ),
    )
    subject = (order.account_id, order.pk)
    raise_alarms(AlarmKind.REPLACE_HALF_DONE, {subject: alarm}, actor=ACTOR, now=now)
