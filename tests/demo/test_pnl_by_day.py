"""Profit by day is what GET /pnl says between two midnights: over the past days of a demo firm."""

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from brokers.models import BrokerAccount
from config.demo_history.market import past_days
from config.demo_history.play import DAYS
from marketdata import quotes
from oms.models import Execution
from portfolio import days, selectors
from portfolio.models import PnlSnapshot
from tenants.binding import tenant_bound
from tests.demo.conftest import NOW
from trading.gains import Gain, total
from trading.market import Quote

TICK = timedelta(microseconds=1)


def shown_later(symbol: str) -> Quote:
    """The market after the past days: any price will do, it is the same for everybody."""
    px = {"SPX": Decimal("1100.25"), "IXIC": Decimal("2001.5")}[symbol]
    return Quote(symbol, px, px, px, Decimal(1), Decimal(1), NOW, "test", simulated=True)


@pytest.fixture(params=["acme", "globex"])
def firm(db, past, request):
    return past(request.param)


def test_each_day_ends_as_the_books_of_its_midnight_do(firm):
    with tenant_bound(firm.schema), quotes.told_by(shown_later):
        accounts = list(BrokerAccount.objects.order_by("code"))
        course = days.course(accounts, now=NOW)
        assert len(course.ends) == DAYS + 1
        rows = course.days("USD")
        for number, row in enumerate(rows[:-1]):
            midnight = datetime.combine(row.day + timedelta(days=1), time(), UTC) - TICK
            books = selectors.books(as_of=midnight)
            so_far = total(one.gain for one in rows[: number + 1])
            assert so_far == Gain(
                sum(book.valuation.realized for book in books),
                sum(book.valuation.unrealized for book in books),
                sum(book.valuation.fees for book in books),
            )
        now = selectors.books()
        assert course.whole("USD").net == sum(book.valuation.total for book in now)
        assert course.whole("USD").net == sum(row.gain.net for row in rows)
        assert total(course.symbols("USD").values()) == course.whole("USD")
        equity = days.equity_now(accounts, "USD", course.whole("USD"))
        assert equity == sum(book.valuation.equity for book in now)


def test_a_period_is_the_difference_of_two_midnights(firm):
    past = past_days(DAYS, NOW)
    with tenant_bound(firm.schema), quotes.told_by(shown_later):
        accounts = list(BrokerAccount.objects.all())
        course = days.course(accounts, now=NOW)
        since = past[-3].date
        assert course.whole("USD", since) == total(
            row.gain for row in course.days("USD") if row.day >= since
        )
        assert course.days("USD", since)[0].day == since
        assert total(course.symbols("USD", since).values()) == course.whole("USD", since)
        assert course.whole("USD", NOW.date() + timedelta(days=1)) == Gain()


def test_a_days_trades_are_its_executions(firm):
    filled: dict[object, int] = {}
    fees: dict[object, Decimal] = {}
    for row in firm.rows(Execution):
        day = row.transact_time.date()
        filled[day] = filled.get(day, 0) + 1
        fees[day] = fees.get(day, Decimal(0)) + row.fee
    with tenant_bound(firm.schema), quotes.told_by(shown_later):
        rows = days.course(list(BrokerAccount.objects.all()), now=NOW).days("USD")
    assert {row.day: row.trades for row in rows if row.trades} == filled
    assert {row.day: row.gain.fees for row in rows if row.gain.fees} == fees


def test_accounts_add_up_to_their_firm(firm):
    with tenant_bound(firm.schema), quotes.told_by(shown_later):
        accounts = list(BrokerAccount.objects.all())
        alone = [days.course([account], now=NOW).whole("USD") for account in accounts]
        assert total(alone) == days.course(accounts, now=NOW).whole("USD")
        assert days.course([], now=NOW).currencies == []


def test_a_missing_mark_makes_a_day_unknown_and_not_zero(firm):
    with tenant_bound(firm.schema), quotes.told_by(lambda _: None):
        course = days.course(list(BrokerAccount.objects.all()), now=NOW)
        today = course.days("USD")[-1]
        assert today.gain.unrealized is None
        assert today.gain.net is None
        assert course.whole("USD").net is None
        assert all(row.gain.net is not None for row in course.days("USD")[:-1])


def test_the_course_costs_as_many_queries_for_ten_days_as_for_one(firm):
    with tenant_bound(firm.schema), quotes.told_by(shown_later):
        accounts = list(BrokerAccount.objects.all())
        with CaptureQueriesContext(connection) as counted:
            days.course(accounts, now=NOW)
        assert len(counted) <= 4


def test_the_curve_is_what_the_snapshots_recorded(firm):
    rows = firm.rows(PnlSnapshot)
    by_instant: dict[datetime, Decimal] = {}
    for row in rows:
        by_instant[row.at] = by_instant.get(row.at, Decimal(0)) + row.equity
    with tenant_bound(firm.schema):
        accounts = list(BrokerAccount.objects.all())
        points = days.equity_points(accounts, currency="USD", since=None, every="minute", now=NOW)
        closes = days.equity_points(accounts, currency="USD", since=None, every="day", now=NOW)
    assert {point.at: point.equity for point in points} == by_instant
    assert [point.at for point in closes] == [day.closes_at for day in past_days(DAYS, NOW)]
