"""Tells the firm's event stream what became of a list, in the transaction that did it."""

from collections.abc import Mapping
from typing import Any

from events.services import publish
from oms.lists_present import list_json
from oms.models import OrderList
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
    if row.unprotected_alarm_at is not None and before["unprotected_alarm_at"] is None:
        publish_list(standing, "list.unprotected", steps.label())
    if row.unprotected_alarm_at is None and before["unprotected_alarm_at"] is not None:
        publish_list(standing, "list.protected", steps.label())
    if row.overfill_qty != before["overfill_qty"]:
        publish_list(standing, "list.overfilled", steps.label())
