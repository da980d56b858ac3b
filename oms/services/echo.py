"""An acknowledgement that repeats another order than was asked for: taken back at once."""

from datetime import datetime

from oms.models import ClOrdId, Command, Order
from oms.services import outbox
from oms.services.alarms import Alarm, AlarmKind, raise_alarms
from tenants.binding import require_bound
from trading.orders import wire
from trading.orders.echo import misread
from trading.orders.ids import cancel_id
from trading.orders.reports import ExecutionReport
from trading.vocabulary import CommandKind, ExecType, ReportSource

CONTENT = "echo_mismatch"


def hold_to_word(order: Order, report: ExecutionReport, *, actor: str, now: datetime) -> None:
    """Cancel an order its venue has taken as another one, and tell a person.

    The caller holds the order's lock and has folded the report.
    """
    if report.exec_type is not ExecType.NEW or report.source is not ReportSource.VENUE:
        return
    if order.is_closed or not misread(wire.write(order, wire.INSTRUCTION), report):
        return  # what the order says today is what the venue says: most are
    sent = Command.objects.filter(order=order, kind=CommandKind.NEW).order_by("id").last()
    if sent is None or not (wrong := misread(sent.payload, report)):
        return
    asked = ", ".join(f"{name} {values[0]}" for name, values in wrong.items())
    told = ", ".join(f"{name} {values[1]}" for name, values in wrong.items())
    alarm = Alarm(
        ours=asked,
        theirs=told,
        detail=f"The venue took {order.cl_ord_id} as another order; it is being cancelled there.",
    )
    subject = (order.account_id, order.id)
    raise_alarms(AlarmKind.ECHO_MISMATCH, {subject: alarm}, actor=actor, now=now)
    _take_back(order, report, now)


def _take_back(order: Order, report: ExecutionReport, now: datetime) -> None:
    cancels = Command.objects.filter(order=order, kind=CommandKind.CANCEL)
    if cancels.filter(state__in=Command.OPEN_STATES).exists():
        return
    request_id = cancel_id(order.id, cancels.count() + 1)
    ClOrdId.objects.create(
        account_id=order.account_id,
        cl_ord_id=request_id,
        order=order,
        kind=CommandKind.CANCEL,
        content_hash=CONTENT,
    )
    outbox.queue_request(
        order,
        kind=CommandKind.CANCEL,
        cl_ord_id=request_id,
        venue_cl_ord_id=report.venue_cl_ord_id or order.id,
        payload={},
        priority=outbox.PRIORITY_CANCEL,
        now=now,
    )
    outbox.wake_gateway(require_bound())
