"""Bars of charts, the day so far, which day of history an instant was, and watchlists."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
import redis

from accounts.roles import Role
from accounts.services import add_member, create_user
from common.errors import NotFound
from marketdata import charts, quotes, selectors, services
from marketdata.charts import ChartInterval
from marketdata.models import Bar, Instrument, ReplayClock, ReplayPace
from marketdata.path import REPLAY_FEED, day_so_far, price_at
from marketdata.replay import load_script
from trading.market import Bar as BarValue
from trading.market import Quote, percent_change

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
CENT = Decimal("0.01")


def day(text: str, opened: str, high: str, low: str, close: str, volume: str = "10") -> Bar:
    at = datetime.fromisoformat(f"{text}T00:00:00+00:00")
    numbers = [Decimal(value) for value in (opened, high, low, close, volume)]
    return Bar(at=at, **dict(zip(("open", "high", "low", "close", "volume"), numbers, strict=True)))


DAYS = [
    day("2004-01-29", "10", "12", "9", "11"),
    day("2004-01-30", "11", "15", "10", "14"),
    day("2004-02-02", "14", "14", "7", "8"),
    day("2004-02-03", "8", "9", "8", "9"),
]


# --- pure


def test_a_week_is_its_days_together():
    first, second = charts.long_bars(DAYS, ChartInterval.WEEK)
    assert (first.time, second.time) == (date(2004, 1, 26), date(2004, 2, 2))
    assert (first.open, first.high, first.low, first.close) == (10, 15, 9, 14)
    assert (second.open, second.high, second.low, second.close) == (14, 14, 7, 9)
    assert (first.volume, second.volume) == (20, 20)


def test_a_month_is_its_days_together():
    january, february = charts.long_bars(DAYS, ChartInterval.MONTH)
    assert (january.time, february.time) == (date(2004, 1, 1), date(2004, 2, 1))
    assert (january.open, january.close, february.low) == (10, 14, 7)


def test_what_has_no_volume_says_so():
    assert [bar.volume for bar in charts.long_bars(DAYS, ChartInterval.DAY, has_volume=False)] == [
        None
    ] * 4


def test_short_bars_hold_what_was_quoted_and_nothing_between():
    at = [START + timedelta(seconds=seconds) for seconds in (3, 5, 7.5, 9.9, 21)]
    prices = [Decimal(value) for value in ("99", "100", "104", "101", "90")]
    first, second = charts.short_bars(list(zip(at, prices, strict=True)))
    assert first.time == START + timedelta(seconds=5)
    assert (first.open, first.high, first.low, first.close) == (100, 104, 100, 101)
    assert second.time == START + timedelta(seconds=20)  # ten seconds of silence have no bar
    assert (second.open, second.close, second.volume) == (90, 90, None)


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [("1200", "1250.1", "4.18"), ("8", "7", "-12.50"), ("3", "3", "0.00"),
     ("1000", "1000.25", "0.02"), ("0", "1", None), ("-5", "1", None)],
)  # fmt: skip
def test_percent_of_change(before, after, shown):
    found = percent_change(Decimal(before), Decimal(after))
    assert (None if found is None else str(found)) == shown


@pytest.mark.parametrize(
    "numbers",
    [("10", "12", "9", "11"), ("10", "10", "8", "8"), ("10", "13", "10", "13"), ("10",) * 4],
)
def test_the_day_so_far_is_what_the_path_has_shown(numbers):
    bar = BarValue(START, *(Decimal(value) for value in numbers), Decimal(1))
    shown: list[Decimal] = []
    for step in range(121):
        part = Fraction(step, 120)
        shown.append(price_at(bar, tick_size=CENT, part=part))
        assert day_so_far(bar, tick_size=CENT, part=part) == (shown[0], max(shown), min(shown))


# --- with rows


@pytest.fixture
def clock(reference_data) -> ReplayClock:
    """A replay that starts at START with 60 seconds per day."""
    ReplayClock.objects.all().delete()
    ReplayPace.objects.all().delete()
    return services.replay_clock(now=START)


def days_at(*seconds: float) -> list[tuple[int, date] | None]:
    found = selectors.history_days(REPLAY_FEED, [START + timedelta(seconds=s) for s in seconds])
    return [None if one is None else (one.lap, one.day) for one in found]


def test_an_instant_is_the_day_that_was_replayed_then(clock):
    assert days_at(0, 59.9, 60, 150) == [
        (0, date(2004, 1, 2)), (0, date(2004, 1, 2)), (0, date(2004, 1, 5)), (0, date(2004, 1, 6)),
    ]  # fmt: skip
    lap = 60 * selectors.replay_sessions(clock).count()
    assert days_at(lap - 1, lap) == [(0, date(2018, 12, 31)), (1, date(2004, 1, 2))]


def test_another_speed_does_not_move_the_past(clock, settings):
    before = days_at(0, 61, 119)
    settings.OMS_REPLAY_SECONDS_PER_DAY = 600
    services.replay_clock(now=START + timedelta(seconds=120))
    services.replay_clock(now=START + timedelta(seconds=130))
    assert days_at(0, 61, 119) == before
    assert days_at(120, 719, 720) == [
        (0, date(2004, 1, 6)), (0, date(2004, 1, 6)), (0, date(2004, 1, 7)),
    ]  # fmt: skip
    assert ReplayPace.objects.count() == 2


def test_what_was_before_the_clock_was_noted_is_unknown(clock):
    assert days_at(-1) == [None]
    ReplayPace.objects.all().delete()
    assert days_at(30) == [None]


def test_quotes_compare_with_the_close_of_the_session_before(clock):
    script = load_script(START)
    first = {quote.symbol: quote for quote in script.quotes_at(START)}["SPX"]
    assert first.prev_close == Decimal("1111.92")  # of 2003-12-31
    second = {q.symbol: q for q in script.quotes_at(START + timedelta(seconds=96))}["SPX"]
    assert second.prev_close == Decimal("1108.48")  # of 2004-01-02
    bar = script.bars[date(2004, 1, 5)]["SPX"]
    assert (second.high, second.low) == (bar.high, bar.low)
    assert quotes.parse_quote(_wire(second)) == second


def _wire(quote: Quote) -> str:
    return json.dumps(quotes.quote_json(quote))


def test_no_bar_of_any_length_holds_the_day_being_replayed(clock):
    spx = Instrument.objects.get(symbol="SPX")
    now = START + timedelta(seconds=150)  # 2004-01-06 is being replayed
    known = {
        interval: charts.bars(spx, interval, now, count=40)
        for interval in (ChartInterval.DAY, ChartInterval.WEEK, ChartInterval.MONTH)
    }
    assert known[ChartInterval.DAY][-1].time == date(2004, 1, 5)
    week = known[ChartInterval.WEEK][-1]
    assert (week.time, week.close) == (date(2004, 1, 5), known[ChartInterval.DAY][-1].close)
    assert known[ChartInterval.MONTH][-1].time == date(2004, 1, 1)
    assert all(len(found) == 40 for found in known.values())
    for found in known.values():
        assert all(bar.change_pct is not None for bar in found)


def test_the_first_of_several_long_bars_is_whole(clock):
    spx = Instrument.objects.get(symbol="SPX")
    weeks = charts.bars(spx, ChartInterval.WEEK, START, count=5)
    days = charts.bars(spx, ChartInterval.DAY, START, count=60)
    assert len(weeks) == 5
    for week in weeks:
        mine = [bar for bar in days if charts.bucket_of(bar.time, ChartInterval.WEEK) == week.time]
        assert week.open == mine[0].open
        assert week.high == max(bar.high for bar in mine)


def test_recorded_quotes_become_short_bars(clock, valkey, settings):
    settings.REDIS_URL = valkey.url
    client = redis.Redis.from_url(valkey.url)
    script = load_script(START)
    for half in range(40):
        quotes.write(client, script.quotes_at(START + timedelta(seconds=half / 2)))
    client.xadd(quotes.STREAM, {quotes.FIELD: '"symbol":"SPX" rubbish'})
    spx = Instrument.objects.get(symbol="SPX")
    found = charts.bars(spx, ChartInterval.SECONDS, START, count=100)
    assert [bar.time for bar in found] == [START + timedelta(seconds=s) for s in (5, 10, 15)]
    assert quotes.recorded("SP") == []
    valkey.kill()
    assert charts.bars(spx, ChartInterval.SECONDS, START, count=100) == []


# --- watchlists


@pytest.fixture
def member(_desk, db) -> int:
    user = create_user(email="watcher@prices-desk.test", password=None)
    return add_member(user=user, tenant=_desk, role=Role.VIEWER).pk


def symbols(membership_id: int) -> list[str]:
    return [one.symbol for one in selectors.watched(membership_id)]


def test_a_list_starts_with_what_can_be_traded_and_is_then_ones_own(reference_data, member):
    assert symbols(member) == ["IXIC", "SPX"]
    services.watch(membership_id=member, symbol="WTI")
    services.watch(membership_id=member, symbol="WTI")
    assert symbols(member) == ["IXIC", "SPX", "WTI"]
    services.move_watched(membership_id=member, symbol="WTI", places=-1)
    services.move_watched(membership_id=member, symbol="IXIC", places=-1)
    assert symbols(member) == ["IXIC", "WTI", "SPX"]
    for symbol in ("IXIC", "WTI", "SPX", "SPX"):
        services.unwatch(membership_id=member, symbol=symbol)
    assert symbols(member) == []


def test_only_what_exists_is_watched(reference_data, member, monkeypatch):
    with pytest.raises(NotFound):
        services.watch(membership_id=member, symbol="NOPE")
    with pytest.raises(NotFound):
        services.move_watched(membership_id=member, symbol="VIX", places=1)
    monkeypatch.setattr(services, "MOST_WATCHED", 2)
    with pytest.raises(services.WatchlistFull, match="at most 2"):
        services.watch(membership_id=member, symbol="VIX")
    assert symbols(member) == ["IXIC", "SPX"]
