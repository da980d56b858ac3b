"""A list as one transaction sees it: its row, its orders and what is on its way for them.

Locks are taken in one order everywhere: the door of the list, its orders by id, then the list's
row. What folds a report holds one order and takes the row after it, so nothing waits in a circle.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property

from django.db import connection

from brokers.adapters.capabilities import Amend
from brokers.adapters.registry import capabilities_of
from oms.models import Command, Order, OrderList
from trading.contingency import (
    ContingencyType,
    Leg,
    LegOrder,
    LegState,
    ListTerms,
    Release,
    Role,
    Sizing,
)
from trading.vocabulary import CommandKind, CommandState, HeldBy, OrdStatus

AGAIN_AFTER = timedelta(seconds=5)
"""A request of ours that was refused is not made again before."""
IN_PLACE = frozenset({Amend.IN_PLACE, Amend.ATOMIC})


@dataclass(frozen=True)
class Standing:
    """``orders`` by their number in the list; ``open_commands`` without an outcome by order id;
    ``refused`` says when a request was last refused, by order id and kind.
    """

    row: OrderList
    orders: Sequence[Order]
    open_commands: Mapping[str, Sequence[Command]]
    refused: Mapping[tuple[str, str], datetime]
    now: datetime

    @cached_property
    def terms(self) -> ListTerms:
        """What holds for the list as a whole."""
        instrument = self.orders[0].instrument
        able = capabilities_of(self.orders[0].account.connection.broker)
        return ListTerms(
            contingency_type=ContingencyType(self.row.contingency_type),
            lot=instrument.lot_size,
            min_qty=instrument.min_qty,
            release=Release(self.row.release or Release.ON_FIRST_FILL),
            sizing=Sizing(self.row.sizing or Sizing.MATCH),
            amends_in_place=able is not None and able.amend in IN_PLACE,
        )

    @cached_property
    def legs(self) -> tuple[Leg, ...]:
        """Each leg asked for, with the orders that were sent for it."""
        return tuple(
            Leg(
                order_qty=Decimal(self.row.legs[number - 1]["order_qty"]),
                orders=tuple(self._leg_order(order) for order in self.sent(number)),
                is_stop=self.row.legs[number - 1]["role"] == Role.STOP,
                is_withdrawn=number in self.row.withdrawn_legs,
            )
            for number in self.numbers
        )

    @property
    def numbers(self) -> range:
        """The numbers of the legs asked for, from 1."""
        return range(1, len(self.row.legs) + 1)

    def serving(self, number: int) -> list[Order]:
        """The orders of a leg, oldest first."""
        return [order for order in self.orders if order.serves_leg == number]

    def sent(self, number: int) -> list[Order]:
        """Those of them that do not wait for the first leg, and never ended while they did."""
        return [order for order in self.serving(number) if not never_released(order)]

    def waiting(self, number: int) -> Order | None:
        """The order of a leg that waits for the first leg."""
        return next((order for order in self.serving(number) if is_waiting(order)), None)

    def order(self, order_id: str) -> Order:
        """One of the orders by its id."""
        return next(order for order in self.orders if order.id == order_id)

    def _leg_order(self, order: Order) -> LegOrder:
        commands = self.open_commands.get(order.id, ())
        kinds = {command.kind for command in commands}
        new = next((c.state for c in commands if c.kind == CommandKind.NEW), None)
        state = LegState.WORKING
        if order.is_closed:
            state = LegState.CLOSED
        elif new == CommandState.UNKNOWN:
            state = LegState.UNKNOWN
        return LegOrder(
            order_id=order.id,
            cum_qty=order.cum_qty,
            leaves_qty=order.reserved_qty if state is LegState.UNKNOWN else order.leaves_qty,
            state=state,
            is_changing=CommandKind.REPLACE in kinds
            or new == CommandState.SENDING
            or order.ord_status == OrdStatus.PENDING_REPLACE
            or self._refused_just_now(order, CommandKind.REPLACE),
            is_ending=CommandKind.CANCEL in kinds
            or order.ord_status == OrdStatus.PENDING_CANCEL
            or self._refused_just_now(order, CommandKind.CANCEL),
            is_acknowledged=is_acknowledged(order),
            unsolicited=ended_unasked(order) and order.id not in self.row.forgiven_orders,
        )

    def _refused_just_now(self, order: Order, kind: CommandKind) -> bool:
        at = self.refused.get((order.id, kind))
        return at is not None and self.now - at < AGAIN_AFTER


def is_waiting(order: Order) -> bool:
    """Whether the order is kept here until its first leg releases it."""
    return order.held_by == HeldBy.OMS and order.ord_status == OrdStatus.SUSPENDED


def never_released(order: Order) -> bool:
    """Whether the order waits for its first leg, or ended while it did."""
    suspend = order.facts.get("suspend")
    return order.facts.get("unseen", False) and suspend is not None and suspend["on"]


def is_acknowledged(order: Order) -> bool:
    """Whether a venue has said that it has the order, or its trigger is watched here."""
    if order.held_by == HeldBy.OMS:
        return order.ord_status == OrdStatus.NEW
    return order.facts["acked"] and not order.facts.get("unseen", False)


def ended_unasked(order: Order) -> bool:
    """Whether the order ended, not whole, without a request of ours."""
    if not order.is_closed or order.ord_status == OrdStatus.FILLED:
        return False
    closing = order.facts.get("closing")
    return (
        closing is None
        or closing["closed_as"] != OrdStatus.CANCELED
        or closing.get("unsolicited", False)
    )


def enter(list_id: str) -> None:
    """Wait until nobody else follows the list or asks something of it, until the commit."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [list_id])


def read(list_id: str, now: datetime) -> Standing:
    """Lock and read the list; the caller has entered it."""
    orders = list(
        Order.objects.select_for_update(of=("self",))
        .select_related("account__connection", "instrument")
        .filter(list_id=list_id)
        .order_by("id")
    )
    row = (
        OrderList.objects.select_for_update(of=("self",)).select_related("account").get(pk=list_id)
    )
    open_commands: dict[str, list[Command]] = defaultdict(list)
    refused: dict[tuple[str, str], datetime] = {}
    ids = [order.id for order in orders]
    for command in Command.objects.filter(order_id__in=ids).order_by("id"):
        if command.state in Command.OPEN_STATES:
            open_commands[command.order_id].append(command)
        elif command.state == CommandState.REFUSED and command.outcome_at is not None:
            refused[command.order_id, command.kind] = command.outcome_at
    return Standing(
        row=row,
        orders=sorted(orders, key=lambda order: order.leg_no or 0),
        open_commands=open_commands,
        refused=refused,
        now=now,
    )
