"""Where the replay stands follows from the wall clock and one row; nobody sees beyond it."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from marketdata import selectors
from marketdata.models import Instrument, ReplayClock
from marketdata.path import REPLAY_FEED
from marketdata.replay import NothingToReplayError, load_script
from marketdata.services import replay_clock

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
pytestmark = pytest.mark.usefixtures("reference_data")


@pytest.fixture
def clock() -> ReplayClock:
    """A clock that starts at START with 60 seconds per day."""
    ReplayClock.objects.all().delete()
    return replay_clock(now=START)


def test_it_begins_at_the_open_of_the_first_session(clock):
    position = selectors.replay_position(REPLAY_FEED, START)
    assert position.history_at == datetime(2004, 1, 2, 14, 30, tzinfo=UTC)


def test_two_and_a_half_days_later_it_is_noon_of_the_third_session(clock):
    position = selectors.replay_position(REPLAY_FEED, START + timedelta(seconds=150))
    assert position.session.day == date(2004, 1, 6)  # a weekend lies between
    assert position.history_at == datetime(2004, 1, 6, 17, 45, tzinfo=UTC)


def test_after_the_last_session_history_starts_over(clock):
    sessions = selectors.replay_sessions(clock).count()
    last = selectors.replay_position(REPLAY_FEED, START + timedelta(seconds=60 * sessions - 1))
    again = selectors.replay_position(REPLAY_FEED, START + timedelta(seconds=60 * sessions))
    assert (last.session.day, last.lap) == (date(2018, 12, 31), 0)
    assert (again.session.day, again.lap) == (date(2004, 1, 2), 1)


def test_another_speed_keeps_the_moment(clock, settings):
    now = START + timedelta(seconds=90)
    before = selectors.replay_position(REPLAY_FEED, now)
    settings.OMS_REPLAY_SECONDS_PER_DAY = 600
    changed = replay_clock(now=now)
    after = selectors.replay_position(REPLAY_FEED, now)
    assert changed.seconds_per_day == 600
    assert after.history_at == before.history_at
    later = selectors.replay_position(REPLAY_FEED, now + timedelta(seconds=300))
    assert later.session.day == date(2004, 1, 6)


def test_quotes_follow_the_days_bar(clock):
    script = load_script(START)
    at_open = {quote.symbol: quote for quote in script.quotes_at(START)}
    assert sorted(at_open) == ["IXIC", "SPX"]
    assert at_open["SPX"].bid == Decimal("1111.92")  # the open of 2004-01-02
    at_high = {q.symbol: q for q in script.quotes_at(START + timedelta(seconds=18))}
    at_low = {q.symbol: q for q in script.quotes_at(START + timedelta(seconds=36))}
    at_close = {q.symbol: q for q in script.quotes_at(START + timedelta(seconds=59.5))}
    assert at_high["SPX"].last == Decimal("1118.85")
    assert at_low["SPX"].last == Decimal("1105.08")
    assert at_close["SPX"].last == Decimal("1108.48")


def test_two_processes_see_the_same_price_within_a_half_second(clock):
    script = load_script(START)
    one = script.quotes_at(START + timedelta(seconds=7.501))
    other = script.quotes_at(START + timedelta(seconds=7.999))
    assert [q.bid for q in one] == [q.bid for q in other]
    assert [q.history_at for q in one] == [q.history_at for q in other]
    assert one[0].at != other[0].at


def test_every_session_of_the_lap_has_quotes(clock):
    script = load_script(START)
    assert all(set(script.bars[day]) == {"SPX", "IXIC"} for day, _, _ in script.sessions)


def test_without_rows_there_is_nothing_to_replay():
    Instrument.objects.filter(symbol__in=["SPX", "IXIC"]).update(tradable=False)
    with pytest.raises(NothingToReplayError):
        load_script(START)


def test_bars_of_a_replayed_instrument_end_before_the_day_shown(clock):
    spx = Instrument.objects.get(symbol="SPX")
    known = selectors.known_bars(spx, "1d", START + timedelta(seconds=150)).order_by("at")
    assert known.last().at.date() == date(2004, 1, 5)
    assert known.first().at.date() == date(1999, 1, 4)


def test_bars_of_a_reference_chart_are_whole(clock):
    vix = Instrument.objects.get(symbol="VIX")
    assert selectors.known_bars(vix, "1d", START).order_by("at").last().at.year == 2019


def test_without_a_clock_no_bar_is_known():
    ReplayClock.objects.all().delete()
    spx = Instrument.objects.get(symbol="SPX")
    assert not selectors.known_bars(spx, "1d", START).exists()
