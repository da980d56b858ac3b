"""The page of profit and loss: its numbers are the API's, of one's own firm, without JavaScript."""

import re
from datetime import UTC, datetime
from html import unescape

import pytest

from portal.templatetags.blotter import number, signed
from portal.views.pnl import since_of

TODAY = datetime.now(UTC).date()


def text_of(answer):
    return unescape(answer.content.decode())


def figure(page: str, name: str) -> str:
    return re.search(rf'data-pnl="{name}">([^<]*)<', page).group(1).strip(" \u25b2\u25bc")


@pytest.fixture
def traded(alice, gateway, market):
    """Ten bought at 101, four of them sold at 110, the rest marked at 110.50."""
    market.show("100", "101")
    alice.until_final(alice.placed("BUY", "10"))
    market.show("110", "111")
    alice.until_final(alice.placed("SELL", "4"))
    return alice


def test_the_figures_are_those_of_the_api(at_desk, traded):
    (row,) = traded.get(f"/pnl?account={traded.desk.code}").json["items"]
    (balance,) = traded.get(f"/balances?account={traded.desk.code}").json["items"]
    assert (row["realized"], row["unrealized"]) == ("36", "57")
    for period in ("today", "wtd", "mtd", "ytd", "max"):
        page = text_of(at_desk("bob").get(f"/pnl?account={traded.desk.code}&period={period}"))
        assert figure(page, "realized") == signed(row["realized"])
        assert figure(page, "unrealized") == signed(row["unrealized"])
        assert figure(page, "fees") == number(row["fees"], 2)
        assert figure(page, "net") == signed(row["total"])
        assert figure(page, "equity") == number(balance["equity"], 2)
        assert figure(page, "symbol") == signed(row["total"])
        assert figure(page, "day") == signed(row["total"])
    assert "SIM" in page


def test_the_calendar_has_today_with_its_fills_and_leads_to_them(at_desk, traded):
    page = text_of(at_desk("bob").get(f"/pnl?account={traded.desk.code}"))
    assert f'data-day="{TODAY}"' in page
    assert "2 fills" in page
    assert re.search(rf'href="/executions\?since={TODAY}&[^"]*account={traded.desk.code}"', page)
    (row,) = traded.get(f"/pnl?account={traded.desk.code}").json["items"]
    cell = re.search(rf'data-day="{TODAY}"><time[^>]*>\d+</time><b>([^<]*)</b>', page).group(1)
    assert cell == signed(row["total"], 0)


def test_an_account_without_a_fill_says_so(at_desk, desk):
    page = text_of(at_desk("alice").get(f"/pnl?account={desk.code}"))
    assert 'data-state="empty"' in page
    assert "Nothing has been earned or lost yet" in page
    assert 'data-pnl="net"' not in page


def test_the_other_firm_sees_nothing_of_it(window, traded, other_desk):
    assert window("charlie", "globex").get(f"/pnl?account={traded.desk.code}").status_code == 404
    assert window("alice").get("/pnl?account=NOPE").status_code == 404
    page = text_of(window("charlie", "globex").get("/pnl"))
    assert traded.desk.code not in page


def test_amounts_hide_on_demand_and_percentages_are_none(at_desk, traded):
    browser = at_desk("alice")
    browser.client.cookies["bl_privacy"] = "on"
    page = text_of(browser.get(f"/pnl?account={traded.desk.code}"))
    for name in ("net", "realized", "unrealized", "fees", "equity", "day", "symbol"):
        assert figure(page, name) == "\u2022\u2022\u2022"
    assert '<svg class="bl-curve"' not in page


def test_who_is_not_logged_in_goes_to_the_login(window):
    answer = window().get("/pnl?period=mtd")
    assert (answer.status_code, answer["location"]) == (302, "/login?next=%2Fpnl%3Fperiod%3Dmtd")


def test_an_unknown_period_is_the_longest(at_desk, traded):
    page = text_of(at_desk("bob").get(f"/pnl?account={traded.desk.code}&period=never"))
    assert re.search(r'period=max"[^>]* aria-current="page"', page)


@pytest.mark.parametrize(
    ("period", "first"),
    [("today", "2026-11-21"), ("wtd", "2026-11-16"), ("mtd", "2026-11-01"), ("ytd", "2026-01-01")],
)
def test_where_a_period_begins(period, first):
    assert str(since_of(period, datetime(2026, 11, 21).date())) == first  # noqa: DTZ001
    assert since_of("max", TODAY) is None
