"""Replaces: other terms for a working order; what raises the risk is judged like a new order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

from brokers.adapters.capabilities import Amend
from brokers.adapters.registry import capabilities_of
from common.actor import Actor
from common.errors import FieldError
from common.numbers import dec_str
from marketdata import quotes
from oms import errors
from oms.models import Command, Order, OrderVersion
from oms.present import order_json
from oms.selectors import access_order
from oms.services import outbox
from oms.services.cancel_new import BY_CANCEL
from oms.services.entry import check_fields, check_reduce_only, refuse
from oms.services.fold import load_state, record, terms_of_row
from oms.services.halts import check_halt
from oms.services.keeping import bring_stop
from oms.services.requests import (
    Requested,
    answer,
    has_open,
    locked,
    new_command_state,
    refusal,
    same_request,
    use_cl_ord_id,
)
from risk import selectors as risk_selectors
from risk import services as risk_services
from tenants.binding import tenant_bound
from trading.keeping.triggers import Fired, judge, kept, reference_px
from trading.market import Quote
from trading.orders import wire
from trading.orders.canonical import json_text
from trading.orders.ids import replace_id, venue_cl_ord_id
from trading.orders.intent import OrderIntent
from trading.orders.placement import TRIGGER_FIELDS
from trading.orders.reports import ExecutionReport
from trading.orders.requests import Action, is_stale_orig, replace_decision, replace_errors
from trading.orders.state import OrderState, terms_of
from trading.orders.validity import TRIGGERED_TYPES
from trading.vocabulary import (
    CommandKind,
    ExecType,
    OrdType,
    ReportSource,
    TimeInForce,
)


@dataclass(frozen=True, slots=True)
class ReplaceTerms:
    """What a replace asks for; None leaves a term as it is. ``order_qty`` is the new total."""

    order_qty: Decimal | None = None
    price: Decimal | None = None
    time_in_force: TimeInForce | None = None
    expire_time: datetime | None = None
    stop_px: Decimal | None = None
    trail_offset: Decimal | None = None
    limit_offset: Decimal | None = None
    display_qty: Decimal | None = None

    @property
    def content_hash(self) -> str:
        """Equal wishes have equal hashes."""
        return sha256(json_text(wire.write(self, wire.TERMS)).encode()).hexdigest()


def request_replace(
    *,
    schema: str,
    order_id: str,
    actor: Actor,
    terms: ReplaceTerms,
    now: datetime,
    cl_ord_id: str | None = None,
    orig_cl_ord_id: str | None = None,
    expected_version: str | None = None,
) -> Requested:
    """Ask for other terms.

    :raises NotFound: :raises RequestRefused: by the order's state. :raises VersionConflict:
    :raises RequestInvalid: nothing changed, or a total below what is filled.
    :raises FieldRefused: :raises RiskRejected: on the increase. :raises TradingHalted: likewise.
    """
    market = _market_of(schema, order_id, actor)
    with tenant_bound(schema):
        order = locked(order_id, actor)
        if known := same_request(order, cl_ord_id, CommandKind.REPLACE, terms.content_hash):
            return known
        if expected_version is not None and expected_version != f'"v{order.version}"':
            raise errors.VersionConflict(expected_version, order.version)
        state = load_state(order)
        commands = outbox.open_commands(order)
        action = _decide(order, state, commands, orig_cl_ord_id)
        wanted = wanted_order(order, state, terms, now)
        if wanted.order_qty > state.order_qty:
            rest = replace(wanted, order_qty=wanted.order_qty - state.cum_qty)
            check_reduce_only(order.account, rest, but=order.id)
        check_trigger(order, state, wanted, market)
        judge_change(order, wanted, market, now)
        amend(
            order, wanted, terms.content_hash,
            in_place=action is Action.IN_PLACE, actor=actor, now=now, cl_ord_id=cl_ord_id,
        )  # fmt: skip
        return answer(order, replay=False)


def amend(
    order: Order,
    wanted: OrderIntent,
    content: str,
    *,
    in_place: bool,
    actor: Actor,
    now: datetime,
    cl_ord_id: str | None = None,
    priority: int | None = None,
) -> None:
    """Add the version a replace asks for: at once where nothing has been sent, else by a command.

    The caller holds the order's lock and has judged ``wanted``; ``content`` is the hash of the
    request, ``priority`` that of the command where its kind does not say it.
    """
    version = _new_version(order, wanted, cl_ord_id, now)
    use_cl_ord_id(order, version.cl_ord_id, CommandKind.REPLACE, content)
    if in_place:
        _amend_unsent(order, outbox.open_commands(order), version, actor, now)
    else:
        _queue(order, load_state(order), version, now, priority)
        outbox.wake_gateway(actor.schema)


def _market_of(schema: str, order_id: str, actor: Actor) -> Mapping[str, Quote]:
    """Latest quote of the order's instrument, read before any lock is taken."""
    with tenant_bound(schema):
        symbol = access_order(actor=actor, order_id=order_id).symbol
    return quotes.latest([symbol])


