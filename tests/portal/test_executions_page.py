"""The list of fills: the API's rows, totals worked out by the server, a file of the filter."""

import csv
import re
from datetime import timedelta
from decimal import Decimal
from html import unescape
from io import StringIO

import pytest

from oms.services.reports import Incoming, apply_reports
from portal.templatetags.blotter import number
from tests.journeys.cast import fresh, utcnow
from trading.orders.reports import ExecutionReport
from trading.vocabulary import ExecType, ReportSource

LIMIT = {"price": "950.00", "tif": "GTC"}


def text_of(answer):
    return unescape(answer.content.decode())


def ids_of(answer):
    return re.findall(r'<tr data-id="(\w{26})"', text_of(answer))


def total_of(answer, key):
    """The words of one row of the totals."""
    row = re.search(rf'<tr data-total="{key}">(.*?)</tr>', text_of(answer), re.DOTALL)
    return None if row is None else re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", row[1])).strip()


@pytest.fixture
def traded(gateway, alice):
    """Two purchases and a sale, filled."""
    made = [alice.placed("BUY", "10"), alice.placed("BUY", "5"), alice.placed("SELL", "4")]
    for order_id in made:
        alice.until_final(order_id)
    gateway.stop()
    return made


@pytest.fixture
def say(market, desk):
    """Tell of a report as the venue would."""

    def told(order_id, word, exec_id, **more):
        report = ExecutionReport(
            exec_type=ExecType(word),
            source=ReportSource.VENUE,
            exec_id=exec_id,
            transact_time=utcnow(),
            venue_cl_ord_id=order_id,
            **more,
        )
        (folded,) = apply_reports(
            schema=desk.schema,
            account_id=desk.account_id,
            incoming=[Incoming(report, None)],
            actor="system:test",
            now=utcnow(),
        )
        return folded.verdict.value

    return told


def test_rows_are_those_of_the_api(at_desk, alice, traded):
    items = alice.get(f"/executions?account={alice.desk.code}").json["items"]
    page = at_desk("bob").get(f"/executions?account={alice.desk.code}")
    assert ids_of(page) == [row["id"] for row in items]
    for row in items:
        line = re.search(rf'<tr data-id="{row["id"]}".*?</tr>', text_of(page), re.DOTALL)[0]
        for name in ("last_qty", "last_px", "fee", "transact_time"):
            assert f'data-c="{name}"' in line
            assert f'data-v="{row[name]}"' in line, name
        assert f'href="/orders/{row["order_id"]}"' in line
        assert f">{row['exec_id']}<" in line


def test_totals_are_exact_sums_of_the_rows_by_symbol_and_side(at_desk, alice, traded):
    items = alice.get(f"/executions?account={alice.desk.code}").json["items"]
    page = at_desk("alice").get(f"/executions?account={alice.desk.code}")
    for side in ("BUY", "SELL"):
        rows = [row for row in items if row["side"] == side]
        qty = sum(Decimal(row["last_qty"]) for row in rows)
        value = sum(Decimal(row["last_qty"]) * Decimal(row["last_px"]) for row in rows)
        fees = sum(Decimal(row["fee"]) for row in rows)
        assert total_of(page, f"SPX {side} USD") == (
            f"SPX {side} {len(rows)} {number(qty)} {number(value / qty, 4)} {number(value, 2)} USD"
            f" {number(fees, 2)} USD"
        )


def test_filters_are_in_the_address_and_are_all_applied(at_desk, alice, traded):
    browser, base = at_desk("alice"), f"/executions?account={alice.desk.code}"
    day = f"{utcnow():%Y-%m-%d}"
    tomorrow = f"{utcnow() + timedelta(days=1):%Y-%m-%d}"
    everything = ids_of(browser.get(base))
    assert len(everything) == 3
    for query, count in (
        ("&side=SELL", 1), ("&side=BUY", 2), ("&symbol=spx", 3), ("&symbol=IXIC", 0),
        (f"&since={day}&until={day}", 3), (f"&since={tomorrow}", 0), ("&until=2020-01-01", 0),
    ):  # fmt: skip
        page = browser.get(base + query)
        assert (page.status_code, len(ids_of(page))) == (200, count), query
    sold = browser.get(f"{base}&side=SELL")
    assert total_of(sold, "SPX BUY USD") is None
    assert total_of(sold, "SPX SELL USD") is not None
    assert "No execution matches" in text_of(browser.get(f"{base}&symbol=IXIC"))


