"""The one door through which orders come to be: judged, stored and queued in one transaction.

What is asked of an order, and in which order, is ``judgement``. Refusals before risk leave no row
and do not consume the client id; a risk denial is kept as a REJECTED order.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from common.actor import Actor
from common.errors import Refused
from common.ids import new_ulid
from marketdata import quotes
from oms.errors import PreviewDrifted
from oms.models import ClOrdId, Command, Order, OrderVersion
from oms.services import outbox, preview, previews, streams
from oms.services.fold import record
from oms.services.judgement import Desk, Judged, Known, open_desk, symbols_of
from oms.services.keeping import keep
from risk import selectors as risk_selectors
from risk import services as risk_services
from tenants.binding import tenant_bound
from trading.orders import wire
from trading.orders.ids import venue_cl_ord_id
from trading.orders.intent import OrderIntent, intent_hash
from trading.orders.reports import ExecutionReport
from trading.risk import Breach
from trading.vocabulary import (
    CommandKind,
    ExecType,
    HeldBy,
    OrdRejReason,
    ReportSource,
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an order stands in a list: its own number and the leg it serves, both from 1.

    ``waits`` says that another leg releases it; ``priority`` is that of its NEW command.
    """

    list_id: str
    leg_no: int
    serves_leg: int
    waits: bool
    priority: int


@dataclass(frozen=True, slots=True)
class Acceptance:
    """The answer for one intent that became, or already was, an order.

    ``breaches`` is empty unless our risk rejected the order; ``replay`` says that the same
    request had been answered before and nothing was done again.
    """

    order: Order
    account_code: str
    pending: tuple[Command, ...]
    breaches: tuple[Breach, ...]
    replay: bool

    @property
    def is_for_the_gateway(self) -> bool:
        """Whether there is something new to send, or to keep."""
        return not self.replay and (bool(self.pending) or self.order.held_by is not None)


def accept_orders(
    *, schema: str, intents: Sequence[OrderIntent], actor: Actor, now: datetime
) -> list[Acceptance | Refused]:
    """Judge and store ``intents`` in one transaction; one answer per intent, in order.

    Item i is judged after the reservations of the items before it; a refusal of one never
    harms another. The answer exists only after the commit.
    """
    market = quotes.latest(symbols_of(intents))
    with tenant_bound(schema):
        desk = open_desk(
            intents, actor=actor, market=market, lock=risk_services.lock_accounts, now=now
        )
        answers: list[Acceptance | Refused] = []
        for intent in intents:
            try:
                answers.append(_take(desk, intent))
            except Refused as refusal:
                answers.append(refusal)
        desk.book.save()
        if any(isinstance(a, Acceptance) and a.is_for_the_gateway for a in answers):
            outbox.wake_gateway(schema)
        return answers


def _take(desk: Desk, given: OrderIntent) -> Acceptance:
    """:raises Refused: by the first check that fails."""
    try:
        judged = desk.judge(given)
    except PreviewDrifted as drifted:
        drifted.extra["preview"] = preview.weigh(desk, replace(given, preview_id=None))
        raise
    if isinstance(judged, Known):
        return Acceptance(
            order=judged.order,
            account_code=judged.account.code,
            pending=tuple(outbox.open_commands(judged.order)),
            breaches=risk_selectors.breaches_of(judged.order.id),
            replay=True,
        )
    order_id = new_ulid(desk.now)
    previews.use(judged.intent, schema=desk.actor.schema, by=judged.intent.cl_ord_id or order_id)
    answer = store(desk, judged, order_id)
    if not answer.breaches:
        desk.book.reserve(
            account_id=judged.account.id,
            symbol=answer.order.symbol,
            side=judged.intent.side,
            qty=answer.order.reserved_qty,
            notional=outbox.reserved_notional(answer.order),
        )
    return answer


