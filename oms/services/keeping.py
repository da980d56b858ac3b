"""Orders kept here for venues that cannot hold them: read for the watch, fired, moved, ended.

Each write is one transaction that decides once more under the order's lock, by the terms and the
trail as they are then; whoever lost the connection's lease meanwhile writes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import QuerySet

from brokers.models import BrokerConnection
from common.numbers import dec_str
from marketdata.calendars import Session, next_open, session_at
from marketdata.models import Instrument
from oms.models import Command, Order
from oms.services import outbox
from oms.services.fold import load_state, record
from oms.services.protocol import holds_lease
from oms.services.reports import lock_order
from tenants.binding import tenant_bound
from trading.keeping.triggers import Fired, Kept, Moved, from_anchor, judge, kept, reference_px
from trading.market import Quote
from trading.orders.amendments import TRAILED
from trading.orders.placement import FIRED_AS
from trading.orders.reports import ExecutionReport
from trading.orders.validity import TRIGGERED_TYPES
from trading.vocabulary import ExecType, HeldBy, OrdStatus, OrdType, ReportSource, TimeInForce

KEEPER = "system:keeper"
FIRES_AS_LIMIT = frozenset(word for word, fired in FIRED_AS.items() if fired is OrdType.LIMIT)


@dataclass(frozen=True, slots=True)
class Watched:
    """An order that waits here for its price, as its row had it at ``version``.

    ``since`` is when its terms or its trail last changed, ``ends_at`` when it expires, None if by
    no clock.
    """

    order_pk: str
    account_id: int
    version: int
    symbol: str
    waits: Kept
    since: datetime
    ends_at: datetime | None
    extended_hours: bool


@dataclass(frozen=True, slots=True)
class Watch:
    """What there is to look after at a connection, and what has changed of it.

    ``changed`` are kept orders that are new or have other terms, ``order_pks`` all there are; a
    symbol whose session is closed has None. ``due`` are good-till-date orders whose time has come;
    the flags say whether any order is reduce-only, and whether any stop limit works unfilled.
    """

    changed: tuple[Watched, ...]
    order_pks: frozenset[str]
    sessions: Mapping[str, Session | None]
    due: tuple[str, ...]
    has_reducing: bool
    has_stop_limits: bool


def keep(order: Order, trailed: Moved | None, *, actor: str, now: datetime) -> None:
    """The order exists from now on, with us: no venue hears of it before its trigger fires.

    The caller holds the transaction. ``trailed`` is where a trail that is active already begins;
    one without it begins at the first price the gateway sees.
    """
    order.held_by = HeldBy.OMS
    record(
        order,
        ExecutionReport(
            exec_type=ExecType.NEW,
            source=ReportSource.LOCAL,
            exec_id=f"kept:{order.id}",
            transact_time=now,
            stop_px=None if trailed is None else trailed.stop_px,
            anchor_px=None if trailed is None else trailed.anchor_px,
        ),
        actor=actor,
        now=now,
    )


def set_to_work(order: Order, *, actor: str, now: datetime, priority: int) -> tuple[Command, ...]:
    """Send an order that is not asked about any more: to its venue, or into our own keeping.

    Returns what is on its way to the venue. The caller holds the lock and the transaction.
    """
    placed = outbox.placement_of(order)
    if placed.keeps_trigger:
        keep(order, None, actor=actor, now=now)
        return ()
    if order.held_by is not None:
        order.held_by = None
        order.save(update_fields=["held_by"])
    return (outbox.queue_new(order, placed, now, priority=priority),)


def watched_until(*, schema: str, connection_id: int) -> datetime | None:
    """When a gateway last held the connection up and watched; None if none ever did."""
    with tenant_bound(schema):
        return BrokerConnection.objects.values_list("last_seen_at", flat=True).get(pk=connection_id)


def read_watch(
    *, schema: str, connection_id: int, known: Mapping[str, int], now: datetime
) -> Watch:
    """Read what there is; kept orders at their ``known`` version are not read again."""
    with tenant_bound(schema):
        all_open = Order.objects.filter(account__connection_id=connection_id, is_closed=False)
        rows = all_open.filter(
            held_by=HeldBy.OMS, ord_status=OrdStatus.NEW, ord_type__in=TRIGGERED_TYPES
        )
        due = all_open.filter(time_in_force=TimeInForce.GTD, expire_time__lte=now)
        versions = dict(rows.values_list("id", "version"))
        wanted = [pk for pk, version in versions.items() if known.get(pk) != version]
        changed = tuple(
            _watched(order)
            for order in Order.objects.filter(pk__in=wanted).select_related("instrument")
        )
        traded = Instrument.objects.filter(symbol__in=rows.values("symbol"))
        sessions = {one.symbol: session_at(one, now) for one in traded} if versions else {}
        return Watch(
            changed=changed,
            order_pks=frozenset(versions),
            sessions=sessions,
            due=tuple(due.values_list("id", flat=True)),
            has_reducing=all_open.exclude(exec_inst=[]).exists(),
            has_stop_limits=working_stop_limits(connection_id).exists(),
        )


def working_stop_limits(connection_id: int) -> QuerySet[Order]:
    """Orders that fired into a limit and have not traded at all."""
    return Order.objects.filter(
        account__connection_id=connection_id,
        is_closed=False,
        ord_type__in=FIRES_AS_LIMIT,
        ord_status=OrdStatus.NEW,
        facts__triggered=True,
    )


def _watched(order: Order) -> Watched:
    return Watched(
        order_pk=order.id,
        account_id=order.account_id,
        version=order.version,
        symbol=order.symbol,
        waits=_waits(order),
        since=order.updated_at,
        ends_at=ends_at(order),
        extended_hours=order.extended_hours,
    )


def _waits(order: Order) -> Kept:
    trailed = order.facts.get("trailed")
    anchor = None if trailed is None else Decimal(trailed["anchor_px"])
    return kept(order, order.instrument.tick_size, anchor)


def ends_at(order: Order) -> datetime | None:
    """When a kept order expires: at its instant, or at the close of the session it came for."""
    if order.time_in_force == TimeInForce.GTD:
        return order.expire_time
    if order.time_in_force != TimeInForce.DAY:
        return None
    session = session_at(order.instrument, order.created_at)
    if session is None and (opens := next_open(order.instrument, order.created_at)) is not None:
        session = session_at(order.instrument, opens)
    return None if session is None else session.close_at


def fire(
    *,
    schema: str,
    connection_id: int,
    epoch: int,
    order_pk: str,
    quote: Quote,
    anchor_px: Decimal | None,
    now: datetime,
) -> bool:
    """Send an order into the market if ``quote`` fires it: its trigger and its NEW are one commit.

    ``anchor_px`` is the best price its trail has seen so far, where that is not stored yet.
    """
    with tenant_bound(schema):
        order = _held(connection_id, epoch, order_pk, now)
        if order is None:
            return False
        waits = from_anchor(_waits(order), anchor_px)
        price = reference_px(waits, quote)
        fired = None if price is None else judge(waits, price)
        if price is None or not isinstance(fired, Fired):
            return False
        _fire(order, fired, price, now)
        outbox.wake_gateway(schema)
        return True


def _fire(order: Order, fired: Fired, price: Decimal, now: datetime) -> None:
    order.held_by = None
    if fired.price is not None:
        order.price = fired.price
    outbox.queue_new(
        order,
        outbox.placement_of(order),
        now,
        venue_cl_ord_id=load_state(order).venue_cl_ord_id,
        priority=outbox.PRIORITY_PROTECTIVE,
    )
    record(
        order,
        ExecutionReport(
            exec_type=ExecType.TRIGGERED,
            source=ReportSource.LOCAL,
            exec_id=f"fired:{order.id}",
            transact_time=now,
            stop_px=fired.stop_px,
            price=fired.price,
            anchor_px=fired.anchor_px,
            text=f"fired by {order.trigger_price_type or 'LAST'} {dec_str(price)}",
        ),
        actor=KEEPER,
        now=now,
    )


def follow(
    *,
    schema: str,
    connection_id: int,
    epoch: int,
    order_pk: str,
    anchor_px: Decimal,
    now: datetime,
) -> bool:
    """Store how far a trail has come, so that a restart resumes from there."""
    with tenant_bound(schema):
        order = _held(connection_id, epoch, order_pk, now)
        return order is not None and bring_stop(order, anchor_px, now)


def bring_stop(order: Order, anchor_px: Decimal | None, now: datetime) -> bool:
    """Bring a trail's stop to its distance from the best price; False where it stands already.

    ``anchor_px`` None means the best price stored. The caller holds the lock.
    """
    stored = _waits(order)
    waits = from_anchor(stored, anchor_px)
    if waits == stored:
        return False
    record(
        order,
        ExecutionReport(
            exec_type=ExecType.RESTATED,
            source=ReportSource.LOCAL,
            exec_id=f"trailed:{order.version + 1}",
            transact_time=now,
            stop_px=waits.stop_px,
            anchor_px=waits.anchor_px,
            restatement_reason=TRAILED,
        ),
        actor=KEEPER,
        now=now,
    )
    return True


def _held(connection_id: int, epoch: int, order_pk: str, now: datetime) -> Order | None:
    """The kept order under its lock; None if its time is over, or another gateway keeps it."""
    order = lock_order(order_pk)
    if order is None or order.held_by != HeldBy.OMS or order.ord_status != OrdStatus.NEW:
        return None
    ends = ends_at(order)
    if ends is not None and now >= ends:
        return None
    return order if holds_lease(connection_id, epoch, now) else None
