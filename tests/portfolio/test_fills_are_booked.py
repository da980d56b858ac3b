"""One fill is one booking: lots, journal, balances, position and event agree, or nothing is."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from events.models import Event
from portfolio import selectors
from portfolio.models import (
    Balance,
    JournalEntry,
    Lot,
    LotClosure,
)
from portfolio.services import LOTS_AT_ONCE, DepositRefReused, book_fill, deposit
from tenants.binding import tenant_bound
from tenants.errors import TenantNotBound
from tests.portfolio.conftest import OPENING, desk_of

D = Decimal


def ledgers(desk) -> tuple[Decimal, ...]:
    row = Balance.objects.get(account=desk.one, currency="USD")
    return row.cash, row.position_cost, row.fees, row.realized_pnl, row.capital


def test_a_purchase_opens_a_lot_and_spends_cash(desk):
    booked = desk.book("BUY", "10", "1250.50", fee="1.25")
    assert (booked.position.qty, booked.position.cost) == (10, D("12505"))
    assert (booked.realized, booked.replayed) == (0, False)
    assert ledgers(desk) == (OPENING - D("12506.25"), D(12505), D("1.25"), 0, -OPENING)
    assert Lot.objects.get().value.unit_cost == D("1250.5")
    assert selectors.check_books({("BOOK-1", "SPX"): D(10)}) == []


def test_a_sale_closes_the_oldest_lot_first(desk):
    desk.book("BUY", "10", "100")
    desk.book("BUY", "10", "120")
    booked = desk.book("SELL", "15", "130")
    assert booked.realized == 10 * 30 + 5 * 10
    assert (booked.position.qty, booked.position.cost) == (5, 600)
    assert list(LotClosure.objects.order_by("id").values_list("qty", "proceeds")) == [
        (10, 1300),
        (5, 650),
    ]
    assert [lot.qty for lot in Lot.objects.order_by("id")] == [0, 5]
    assert selectors.check_books({("BOOK-1", "SPX"): D(5)}) == []


def test_a_sale_through_zero_leaves_a_short_position(desk):
    desk.book("BUY", "10", "100")
    booked = desk.book("SELL", "25", "110")
    assert (booked.position.qty, booked.position.cost, booked.realized) == (-15, -1650, 100)
    back = desk.book("BUY", "15", "90")
    assert (back.position.qty, back.position.cost) == (0, 0)
    assert back.position.realized_pnl == 100 + 300
    assert selectors.cash(desk.one.pk, "USD") == OPENING + 400
    assert selectors.check_books({}) == []


@pytest.mark.parametrize(("sold", "left"), [("5.5", 14.5), ("16", 4), ("17", 3), ("25", -5)])
def test_many_lots_are_closed_from_the_old_end(desk, sold, left):
    for n in range(LOTS_AT_ONCE + 4):
        desk.book("BUY", "1", str(100 + n))
    booked = desk.book("SELL", sold, "200")
    assert booked.position.qty == D(str(left))
    closed = min(D(sold), D(20))
    whole = int(closed)
    cost = sum(D(100 + n) for n in range(whole)) + (closed - whole) * (100 + whole)
    assert booked.realized == closed * 200 - cost
    assert selectors.check_books({("BOOK-1", "SPX"): D(str(left))}) == []


def test_the_same_execution_is_booked_once(desk):
    desk.book("BUY", "10", "100")
    fill = desk.fill("SELL", "4", "110", fee="1")
    first, again = desk.book_again(fill), desk.book_again(fill)
    assert (first.replayed, again.replayed) == (False, True)
    assert (again.entry_id, again.realized) == (first.entry_id, D(40))
    assert again.position.qty == 6
    assert JournalEntry.objects.filter(reason="FILL").count() == 2
    assert Event.objects.filter(type="position.changed").count() == 2
    assert selectors.check_books() == []


def test_positions_of_two_accounts_and_instruments_stay_apart(desk):
    desk.book("BUY", "10", "100")
    desk.book("BUY", "3", "100", account=desk.two)
    desk.book("SELL_SHORT", "2", "2000", instrument=desk.ixic)
    assert selectors.position_quantities(desk.one.pk) == {"SPX": D(10), "IXIC": D(-2)}
    assert selectors.position_qty(desk.two.pk, "SPX") == 3
    assert selectors.position_qty(desk.two.pk, "IXIC") == 0
    assert selectors.cash(desk.two.pk, "USD") == OPENING - 300


def test_a_fee_in_another_currency_has_a_balance_of_its_own(desk):
    desk.book("BUY", "1", "100", fee="0.002", fee_currency="BNB")
    assert selectors.cash(desk.one.pk, "USD") == OPENING - 100
    bnb = Balance.objects.get(account=desk.one, currency="BNB")
    assert (bnb.cash, bnb.fees) == (D("-0.002"), D("0.002"))
    assert selectors.check_books() == []


def test_the_event_carries_the_position_as_the_api_shows_it(desk, quote):
    desk.quotes["SPX"] = quote(last="1260.25")
    desk.book("BUY", "10", "1250.50", fee="1.25")
    event = Event.objects.get(type="position.changed")
    assert event.subject == "BOOK-1:SPX"
    assert event.actor == "system:test"
    assert event.data == {
        "account": "BOOK-1",
        "symbol": "SPX",
        "qty": "10",
        "avg_px": "1250.5",
        "cost": "12505",
        "mark": "1260.25",
        "mark_at": "2026-03-02T15:00:00Z",
        "market_value": "12602.5",
        "unrealized_pnl": "97.5",
        "realized_pnl": "0",
        "currency": "USD",
        "simulated": True,
        "updated_at": "2026-03-02T15:00:01Z",
    }


def test_without_a_quote_the_event_knows_no_mark(desk):
    desk.book("BUY", "10", "1250.50")
    data = Event.objects.get(type="position.changed").data
    assert (data["mark"], data["unrealized_pnl"], data["simulated"]) == (None, None, None)


def test_a_fill_is_booked_whatever_lies_in_redis(desk, monkeypatch):
    def garbage(symbols):
        raise ValueError("not a quote")

    monkeypatch.setattr("marketdata.quotes.latest", garbage)
    assert desk.book("BUY", "10", "1250.50").position.qty == 10
    assert Event.objects.get(type="position.changed").data["mark"] is None


def test_a_venue_clock_that_runs_ahead_is_not_believed(desk):
    desk.book("BUY", "1", "100", at=desk.now + timedelta(days=1))
    entry = JournalEntry.objects.get(reason="FILL")
    assert entry.at == entry.booked_at == desk.now


def test_few_statements_serve_a_fill(desk):
    desk.book("BUY", "10", "100")
    with CaptureQueriesContext(
        connection,
    ) as opening:
        desk.book("BUY", "10", "101", fee="1")
    with CaptureQueriesContext(connection) as closing:
        desk.book("SELL", "15", "102", fee="1")
    assert len(business(opening)) == 7
    assert len(business(closing)) == 10


def business(captured) -> list[str]:
    ignored = ("SAVEPOINT", "RELEASE", "SET LOCAL")
    return [one["sql"] for one in captured if not one["sql"].startswith(ignored)]


def test_nothing_is_booked_outside_a_tenant(books_firm, db):
    with tenant_bound(books_firm):
        desk = desk_of(books_firm)
        fill = desk.fill("BUY", "1", "1")
    with pytest.raises(TenantNotBound):
        book_fill(account=desk.one, instrument=desk.spx, fill=fill, actor_label="x", now=desk.now)


def test_a_deposit_is_booked_once_by_its_reference(desk):
    terms = {"account": desk.one, "currency": "USD", "actor_label": "x", "now": desk.now}
    first = deposit(amount=D(5), ref="wire-1", **terms)
    assert deposit(amount=D(5), ref="wire-1", **terms).pk == first.pk
    assert selectors.cash(desk.one.pk, "USD") == OPENING + 5
    with pytest.raises(DepositRefReused):
        deposit(amount=D(6), ref="wire-1", **terms)


# --- what the database refuses, whoever asks ----------------------------------------------------


def refused(sql: str, *params: object) -> str:
    with pytest.raises(IntegrityError) as caught:
        run(sql, *params)
    return str(caught.value)


@transaction.atomic
def run(sql: str, *params: object) -> None:
    """Execute, and check at once what is otherwise checked at commit."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


