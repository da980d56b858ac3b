"""Takes what venues say: finds the order, locks it, folds the report. One transaction each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from oms.models import Order, OrderVersion
from oms.services.cancel_new import fold_part
from oms.services.echo import hold_to_word
from oms.services.fold import Folded, park
from tenants.binding import tenant_bound
from trading.orders.reports import ExecutionReport


@dataclass(frozen=True, slots=True)
class Incoming:
    """A parsed report and the raw message it came from (stored before it was parsed)."""

    report: ExecutionReport
    message_id: int | None


def apply_reports(
    *, schema: str, account_id: int, incoming: Sequence[Incoming], actor: str, now: datetime
) -> list[Folded | None]:
    """Fold ``incoming`` in order; None stands for a report parked because no order matches it."""
    answers: list[Folded | None] = []
    for item in incoming:
        with tenant_bound(schema):
            answers.append(apply_report(account_id, item, actor=actor, now=now))
    return answers


def apply_report(
    account_id: int, incoming: Incoming, *, actor: str, now: datetime
) -> Folded | None:
    """Fold one report in the caller's transaction; None if it was parked for want of an order."""
    order = _locked_order(account_id, incoming.report)
    if order is None:
        park(account_id, None, incoming.report, "no_such_order", incoming.message_id, now)
        return None
    report = incoming.report
    folded = fold_part(order, report, actor=actor, now=now, message_id=incoming.message_id)
    if not folded.duplicate:
        hold_to_word(order, report, actor=actor, now=now)
    return folded


def _locked_order(account_id: int, report: ExecutionReport) -> Order | None:
    """By our id at the venue, else by the venue's own id."""
    order_pk = None
    if report.venue_cl_ord_id:
        order_pk = (
            OrderVersion.objects.filter(
                account_id=account_id, venue_cl_ord_id=report.venue_cl_ord_id
            )
            .values_list("order_id", flat=True)
            .first()
        )
    if order_pk is None and report.order_id:
        order_pk = (
            Order.objects.filter(account_id=account_id, order_id=report.order_id)
            .values_list("id", flat=True)
            .first()
        )
    return lock_order(order_pk) if order_pk else None


def lock_order(order_pk: str) -> Order | None:
    """The order under its row lock, with account and instrument read along."""
    return (
        Order.objects.select_for_update(of=("self",))
        .select_related("account__connection", "instrument")
        .filter(pk=order_pk)
        .first()
    )
