"""The market side of the desk: its numbers are the API's, its lists and orders one's own."""

import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from html import unescape

import pytest

from marketdata import selectors as market_data
from marketdata.path import REPLAY_FEED
from tests.journeys.cast import utcnow

BARS = "/desk/chart/bars?symbol=SPX"


def text_of(answer) -> str:
    return unescape(answer.content.decode())


def rows_of(browser) -> list[str]:
    page = text_of(browser.get("/desk"))
    return re.findall(r'<li class="bl-watch__row" data-symbol="([^"]+)"', page)


def marks(browser, desk, **more: str):
    query = "&".join(f"{name}={value}" for name, value in more.items())
    return browser.get(f"/desk/chart/marks?symbol=SPX&account={desk.code}&{query}")


# --- bars


def test_the_charts_bars_are_the_apis(at_desk, alice):
    drawn = at_desk("bob").get(BARS).json()
    day = drawn["today"]["day"]
    known = alice.get(f"/instruments/SPX/bars?limit=500&until={day}T00:00:00Z").json["items"]
    assert len(drawn["bars"]) == len(known) == 500
    names = ("open", "high", "low", "close", "volume")
    for bar, api in zip(drawn["bars"], known, strict=True):
        assert bar["time"] == api["at"][:10]
        assert [bar[name] for name in names] == [api[name] for name in names]
    close, before = (Decimal(known[n]["close"]) for n in (-1, -2))
    assert Decimal(drawn["bars"][-1]["change_pct"]) == round((close / before - 1) * 100, 2)


def test_longer_bars_are_made_of_the_apis(at_desk, alice):
    week = at_desk("bob").get(f"{BARS}&interval=1w").json()["bars"][-2]
    end = date.fromisoformat(week["time"]) + timedelta(days=7)
    asked = f"since={week['time']}T00:00:00Z&until={end}T00:00:00Z"
    days = alice.get(f"/instruments/SPX/bars?{asked}").json["items"]
    assert 3 <= len(days) <= 5
    assert week["open"] == days[0]["open"]
    assert Decimal(week["high"]) == max(Decimal(day["high"]) for day in days)
    assert Decimal(week["low"]) == min(Decimal(day["low"]) for day in days)


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [("symbol=NOPE", 404, "not_found"), ("symbol=%3Cscript%3E", 422, "invalid_symbol"),
     ("", 422, "invalid_symbol"), ("symbol=SPX&interval=1m", 422, "invalid_choice"),
     ("symbol=WTI&interval=5s", 422, "invalid_choice")],
)  # fmt: skip
def test_what_cannot_be_drawn_is_a_problem_in_words(at_desk, query, status, code):
    answer = at_desk("bob").get(f"/desk/chart/bars?{query}")
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == code
    assert answer.json()["request_id"]


def test_without_a_login_there_is_nothing(window):
    assert window().get(BARS).status_code == 401
    assert window().get("/desk/chart/marks?symbol=SPX&account=P").status_code == 401
    assert window().get("/desk/watchlist").status_code == 405


# --- own orders and fills


def test_a_fill_is_marked_on_the_day_that_was_replayed(at_desk, alice, desk, gateway, market):
    market.show("1120", "1121")
    one = alice.until_final(alice.placed(qty="7"))["id"]
    other = alice.until_final(alice.placed(qty="5"))["id"]
    sold = alice.until_final(alice.placed("SELL", "4"))["id"]
    browser = at_desk("bob")
    found = marks(browser, desk).json()
    executions = alice.get(f"/executions?account={desk.code}").json["items"][::-1]
    assert [(fill["order_id"], fill["qty"], fill["px"], fill["at"]) for fill in found["fills"]] == [
        (row["order_id"], row["last_qty"], row["last_px"], row["transact_time"])
        for row in executions
    ]
    assert {fill["order_id"] for fill in found["fills"]} == {one, other, sold}
    instants = [fill["at"] for fill in found["fills"]]
    days = market_data.history_days(REPLAY_FEED, [_instant(text) for text in instants])
    assert [fill["time"] for fill in found["fills"]] == [str(one.day) for one in days]
    sells = [mark for mark in found["marks"] if mark["side"] == "S"]
    assert [mark["label"] for mark in sells] == ["S 4@1,120.00"]
    assert sells[0]["href"] == f"/orders/{sold}"
    assert sum(Decimal(m["qty"]) for m in found["marks"] if m["side"] == "B") == 12
    held = alice.get(f"/positions?account={desk.code}").json["items"][0]
    assert found["position"]["avg_px"] == held["avg_px"]
    assert found["position"]["label"] == "avg 1,121.00 long 8"