def _decide(
    order: Order, state: OrderState, commands: Sequence[Command], orig_cl_ord_id: str | None
) -> Action:
    decision = replace_decision(
        state,
        new_command_state(commands),
        held_by_oms=order.held_by is not None,
        cancel_open=has_open(commands, CommandKind.CANCEL),
        replace_open=has_open(commands, CommandKind.REPLACE),
        managed_by_parent=order.list_id is not None,
    )
    if decision.action is Action.REFUSE:
        raise refusal(order, decision)
    if orig_cl_ord_id is not None and is_stale_orig(state, orig_cl_ord_id):
        raise errors.StaleOrigClOrdId(orig_cl_ord_id, state.chain_head)
    return decision.action


def wanted_order(
    order: Order, state: OrderState, terms: ReplaceTerms, now: datetime
) -> OrderIntent:
    """The order as the replace would have it, in the form the validity rules read.

    :raises RequestInvalid: :raises FieldRefused: where it may not be so.
    """
    if terms.price is not None and order.ord_type == OrdType.MARKET:
        raise errors.RequestInvalid(
            "price", "not_allowed_for_type", "A MARKET order has no price to replace."
        )
    asked = wire.values(terms, wire.TERMS)
    in_force = wire.values(state, wire.TERMS)
    in_force["stop_px"] = state.terms.stop_px  # as agreed, not where a trail has taken it
    if terms.time_in_force not in {None, TimeInForce.GTD}:
        in_force["expire_time"] = None
    wanted = OrderIntent(
        account=order.account.code,
        **wire.read(wire.write(order, wire.FIXED), wire.FIXED),
        **{name: in_force[name] if asked[name] is None else asked[name] for name in wire.TERMS},
        strategy=order.strategy,
        tags=order.tags,
        source=order.source,
    )
    refuse(replace_errors(state, terms_of(wanted)))
    works_as = _fired(wanted) if state.triggered else wanted
    check_fields(order.account, works_as, order.instrument, now)
    return wanted


def _fired(wanted: OrderIntent) -> OrderIntent:
    """A trail that has fired is a LIMIT like any other: its price may be changed."""
    if wanted.ord_type is not OrdType.TRAILING_STOP_LIMIT:
        return wanted
    nothing: dict[str, Any] = dict.fromkeys(TRIGGER_FIELDS)
    return replace(wanted, ord_type=OrdType.LIMIT, **nothing)


def check_trigger(
    order: Order, state: OrderState, wanted: OrderIntent, market: Mapping[str, Quote]
) -> None:
    """:raises FieldRefused: for a trigger, or a trail's distance, that would fire at once."""
    waits = order.ord_type in TRIGGERED_TYPES and not state.triggered and not state.cum_qty
    asked = (wanted.stop_px, wanted.trail_offset)
    if not waits or asked == (state.terms.stop_px, state.terms.trail_offset):
        return
    quote = market.get(order.symbol)
    anchor = None if state.trailed is None else state.trailed.anchor_px
    would_be = kept(wanted, order.instrument.tick_size, anchor)
    price = None if quote is None else reference_px(would_be, quote)
    if price is None:
        raise errors.NoReferencePrice(order.symbol)
    if isinstance(judge(would_be, price), Fired):
        name = "stop_px" if wanted.trail_offset == state.terms.trail_offset else "trail_offset"
        message = f"The market is at {dec_str(price)}; with these terms the order would fire."
        raise errors.FieldRefused([FieldError(name, "would_trigger_immediately", message)])