@pytest.mark.parametrize(
    "table",
    ["portfolio_journalentry", "portfolio_journalline", "portfolio_lotclosure"],
)
@pytest.mark.parametrize("verb", ["DELETE FROM {}", "UPDATE {} SET account_id = 0", "TRUNCATE {}"])
def test_history_is_append_only(desk, table, verb):
    desk.book("BUY", "10", "100")
    desk.book("SELL", "1", "110")
    run("SELECT 1")
    if table == "portfolio_lotclosure":
        verb = verb.replace("account_id", "lot_id")
    assert "append-only" in refused(verb.format(table))


def test_a_lot_only_shrinks(desk):
    desk.book("BUY", "10", "100")
    desk.book("SELL", "4", "100")
    assert "only shrinks" in refused("UPDATE portfolio_lot SET qty = 10")
    assert "only shrinks" in refused("UPDATE portfolio_lot SET opened_cost = 1")
    assert "only shrinks" in refused("DELETE FROM portfolio_lot")


def test_an_entry_that_does_not_balance_is_refused_at_commit(desk):
    entry = JournalEntry.objects.create(
        id="0" * 26,
        account=desk.one,
        at=desk.now,
        booked_at=desk.now,
        reason="DEPOSIT",
        ref="forged",
        actor="x",
    )
    message = refused(
        "INSERT INTO portfolio_journalline (entry_id, account_id, ledger, currency, amount)"
        " VALUES (%s, %s, 'cash', 'USD', 1)",
        entry.pk,
        desk.one.pk,
    )
    assert "does not balance: 1.000000000000000000 USD" in message