@pytest.mark.parametrize(
    "query", ["since=yesterday", "until=2026-02-31", "side=UP", "since=2026-02-02&until=2026-02-01",
              "since=0001-01-01", "cursor=rubbish"],
)  # fmt: skip
def test_a_filter_that_is_not_understood_shows_nothing_and_says_why(at_desk, traded, query):
    for path in ("/executions", "/executions.csv"):
        answer = at_desk("alice").get(f"{path}?{query}")
        if "cursor" in query and path.endswith("csv"):
            continue
        assert answer.status_code == 422, path
        assert ids_of(answer) == []


def test_pages_by_key_lead_on_without_gap(at_desk, alice, traded, monkeypatch):
    monkeypatch.setattr("portal.views.executions.PER_PAGE", 2)
    browser = at_desk("alice")
    first = browser.get(f"/executions?account={alice.desk.code}")
    following = re.search(r'href="(/executions\?[^"]*cursor=[^"]*)" rel="next"', text_of(first))[1]
    second = browser.get(following)
    items = alice.get(f"/executions?account={alice.desk.code}").json["items"]
    assert ids_of(first) + ids_of(second) == [row["id"] for row in items]
    assert 'data-topic="execution"' in text_of(first)
    assert 'data-topic="execution"' not in text_of(second), "a page of the past does not grow"
    assert total_of(second, "SPX BUY USD") == total_of(first, "SPX BUY USD")


def test_the_file_is_the_filter_and_the_numbers_of_the_api(at_desk, alice, traded):
    answer = at_desk("bob").get(f"/executions.csv?account={alice.desk.code}&side=BUY")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert re.search(r'filename="executions-\d{8}T\d{6}Z\.csv"', answer["Content-Disposition"])
    rows = list(csv.DictReader(StringIO(answer.content.decode())))
    items = alice.get(f"/executions?account={alice.desk.code}").json["items"]
    items = [row for row in items if row["side"] == "BUY"]
    assert len(rows) == len(items) == 2
    for row, item in zip(rows, items, strict=True):
        for name in ("exec_id", "order_id", "last_qty", "last_px", "fee", "transact_time"):
            assert row[name] == item[name]
        assert (row["counts"], row["late"]) == ("yes", "no")


def test_what_a_spreadsheet_would_run_is_quoted(at_desk, alice, say):
    order_id = alice.placed("BUY", "10", **LIMIT)
    name = f"=cmd-{fresh('')}"
    say(order_id, "TRADE", name, last_qty=Decimal(10), last_px=Decimal(950), fee=Decimal("-0.5"))
    file = at_desk("alice").get(f"/executions.csv?account={alice.desk.code}").content.decode()
    (row,) = csv.DictReader(StringIO(file))
    assert row["exec_id"] == f"'{name}"
    assert row["fee"] == "-0.5"


