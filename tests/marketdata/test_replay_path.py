"""The path of a replayed day: open, high, low, close, on the tick, the same every time."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketdata.path import instant_within, moment_at, price_at, quote_at, size_at
from trading.market import Bar

CENT = Decimal("0.01")
OPEN_AT = datetime(2008, 9, 15, 13, 30, tzinfo=UTC)
CLOSE_AT = datetime(2008, 9, 15, 20, 0, tzinfo=UTC)


def bar(o="1250.92", h="1250.92", low="1192.70", c="1192.70", volume="8279510000") -> Bar:
    return Bar(OPEN_AT, Decimal(o), Decimal(h), Decimal(low), Decimal(c), Decimal(volume))


@pytest.mark.parametrize(
    ("part", "price"),
    [
        (Fraction(0), "100"),
        (Fraction(3, 20), "105"),
        (Fraction(3, 10), "110"),
        (Fraction(45, 100), "100"),
        (Fraction(6, 10), "90"),
        (Fraction(75, 100), "92.5"),
        (Fraction(9, 10), "95"),
        (Fraction(99, 100), "95"),
        (Fraction(1), "95"),
    ],
)
def test_the_price_goes_open_high_low_close_and_stays_at_the_close(part, price):
    day = bar("100", "110", "90", "95")
    assert price_at(day, tick_size=CENT, part=part) == Decimal(price)


def test_a_part_beyond_the_day_is_refused():
    with pytest.raises(ValueError, match="beyond the day"):
        price_at(bar(), tick_size=CENT, part=Fraction(11, 10))


@given(
    st.lists(st.integers(1, 10**7), min_size=4, max_size=4),
    st.fractions(0, 1),
    st.sampled_from([CENT, Decimal("0.25"), Decimal("0.001")]),
)
def test_every_price_is_on_the_tick_and_within_the_day(ticks, part, tick):
    low, first, second, high = (t * tick for t in sorted(ticks))
    day = Bar(OPEN_AT, first, high, low, second, Decimal(0))
    price = price_at(day, tick_size=tick, part=part)
    assert low <= price <= high
    assert price % tick == 0
    assert price == price_at(day, tick_size=tick, part=part)


@pytest.mark.parametrize(
    ("volume", "size"),
    [("0", 100), ("999999999", 100), ("1010000000", 101), ("8279510000", 827)],
)
def test_sizes_come_from_the_volume_and_are_at_least_100(volume, size):
    assert size_at(bar(volume=volume)) == size


def test_a_quote_is_one_tick_wide_and_says_that_it_is_simulated():
    now = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
    quote = quote_at(
        symbol="SPX", bar=bar(), tick_size=CENT, part=Fraction(0), at=now, history_at=OPEN_AT
    )
    assert (quote.bid, quote.ask, quote.last) == (
        Decimal("1250.92"),
        Decimal("1250.93"),
        Decimal("1250.92"),
    )
    assert quote.bid_size == quote.ask_size == 827
    assert (quote.at, quote.history_at) == (now, OPEN_AT)
    assert quote.simulated
    assert quote.feed == "HISTORICAL REPLAY"


@pytest.mark.parametrize(
    ("seconds", "lap", "session", "part"),
    [
        (0, 0, 0, Fraction(0)),
        (45, 0, 0, Fraction(3, 4)),
        (60, 0, 1, Fraction(0)),
        (179, 0, 2, Fraction(59, 60)),
        (180, 1, 0, Fraction(0)),
        (180 * 7 + 61, 7, 1, Fraction(1, 60)),
        (-5, 0, 0, Fraction(0)),
    ],
)
def test_history_starts_over_after_its_last_session(seconds, lap, session, part):
    moment = moment_at(timedelta(seconds=seconds), seconds_per_day=60, sessions=3)
    assert (moment.lap, moment.session, moment.part) == (lap, session, part)


def test_the_past_runs_from_the_open_to_the_close():
    assert instant_within(OPEN_AT, CLOSE_AT, Fraction(0)) == OPEN_AT
    assert instant_within(OPEN_AT, CLOSE_AT, Fraction(1, 2)) == OPEN_AT + timedelta(hours=3.25)
    assert instant_within(OPEN_AT, CLOSE_AT, Fraction(1)) == CLOSE_AT
