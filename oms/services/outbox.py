"""The commands of an order: how they are queued, found open and resolved by evidence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

from brokers.adapters.registry import capabilities_of
from common.ids import new_ulid
from marketdata.calendars import Session
from oms.models import Command, Order, OrderVersion
from oms.services.lists import alternatives
from risk import services as risk_services
from trading.orders import wire
from trading.orders.intent import OrderIntent
from trading.orders.placement import Placement, place
from trading.orders.state import OrderState
from trading.protocol import outcome_by_state
from trading.vocabulary import (
    CommandKind,
    CommandState,
    ExecType,
    OrdType,
    Side,
    TimeInForce,
)

CHANNEL = "blotter_commands"
PRIORITY_CANCEL = 10
PRIORITY_PROTECTIVE = 20
PRIORITY_DECREASE = 30
PRIORITY_REPLACE = 40
PRIORITY_NEW = 50
REQUEST_TTL = timedelta(minutes=5)
AFTER = "after_qty"
"""In the payload of a NEW that is the rest of an amended order: what was filled before it."""
IMMEDIATE_TTL = timedelta(seconds=30)
RESTING_TTL = timedelta(minutes=5)
IMMEDIATE = frozenset({TimeInForce.IOC, TimeInForce.FOK})


def wake_gateway(schema: str) -> None:
    """Tell a listening gateway, on commit, that this firm has commands; a poll finds the rest."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, schema])


def open_commands(order: Order) -> Sequence[Command]:
    """The order's commands without an outcome, oldest first."""
    return list(Command.objects.filter(order=order, state__in=Command.OPEN_STATES).order_by("id"))


def placement_of(order: Order, time_in_force: TimeInForce | None = None) -> Placement:
    """How the order, or it with another time in force, is placed at its venue as that is today."""
    able = capabilities_of(order.account.connection.broker)
    assert able is not None, "orders are accepted only where there is an adapter"
    asked = instruction_of(order)
    if time_in_force is not None:
        expires = order.expire_time if time_in_force is TimeInForce.GTD else None
        asked = replace(asked, time_in_force=time_in_force, expire_time=expires)
    placed = place(asked, able)
    if isinstance(placed, Placement):
        return placed
    assert asked.time_in_force is not None, "orders have one"
    # A venue that takes less than when the order came will say so itself.
    return Placement(asked.ord_type, asked.time_in_force)


def instruction_of(order: Order) -> OrderIntent:
    """What a venue is to know of the order, as the value placements are decided by."""
    return OrderIntent(
        account=order.account.code,
        max_slippage_bps=order.max_slippage_bps,
        **wire.read(wire.write(order, wire.INSTRUCTION), wire.INSTRUCTION),
    )


def new_order_payload(
    order: Order, placed: Placement, worst_px: Decimal | None = None
) -> dict[str, Any]:
    """What the NEW command asks of the venue, frozen (strings, so that nothing is rounded).

    ``worst_px`` is the bound of a protected MARKET; without one it goes out as what it is.
    """
    asked = instruction_of(order)
    if not placed.protects:
        return wire.write(placed.told(asked), wire.INSTRUCTION)
    if worst_px is None:
        return wire.write(asked, wire.INSTRUCTION)
    return wire.write(replace(placed.told(asked), price=worst_px), wire.INSTRUCTION)


def told_terms(order: Order, terms: Mapping[str, Any]) -> dict[str, Any]:
    """Terms of an amendment, in JSON, without what the venue hears nothing of: we keep it."""
    asked = replace(instruction_of(order), **wire.read(terms, wire.TERMS))
    placed = placement_of(order, asked.time_in_force)
    kept = {name: value for name, value in terms.items() if name not in wire.TERMS}
    return kept | wire.write(placed.told(asked), wire.TERMS)


def queue_new(
    order: Order,
    placed: Placement,
    now: datetime,
    *,
    venue_cl_ord_id: str | None = None,
    priority: int = PRIORITY_NEW,
    session: Session | None = None,
    worst_px: Decimal | None = None,
) -> Command:
    """Queue the NEW of ``order``; ``venue_cl_ord_id`` is its first version's unless it says so.

    With a ``session`` it goes out at its open, and not at all after its close. ``worst_px`` bounds
    a protected MARKET.
    """
    immediate = placed.ord_type is OrdType.MARKET or placed.time_in_force in IMMEDIATE
    ttl = IMMEDIATE_TTL if immediate else RESTING_TTL
    return Command.objects.create(
        id=new_ulid(now),
        order=order,
        account_id=order.account_id,
        kind=CommandKind.NEW,
        cl_ord_id=order.cl_ord_id,
        venue_cl_ord_id=venue_cl_ord_id or order.id,
        payload=new_order_payload(order, placed, worst_px),
        state=CommandState.QUEUED,
        priority=priority,
        not_before=now if session is None else session.open_at,
        expires_at=now + ttl if session is None else session.close_at,
        created_at=now,
    )