def test_corrected_and_busted_fills_are_struck_through_and_count_no_more(at_desk, alice, say):
    order_id = alice.placed("BUY", "100", **LIMIT)
    kept, wrong, busted = fresh("K"), fresh("W"), fresh("B")
    for exec_id, qty in ((kept, 30), (wrong, 20), (busted, 40)):
        say(order_id, "TRADE", exec_id, last_qty=Decimal(qty), last_px=Decimal(950), fee=Decimal(2))
    right, bust = fresh("R"), fresh("X")
    assert say(order_id, "TRADE_CORRECT", right, exec_ref_id=wrong, last_qty=Decimal(20),
               last_px=Decimal("949.5")) == "APPLIED"  # fmt: skip
    assert say(order_id, "TRADE_CANCEL", bust, exec_ref_id=busted) == "APPLIED"
    browser = at_desk("alice")
    page = browser.get(f"/executions?account={alice.desk.code}")
    struck = {
        exec_id: "bl-struck" in line
        for line in re.findall(r"<tr data-id.*?</tr>", text_of(page), re.DOTALL)
        for exec_id in re.findall(r'data-c="exec_id">([^<]+)<', line)
    }
    assert struck == {kept: False, wrong: True, busted: True, right: False, bust: True}
    assert f"of {wrong}" in text_of(page)
    value = 30 * 950 + 20 * Decimal("949.5")
    assert total_of(page, "SPX BUY USD") == (
        f"SPX BUY 2 50 {number(value / 50, 4)} {number(value, 2)} USD 4.00 USD"
    )
    assert alice.order(order_id)["cum_qty"] == "50"
    file = browser.get(f"/executions.csv?account={alice.desk.code}").content.decode()
    counts = {row["exec_id"]: row["counts"] for row in csv.DictReader(StringIO(file))}
    assert counts == {kept: "yes", wrong: "no", busted: "no", right: "yes", bust: "no"}
    life = text_of(browser.get(f"/orders/{order_id}?tab=fills"))
    assert life.count("bl-struck") == 3
    postings = text_of(browser.get(f"/orders/{order_id}?tab=postings"))
    assert postings.count('data-even="yes"') == 6
    assert "REVERSAL" in postings
    assert 'data-even="no"' not in postings


def test_a_late_fill_bears_its_mark(idle_gateway, at_desk, alice, say):
    order_id = alice.placed("BUY", "10", **LIMIT)
    assert alice.cancel(order_id).json["ord_status"] == "CANCELED"
    verdict = say(order_id, "TRADE", fresh("L"), last_qty=Decimal(10), last_px=Decimal(950))
    assert verdict == "LATE"
    page = text_of(at_desk("alice").get(f"/executions?account={alice.desk.code}"))
    line = re.search(r"<tr data-id.*?</tr>", page, re.DOTALL)[0]
    assert 'data-if="late"' in line
    assert " hidden>" not in line


def test_nobody_sees_another_firms_fills(window, alice, traded):
    stranger = window("charlie", "globex")
    items = alice.get(f"/executions?account={alice.desk.code}").json["items"]
    for path in (f"/executions?account={alice.desk.code}", "/executions", "/executions.csv"):
        answer = stranger.get(path)
        assert answer.status_code == 200
        assert not any(row["exec_id"] in text_of(answer) for row in items)
    assert window(host="acme.localhost").get("/executions").status_code == 302


def test_the_page_is_in_the_rail_and_under_its_keys(at_desk, traded):
    page = text_of(at_desk("bob").get("/desk"))
    assert 'href="/executions"' in page
    assert 'data-keys="g x" data-act="go:/executions"' in page


def test_totals_are_a_part_of_the_page(at_desk, alice, traded):
    browser, path = at_desk("alice"), f"/executions?account={alice.desk.code}"
    part = browser.part(path, "totals")
    assert "<html" not in text_of(part)
    assert total_of(part, "SPX BUY USD") == total_of(browser.get(path), "SPX BUY USD")


def test_hidden_amounts_are_not_in_the_list(gateway, at_desk, alice):
    alice.until_final(alice.placed("BUY", "77"))
    gateway.stop()
    browser, path = at_desk("alice"), f"/executions?account={alice.desk.code}"
    assert 'data-v="77"' in text_of(browser.get(path))
    browser.post("/preferences", privacy="on", next="/desk")
    page = text_of(browser.get(path)).partition("<main")[2].partition("</main>")[0]
    assert 'data-v="77"' not in page
    assert "77,038.5" not in page
