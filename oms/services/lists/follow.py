"""Follows lists: after every report of a leg, after a restart, and by the sweeper.

Following compares what each leg should have working with what it has, and asks for the difference
alone. Doing so twice is harmless, and what a crash left undone is done the next time: ``is_due``
is committed with the report that calls for it.
"""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Q, QuerySet

from oms.models import Order, OrderList
from oms.services.lists import protection, steps
from oms.services.lists.standing import Standing, enter, is_waiting, read
from oms.services.lists.told import tell
from tenants.binding import tenant_bound
from trading import exact
from trading.contingency import (
    Action,
    ActionKind,
    ContingencyType,
    ListOrderStatus,
    desired,
    overfill_qty,
    wanted_leaves,
)
from trading.contingency.wish import PARENTED

ROUNDS = 5
"""What one step makes possible is done at once; a list that finds no rest waits for the sweeper."""


def due_lists(*, schema: str, connection_id: int, now: datetime) -> list[str]:
    """Lists of a connection of which a leg was reported on since, or an alarm has come due."""
    alarm_due = Q(unprotected_since__lte=now - protection.PROTECT_WITHIN, unprotected_alarm_at=None)
    with tenant_bound(schema):
        found = _of(connection_id).filter(Q(is_due=True) | alarm_due)
        return list(found.values_list("id", flat=True))


def open_lists(*, schema: str, connection_id: int) -> list[str]:
    """All lists of a connection that have something open, due or unprotected."""
    with tenant_bound(schema):
        return list(_of(connection_id).values_list("id", flat=True))


def _of(connection_id: int) -> QuerySet[OrderList]:
    """Lists something may still become of, as their index has them."""
    still = (
        Q(list_order_status=ListOrderStatus.EXECUTING)
        | Q(is_due=True)
        | Q(unprotected_since__isnull=False)
    )
    return OrderList.objects.filter(still, account__connection_id=connection_id).order_by("id")


def follow(*, schema: str, list_id: str, now: datetime) -> None:
    """Bring one list's orders to what they should be, in one transaction."""
    with tenant_bound(schema):
        enter(list_id)
        follow_entered(list_id, now)


def follow_entered(list_id: str, now: datetime) -> Standing:
    """The same in the caller's transaction, who has entered the list."""
    before = _figures(OrderList.objects.get(pk=list_id))
    standing = read(list_id, now)
    for _ in range(ROUNDS):
        moved = [_carry_out(standing, action) for action in desired(standing.terms, standing.legs)]
        moved += _give_up_hopeless(standing)
        moved.append(protection.look_after(standing))
        if not any(moved):
            break
        standing = read(list_id, now)
    row = standing.row
    row.is_due = False
    row.overfill_qty = overfill_qty(standing.terms, standing.legs)
    if row.overfill_qty > 0:
        row.overfilled_at = row.overfilled_at or now
    is_open = any(not order.is_closed for order in standing.orders)
    row.list_order_status = ListOrderStatus.EXECUTING if is_open else ListOrderStatus.ALL_DONE
    if _figures(row) != before:
        row.version += 1
        row.updated_at = now
    row.save()
    tell(standing, before)
    return standing


def _figures(row: OrderList) -> dict[str, object]:
    """What of a list is worth telling when it changes."""
    names = ("list_order_status", "unprotected_qty", "unprotected_alarm_at", "overfill_qty")
    return {name: getattr(row, name) for name in names}


def _carry_out(standing: Standing, action: Action) -> bool:
    """Whether anything was asked for."""
    number = action.leg + 1
    if action.kind is ActionKind.CANCEL:
        return steps.cancel(standing, standing.order(action.order_id))
    if action.kind is ActionKind.RESIZE:
        return steps.resize(standing, standing.order(action.order_id), action.order_qty)
    waiting = standing.waiting(number)
    if waiting is not None:
        steps.release(standing, waiting, action.order_qty)
    else:
        steps.send_again(standing, number, action.order_qty)
    return True


def _give_up_hopeless(standing: Standing) -> list[bool]:
    """End what waits for something that cannot come any more."""
    found = list(_hopeless(standing))
    for order, why in found:
        steps.give_up(standing, order, why)
    return [True] * len(found)


def _hopeless(standing: Standing) -> Iterator[tuple[Order, str]]:
    if standing.terms.contingency_type not in PARENTED:
        return
    first, *others = standing.legs
    wanted = wanted_leaves(standing.terms, standing.legs)
    closed = exact.total(leg.cum_qty for leg in others)
    for number, leg in enumerate(others, 2):
        order = standing.waiting(number)
        if order is None or not is_waiting(order):
            continue
        if leg.is_withdrawn:
            yield order, "canceled with its list"
        elif first.is_done and first.cum_qty == 0:
            yield order, "parent_closed"
        elif first.is_done and wanted[number - 1] == 0 and not _is_owed(standing, closed):
            yield order, "nothing is left for it"


def _is_owed(standing: Standing, closed: object) -> bool:
    """Whether a bracket's entry has executed what its exits have not closed."""
    first = standing.legs[0]
    bracket = standing.terms.contingency_type is ContingencyType.OTOCO
    return bracket and first.cum_qty > closed  # type: ignore[operator]
