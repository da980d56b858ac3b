"""What a browser gets on its one connection: every row once, quotes conflated, the lights."""

import threading
import time
from datetime import UTC, datetime

import pytest
from django.db import connection

from accounts.models import Membership
from brokers.models import BrokerAccount
from brokers.services import open_paper_account
from config.stream.credentials import MOST_STREAMS
from config.stream.portal import MOST_REPLAYED
from events.relay import relay_once
from events.services import Draft, publish_many
from marketdata import quotes
from tenants.binding import tenant_bound
from tests.portal_live.conftest import TOPICS, log_in
from tests.portal_live.test_rows import EXECUTION
from tests.stream.conftest import UnixConnection
from tests.stream.test_quote_stream import IXIC, SPX, at


def rows(firm, blocks):
    return [int(block.id) - firm.start for block in blocks if block.id]


def publish(firm, order_data, *names, **changed):
    with tenant_bound(firm.schema):
        drafts = [Draft("order.new", name, order_data(name, **changed)) for name in names]
        publish_many(drafts=drafts, actor="test", now=datetime.now(UTC))
    relay_once(firm.schema, feeder=firm.feeder)


def begun(opened):
    """The connection's name and place, once it is open."""
    assert opened.response.status == 200, opened.response.read()
    (hello,) = opened.take(1)
    assert hello.event == "hello"
    return hello.json


def test_an_order_arrives_as_its_grid_row(stream, firm, browser, order_data):
    opened = browser.open(stream)
    assert begun(opened)["p"] == firm.start
    publish(firm, order_data, "o-1", ord_status="PARTIALLY_FILLED", cum_qty="40", version=3)
    (block,) = opened.take(1)
    assert (block.id, block.event) == (str(firm.start + 1), "order")
    assert (block.json["id"], block.json["v"], block.json["type"]) == ("o-1", 3, "order.new")
    assert block.json["row"]["cum_qty"] == "40"
    assert block.json["row"]["avg_px"] == ""


def test_a_fill_and_its_order_are_one_event(stream, firm, browser, order_data):
    opened = browser.open(stream)
    begun(opened)
    publish(firm, order_data, "o-1", execution=EXECUTION)
    (block,) = opened.take(1)
    assert block.json["execution"]["id"] == "01E"
    assert block.json["execution"]["row"]["account"] == "A"


def test_it_resumes_without_gap_and_without_double(stream, firm, browser, order_data):
    publish(firm, order_data, *"abcde")
    by_page = browser.open(stream, f"after={firm.start + 2}")
    again = browser.open(stream, "after=0", Last_Event_ID=str(firm.start + 2))
    for opened in (by_page, again):
        begun(opened)
        assert rows(firm, opened.take(3)) == [3, 4, 5]
    publish(firm, order_data, "f")
    for opened in (by_page, again):
        assert rows(firm, opened.take(1)) == [6]


def test_reconnecting_again_and_again_loses_and_doubles_nothing(stream, firm, browser, order_data):
    total, cursor, seen = 120, firm.start, []

    def write():
        try:
            for index in range(total):
                publish(firm, order_data, str(index))
        finally:
            connection.close()

    writer = threading.Thread(target=write)
    writer.start()
    while len(seen) < total:
        opened = browser.open(stream, f"after={cursor}")
        begun(opened)
        got = opened.take(min(7, total - len(seen)))
        seen += rows(firm, got)
        cursor = firm.start + seen[-1]
        opened.close()
    writer.join()
    assert seen == list(range(1, total + 1))


def test_a_page_too_far_behind_or_from_another_history_is_loaded_anew(
    stream, firm, browser, order_data
):
    publish(firm, order_data, "a")
    ahead = browser.open(stream, f"after={firm.start + 1000}")
    begun(ahead)
    (block,) = ahead.take(1)
    assert (block.event, block.json) == ("reset", {"p": firm.start + 1})
    publish(firm, order_data, "b")
    assert rows(firm, ahead.take(1)) == [2]
    publish(firm, order_data, *(str(n) for n in range(MOST_REPLAYED)))
    # The process learns of the newest position by its own reading, moments after the commit.
    deadline = time.monotonic() + 10
    while first_event(browser.open(stream, f"after={firm.start + 1}")) != "reset":
        assert time.monotonic() < deadline


def first_event(opened) -> str:
    begun(opened)
    event = opened.take(1)[0].event
    opened.close()
    return event


def test_quotes_of_the_symbols_named_and_of_those_named_later(own_pair, firm, browser):
    server, redis = own_pair.stream, own_pair.redis.client()
    quotes.write(redis, [SPX, IXIC])
    opened = browser.open(server, "symbols=SPX")
    conn = begun(opened)["conn"]
    (first,) = opened.take(1)
    assert (first.event, first.id) == ("quote", None)
    assert (first.json["k"], first.json["last"], first.json["sim"]) == ("SPX", "1126.33", "yes")
    status, body = browser.ask(
        server, TOPICS, {"conn": conn, "add": ["quote:IXIC"], "remove": ["quote:SPX"]}
    )
    assert (status, body) == (200, {"symbols": ["IXIC"], "accounts": []})
    assert opened.take(1)[0].json["k"] == "IXIC"
    quotes.write(redis, [at(SPX, "1"), at(IXIC, "2")])
    assert [(b.json["k"], b.json["last"]) for b in opened.take(1)] == [("IXIC", "2")]