def judge_change(
    order: Order, wanted: OrderIntent, market: Mapping[str, Quote], now: datetime
) -> None:
    """Risk and halts see an increase, or another price; a pure decrease passes unseen.

    :raises TradingHalted: :raises NoReferencePrice: :raises RiskRejected:
    """
    if wanted.order_qty <= order.order_qty and wanted.price == order.price:
        return
    check_halt(account=order.account, symbol=order.symbol, strategy=order.strategy, reduces=False)
    quote = market.get(order.symbol)
    if quote is None or risk_selectors.reference_price(quote, now=now) is None:
        raise errors.NoReferencePrice(order.symbol)
    book = risk_services.lock_accounts([order.account_id])
    breaches = book.judge(
        account=order.account,
        intent=wanted,
        instrument=order.instrument,
        quote=quote,
        now=now,
        amends=outbox.reserved_notional(order),
    )
    if breaches:
        shown = order_json(order, outbox.open_commands(order), account_code=order.account.code)
        raise errors.RiskRejected(breaches, order=shown, replay=False)


def _new_version(
    order: Order, wanted: OrderIntent, cl_ord_id: str | None, now: datetime
) -> OrderVersion:
    # Rows are counted, not the state's versions: a replace in the queue is no fact of it yet.
    assert wanted.time_in_force is not None, "taken from the order where not asked for"
    number = OrderVersion.objects.filter(order=order).count()
    return OrderVersion.objects.create(
        order=order,
        account_id=order.account_id,
        number=number,
        cl_ord_id=cl_ord_id or replace_id(order.id, number),
        venue_cl_ord_id=venue_cl_ord_id(order.id, number),
        **wire.values(wanted, wire.TERMS),
        state=OrderVersion.PENDING,
        created_at=now,
    )


def _queue(
    order: Order, state: OrderState, version: OrderVersion, now: datetime, priority: int | None
) -> None:
    held = outbox.Reservation.of(order)
    decreasing = version.order_qty <= order.order_qty and version.price == order.price
    command = outbox.queue_request(
        order,
        kind=CommandKind.REPLACE,
        cl_ord_id=version.cl_ord_id,
        venue_cl_ord_id=version.venue_cl_ord_id,
        payload={
            **wire.write(version, wire.TERMS),
            "orig_venue_cl_ord_id": state.venue_cl_ord_id,
            **_way_of(order),
        },
        priority=priority or (outbox.PRIORITY_DECREASE if decreasing else outbox.PRIORITY_REPLACE),
        now=now,
    )
    # The increase is kept free from now on, although no venue has heard of it yet.
    order.reserved_qty, order.reserve_px = outbox.reservation(order, state, [command])
    order.save(update_fields=["reserved_qty", "reserve_px"])
    outbox.move_reservation(order, held)


def _way_of(order: Order) -> dict[str, bool]:
    """How the venue gets the new terms, as the payload's mark.

    :raises RequestInvalid: if it gives an order no other terms at all.
    """
    broker = order.account.connection.broker
    able = capabilities_of(broker)
    if able is not None and able.amend is Amend.NONE:
        text = f"{broker} gives an order no other terms; cancel it and send another."
        raise errors.RequestInvalid("order_qty", "unsupported_by_venue", text)
    return {BY_CANCEL: True} if able is not None and able.amend is Amend.CANCEL_NEW else {}


def _amend_unsent(
    order: Order, commands: Sequence[Command], version: OrderVersion, actor: Actor, now: datetime
) -> None:
    """The NEW command has not left: it is given the new terms, and there is still one NEW."""
    record(
        order,
        ExecutionReport(
            exec_type=ExecType.REPLACED,
            source=ReportSource.LOCAL,
            exec_id=f"amended:{version.cl_ord_id}",
            transact_time=now,
            cl_ord_id=version.cl_ord_id,
            orig_cl_ord_id=order.cl_ord_id,
            venue_cl_ord_id=version.venue_cl_ord_id,
            **wire.values(terms_of_row(version), wire.TERMS),
        ),
        actor=actor.label,
        now=now,
    )
    if order.held_by is not None:
        bring_stop(order, None, now)
    for command in commands:
        if command.kind == CommandKind.NEW:
            command.payload = outbox.new_order_payload(
                order, outbox.placement_of(order), _bound(order, command)
            )
            command.cl_ord_id = version.cl_ord_id
            command.venue_cl_ord_id = version.venue_cl_ord_id
            command.save(update_fields=["payload", "cl_ord_id", "venue_cl_ord_id"])


def _bound(order: Order, command: Command) -> Decimal | None:
    """The price a protected MARKET was bounded by when it came; it has none of its own."""
    price = command.payload.get("price") if order.price is None else None
    return None if price is None else Decimal(price)
