"""``/api/v1/instruments`` as a program sees it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import redis

from marketdata import quotes
from marketdata.models import Instrument, ReplayClock
from marketdata.services import replay_clock
from trading.market import Quote

pytestmark = pytest.mark.usefixtures("reference_data")
BASE = "/api/v1/instruments"
JAN_2004 = "2004-01-01T00:00:00Z"


@pytest.fixture
def on_the_third_day():
    """The replay shows 2004-01-06."""
    ReplayClock.objects.all().delete()
    return replay_clock(now=datetime.now(UTC) - timedelta(seconds=130))


@pytest.fixture
def get(http):
    """GET a path below /instruments: (status, JSON)."""

    def _get(path: str = "", **query):
        response = http.get(f"{BASE}{path}", query)
        return response.status_code, response.json()

    return _get


def refusal(answer) -> tuple[int, str, list[str]]:
    status, body = answer
    assert body["status"] == status
    return status, body["code"], [row["field"] for row in body["errors"]]


def test_the_list_is_by_symbol_with_decimals_as_strings(get):
    status, body = get()
    assert status == 200
    symbols = [row["symbol"] for row in body["items"]]
    assert symbols == sorted(symbols)
    spx = next(row for row in body["items"] if row["symbol"] == "SPX")
    assert spx == {
        "symbol": "SPX",
        "name": "S&P 500",
        "security_type": "INDEX",
        "currency": "USD",
        "exchange": "XNYS",
        "tick_size": "0.01",
        "lot_size": "1",
        "qty_decimals": 8,
        "min_qty": "1",
        "max_qty": "1000000",
        "min_notional": "0",
        "multiplier": "1",
        "tradable": True,
        "feed": "HISTORICAL REPLAY",
        "simulated": True,
        "bar_kind": "OHLCV",
    }
    assert body["next"] is None


@pytest.mark.parametrize(
    ("query", "symbols"),
    [
        ({"tradable": "true"}, ["IXIC", "SPX"]),
        ({"security_type": "COMMODITY"}, ["WTI"]),
        ({"exchange": "XCBO"}, ["VIX"]),
        ({"q": "composite"}, ["IXIC"]),
        ({"q": "ix", "tradable": "false"}, ["VIX"]),
        ({"currency": "EUR"}, []),
    ],
)
def test_filters(get, query, symbols):
    status, body = get(**query)
    assert (status, [row["symbol"] for row in body["items"]]) == (200, symbols)


def test_pages_join_without_gap_or_double(get):
    seen, cursor = [], {}
    while True:
        _, body = get(limit=3, **cursor)
        seen += [row["symbol"] for row in body["items"]]
        if body["next"] is None:
            break
        cursor = {"cursor": body["next"]}
    assert seen == list(Instrument.objects.order_by("symbol").values_list("symbol", flat=True))


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"tradable": "maybe"}, "tradable"),
        ({"security_type": "index"}, "security_type"),
        ({"limit": "0"}, "limit"),
        ({"limit": "1e3"}, "limit"),
        ({"sort": "password"}, "sort"),
        ({"q": "x" * 65}, "q"),
        ({"cursor": "nonsense"}, "cursor"),
    ],
)
def test_bad_parameters_are_named(get, query, field):
    status, _, fields = refusal(get(**query))
    assert (status, fields) == (422, [field])


@pytest.mark.parametrize("tail", ["", "/quote", "/bars"])
@pytest.mark.parametrize("symbol", ["spx", "A" * 33, "AAPL;DROP TABLE", "😀", "<script>"])
def test_what_cannot_be_a_symbol(get, symbol, tail):
    assert refusal(get(f"/{symbol}{tail}")) == (422, "invalid_symbol", ["symbol"])


@pytest.mark.parametrize("tail", ["", "/quote", "/bars"])
@pytest.mark.parametrize("symbol", ["NOSUCH", "BTC/USD"])
def test_an_instrument_that_does_not_exist(get, symbol, tail):
    assert refusal(get(f"/{symbol}{tail}")) == (404, "not_found", [])


def test_one_instrument(get):
    status, body = get("/WTI")
    assert status == 200
    assert (body["tradable"], body["feed"], body["simulated"], body["bar_kind"]) == (
        False, None, False, "CLOSE",
    )  # fmt: skip


def test_the_quote_says_what_it_is(get, valkey, settings):
    settings.REDIS_URL = valkey.url
    now = datetime.now(UTC)
    past = datetime(2008, 9, 15, 14, 0, tzinfo=UTC)
    px, size = Decimal("1250.10"), Decimal(300)
    so_far = {"open": px - 3, "high": px, "low": px - 5, "prev_close": Decimal(1200)}
    quote = Quote("SPX", px, px + 1, px, size, size, now, "HISTORICAL REPLAY", True, past, **so_far)
    quotes.write(redis.Redis.from_url(valkey.url), [quote])
    status, body = get("/SPX/quote")
    assert status == 200
    assert body == {
        "symbol": "SPX",
        "bid": "1250.1",
        "ask": "1251.1",
        "last": "1250.1",
        "bid_size": "300",
        "ask_size": "300",
        "at": quotes.quote_json(quote)["at"],
        "feed": "HISTORICAL REPLAY",
        "simulated": True,
        "history_at": "2008-09-15T14:00:00Z",
        "spread": "1",
        "open": "1247.1",
        "high": "1250.1",
        "low": "1245.1",
        "prev_close": "1200",
        "change": "50.1",
        "change_pct": "4.18",
        "stale": False,
    }
    settings.OMS_QUOTE_MAX_AGE_S = -1
    assert get("/SPX/quote")[1]["stale"] is True


def test_no_quote_is_said_so(get, valkey, settings):
    settings.REDIS_URL = valkey.url
    assert refusal(get("/WTI/quote")) == (404, "no_quote", [])


def test_bars_end_before_the_day_being_replayed(get, on_the_third_day):
    status, body = get("/SPX/bars", limit=2)
    assert status == 200
    assert [bar["at"] for bar in body["items"]] == ["2004-01-02T00:00:00Z", "2004-01-05T00:00:00Z"]
    assert body["items"][0] == {
        "at": "2004-01-02T00:00:00Z",
        "open": "1111.92",
        "high": "1118.85",
        "low": "1105.08",
        "close": "1108.48",
        "volume": "1153200000",
    }
    _, earlier = get("/SPX/bars", limit=2, cursor=body["next"])
    assert [bar["at"][:10] for bar in earlier["items"]] == ["2003-12-30", "2003-12-31"]


def test_asking_for_the_future_of_the_replay_returns_nothing(get, on_the_third_day):
    query = {"since": "2004-01-06T00:00:00Z", "until": "2005-01-01T00:00:00Z"}
    assert get("/SPX/bars", **query) == (200, {"items": [], "next": None})


def test_with_since_the_pages_run_forward(get, on_the_third_day):
    query = {"since": "2003-12-24T00:00:00Z", "until": "2004-01-03T00:00:00+00:00", "limit": 4}
    _, body = get("/SPX/bars", **query)
    assert [bar["at"][8:10] for bar in body["items"]] == ["24", "26", "29", "30"]
    _, body = get("/SPX/bars", **query, cursor=body["next"])
    assert [bar["at"][8:10] for bar in body["items"]] == ["31", "02"]
    assert body["next"] is None


def test_a_reference_chart_is_whole_and_has_one_value_a_day(get, on_the_third_day):
    _, body = get("/VIX/bars", limit=1)
    (bar,) = body["items"]
    assert bar["at"] == "2019-01-03T00:00:00Z"
    assert bar["open"] == bar["high"] == bar["low"] == bar["close"] == "25.45"
    assert bar["volume"] == "0"


@pytest.mark.parametrize(
    ("query", "code", "field"),
    [
        ({"since": JAN_2004, "until": "2004-01-01T00:00:00+12:00"}, "invalid_range", "since"),
        ({"since": "1998-12-01T00:00:00Z", "until": JAN_2004}, "range_too_large", "since"),
        ({"since": "1994-01-01T00:00:00Z", "until": JAN_2004}, "range_too_large", "since"),
        ({"since": "0000-01-01T00:00:00Z"}, "invalid_datetime", "since"),
        ({"since": "0001-01-01T00:00:00Z"}, "invalid_datetime", "since"),
        ({"until": "2004-01-01T00:00:00+25:00"}, "invalid_datetime", "until"),
        ({"until": "2004-01-01T00:00:00"}, "invalid_datetime", "until"),
        ({"until": "2004-01-01"}, "invalid_datetime", "until"),
        ({"since": "yesterday"}, "invalid_datetime", "since"),
        ({"interval": "5m"}, "invalid_choice", "interval"),
    ],
)  # fmt: skip
def test_bad_ranges(get, query, code, field):
    assert refusal(get("/SPX/bars", **query)) == (422, code, [field])


@pytest.mark.parametrize("path", ["", "/SPX", "/SPX/quote", "/SPX/bars"])
def test_nobody_reads_without_credentials(client, path):
    response = client.get(f"{BASE}{path}", headers={"host": "localhost"})
    assert response.status_code == 401
    assert response.json()["code"] == "unauthenticated"


@pytest.mark.parametrize("path", ["", "/SPX", "/SPX/quote", "/SPX/bars"])
def test_a_key_without_the_scope_reads_nothing(client_with, path):
    response = client_with("positions:read").get(f"{BASE}{path}")
    assert (response.status_code, response.json()["code"]) == (403, "insufficient_scope")
