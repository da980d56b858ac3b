"""The one door orders come through: in which order it checks, and what it leaves behind."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connections

from brokers.models import BrokerAccount
from brokers.services import open_connection
from common.actor import Actor, ActorKind, system_actor
from common.errors import Refused
from events.models import Event
from marketdata.calendars import session_at
from oms.models import ClOrdId, Command, Order, OrderEvent, OrderVersion
from oms.services.accept import Acceptance, accept_orders
from risk.models import Breach
from risk.selectors import exposure_rows
from risk.services import lift_halt, set_halt, set_limit
from tenants.binding import tenant_bound
from tests.journeys.cast import fresh, utcnow
from trading.orders.intent import OrderIntent
from trading.risk import HaltScope, HaltState, LimitScope, RuleId
from trading.vocabulary import Mode, OrdType, Side, TimeInForce


@pytest.fixture
def trader(desk) -> Actor:
    return Actor(ActorKind.USER, "1", "tina", desk.schema, frozenset({"orders:write"}))


@pytest.fixture
def intent(desk) -> OrderIntent:
    """A resting order nothing is wrong with."""
    return OrderIntent(
        account=desk.code,
        cl_ord_id="one",
        symbol="SPX",
        side=Side.BUY,
        ord_type=OrdType.LIMIT,
        order_qty=Decimal(10),
        price=Decimal(950),
        time_in_force=TimeInForce.GTC,
        source="api",
    )


@pytest.fixture
def accept(desk, market, trader):
    """Send intents through the door; a refusal comes back as its code."""

    def _accept(*intents, actor=trader):
        answers = accept_orders(schema=desk.schema, intents=intents, actor=actor, now=utcnow())
        return [answer.code if isinstance(answer, Refused) else answer for answer in answers]

    return _accept


@pytest.fixture
def account(desk):
    def change(**columns):
        with tenant_bound(desk.schema):
            BrokerAccount.objects.filter(pk=desk.account_id).update(**columns)

    return change


def set_open_orders(desk, value):
    with tenant_bound(desk.schema):
        set_limit(
            scope=LimitScope.ACCOUNT,
            target=desk.code,
            rule=RuleId.MAX_OPEN_ORDERS,
            value=Decimal(value),
            enabled=True,
            actor=system_actor(desk.schema, "test"),
            now=utcnow(),
        )


def test_the_first_refusal_wins_in_the_order_of_the_checks(
    accept, account, market, monkeypatch, desk, intent
):
    """Everything is wrong with the order; repaired one by one, each repair shows the next."""
    (first,) = accept(intent)
    assert isinstance(first, Acceptance)
    actor = system_actor(desk.schema, "test")
    with tenant_bound(desk.schema):
        halt = set_halt(
            scope=HaltScope.ACCOUNT,
            target=desk.code,
            state=HaltState.HALTED,
            reason="drill",
            actor=actor,
            now=utcnow(),
        )
    set_open_orders(desk, 1)
    account(state="DISABLED")
    market.silence()
    closed_until = utcnow() + timedelta(minutes=5)
    monkeypatch.setattr(
        "oms.services.entry.session_at",
        lambda instrument, at: None if at < closed_until else session_at(instrument, at),
    )
    bad = replace(
        intent,
        account="P-nowhere",
        cl_ord_id=".one",
        symbol="spx",
        order_qty=Decimal("10.5"),
        time_in_force=TimeInForce.OPG,
    )
    assert accept(bad) == ["not_found"]
    bad = replace(bad, account=desk.code)
    assert accept(bad) == ["account_disabled"]
    account(state="ACTIVE")
    assert accept(bad) == ["invalid_cl_ord_id"]
    bad = replace(bad, cl_ord_id="one")
    assert accept(bad) == ["cl_ord_id_reused"]
    bad = replace(bad, cl_ord_id="two")
    assert accept(bad) == ["trading_halted"]
    with tenant_bound(desk.schema):
        lift_halt(halt_id=halt.id, reason="over", actor=actor, now=utcnow())
    assert accept(bad) == ["invalid_symbol"]
    bad = replace(bad, symbol="NOPE")
    assert accept(bad) == ["unknown_instrument"]
    bad = replace(bad, symbol="WTI")
    assert accept(bad) == ["not_tradable"]
    bad = replace(bad, symbol="SPX")
    assert accept(bad) == ["off_lot"]
    bad = replace(bad, order_qty=Decimal(11))
    assert accept(bad) == ["unsupported_by_venue"]
    bad = replace(bad, time_in_force=TimeInForce.DAY)
    assert accept(bad) == ["market_closed"]
    bad = replace(bad, time_in_force=TimeInForce.GTC)
    assert accept(bad) == ["no_reference_price"]
    market.show("999.50", "1000.50")
    assert len(desk.rows(Order, account_id=desk.account_id)) == 1
    (denied,) = accept(bad)
    assert [breach.rule for breach in denied.breaches] == ["max_open_orders"]
    set_open_orders(desk, 2)
    (replayed,) = accept(bad)
    assert (replayed.replay, replayed.order.id) == (True, denied.order.id)
    (taken,) = accept(replace(bad, cl_ord_id="three"))
    assert (taken.breaches, taken.replay) == ((), False)


def test_real_money_needs_a_scope_of_its_own(accept, desk, intent):
    with tenant_bound(desk.schema):
        venue = open_connection(name=fresh("live-"), broker="real", mode=Mode.LIVE, now=utcnow())
        live = BrokerAccount.objects.create(
            code=fresh("L-"),
            name="Live",
            connection=venue,
            mode=venue.mode,
            currency="USD",
            created_at=utcnow(),
        )
    assert accept(replace(intent, account=live.code)) == ["insufficient_scope"]


def test_an_account_without_an_adapter_takes_no_order(accept, desk, intent):
    with tenant_bound(desk.schema):
        venue = open_connection(name=fresh("odd-"), broker="odd", mode=Mode.PAPER, now=utcnow())
        odd = BrokerAccount.objects.create(
            code=fresh("O-"),
            name="Odd",
            connection=venue,
            mode=venue.mode,
            currency="USD",
            created_at=utcnow(),
        )
    (code,) = accept(replace(intent, account=odd.code))
    assert code == "unsupported_by_venue"


def test_an_accepted_order_is_stored_whole(accept, desk, intent):
    (answer,) = accept(intent)
    order = answer.order
    assert (order.ord_status, order.version, order.reserved_qty) == ("PENDING_NEW", 1, 10)
    assert order.reserve_px == 950
    (event,) = desk.rows(OrderEvent, order_id=order.id)
    assert (event.seq, event.exec_type, event.source) == (1, "PENDING_NEW", "LOCAL")
    assert event.actor == "user:tina"
    (version,) = desk.rows(OrderVersion, order_id=order.id)
    assert (version.number, version.venue_cl_ord_id, version.state) == (0, order.id, "ACCEPTED")
    (command,) = desk.rows(Command, order_id=order.id)
    assert (command.kind, command.state, command.attempt) == ("NEW", "QUEUED", 0)
    assert command.expires_at - command.created_at == timedelta(minutes=5)
    assert command.payload["price"] == "950"
    (used,) = desk.rows(ClOrdId, order_id=order.id)
    assert (used.cl_ord_id, used.kind, used.content_hash) == ("one", "NEW", order.intent_hash)
    (told,) = desk.rows(Event, subject=order.id)
    assert (told.type, told.data["pending"][0]["state"]) == ("order.accepted", "QUEUED")
    with tenant_bound(desk.schema):
        (held,) = [row for row in exposure_rows() if row.account_id == desk.account_id]
    assert (held.open_buy_qty, held.open_buy_notional) == (10, 9500)


@pytest.mark.parametrize("tif", [TimeInForce.IOC, TimeInForce.FOK])
def test_what_trades_at_once_or_not_at_all_waits_half_a_minute_at_most(accept, desk, intent, tif):
    (answer,) = accept(replace(intent, time_in_force=tif))
    (command,) = desk.rows(Command, order_id=answer.order.id)
    assert command.expires_at - command.created_at == timedelta(seconds=30)


def test_a_denied_order_is_kept_with_every_breach_and_reserves_nothing(accept, desk, intent):
    (answer,) = accept(replace(intent, order_qty=Decimal(900_000), price=Decimal(1500)))
    order = answer.order
    assert (order.ord_status, order.ord_rej_reason, order.is_closed) == ("REJECTED", "RISK", True)
    rules = {"max_order_qty", "max_order_notional", "price_collar"}
    assert {breach.rule for breach in answer.breaches} == rules
    assert {row.rule for row in desk.rows(Breach, order_id=order.id)} == rules
    assert desk.rows(Command, order_id=order.id) == []
    assert [row.type for row in desk.rows(Event, subject=order.id)] == ["order.denied"]
    with tenant_bound(desk.schema):
        assert not [row for row in exposure_rows() if row.account_id == desk.account_id]


def test_a_refused_order_leaves_no_trace(accept, desk, intent):
    assert accept(replace(intent, order_qty=Decimal("0.5"))) == ["off_lot"]
    for model in (Order, ClOrdId, Command, OrderVersion):
        assert desk.rows(model, account_id=desk.account_id) == []


def test_one_list_holds_orders_denials_replays_and_refusals(accept, desk, intent):
    answers = accept(
        intent,
        replace(intent, cl_ord_id="big", order_qty=Decimal(900_000)),
        intent,
        replace(intent, cl_ord_id="two", symbol="NOPE"),
        replace(intent, cl_ord_id="three", account="P-nowhere"),
        replace(intent, cl_ord_id=None),
    )
    assert answers[3:5] == ["unknown_instrument", "not_found"]
    assert [answer.replay for answer in answers[:3]] == [False, False, True]
    assert [bool(answer.breaches) for answer in answers[:3]] == [False, True, False]
    assert answers[2].order.id == answers[0].order.id
    assert answers[5].order.cl_ord_id == answers[5].order.id


def test_fifty_orders_at_once_get_no_more_than_the_headroom(desk, market, trader, intent):
    set_open_orders(desk, 10)

    def send(number):
        try:
            (answer,) = accept_orders(
                schema=desk.schema,
                intents=[
                    replace(
                        intent,
                        cl_ord_id=f"n-{number}",
                        order_qty=Decimal(1),
                        allow_duplicate=True,
                    )
                ],
                actor=trader,
                now=utcnow(),
            )
            return not answer.breaches
        finally:
            connections.close_all()

    with ThreadPoolExecutor(10) as pool:
        taken = list(pool.map(send, range(50)))
    assert sum(taken) == 10
    statuses = [order.ord_status for order in desk.rows(Order, account_id=desk.account_id)]
    assert (statuses.count("PENDING_NEW"), statuses.count("REJECTED")) == (10, 40)