def store(desk: Desk, judged: Judged, order_id: str, place: Place | None = None) -> Acceptance:
    """Write down an order as it was judged and queue what is sent of it; reserves nothing."""
    account, breaches = judged.account, judged.breaches
    waits = place is not None and place.waits
    order = _order_row(judged, order_id, desk.actor, desk.now)
    if place is not None:
        order.list_id, order.leg_no = place.list_id, place.leg_no
        order.serves_leg = place.serves_leg
    begin(order, _first_report(order, judged, desk.now), actor=desk.actor.label, now=desk.now)
    pending: tuple[Command, ...] = ()
    if breaches:
        risk_services.record_breaches(
            order_id=order.id, account=account, breaches=breaches, now=desk.now
        )
    elif not waits and not judged.placement.keeps_trigger:
        priority = outbox.PRIORITY_NEW if place is None else place.priority
        command = outbox.queue_new(
            order,
            judged.placement,
            desk.now,
            priority=priority,
            session=judged.waits_for,
            worst_px=judged.worst_px,
        )
        pending = (command,)
    told = "order.denied" if breaches else "order.accepted"
    streams.publish_order(order, told, pending, account, desk.actor.label, desk.now)
    if not breaches and waits:
        hold(order, actor=desk.actor.label, now=desk.now)
    elif not breaches and (judged.placement.keeps_trigger or judged.waits_for is not None):
        keep(order, judged.trailed, actor=desk.actor.label, now=desk.now)
    return Acceptance(order, account.code, pending, breaches, replay=False)


def begin(order: Order, first: ExecutionReport, *, actor: str, now: datetime) -> None:
    """Write an order's first event, take its id for ever and state its version 0."""
    record(order, first, actor=actor, now=now)
    ClOrdId.objects.create(
        account_id=order.account_id,
        cl_ord_id=order.cl_ord_id,
        order=order,
        kind=CommandKind.NEW,
        content_hash=order.intent_hash,
    )
    OrderVersion.objects.create(
        order=order,
        account_id=order.account_id,
        number=0,
        cl_ord_id=order.cl_ord_id,
        venue_cl_ord_id=venue_cl_ord_id(order.id, 0),
        **wire.values(order, wire.TERMS),
        state=OrderVersion.ACCEPTED,
        created_at=now,
    )


def hold(order: Order, *, actor: str, now: datetime) -> None:
    """Keep an order here until the leg it waits for releases it."""
    order.held_by = HeldBy.OMS
    record(
        order,
        ExecutionReport(
            exec_type=ExecType.SUSPENDED,
            source=ReportSource.LOCAL,
            exec_id=f"waits:{order.id}",
            transact_time=now,
            text="waits for its parent",
        ),
        actor=actor,
        now=now,
    )


def _order_row(judged: Judged, order_id: str, actor: Actor, now: datetime) -> Order:
    intent = judged.intent
    assert intent.time_in_force is not None, "defaults are filled in first"
    cl_ord_id = intent.cl_ord_id or order_id
    return Order(
        id=order_id,
        account=judged.account,
        instrument=judged.instrument,
        mode=judged.account.mode,
        cl_ord_id=cl_ord_id,
        **{**wire.values(intent, wire.INSTRUCTION), "exec_inst": sorted(set(intent.exec_inst))},
        cash_order_qty=intent.cash_order_qty,
        unspent_cash=judged.unspent,
        max_slippage_bps=intent.max_slippage_bps,
        strategy=intent.strategy,
        tags=dict(intent.tags),
        source=intent.source,
        reserve_px=judged.reserve_px,
        intent_hash=intent_hash(intent),
        created_by=actor.label,
        created_at=now,
        updated_at=now,
        version=0,
    )


def _first_report(order: Order, judged: Judged, now: datetime) -> ExecutionReport:
    """Seq 1 of every life: received and pending, or denied by our risk.

    That a repetition was meant is kept with it, for whoever asks later.
    """
    if judged.breaches:
        return ExecutionReport(
            exec_type=ExecType.REJECTED,
            source=ReportSource.LOCAL,
            exec_id=f"denied:{order.id}",
            transact_time=now,
            ord_rej_reason=OrdRejReason.RISK,
            text="; ".join(breach.message for breach in judged.breaches)[:500],
        )
    twin = judged.twin
    return received(order, now, f"allow_duplicate: equal to {twin.cl_ord_id}" if twin else "")


def received(order: Order, now: datetime, text: str = "") -> ExecutionReport:
    """Seq 1 of an order nothing stands against."""
    return ExecutionReport(
        exec_type=ExecType.PENDING_NEW,
        source=ReportSource.LOCAL,
        exec_id=f"received:{order.id}",
        transact_time=now,
        text=text,
    )