def test_a_line_cannot_join_an_entry_that_is_booked(desk):
    desk.book("BUY", "10", "100")
    run("SELECT 1")
    message = refused(
        "INSERT INTO portfolio_journalline (entry_id, account_id, ledger, currency, amount)"
        " SELECT id, account_id, 'fees', 'USD', 5 FROM portfolio_journalentry WHERE reason='FILL'"
    )
    assert "does not balance" in message


def test_a_balance_whose_ledgers_do_not_sum_to_zero_is_refused(desk):
    assert "sums_to_zero" in refused("UPDATE portfolio_balance SET cash = cash + 1")


@pytest.mark.parametrize(
    ("damage", "finding"),
    [
        ("UPDATE portfolio_position SET qty = qty + 1", "its lots hold"),
        ("UPDATE portfolio_position SET realized_pnl = 7", "closures brought"),
        ("UPDATE portfolio_lot SET cost = cost - 1 WHERE qty <> 0", "opened less closed"),
        (
            "UPDATE portfolio_balance SET cash = cash + 1, capital = capital - 1",
            "ledger capital shows",
        ),
    ],
)
def test_damaged_books_are_found(desk, damage, finding):
    desk.book("BUY", "10", "100")
    desk.book("SELL", "4", "110")
    assert selectors.check_books() == []
    run(damage)
    assert any(finding in problem for problem in selectors.check_books())


def test_fills_the_books_do_not_know_are_found(desk):
    desk.book("BUY", "10", "100")
    assert selectors.check_books({("BOOK-1", "SPX"): D(11), ("BOOK-2", "SPX"): D(1)}) == [
        "position of BOOK-1 in SPX is 10.000000000000; its fills sum to 11",
        "position of BOOK-2 in SPX is 0; its fills sum to 1",
    ]


# --- many fills -------------------------------------------------------------------


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    fills=st.lists(
        st.tuples(
            st.sampled_from(["BUY", "SELL", "SELL_SHORT"]),
            st.decimals("0.00000001", "1000", places=8),
            st.decimals("0.01", "5000", places=2),
            st.decimals("0", "3", places=6),
        ),
        min_size=1,
        max_size=10,
    ),
    mark=st.decimals("0.01", "5000", places=2),
)
def test_profit_is_what_equity_gained_after_any_fills(desk, quote, fills, mark):
    savepoint = transaction.savepoint()
    desk.quotes["SPX"] = quote(last=str(mark))
    for side, qty, px, fee in fills:
        desk.book(side, str(qty), str(px), fee=str(fee))
    signed = sum((qty if side == "BUY" else -qty for side, qty, _, _ in fills), D(0))
    assert selectors.check_books({("BOOK-1", "SPX"): signed}) == []
    rows = Balance.objects.filter(account=desk.one).select_related("account")
    (book,) = selectors.books(rows)
    assert book.valuation.total == book.valuation.equity - OPENING
    run("SELECT 1")
    transaction.savepoint_rollback(savepoint)
