"""Positions marked live: the API's numbers, conflated, of followed accounts within reach only."""

import json
import time
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.test import Client

from accounts.models import Membership
from brokers.models import BrokerAccount
from brokers.services import open_paper_account
from config.stream.quotes import QuoteBoard
from events.relay import relay_once
from marketdata import quotes
from marketdata.models import Instrument
from marketdata.services import load_reference_data
from portal.books.positions import cells, read_books
from portfolio.services import Fill, book_fill, deposit
from tenants.binding import tenant_bound
from tests.portal_live.conftest import TOPICS
from tests.portal_live.test_portal_stream import begun
from tests.stream.test_quote_stream import SPX
from trading.vocabulary import Side

_CALLS = iter(range(10_000))


def now():
    return datetime.now(UTC)


def at(last, **changed):
    price = Decimal(last)
    return replace(SPX, bid=price, ask=price + 1, last=price, at=now(), **changed)


@pytest.fixture
def firm(firms):
    """A firm of these tests, whose accounts nobody counts."""
    return firms("stream-marks")


@pytest.fixture
def account(firm):
    """A funded account of the firm that no other test uses."""
    load_reference_data(now=now())
    code = f"M-{time.time_ns()}"
    with tenant_bound(firm.schema):
        opened = open_paper_account(
            code=code, name="Marks", currency="USD", opening_cash=Decimal(10_000), now=now()
        )
        deposit(account=opened, currency="USD", amount=Decimal(10_000), ref=f"open:{code}",
                actor_label="system:test", now=now())  # fmt: skip
    return opened


def trade(firm, account, qty, px, side=Side.BUY, fee="1.25"):
    """Book a fill as the gateway would, and let the relay number its events."""
    with tenant_bound(firm.schema):
        moment = now()
        number = f"{account.code}-{next(_CALLS)}"
        book_fill(
            account=BrokerAccount.objects.get(code=account.code),
            instrument=Instrument.objects.get(symbol="SPX"),
            fill=Fill(
                execution_id=number,
                order_id="o",
                exec_id=number,
                side=side,
                last_qty=Decimal(qty),
                last_px=Decimal(px),
                fee=Decimal(fee),
                fee_currency="USD",
                transact_time=moment,
            ),
            actor_label="test",
            now=moment,
        )
    relay_once(firm.schema, feeder=firm.feeder)


def next_marks(opened, wanted):
    """The newest marks by key, once ``wanted`` holds of them."""
    found = {}
    for block in opened.blocks():
        if block.event == "mark":
            assert block.id is None, "a mark never moves the cursor"
            found[block.json["k"]] = block.json
            if wanted(found):
                return found
    raise AssertionError("the stream ended")


def test_a_position_is_marked_as_the_api_values_it(own_pair, firm, browser, account):
    redis = own_pair.redis.client()
    quotes.write(redis, [at("1100")])
    trade(firm, account, 10, "1000")
    opened = browser.open(own_pair.stream, f"accounts={account.code}")
    begun(opened)
    key = f"{account.code}:SPX"
    found = next_marks(opened, lambda seen: key in seen and account.code in seen)
    assert found[key]["unrealized_pnl"] == "1000"
    assert (found[key]["way"], found[key]["qty"], found[key]["mark"]) == ("long", "10", "1100")
    assert found[account.code]["cash"] == "-1.25"
    assert found[account.code]["equity"] == "10998.75"
    quotes.write(redis, [at("1090")])
    moved = next_marks(opened, lambda seen: seen.get(key, {}).get("mark") == "1090")
    assert moved[key]["unrealized_pnl"] == "900"
    trade(firm, account, 4, "1090", Side.SELL)
    sold = next_marks(opened, lambda seen: seen.get(key, {}).get("qty") == "6")
    assert sold[key]["realized_pnl"] == sold[key]["realized_today"] == "360"
    assert sold[key]["unrealized_pnl"] == "540"


def test_every_cell_is_the_number_of_the_api(firm, account, settings):
    """The same books and the same quote: position, balance and profit, digit by digit."""
    board = QuoteBoard()
    import redis

    client = redis.Redis.from_url(settings.REDIS_URL)
    trade(firm, account, "7", "1000.37", Side.SELL)
    quotes.write(client, [at("1013.11", prev_close=Decimal(1000))])
    text = client.get(quotes.key("SPX")).decode()
    board.take(text)
    with tenant_bound(firm.schema):
        book = read_books([BrokerAccount.objects.get(code=account.code)], now=now())[account.code]
    worth, position = cells(book, board.quotes(["SPX"]), now())
    _, key = firm.key()

    def told(path):
        answer = Client().get(
            f"/api/v1{path}?account={account.code}",
            headers={"host": "localhost", "authorization": f"Bearer {key}"},
        )
        (row,) = json.loads(answer.content)["items"]
        return row

    for name, value in told("/positions").items():
        shown = {True: "yes", False: "", None: ""}.get(value, value)
        assert position[name] == shown, name
    assert position["change_pct"] == "1.31"
    for path in ("/balances", "/pnl"):
        for name, value in told(path).items():
            if name not in ("as_of", "simulated"):
                assert worth[name] == (value or ""), (path, name)


def test_marks_come_at_most_once_a_second(own_pair, firm, browser, account):
    redis = own_pair.redis.client()
    quotes.write(redis, [at("1000")])
    trade(firm, account, 1, "1000")
    opened = browser.open(own_pair.stream, f"accounts={account.code}")
    begun(opened)
    key = f"{account.code}:SPX"
    next_marks(opened, lambda seen: key in seen)
    began, told = time.monotonic(), 0
    for n in range(60):
        quotes.write(redis, [at(str(2000 + n))])
        time.sleep(0.05)
    quotes.write(redis, [at("9999")])
    for block in opened.blocks():
        if block.event == "mark" and block.json["k"] == key:
            told += 1
            if block.json["mark"] == "9999":
                break
    took = time.monotonic() - began
    assert 2 <= told <= took + 2


def test_an_account_is_named_later_and_left_again(own_pair, firm, browser, account):
    quotes.write(own_pair.redis.client(), [at("1000")])
    opened = browser.open(own_pair.stream)
    conn = begun(opened)["conn"]
    topic = f"mark:{account.code}"
    status, body = browser.ask(own_pair.stream, TOPICS, {"conn": conn, "add": [topic]})
    assert (status, body) == (200, {"symbols": [], "accounts": [account.code]})
    next_marks(opened, lambda seen: account.code in seen)
    status, body = browser.ask(own_pair.stream, TOPICS, {"conn": conn, "remove": [topic]})
    assert (status, body["accounts"]) == (200, [])


def test_of_accounts_out_of_reach_nothing_is_told(own_pair, firm, browser, account):
    from config.stream.portal import _markable

    actor = browser_actor(firm)
    assert _markable(actor, (account.code,)) == (account.code,)
    narrow = replace(actor, accounts=["other"])
    assert _markable(narrow, (account.code, "other")) == ("other",)
    blind = replace(actor, scopes=frozenset({"orders:read"}))
    assert _markable(blind, (account.code,)) == ()
    status, answer = browser.ask(
        own_pair.stream, f"/stream/portal?accounts={','.join(f'A{n}' for n in range(21))}"
    )
    assert (status, answer["errors"][0]["code"]) == (422, "out_of_range")


def browser_actor(firm):
    from accounts.services import actor_of

    membership = Membership.objects.select_related("user", "tenant").get(pk=firm.membership.pk)
    return actor_of(membership)
