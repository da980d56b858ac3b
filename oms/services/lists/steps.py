"""The steps a list takes: release a leg, send it again, resize it, cancel it, give it up.

Each is the step any order takes, without being asked of risk again: the list was judged at its
worst when it was taken. The caller has entered the list and holds its locks.
"""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from django.db.models import Max

from common.actor import system_actor
from common.errors import Refused
from common.ids import new_ulid
from oms.models import Order
from oms.services import outbox, streams
from oms.services.accept import begin, received
from oms.services.cancel import cancel_locked
from oms.services.fold import load_state, record
from oms.services.keeping import set_to_work
from oms.services.lists.standing import Standing
from oms.services.replace import ReplaceTerms, amend, wanted_order
from oms.services.requests import has_open, new_command_state
from tenants.binding import require_bound
from trading.contingency import Role, relative_px
from trading.contingency.prices import price_field
from trading.orders import wire
from trading.orders.ids import leg_id
from trading.orders.intent import default_time_in_force
from trading.orders.reports import ExecutionReport
from trading.orders.requests import Action, replace_decision
from trading.vocabulary import (
    CommandKind,
    ExecType,
    HeldBy,
    OrdType,
    ReportSource,
    Side,
)

NAME = "lists"
COPIED = (
    *(name for name in wire.INSTRUCTION if name != "order_qty"),
    *("account", "instrument", "mode", "strategy", "tags", "source", "reserve_px", "intent_hash"),
    *("list_id", "serves_leg", "created_by", "max_slippage_bps"),
)
"""What an order sent again for a leg has of the one before it."""


def label() -> str:
    """Who acts where a list does."""
    return system_actor(require_bound(), NAME).label


def release(standing: Standing, order: Order, qty: Decimal) -> None:
    """Send the order a leg kept here, for as much as its first leg calls for."""
    record(
        order,
        ExecutionReport(
            exec_type=ExecType.RESTATED,
            source=ReportSource.LOCAL,
            exec_id=f"released:{order.id}",
            transact_time=standing.now,
            order_qty=qty,
            restatement_reason="RELEASED",
            text="released by its parent",
            **_relative_price(standing, order),
        ),
        actor=label(),
        now=standing.now,
    )
    set_to_work(order, actor=label(), now=standing.now, priority=priority_of(standing, order))
    outbox.wake_gateway(require_bound())


def send_again(
    standing: Standing, number: int, qty: Decimal, *, ord_type: OrdType | None = None
) -> Order:
    """Make one more order for a leg on the terms of its last; ``ord_type`` MARKET closes it."""
    last = standing.serving(number)[-1]
    now = standing.now
    order = Order(**{name: getattr(last, name) for name in COPIED})
    order.id = new_ulid(now)
    in_list = Order.objects.filter(list_id=standing.row.id)
    order.leg_no = in_list.aggregate(most=Max("leg_no"))["most"] + 1
    order.cl_ord_id = leg_id(standing.row.id, order.leg_no)
    order.order_qty = qty
    order.version, order.created_at, order.updated_at = 0, now, now
    if ord_type is OrdType.MARKET:
        _as_market(order)
    else:
        for name, price in _relative_price(standing, order).items():
            setattr(order, name, price)
    begin(order, received(order, now), actor=label(), now=now)
    outbox.move_reservation(order, outbox.Reservation(Decimal(0), Decimal(0), is_open=False))
    pending = set_to_work(order, actor=label(), now=now, priority=priority_of(standing, order))
    streams.publish_order(order, "order.accepted", pending, order.account, label(), now)
    outbox.wake_gateway(require_bound())
    return order


def _as_market(order: Order) -> None:
    for name in ("price", "stop_px", "trail_offset", "trail_type", "activation_px"):
        setattr(order, name, None)
    order.limit_offset = order.trigger_price_type = order.display_qty = order.expire_time = None
    continuous = not order.instrument.calendar
    order.ord_type = OrdType.MARKET
    order.time_in_force = default_time_in_force(OrdType.MARKET, continuous)


def resize(standing: Standing, order: Order, qty: Decimal) -> bool:
    """Ask for another total; False where the order cannot take it now.

    A price that follows from the entry is worked out anew while the leg grows with it.
    """
    commands = outbox.open_commands(order)
    state = load_state(order)
    decision = replace_decision(
        state,
        new_command_state(commands),
        held_by_oms=order.held_by == HeldBy.OMS,
        cancel_open=has_open(commands, CommandKind.CANCEL),
        replace_open=has_open(commands, CommandKind.REPLACE),
    )
    if decision.action is Action.REFUSE:
        return False
    terms = ReplaceTerms(order_qty=qty)
    if qty > order.order_qty:
        terms = replace(terms, **_relative_price(standing, order))
    try:
        wanted = wanted_order(order, state, terms, standing.now)
    except Refused:
        return False
    amend(
        order,
        wanted,
        terms.content_hash,
        in_place=decision.action is Action.IN_PLACE,
        actor=system_actor(require_bound(), NAME),
        now=standing.now,
        priority=priority_of(standing, order) if qty > order.order_qty else None,
    )
    return True


def cancel(standing: Standing, order: Order) -> bool:
    """Ask for the end of an order of the list; False where it has ended or is being ended."""
    try:
        asked = cancel_locked(order, actor=system_actor(require_bound(), NAME), now=standing.now)
    except Refused:
        return False
    return not asked.replay


def give_up(standing: Standing, order: Order, text: str) -> None:
    """End an order that waits here: nothing was sent for it."""
    record(
        order,
        ExecutionReport(
            exec_type=ExecType.CANCELED,
            source=ReportSource.LOCAL,
            exec_id=f"given-up:{order.id}",
            transact_time=standing.now,
            cl_ord_id=f"{order.id}-C1",
            text=text,
        ),
        actor=label(),
        now=standing.now,
    )


def priority_of(standing: Standing, order: Order) -> int:
    """A stop that protects goes before everything but cancels."""
    role = standing.row.legs[(order.serves_leg or 1) - 1]["role"]
    return outbox.PRIORITY_PROTECTIVE if role == Role.STOP else outbox.PRIORITY_NEW


def _relative_price(standing: Standing, order: Order) -> dict[str, Any]:
    """The price of a leg that keeps a distance from the entry's average; empty for others."""
    leg = standing.row.legs[(order.serves_leg or 1) - 1]
    entry = standing.serving(1)[0]
    if not (leg["offset"] or leg["offset_percent"]) or not entry.cum_qty:
        return {}
    tick = order.instrument.rules.tick_size
    price = relative_px(
        entry_side=Side(entry.side),
        ord_type=OrdType(order.ord_type),
        entry_px=entry.gross_trade_amt / entry.cum_qty,
        tick_size=tick,
        offset=leg["offset"] and Decimal(leg["offset"]),
        offset_percent=leg["offset_percent"] and Decimal(leg["offset_percent"]),
    )
    return {price_field(OrdType(order.ord_type)): max(price, tick)}