def _instant(text: str):
    return datetime.fromisoformat(text)


def test_bars_of_seconds_hold_the_fills_of_these_seconds(at_desk, alice, desk, gateway, market):
    alice.until_final(alice.placed(qty="2"))
    (fill,) = marks(at_desk("bob"), desk, interval="5s").json()["fills"]
    past = (_instant(fill["at"]) - _instant(fill["time"])).total_seconds()
    assert 0 <= past < 5
    assert _instant(fill["time"]).second % 5 == 0


def test_a_fill_of_an_earlier_pass_is_on_no_day(at_desk, alice, desk, gateway, market, monkeypatch):
    alice.until_final(alice.placed(qty="2"))
    lap = market_data.replay_position(REPLAY_FEED, utcnow()).lap
    shown = market_data.history_days
    monkeypatch.setattr(
        "portal.market.panels.selectors.history_days",
        lambda *given: [type(day)(lap=lap - 1, day=day.day) for day in shown(*given)],
    )
    found = marks(at_desk("bob"), desk).json()
    assert (found["elsewhere"], found["marks"]) == (1, [])
    assert found["fills"][0]["time"] is None


def test_a_working_order_is_a_line_until_it_is_gone(at_desk, alice, desk, market):
    market.show("100", "101")
    order_id = alice.placed(price="90.5", qty="30", tif="GTC")
    browser = at_desk("bob")
    (line,) = marks(browser, desk).json()["orders"]
    assert (line["id"], line["px"], line["qty"]) == (order_id, "90.5", "30")
    assert line["label"] == "BUY 30 LMT 90.50"
    alice.cancel(order_id)
    assert marks(browser, desk).json()["orders"] == []


def test_hidden_amounts_are_not_sent(at_desk, alice, desk, gateway, market):
    market.show("1120", "1121")
    alice.until_final(alice.placed(qty="432"))
    alice.placed(price="990", qty="876", tif="GTC")
    browser = at_desk("bob")
    open_text = text_of(marks(browser, desk))
    assert "432" in open_text
    assert "876" in open_text
    browser.post("/preferences", privacy="on", next="/desk")
    hidden = marks(browser, desk).json()
    assert not re.search(r"432|876", str(hidden))
    assert hidden["orders"][0]["label"] == "BUY \u2022\u2022\u2022 LMT 990.00"
    page = text_of(browser.get("/desk?symbol=SPX&view=table"))
    fills = re.search(r"<table[^>]*data-chart-fills>.*?</table>", page, re.DOTALL).group(0)
    assert "432" not in re.sub(r"<time.*?</time>", "", fills)
    assert "\u2022\u2022\u2022" in fills


def test_another_firms_account_is_not_found(window, desk, alice, gateway, market):
    alice.until_final(alice.placed(qty="2"))
    answer = marks(window("charlie", "globex"), desk)
    assert answer.status_code == 404
    nobody = window("charlie", "globex").get("/desk/chart/marks?symbol=SPX&account=P-none")
    ours, theirs = answer.json(), nobody.json()
    assert ours | {"request_id": ""} == theirs | {"request_id": ""}


# --- the watchlist


def test_a_row_shows_the_numbers_of_the_api(at_desk, alice, market):
    market.show("1126.25", "1126.5")
    page = text_of(at_desk("bob").get("/desk?symbol=SPX"))
    quote = alice.get("/instruments/SPX/quote").json
    raw = dict(re.findall(r'data-f="quote:SPX\.(\w+)"[^>]*?data-v="([^"]*)"', page))
    for name in ("last", "bid", "ask", "spread", "change", "change_pct", "prev_close", "high"):
        assert raw[name] == (quote[name] or ""), name