def test_quotes_are_conflated_to_five_a_second(own_pair, firm, browser):
    server, redis = own_pair.stream, own_pair.redis.client()
    opened = browser.open(server, "symbols=SPX")
    begun(opened)
    quotes.write(redis, [at(SPX, "100000")])
    began, lasts = time.monotonic(), []

    def write():
        for n in range(100):
            quotes.write(redis, [at(SPX, str(n))])
            time.sleep(0.01)
        quotes.write(redis, [at(SPX, "999")])

    writer = threading.Thread(target=write)
    writer.start()
    while not lasts or lasts[-1] != "999":
        lasts.append(opened.take(1)[0].json["last"])
    took = time.monotonic() - began
    writer.join()
    assert len(lasts) <= took * 5 + 2
    assert len(lasts) >= 3


def test_the_heartbeat_tells_of_feeds_and_brokers(own_pair, firm, browser):
    with tenant_bound(firm.schema):
        if not BrokerAccount.objects.exists():
            open_paper_account(
                code="PAPER-1", name="Paper", currency="USD", opening_cash=0, now=datetime.now(UTC)
            )
        state = BrokerAccount.objects.get(code="PAPER-1").connection.state
    redis = own_pair.redis.client()
    quotes.write(redis, [SPX])
    opened = browser.open(own_pair.stream, "symbols=SPX")
    beats = (block.json for block in opened.blocks() if block.event == "hb")
    next(beats)
    beat = next(beats)
    assert beat["brokers"] == {"PAPER-1": state}
    assert list(beat["feeds"]) == [SPX.feed]
    assert float(beat["feeds"][SPX.feed]) > 0
    assert beat["t"].endswith("Z")


# --- the door


def test_only_the_login_of_this_firm_opens_it(stream, firm, firms, browser):
    other = firms("stream-other")
    at_other_host = log_in(firm, host=log_in(other).host)
    at_bare_host = log_in(firm, host="localhost")
    for stranger in (at_other_host, at_bare_host):
        status, body = stranger.ask(stream, "/stream/portal")
        assert (status, body["code"]) == (401, "unauthenticated")
    status, body = browser.ask(stream, "/stream/portal", Cookie="sessionid=forged")
    assert (status, body["code"]) == (401, "unauthenticated")
    _, key = firm.key()
    status, _ = browser.ask(stream, "/stream/portal", Cookie="", Authorization=f"Bearer {key}")
    assert status == 401
    assert begun(browser.open(stream))["p"] >= 0


def test_a_login_opens_no_stream_of_programs(stream, firm, browser):
    assert browser.ask(stream, "/stream/events")[0] == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
    ],
)
def test_another_origin_is_refused(stream, firm, browser, headers):
    for body in (None, {"conn": "x"}):
        path = "/stream/portal" if body is None else TOPICS
        status, answer = browser.ask(stream, path, body, **headers)
        assert (status, answer["code"]) == (403, "foreign_origin")


def test_a_write_must_say_where_it_comes_from(stream, firm, browser):
    silent = {name: value for name, value in browser.headers.items() if name != "Sec-Fetch-Site"}
    asked = UnixConnection(stream.path, 10)
    asked.request(
        "POST", TOPICS, body=b"{}", headers={**silent, "Content-Type": "application/json"}
    )
    assert asked.getresponse().status == 403
    asked.close()
    own = f"http://{browser.host}"
    assert browser.ask(stream, TOPICS, {"conn": "none"}, Origin=own)[0] == 404


@pytest.mark.parametrize(
    "body",
    [
        b"not json",
        [],
        {},
        {"conn": 5},
        {"conn": "x", "add": "quote:SPX"},
        {"conn": "x", "add": ["SPX"]},
        {"conn": "x", "add": ["quote:"]},
        {"conn": "x", "add": [5]},
        {"conn": "x", "add": ["quote:spx"]},
        {"conn": "x", "add": [f"quote:S{n}" for n in range(101)]},
        b"[" * 9000,
        b'{"conn":"' + b"x" * 20_000 + b'"}',
    ],
)
def test_topics_that_are_not_acceptable(stream, firm, browser, body):
    status, answer = browser.ask(stream, TOPICS, body)
    assert status in (400, 422), answer


def test_nobody_changes_the_topics_of_another(own_pair, firm, firms, browser):
    opened = browser.open(own_pair.stream, "symbols=SPX")
    conn = begun(opened)["conn"]
    stranger = log_in(firms("stream-other"))
    status, answer = stranger.ask(own_pair.stream, TOPICS, {"conn": conn, "add": ["quote:IXIC"]})
    assert (status, answer["code"]) == (404, "not_found")


def test_the_caps_hold(stream, firm, browser):
    status, answer = browser.ask(
        stream, f"/stream/portal?symbols={','.join(f'S{n}' for n in range(101))}"
    )
    assert (status, answer["errors"][0]["code"]) == (422, "out_of_range")
    for _ in range(MOST_STREAMS):
        begun(browser.open(stream))
    assert browser.ask(stream, "/stream/portal")[0] == 429


def test_logging_out_ends_the_stream_within_seconds(stream, firm, browser):
    opened = browser.open(stream)
    begun(opened)
    browser.log_out()
    began = time.monotonic()
    (block,) = opened.take(1)
    assert (block.event, block.json["code"]) == ("end", "unauthenticated")
    assert time.monotonic() - began < 8
    assert opened.take(1) == []


def test_leaving_the_firm_ends_the_stream(stream, firm, browser):
    opened = browser.open(stream)
    begun(opened)
    Membership.objects.filter(pk=firm.membership.pk).update(is_active=False)
    try:
        assert opened.take(1)[0].event == "end"
    finally:
        Membership.objects.filter(pk=firm.membership.pk).update(is_active=True)


def test_a_firm_sees_nothing_of_another(stream, firm, firms, browser, order_data):
    other = firms("stream-other")
    opened = browser.open(stream)
    begun(opened)
    publish(other, order_data, "theirs")
    publish(firm, order_data, "ours")
    assert [block.json["id"] for block in opened.take(1)] == ["ours"]
