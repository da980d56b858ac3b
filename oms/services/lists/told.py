"""Tells the firm's event stream what became of a list, in the transaction that did it."""

from collections.abc import Mapping
from typing import Any

from common.numbers import dec_str
from events.services import publish
from oms.lists_present import BOTH_FILLED, list_json
from oms.models import OrderList
from oms.services.alarms import Alarm, AlarmKind, close_alarm, raise_alarms
from oms.services.lists import steps
from oms.services.lists.standing import Standing
from trading.contingency import ListOrderStatus

ENDED = {
    ListOrderStatus.ALL_DONE: "list.all_done",
    ListOrderStatus.EXECUTING: "list.executing",
    ListOrderStatus.REJECTED: "list.rejected",
}


def shown(standing: Standing) -> dict[str, Any]:
    """The list as the API shows it."""
    orders = [(one, standing.open_commands.get(one.id, ())) for one in standing.orders]
    return list_json(standing.row, orders)


def publish_list(standing: Standing, event_type: str, actor: str) -> None:
    """Publish one ``list.*`` event whose data is the whole list as the API shows it."""
    row: OrderList = standing.row
    publish(
        type=event_type,
        subject=row.id,
        data=shown(standing),
        actor=actor,
        correlation_id=row.id,
        now=standing.now,
    )


def tell(standing: Standing, before: Mapping[str, object]) -> None:
    """Tell what differs from ``before``: its state, its alarm, or both exits having filled."""
    row = standing.row
    if row.list_order_status != before["list_order_status"]:
        publish_list(standing, ENDED[ListOrderStatus(row.list_order_status)], steps.label())
    was, is_now = before["unprotected_alarm_at"], row.unprotected_alarm_at
    if is_now is not None and was is None:
        publish_list(standing, "list.unprotected", steps.label())
    if is_now is None and was is not None:
        publish_list(standing, "list.protected", steps.label())
    if row.overfill_qty != before["overfill_qty"]:
        publish_list(standing, "list.overfilled", steps.label())
    keep_alarms(standing)


def keep_alarms(standing: Standing) -> None:
    """Open on the desk what people have to look at in this list, close what is over."""
    row = standing.row
    found: dict[AlarmKind, Alarm] = {}
    if row.unprotected_alarm_at is not None:
        found[AlarmKind.UNPROTECTED_POSITION] = Alarm(
            ours=f"{dec_str(row.unprotected_qty)} {row.symbol} protected by a stop",
            theirs="none",
            detail=f"List {row.cl_ord_id}: {row.unprotected_reason}.",
        )
    excess = row.overfill_qty - row.flattened_qty
    if excess > 0:
        found[AlarmKind.OCO_BOTH_FILLED] = Alarm(
            ours="one of them",
            theirs=f"{dec_str(excess)} {row.symbol} too much",
            detail=f"List {row.cl_ord_id}: {BOTH_FILLED}; an order that takes it back is proposed.",
        )
    subject = (row.account_id, row.id)
    for kind in (AlarmKind.UNPROTECTED_POSITION, AlarmKind.OCO_BOTH_FILLED):
        if kind in found:
            raise_alarms(kind, {subject: found[kind]}, actor=steps.label(), now=standing.now)
        else:
            close_alarm(
                kind, subject, resolution="it is over", actor=steps.label(), now=standing.now
            )
