"""Quotes on their way through Redis, which may die at any moment."""

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import redis

from marketdata import quotes
from marketdata.hub import QuoteHub
from trading.market import Quote


def a_quote(symbol: str = "SPX", bid: str = "1250.10", *, age_s: float = 0) -> Quote:
    return Quote(
        symbol=symbol,
        bid=Decimal(bid),
        ask=Decimal(bid) + Decimal("0.01"),
        last=Decimal(bid),
        bid_size=Decimal(300),
        ask_size=Decimal(300),
        at=datetime.now(UTC) - timedelta(seconds=age_s),
        feed="HISTORICAL REPLAY",
        simulated=True,
        history_at=datetime(2008, 9, 15, 14, 0, tzinfo=UTC),
    )


@pytest.fixture
def our_valkey(valkey, settings):
    """The private server, as the one the settings name."""
    settings.REDIS_URL = valkey.url
    return valkey


def test_what_is_written_is_read_back_whole(our_valkey):
    spx, ixic = a_quote(), replace(a_quote("IXIC", "2000"), history_at=None, simulated=False)
    quotes.write(our_valkey.client(), [spx, ixic])
    assert quotes.latest(["SPX", "IXIC", "VIX"]) == {"SPX": spx, "IXIC": ixic}


def test_the_wire_is_the_apis_shape():
    quote = replace(a_quote(), at=datetime(2026, 11, 20, 14, 30, 0, 500000, tzinfo=UTC))
    assert quotes.quote_json(quote) == {
        "symbol": "SPX",
        "bid": "1250.1",
        "ask": "1250.11",
        "last": "1250.1",
        "bid_size": "300",
        "ask_size": "300",
        "at": "2026-11-20T14:30:00.5Z",
        "feed": "HISTORICAL REPLAY",
        "simulated": True,
        "history_at": "2008-09-15T14:00:00Z",
        "spread": "0.01",
        "open": None,
        "high": None,
        "low": None,
        "prev_close": None,
        "change": None,
        "change_pct": None,
    }


@pytest.mark.parametrize("text", ["", "null", "[]", "{}", '{"symbol":"SPX"}', '"x"'])
def test_what_is_not_a_quote_is_refused(text):
    with pytest.raises(ValueError, match=r"not a quote|Expecting"):
        quotes.parse_quote(text)


def test_an_old_quote_is_shown_but_not_relied_on(our_valkey):
    old = a_quote(age_s=6)
    new = a_quote("IXIC", "2000", age_s=1)
    quotes.write(our_valkey.client(), [old, new])
    assert set(quotes.latest(["SPX", "IXIC"])) == {"SPX", "IXIC"}
    assert set(quotes.fresh(["SPX", "IXIC"], now=datetime.now(UTC))) == {"IXIC"}


def test_while_redis_is_away_the_process_remembers_for_a_while(our_valkey, settings):
    quotes.write(our_valkey.client(), [a_quote(), a_quote("OLD", age_s=4)])
    seen = quotes.latest(["SPX", "OLD"])
    our_valkey.kill()
    assert quotes.latest(["SPX", "OLD", "NEVERSEEN"]) == seen
    settings.OMS_QUOTE_MAX_AGE_S = 3
    assert set(quotes.latest(["SPX", "OLD"])) == {"SPX"}
    our_valkey.start()
    assert quotes.latest(["SPX", "OLD"]) == {}


def test_a_redis_that_is_away_costs_little_time(settings, dead_redis_url):
    settings.REDIS_URL = dead_redis_url
    started = time.perf_counter()
    assert quotes.latest(["NOBODYASKED"]) == {}
    assert time.perf_counter() - started < 0.5


def test_the_stream_is_capped(our_valkey):
    client = our_valkey.client()
    for _ in range(70):
        quotes.write(client, [a_quote()] * 100)
    assert 5000 <= client.xlen(quotes.STREAM) < 5200


async def until(condition, *, seconds: float = 15) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is awaited happens elsewhere
            await asyncio.sleep(0.01)


def hear(valkey, story) -> None:
    """Run ``story(hub, heard)`` beside a hub; ``heard`` collects what a listener is told."""

    async def body() -> None:
        hub, heard = QuoteHub(valkey.url), []
        hub.subscribe(heard.append)
        reader = asyncio.create_task(hub.run())
        try:
            await story(hub, heard)
            assert not reader.done()
        finally:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)

    asyncio.run(body())


def test_a_hub_starts_with_the_newest_and_tells_every_later_quote(valkey):
    client = valkey.client()
    quotes.write(client, [a_quote(bid="1"), a_quote(bid="2"), a_quote("IXIC", "9")])

    async def story(hub, heard):
        await until(lambda: len(heard) == 2)
        assert hub.latest("SPX").bid == 2
        assert hub.latest("WTI") is None
        for bid in ("3", "4", "5"):
            quotes.write(client, [a_quote(bid=bid)])
        await until(lambda: len(heard) == 5)
        assert [quote.bid for quote in heard[2:]] == [3, 4, 5]

    hear(valkey, story)


def test_a_hub_outlives_redis(valkey):
    async def story(hub, heard):
        await until(lambda: hub.connected)
        quotes.write(valkey.client(), [a_quote(bid="1")])
        await until(lambda: len(heard) == 1)
        valkey.kill()
        await until(lambda: not hub.connected)
        assert hub.latest("SPX").bid == 1
        valkey.start()
        quotes.write(valkey.client(), [a_quote(bid="2")])
        await until(lambda: len(heard) == 2)
        assert hub.latest("SPX").bid == 2

    hear(valkey, story)


def test_a_flush_and_a_clock_set_back_do_not_silence_a_hub(valkey):
    client = valkey.client()
    far = {quotes.FIELD: "{}"}
    client.xadd(quotes.STREAM, far, id="99999999999999-0")  # an id of the year 5138

    async def story(hub, heard):
        await until(lambda: hub.connected)
        client.flushall()
        quotes.write(client, [a_quote(bid="7")])
        await until(lambda: len(heard) == 1)
        quotes.write(client, [a_quote(bid="8")])
        await until(lambda: len(heard) == 2)

    hear(valkey, story)


def test_one_failing_listener_harms_no_other(valkey, caplog):
    def broken(_: Quote) -> None:
        raise RuntimeError("a listener's defect")

    async def story(hub, heard):
        hub.subscribe(broken)
        after = []
        end = hub.subscribe(after.append)
        await until(lambda: hub.connected)
        valkey.client().xadd(quotes.STREAM, {quotes.FIELD: "not a quote"})
        quotes.write(valkey.client(), [a_quote(bid="1")])
        await until(lambda: len(after) == 1)
        end()
        quotes.write(valkey.client(), [a_quote(bid="2")])
        await until(lambda: len(heard) == 2)
        assert len(after) == 1

    hear(valkey, story)
    assert "a listener failed" in caplog.text
    assert "is not a quote" in caplog.text


def test_writing_to_a_redis_that_is_away_says_so(dead_redis_url):
    client = quotes.async_client(dead_redis_url)
    with pytest.raises(redis.ConnectionError):
        asyncio.run(quotes.awrite(client, [a_quote()]))
