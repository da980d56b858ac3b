"""Orders of one list that exclude each other count once in what risk keeps free: at the largest.

Sides are apart: a list that waits on both sides of the market keeps room on both.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from oms.models import Order, OrderList
from trading.contingency import ContingencyType

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Largest:
    """The largest quantity and the largest notional among orders that exclude each other."""

    qty: Decimal = ZERO
    notional: Decimal = ZERO

    def with_(self, qty: Decimal, notional: Decimal) -> "Largest":
        """The largest with one more order beside."""
        return Largest(max(self.qty, qty), max(self.notional, notional))


NOTHING = Largest()


def is_alternative(contingency_type: str, serves_leg: int | None) -> bool:
    """Whether an order of such a list for this leg excludes others of it."""
    if contingency_type == ContingencyType.OTO:
        return False
    return contingency_type != ContingencyType.OTOCO or (serves_leg or 0) > 1


def beside(order: Order) -> list[Order]:
    """The open orders on the same side that an order of a list excludes; often none.

    The list is locked before they are read: whoever moves another of them waits.
    """
    if order.list_id is None:
        return []
    row = OrderList.objects.select_for_update().get(pk=order.list_id)
    if not is_alternative(row.contingency_type, order.serves_leg):
        return []
    others = Order.objects.filter(list_id=row.id, side=order.side, is_closed=False)
    found = others.exclude(pk=order.id).select_related("instrument")
    return [one for one in found if is_alternative(row.contingency_type, one.serves_leg)]


def kinds_of(orders: Iterable[Order]) -> dict[str, str]:
    """The contingency type of every list these orders belong to."""
    ids = {order.list_id for order in orders if order.list_id is not None}
    return dict(OrderList.objects.filter(pk__in=ids).values_list("id", "contingency_type"))
