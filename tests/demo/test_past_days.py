"""The demo's past days: made by the engine, whole or not at all, the same every time."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from brokers.adapters.paper import queries
from brokers.adapters.paper.adapter import PaperBroker
from brokers.models import BrokerAccount, GatewayLease, PaperFault, PaperOrder
from config import demo
from config.demo_history import play as playing
from config.demo_history.market import past_days
from config.demo_history.plans import PLANS
from events.models import Event
from events.relay import RedisFeeder, relay_once
from events.selectors import chain_problems
from marketdata import path
from oms.audit import executed_quantities, order_problems
from oms.models import Command, Execution, Order, OrderEvent, OrderVersion
from oms.services import reconciliation
from portfolio.audit import check_books
from portfolio.models import JournalEntry, PnlSnapshot, Position
from risk.models import Breach
from tenants.binding import tenant_bound
from tests.demo.conftest import NOW, PastFirm, cast_of, new_tenant, with_past
from trading.vocabulary import CommandState

FIRMS = ("acme", "globex")
DAY = timedelta(days=1)


def traded(firm: PastFirm) -> list[tuple[object, ...]]:
    """Everything a day trader would call the same: ids made at random are left out."""
    orders = [
        (o.created_at, o.account.code, o.strategy, o.side, o.symbol, o.order_qty, o.price,
         o.ord_status, o.cum_qty, o.gross_trade_amt)
        for o in firm.rows(Order, "account")
    ]  # fmt: skip
    fills = [(e.transact_time, e.last_qty, e.last_px, e.fee) for e in firm.rows(Execution)]
    worth = [(s.at, s.cash, s.realized, s.fees, s.unrealized) for s in firm.rows(PnlSnapshot)]
    held = sorted((p.account.code, p.symbol, p.qty, p.cost) for p in firm.rows(Position, "account"))
    return [*orders, *sorted(fills), *worth, *held]


@pytest.mark.parametrize("plays", FIRMS)
def test_orders_books_and_the_chain_of_events_hold(db, past, plays):
    firm = past(plays)
    with tenant_bound(firm.schema):
        assert order_problems() == []
        assert check_books(executed_quantities()) == []
    relay_once(firm.schema, feeder=RedisFeeder())
    with tenant_bound(firm.schema):
        assert list(chain_problems()) == []
        assert Event.objects.count() > 100
        assert not Event.objects.filter(position=None).exists()


@pytest.mark.parametrize("plays", FIRMS)
def test_the_venues_own_books_agree(db, past, plays):
    firm = past(plays)
    now = NOW
    for account in firm.rows(BrokerAccount, "connection"):
        if account.connection.name == "flaky":
            continue  # it answers nothing; see below
        books = reconciliation.our_books(schema=firm.schema, account_code=account.code, now=now)
        venue = venue_side(firm, account, books.since)
        findings = reconciliation.compare_orders(books=books, venue=venue, now=now)
        assert (findings.reports, findings.breaks, findings.lookups) == ((), (), ())
        assert reconciliation.compare_holdings(schema=firm.schema, books=books, venue=venue) == ()
        told = venue_side(firm, account, account.created_at).executions
        known = {execution.exec_id for execution in firm.rows(Execution, account=account)}
        assert {report.exec_id for report in told} == known


def venue_side(firm: PastFirm, account: BrokerAccount, since: datetime):
    """The venue's four pages of an account, as the gateway would put them together."""
    ask = (firm.schema, account.connection_id, account.code)
    orders, executions = queries.open_orders(*ask), queries.executions(*ask, since)
    positions, balances = queries.positions(*ask), queries.balances(*ask)
    return reconciliation.VenueSide(
        orders=orders.orders,
        orders_complete=orders.complete,
        executions=[r for raw in executions.messages for r in PaperBroker.parse(raw)],
        executions_complete=executions.complete,
        positions={symbol: qty for (_, symbol), qty in positions.positions.items()},
        positions_complete=positions.complete,
        balances={currency: cash for (_, currency), cash in balances.balances.items()},
        balances_complete=balances.complete,
    )


