"""Legs somebody took back: whatever becomes of their orders, none is sent for them again."""

from datetime import datetime
from enum import StrEnum

from oms.models import Order, OrderList
from oms.services.lists.alternatives import is_alternative


class CancelScope(StrEnum):
    """How far the cancel of one leg reaches."""

    LIST = "list"
    """All legs that exclude it, as the pair of exits of a bracket."""
    LEG = "leg"
    """The leg alone."""


def take_back(order: Order, scope: CancelScope, *, now: datetime) -> None:
    """Keep that the leg an order serves is wanted no more; the caller holds the order's lock."""
    if order.list_id is None:
        return
    row = OrderList.objects.select_for_update().get(pk=order.list_id)
    legs = {order.serves_leg}
    if scope is CancelScope.LIST and is_alternative(row.contingency_type, order.serves_leg):
        legs |= {
            number
            for number in range(1, len(row.legs) + 1)
            if is_alternative(row.contingency_type, number)
        }
    row.withdrawn_legs = sorted({*row.withdrawn_legs, *legs})
    row.is_due = True
    row.updated_at = now
    row.save(update_fields=["withdrawn_legs", "is_due", "updated_at"])
