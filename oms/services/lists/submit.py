"""Takes a list whole or not at all: one transaction, one judgement at its worst case.

Its legs come to be through the same steps as any order. Refusals before risk leave no row and do
not consume the list's id; a risk denial keeps the list and every leg as REJECTED.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from brokers.adapters.capabilities import Contingencies
from brokers.adapters.registry import capabilities_of
from brokers.models import BrokerAccount
from common.actor import Actor
from common.errors import FieldError
from common.ids import new_ulid
from common.numbers import dec_str, opt_dec_str
from marketdata import quotes
from marketdata.models import Instrument
from oms import errors
from oms.models import ClOrdId, Order, OrderList
from oms.selectors import open_commands_of
from oms.services import outbox
from oms.services.accept import Place, store
from oms.services.judgement import Desk, Judged, open_desk, symbols_of
from oms.services.judgement import with_defaults as with_time_in_force
from oms.services.lists.alternatives import Largest, is_alternative
from oms.services.lists.standing import Standing
from oms.services.lists.told import publish_list, shown
from risk import selectors as risk_selectors
from risk import services as risk_services
from tenants.binding import tenant_bound
from trading.contingency import (
    ListOrderStatus,
    ListWish,
    Role,
    list_hash,
    price_errors,
    relative_px,
    roles,
    shape_errors,
    with_defaults,
)
from trading.contingency.prices import exit_price, price_field
from trading.contingency.wish import PARENTED
from trading.orders.ids import leg_id
from trading.orders.validity import OrderFieldError
from trading.risk import Breach
from trading.vocabulary import CommandKind


@dataclass(frozen=True, slots=True)
class ListAnswer:
    """A list that was taken, or was already, as the API shows it.

    ``breaches`` is empty unless our risk refused it.
    """

    order_list: dict[str, Any]
    breaches: tuple[Breach, ...]
    replay: bool


def submit_list(*, schema: str, wish: ListWish, actor: Actor, now: datetime) -> ListAnswer:
    """Judge and store a list; the answer exists only after the commit.

    :raises FieldRefused: with fields named as in the request (``legs.0.price``).
    :raises Refused: as for a single order.
    """
    wish = with_defaults(wish)
    _raise(shape_errors(wish))
    market = quotes.latest(symbols_of(leg.intent for leg in wish.legs))
    with tenant_bound(schema):
        desk = open_desk(
            [leg.intent for leg in wish.legs],
            actor=actor,
            market=market,
            lock=risk_services.lock_accounts,
            now=now,
        )
        first = wish.legs[0].intent
        account = desk.account(first)
        wish = _with_time_in_force(wish, desk.instruments.get(first.symbol))
        content = list_hash(wish)
        if known := _known(desk, wish.cl_ord_id, content, account):
            return known
        _check_links(account)
        for number, leg in enumerate(wish.legs):
            if number == 0 or wish.contingency_type not in PARENTED:
                desk.check_halt(leg.intent, account)
        wish = _priced(desk, wish)
        judged = _judge(desk, wish, account)
        return _store(desk, wish, judged, content)


def _raise(found: Sequence[OrderFieldError]) -> None:
    if found:
        raise errors.FieldRefused([FieldError(row.field, row.code, row.message) for row in found])


def _check_links(account: BrokerAccount) -> None:
    """:raises FieldRefused: where nobody can link orders of the account's venue."""
    broker = account.connection.broker
    able = capabilities_of(broker)
    if able is None or able.contingencies is Contingencies.NONE:
        message = f"Orders at {broker} cannot be linked; send them one by one."
        raise errors.FieldRefused([FieldError("contingency_type", "unsupported_by_venue", message)])


def _with_time_in_force(wish: ListWish, instrument: Instrument | None) -> ListWish:
    legs = (replace(leg, intent=with_time_in_force(leg.intent, instrument)) for leg in wish.legs)
    return replace(wish, legs=tuple(legs))


def _known(
    desk: Desk, cl_ord_id: str | None, content: str, account: BrokerAccount
) -> ListAnswer | None:
    """The earlier answer where the account knows this id with this content.

    :raises ClOrdIdReused: if it names something else. :raises FieldRefused: for its form.
    """
    if cl_ord_id is None:
        return None
    used = desk.named(cl_ord_id, account)
    if used is None:
        return None
    if used.kind != CommandKind.NEW or used.content_hash != content:
        raise errors.ClOrdIdReused(cl_ord_id)
    row = OrderList.objects.select_related("account").get(pk=used.order.list_id)
    orders = list(Order.objects.filter(list_id=row.id).order_by("leg_no"))
    commands = open_commands_of(order.id for order in orders)
    breaches = dict.fromkeys(
        breach for order in orders for breach in risk_selectors.breaches_of(order.id)
    )
    known = Standing(row, orders, commands, {}, desk.now)
    return ListAnswer(shown(known), tuple(breaches), replay=True)