@pytest.mark.parametrize("plays", FIRMS)
def test_a_firm_shows_an_order_of_every_kind(db, past, plays):
    orders = past(plays).rows(Order, "account")
    working = [o for o in orders if o.ord_status == "NEW"]
    assert {o.side for o in working} >= {"BUY", "SELL"}
    statuses = {o.ord_status for o in orders}
    assert statuses >= {"NEW", "PARTIALLY_FILLED", "FILLED", "CANCELED", "REJECTED"}
    partly = next(o for o in orders if o.ord_status == "PARTIALLY_FILLED")
    assert 0 < partly.cum_qty < partly.order_qty
    chains = {}
    for version in past(plays).rows(OrderVersion):
        chains.setdefault(version.order_id, []).append(version.state)
    assert ["SUPERSEDED", "SUPERSEDED", "ACCEPTED"] in chains.values()
    denied, refused = (
        next(o for o in orders if o.ord_rej_reason == reason) for reason in ("RISK", "NO_LIQUIDITY")
    )
    assert denied.order_id is None
    assert refused.order_id is not None, "the venue took it before it refused it"
    breaches = {row.rule for row in past(plays).rows(Breach, order_id=denied.id)}
    assert breaches == {"max_order_notional", "price_collar"}


def test_one_order_of_acme_is_unknown_and_its_venue_says_nothing(db, past):
    firm = past("acme")
    (command,) = firm.rows(Command, "order__account", state=CommandState.UNKNOWN)
    order = command.order
    assert (order.account.code, order.ord_status, order.cum_qty) == ("PAPER-3", "PENDING_NEW", 0)
    assert order.reserved_qty == order.order_qty, "the worst case stays counted"
    (at_venue,) = firm.rows(PaperOrder, venue_cl_ord_id=command.venue_cl_ord_id)
    assert at_venue.ord_status == "FILLED", "the venue knows better and does not tell"
    ask = (firm.schema, order.account.connection_id, order.account.code)
    assert queries.lookup(*ask, command.venue_cl_ord_id).complete is False
    assert queries.lookup(*ask, command.venue_cl_ord_id).found is None
    for page in (queries.open_orders(*ask), queries.executions(*ask, order.created_at)):
        assert page.complete is False
    assert queries.positions(*ask).complete is queries.balances(*ask).complete is False
    assert [c for c in past("globex").rows(Command) if c.state not in {"ACKED", "REFUSED"}] == []


@pytest.mark.parametrize("plays", FIRMS)
def test_every_instant_lies_on_a_weekday_before_the_firm_was_made(db, past, plays):
    firm = past(plays)
    days = {order.created_at.date() for order in firm.rows(Order)}
    assert len(days) == playing.DAYS
    assert all(day.weekday() < 5 for day in days)
    (told,) = firm.rows(Event, type="demo.history_played")
    events = firm.rows(Event)
    assert max(e.occurred_at for e in events if e.pk != told.pk) < told.occurred_at
    by_insertion = sorted(events, key=lambda event: event.seq)
    assert by_insertion[-1].pk == told.pk
    instants = [event.occurred_at for event in by_insertion]
    assert instants == sorted(instants)
    assert {o.tags["demo"] for o in firm.rows(Order)} == {"history"}
    assert {o.created_by for o in firm.rows(Order)} == {"system:demo"}
    marks = [e.data for e in events if e.type == "position.changed"]
    assert all(data["simulated"] is True for data in marks)
    assert all(data["mark_at"] <= data["updated_at"] for data in marks)