def test_what_nobody_quotes_shows_its_last_close(at_desk, alice, market):
    browser = at_desk("bob")
    browser.post("/desk/watchlist", act="add", symbol="wti")
    page = text_of(browser.get("/desk?symbol=WTI"))
    before, last = alice.get("/instruments/WTI/bars?limit=2").json["items"]
    row = re.search(r'data-symbol="WTI".*?</li>', page, re.DOTALL).group(0)
    assert last["close"] in row
    assert last["at"][:10] in row
    change = Decimal(last["close"]) - Decimal(before["close"])
    assert f"{abs(change)}" in row
    assert "not quoted" in row


def test_lists_are_ones_own(at_desk, window, market):
    alice = at_desk("alice")
    start = rows_of(alice)
    others = [at_desk("olivia"), window("charlie", "globex"), window("olivia", "globex")]
    before = [rows_of(one) for one in others]
    added = alice.post("/desk/watchlist", act="add", symbol="vix", shown="SPX")
    assert (added.status_code, added["location"]) == (303, "/desk?symbol=VIX")
    assert rows_of(alice) == [*start, "VIX"]
    assert [rows_of(one) for one in others] == before
    moved = alice.post("/desk/watchlist", act="up", symbol="VIX", shown="SPX")
    assert moved["location"] == "/desk?symbol=SPX"
    assert rows_of(alice) == [*start[:-1], "VIX", start[-1]]
    alice.post("/desk/watchlist", act="remove", symbol="VIX")
    assert rows_of(alice) == start


@pytest.mark.parametrize("symbol", ["NOPE", "", "<b>", "S" * 5000, "\x01"])
def test_what_is_no_instrument_is_said_and_changes_nothing(at_desk, market, symbol):
    browser = at_desk("olivia")
    before = rows_of(browser)
    for act in ("add", "show", "remove", "up"):
        answer = browser.post("/desk/watchlist", act=act, symbol=symbol, shown="SPX")
        assert answer.status_code == 303, act
    page = text_of(browser.get("/desk"))
    assert re.search(r"no instrument|not a symbol|A symbol is|not on the list", page)
    assert rows_of(browser) == before


def test_a_row_is_a_link_and_the_address_chooses(at_desk, market):
    browser = at_desk("bob")
    page = text_of(browser.get("/desk?symbol=IXIC"))
    assert 'href="/desk?symbol=SPX"' in page
    chosen = re.findall(r'data-symbol="([^"]+)" aria-current="true"', page)
    assert chosen == ["IXIC"]
    assert re.search(r'id="chart"[^>]*data-symbol="IXIC"', page)
    unknown = browser.get("/desk?symbol=%01&interval=9y&view=rubbish")
    assert unknown.status_code == 200


# --- the table


def test_the_table_holds_what_the_chart_draws(at_desk, alice, desk, gateway, market):
    order_id = alice.until_final(alice.placed(qty="3"))["id"]
    browser = at_desk("bob")
    page = text_of(browser.get("/desk?symbol=SPX&view=table"))
    drawn = browser.get(BARS).json()
    table = re.search(r"<table[^>]*data-chart-bars>.*?</table>", page, re.DOTALL).group(0)
    times = re.findall(r'<tr data-time="([^"]+)">', table)
    assert times == [bar["time"] for bar in drawn["bars"]][::-1]
    newest = re.search(rf'<tr data-time="{times[0]}">(.*?)</tr>', table, re.DOTALL).group(1)
    closes = [cell.replace(",", "") for cell in re.findall(r">([\d,.]+)</td>", newest)]
    assert Decimal(closes[3]) == Decimal(drawn["bars"][-1]["close"])
    fills = re.search(r"<table[^>]*data-chart-fills>.*?</table>", page, re.DOTALL).group(0)
    assert f'href="/orders/{order_id}"' in fills


def test_every_interval_has_its_table(at_desk, market):
    browser = at_desk("bob")
    for interval in ("5s", "1d", "1w", "1mo"):
        page = text_of(browser.get(f"/desk?symbol=SPX&interval={interval}&view=table"))
        assert re.search(rf'data-interval="{interval}"[^>]*aria-current="true"', page), interval


def test_the_desk_stays_within_its_queries(at_desk, market, django_assert_max_num_queries):
    browser = at_desk("alice")
    browser.get("/desk")
    with django_assert_max_num_queries(30):
        browser.get("/desk?symbol=SPX")