def _priced(desk: Desk, wish: ListWish) -> ListWish:
    """Give relative exits the price they would have if the entry filled where it is expected.

    :raises FieldRefused: where an exit of a bracket lies on the wrong side of the entry.
    """
    entry = wish.legs[0].intent
    instrument = desk.instrument(entry)
    expected = exit_price(entry) or entry.price
    if expected is None:
        reference = desk.reference(desk.market.get(entry.symbol))
        if reference is None:
            raise errors.NoReferencePrice(entry.symbol)
        expected = reference.price
    legs = []
    for leg in wish.legs:
        if leg.is_relative:
            px = relative_px(
                entry_side=entry.side,
                ord_type=leg.intent.ord_type,
                entry_px=expected,
                tick_size=instrument.tick_size,
                offset=leg.offset,
                offset_percent=leg.offset_percent,
            )
            priced: dict[str, Any] = {price_field(leg.intent.ord_type): px}
            legs.append(replace(leg, intent=replace(leg.intent, **priced)))
        else:
            legs.append(leg)
    wish = replace(wish, legs=tuple(legs))
    _raise(price_errors(wish, expected))
    return wish


def _judge(desk: Desk, wish: ListWish, account: BrokerAccount) -> list[Judged]:
    """Ask what is asked of each leg. Legs that exclude each other are judged each for itself and
    count once, at the largest; all others are judged with those before them.
    """
    judged: list[Judged] = []
    largest: dict[str, Largest] = {}
    for number, leg in enumerate(wish.legs):
        try:
            one = desk.assess(
                leg.intent,
                account,
                beside=[other.intent for other in judged],
                waits=number > 0 and wish.contingency_type in PARENTED,
            )
        except errors.FieldRefused as refused:
            raise errors.FieldRefused(list(_named(refused, number))) from refused
        judged.append(one)
        qty, notional = one.intent.order_qty, _notional(one)
        side = one.intent.side
        if is_alternative(wish.contingency_type, number + 1):
            largest[side] = largest.get(side, Largest()).with_(qty, notional)
            qty = notional = Decimal(0)
        desk.book.reserve(
            account_id=account.id, symbol=one.intent.symbol, side=side, qty=qty, notional=notional
        )
    for one in judged:
        most = largest.pop(one.intent.side, None)
        if most is not None:
            desk.book.reserve(
                account_id=account.id,
                symbol=one.intent.symbol,
                side=one.intent.side,
                qty=most.qty,
                notional=most.notional,
                orders=0,
            )
    return judged


def _named(refused: errors.FieldRefused, number: int) -> Iterator[FieldError]:
    for row in refused.errors:
        yield replace(row, field=f"legs.{number}.{row.field}")


def _notional(judged: Judged) -> Decimal:
    amount: Decimal = judged.intent.order_qty * judged.reserve_px * judged.instrument.multiplier
    return amount.quantize(Decimal("1e-12"))


def _store(desk: Desk, wish: ListWish, judged: Sequence[Judged], content: str) -> ListAnswer:
    breaches = tuple(dict.fromkeys(breach for one in judged for breach in one.breaches))
    row = _list_row(desk, wish, judged[0], content, refused=bool(breaches))
    parts = roles(wish)
    orders = []
    for number, one in enumerate(judged, 1):
        # A leg nothing is wrong with is refused for what is wrong with the others.
        denied = replace(one, breaches=one.breaches or breaches)
        intent = replace(denied.intent, cl_ord_id=leg_id(row.id, number))
        place = Place(
            list_id=row.id,
            leg_no=number,
            serves_leg=number,
            waits=number > 1 and wish.contingency_type in PARENTED,
            priority=outbox.PRIORITY_PROTECTIVE
            if parts[number - 1] is Role.STOP
            else outbox.PRIORITY_NEW,
        )
        answer = store(desk, replace(denied, intent=intent), new_ulid(desk.now), place)
        orders.append(answer.order)
    ClOrdId.objects.create(
        account_id=row.account_id,
        cl_ord_id=row.cl_ord_id,
        order=orders[0],
        kind=CommandKind.NEW,
        content_hash=row.intent_hash,
    )
    if not breaches:
        desk.book.save()
        outbox.wake_gateway(desk.actor.schema)
    commands = open_commands_of(order.id for order in orders)
    standing = Standing(row, orders, commands, {}, desk.now)
    told = "list.rejected" if breaches else "list.accepted"
    publish_list(standing, told, desk.actor.label)
    return ListAnswer(shown(standing), breaches, replay=False)


def _list_row(
    desk: Desk, wish: ListWish, first: Judged, content: str, *, refused: bool
) -> OrderList:
    list_id = new_ulid(desk.now)
    return OrderList.objects.create(
        id=list_id,
        account=first.account,
        symbol=first.intent.symbol,
        mode=first.account.mode,
        cl_ord_id=wish.cl_ord_id or list_id,
        contingency_type=wish.contingency_type,
        release=wish.release,
        sizing=wish.sizing,
        reprotect=wish.reprotect,
        legs=[
            {
                "role": role,
                "order_qty": dec_str(leg.intent.order_qty),
                "offset": opt_dec_str(leg.offset),
                "offset_percent": opt_dec_str(leg.offset_percent),
            }
            for role, leg in zip(roles(wish), wish.legs, strict=True)
        ],
        list_order_status=ListOrderStatus.REJECTED if refused else ListOrderStatus.EXECUTING,
        source=first.intent.source,
        strategy=first.intent.strategy,
        intent_hash=content,
        created_by=desk.actor.label,
        created_at=desk.now,
        updated_at=desk.now,
    )