@pytest.mark.parametrize("plays", FIRMS)
def test_the_worth_of_each_close_is_recorded_at_simulated_marks(db, past, plays):
    firm = past(plays)
    rows = firm.rows(PnlSnapshot)
    accounts = {account.pk for account in firm.rows(BrokerAccount)}
    for day in past_days(playing.DAYS, NOW):
        at_close = [row for row in rows if row.at == day.closes_at]
        assert {row.account_id for row in at_close} == accounts
        for row in at_close:
            for symbol, mark in row.marks.items():
                assert Decimal(mark["px"]) == day.bars[symbol].close
                assert mark["simulated"] is True
            assert row.simulated is bool(row.marks)
    assert all(abs(row.equity - 10_000_000) < 150_000 for row in rows), "nothing absurd"


def test_prices_go_on_where_the_past_ends(db, past):
    """The last past session is the one before the session the replay shows now."""
    days = past_days(playing.DAYS, NOW)
    assert len(days) == playing.DAYS
    assert [day.date for day in days] == sorted(day.date for day in days)
    histories = [day.history_opens_at for day in days]
    assert histories == sorted(histories)
    first, last = days[0], days[-1]
    assert last.date < NOW.date()
    quote = path.quote_at(
        symbol="SPX", bar=first.bars["SPX"], tick_size=Decimal("0.01"), part=0,
        at=first.opens_at, history_at=first.history_opens_at,
    )  # fmt: skip
    assert quote.last == first.bars["SPX"].open


def test_the_same_days_are_traded_the_same(db, past):
    again = with_past("globex", NOW)
    assert traded(again) == traded(past("globex"))


class Killed(BaseException):
    """What kill -9 is to a transaction: nothing after it happens."""


@pytest.mark.parametrize("after", [1, 5])
def test_a_start_that_dies_half_way_leaves_nothing_and_the_next_makes_it_all(
    db, past, monkeypatch, after
):
    tenant, left = new_tenant(), [after]

    original = playing._play_day

    def dies(desk, day, agenda):
        if not left[0]:
            raise Killed
        left[0] -= 1
        original(desk, day, agenda)

    monkeypatch.setattr(playing, "_play_day", dies)
    with pytest.raises(Killed):
        demo.ensure_books(tenant, cast_of("globex"), NOW)
    firm = PastFirm(tenant, "globex")
    for model in (BrokerAccount, Order, OrderEvent, JournalEntry, Event, PnlSnapshot):
        assert firm.rows(model) == [], model
    monkeypatch.setattr(playing, "_play_day", original)
    demo.ensure_books(tenant, cast_of("globex"), NOW)
    assert traded(firm) == traded(past("globex"))


def test_a_second_start_adds_nothing(db, past):
    firm = past("acme")
    before = [len(firm.rows(model)) for model in (Order, OrderEvent, Event, JournalEntry)]
    demo.ensure_books(firm.tenant, cast_of("acme"), NOW + DAY)
    assert before == [len(firm.rows(model)) for model in (Order, OrderEvent, Event, JournalEntry)]


def test_a_firm_that_has_accounts_is_given_no_past(db, past, settings):
    tenant = new_tenant()
    settings.OMS_DEMO_HISTORY = False
    demo.ensure_books(tenant, cast_of("acme"), NOW)
    firm = PastFirm(tenant, "acme")
    codes = [account.code for account in firm.rows(BrokerAccount)]
    assert codes == ["PAPER-1", "PAPER-2", "PAPER-3", "PAPER-4"]
    settings.OMS_DEMO_HISTORY = True
    demo.ensure_books(tenant, cast_of("acme"), NOW)
    assert firm.rows(Order) == []
    assert [entry.reason for entry in firm.rows(JournalEntry)] == ["DEPOSIT"] * len(codes)


def test_the_gateway_finds_free_leases(db, past):
    now = NOW
    for plays in FIRMS:
        assert all(lease.lease_until < now for lease in past(plays).rows(GatewayLease))
        assert {line.account for line in PLANS[plays]} <= {
            account.code for account in past(plays).rows(BrokerAccount)
        }
    switches = {(f.switch, f.remaining) for f in past("acme").rows(PaperFault)}
    assert switches == {("lose_ack", 0), ("silent", 1)}
