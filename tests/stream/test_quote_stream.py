"""/stream/quotes: first what is known, then every change, the latest only for who is slow."""

import time
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from config.stream.quotes import QuoteBoard
from marketdata import quotes
from trading.market import Quote

SPX = Quote(
    symbol="SPX",
    bid=Decimal("1126.33"),
    ask=Decimal("1126.34"),
    last=Decimal("1126.33"),
    bid_size=Decimal(159),
    ask_size=Decimal(159),
    at=datetime(2026, 3, 2, 15, 0, tzinfo=UTC),
    feed="HISTORICAL REPLAY",
    simulated=True,
)
IXIC = replace(SPX, symbol="IXIC", bid=Decimal(2110), ask=Decimal("2110.01"), last=Decimal(2110))


def at(quote: Quote, last: str) -> Quote:
    return replace(quote, last=Decimal(last))


def test_quotes_live_and_from_the_start(own_pair, key):
    server, own_redis = own_pair.stream, own_pair.redis
    client = own_redis.client()
    quotes.write(client, [SPX, IXIC])
    opened = server.open("/stream/quotes?symbols=SPX,IXIC", key).begun()
    first = opened.take(2)
    assert [(block.event, block.json["symbol"]) for block in first] == [
        ("quote", "SPX"),
        ("quote", "IXIC"),
    ]
    assert first[0].json["last"] == "1126.33"
    assert first[0].json["simulated"] is True
    only_one = server.open("/stream/quotes?symbols=IXIC", key).begun()
    assert only_one.take(1)[0].json["symbol"] == "IXIC"
    began = time.monotonic()
    quotes.write(client, [at(SPX, "1127")])
    quotes.write(client, [at(IXIC, "2111")])
    assert [block.json["last"] for block in opened.take(2)] == ["1127", "2111"]
    assert time.monotonic() - began < 0.5
    assert only_one.take(1)[0].json["last"] == "2111"
    own_redis.kill()
    own_redis.start()
    time.sleep(1)
    quotes.write(own_redis.client(), [at(SPX, "1128")])
    assert [block.json["last"] for block in opened.take(1)] == ["1128"]


def text(symbol: str, last: str) -> str:
    return f'{{"symbol":"{symbol}","last":"{last}"}}'


def test_who_is_slow_gets_the_latest_of_each_symbol_and_no_backlog():
    board = QuoteBoard()
    seen = {"SPX": 0, "IXIC": 0}
    for last in ("1", "2", "3"):
        board.take(text("SPX", last))
    board.take(text("IXIC", "9"))
    board.take(text("OTHER", "5"))
    frames = [quote.frame for quote in board.newer(seen)]
    assert [b'"last":"3"' in frames[0], b'"last":"9"' in frames[1]] == [True, True]
    assert len(frames) == 2
    assert board.newer(seen) == []
    board.take(text("SPX", "4"))
    assert len(board.newer(seen)) == 1


@pytest.mark.parametrize("bad", ["", "nonsense", "[]", "{}", '{"symbol": 5}'])
def test_what_is_no_quote_is_refused(bad):
    with pytest.raises(ValueError, match=r"."):
        QuoteBoard().take(bad)