def reserved_notional(order: Order) -> Decimal:
    """Money the open part of the order may still move, in the instrument's currency."""
    amount: Decimal = order.reserved_qty * order.reserve_px * order.instrument.multiplier
    return amount.quantize(Decimal("1e-12"))


@dataclass(frozen=True, slots=True)
class Reservation:
    """What risk holds for an order before something happens to it."""

    qty: Decimal
    notional: Decimal
    is_open: bool

    @classmethod
    def of(cls, order: Order) -> "Reservation":
        """The order row's own figures."""
        return cls(order.reserved_qty, reserved_notional(order), not order.is_closed)


def reservation(
    order: Order, state: OrderState, pending: Sequence[Command]
) -> tuple[Decimal, Decimal]:
    """Quantity and unit price to keep free: the most that any outcome still open could execute.

    A replace still in the queue is no fact of the order yet, but its increase is already judged.
    """
    new_open = any(command.kind == CommandKind.NEW for command in pending)
    qty = state.reserved_qty(new_unresolved=new_open)
    px = state.price if state.price is not None else order.reserve_px
    if state.is_closed:
        return qty, px
    for command in pending:
        if command.kind == CommandKind.REPLACE:
            qty = max(qty, Decimal(command.payload["order_qty"]) - state.cum_qty)
            if (price := command.payload.get("price")) is not None:
                px = max(px, Decimal(price))
    return qty, px


def move_reservation(order: Order, held: Reservation) -> None:
    """Give back to risk, or take, the difference to what it held for the order.

    Orders that exclude each other are held once, at the largest.
    """
    now_held = Reservation.of(order)
    if now_held == held:
        return
    others = alternatives.NOTHING
    for one in alternatives.beside(order):
        others = others.with_(one.reserved_qty, reserved_notional(one))
    before = others.with_(held.qty, held.notional)
    after = others.with_(now_held.qty, now_held.notional)
    risk_services.move_reserved(
        account_id=order.account_id,
        symbol=order.symbol,
        side=Side(order.side),
        qty_delta=after.qty - before.qty,
        notional_delta=after.notional - before.notional,
        orders_delta=int(now_held.is_open) - int(held.is_open),
    )


def queue_request(
    order: Order,
    *,
    kind: CommandKind,
    cl_ord_id: str,
    venue_cl_ord_id: str,
    payload: dict[str, Any],
    priority: int,
    now: datetime,
) -> Command:
    """Queue a CANCEL or REPLACE of ``order``."""
    return Command.objects.create(
        id=new_ulid(now),
        order=order,
        account_id=order.account_id,
        kind=kind,
        cl_ord_id=cl_ord_id,
        orig_cl_ord_id=order.cl_ord_id,
        venue_cl_ord_id=venue_cl_ord_id,
        payload=payload,
        state=CommandState.QUEUED,
        priority=priority,
        not_before=now,
        expires_at=now + REQUEST_TTL,
        created_at=now,
    )


def finish(
    command: Command,
    state: CommandState,
    *,
    now: datetime,
    by: str | None = None,
    code: str = "",
    text: str = "",
) -> None:
    """Give a command its outcome. ``by`` is VENUE, LOCAL or PERSON for a refusal."""
    command.state = state
    command.refused_by = by
    command.outcome_code = code[:32]
    command.outcome_text = text[:500]
    command.outcome_at = now
    command.next_lookup_at = None
    command.save(
        update_fields=[
            "state",
            "refused_by",
            "outcome_code",
            "outcome_text",
            "outcome_at",
            "next_lookup_at",
        ]
    )
    if command.kind == CommandKind.REPLACE and state is CommandState.REFUSED:
        # Also one that never left: the fold has not heard of its version and answers it never.
        OrderVersion.objects.filter(
            order=command.order_id,
            venue_cl_ord_id=command.venue_cl_ord_id,
            state=OrderVersion.PENDING,
        ).update(state=OrderVersion.REJECTED)


def resolve_by_evidence(
    commands: Sequence[Command], state: OrderState, exec_type: ExecType, now: datetime
) -> list[Command]:
    """End the open commands that the order's new state decides; return those still open.

    Only what a venue (or our own withdrawal) has said ends a command here: existence of the
    order ends its NEW, the answer to a request ends that request, a closed order ends all.
    """
    still_open = []
    for command in commands:
        if AFTER in command.payload and not _is_there(state, command.venue_cl_ord_id):
            still_open.append(command)  # the order exists by its earlier part alone
            continue
        outcome = outcome_by_state(
            CommandKind(command.kind),
            CommandState(command.state),
            command.cl_ord_id,
            state,
            exec_type,
        )
        if outcome is None:
            still_open.append(command)
        else:
            finish(command, outcome.state, now=now, by=outcome.by, code=outcome.code)
    return still_open


def _is_there(state: OrderState, venue_cl_ord_id: str) -> bool:
    """Whether the venue has spoken of the version under this id, or the order is over."""
    version = state.version_for(None, venue_cl_ord_id)
    return state.is_closed or (version is not None and version.order_id is not None)
