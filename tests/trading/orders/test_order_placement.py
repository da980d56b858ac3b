"""How orders reach venues that take less than they say: whole, or with parts kept here."""

import pytest

from trading.orders.placement import Placement, placement
from trading.vocabulary import OrdType, TimeInForce

T, F = OrdType, TimeInForce
PLAIN = {T.MARKET: {F.DAY, F.IOC, F.FOK}, T.LIMIT: {F.DAY, F.GTC, F.IOC, F.FOK}}


def at(venue, ord_type, time_in_force):
    return placement(ord_type, time_in_force, lambda t, f: f in venue.get(t, set()))


def test_what_the_venue_takes_is_the_venues():
    able = PLAIN | {T.STOP: {F.GTC}, T.LIMIT: {F.GTD}}
    for ord_type, word in ((T.STOP, F.GTC), (T.LIMIT, F.GTD), (T.MARKET, F.FOK)):
        assert at(able, ord_type, word) == Placement(ord_type, word)
        assert at(able, ord_type, word).synthetic_parts == ()


@pytest.mark.parametrize(
    "ord_type", [T.STOP, T.MARKET_IF_TOUCHED, T.TRAILING_STOP], ids=lambda word: word.value
)
@pytest.mark.parametrize("word", [F.DAY, F.GTC, F.GTD])
def test_a_stop_no_venue_keeps_becomes_a_market_order_of_the_day(ord_type, word):
    placed = at(PLAIN, ord_type, word)
    assert placed == Placement(T.MARKET, F.DAY, keeps_trigger=True)
    assert placed.synthetic_parts == ("trigger",)


@pytest.mark.parametrize(
    "ord_type",
    [T.STOP_LIMIT, T.LIMIT_IF_TOUCHED, T.TRAILING_STOP_LIMIT],
    ids=lambda word: word.value,
)
@pytest.mark.parametrize("word", [F.DAY, F.GTC, F.IOC, F.FOK])
def test_a_stop_limit_no_venue_keeps_becomes_a_limit_that_lives_as_long(ord_type, word):
    assert at(PLAIN, ord_type, word) == Placement(T.LIMIT, word, keeps_trigger=True)


def test_the_end_of_a_good_till_date_order_is_kept_here_where_the_venue_cannot():
    assert at(PLAIN, T.LIMIT, F.GTD) == Placement(T.LIMIT, F.GTC, keeps_end=True)
    both = at(PLAIN, T.STOP_LIMIT, F.GTD)
    assert both.synthetic_parts == ("trigger", "expire_time")
    assert at(PLAIN | {T.STOP: {F.GTC}}, T.STOP, F.GTD).synthetic_parts == ("expire_time",)


def test_a_market_order_after_the_trigger_is_immediate_where_the_venue_has_no_day():
    assert at({T.MARKET: {F.IOC}}, T.STOP, F.GTC).time_in_force is F.IOC


@pytest.mark.parametrize(
    ("venue", "ord_type", "word"),
    [
        (PLAIN, T.PEGGED, F.DAY),
        (PLAIN, T.MARKET_TO_LIMIT, F.DAY),
        (PLAIN, T.LIMIT, F.OPG),
        ({T.LIMIT: {F.GTC}}, T.STOP, F.GTC),
        ({T.LIMIT: {F.GTC}}, T.STOP_LIMIT, F.FOK),
        ({T.MARKET: {F.FOK}}, T.STOP, F.GTC),
    ],
)
def test_what_nobody_can_keep_is_not_placed(venue, ord_type, word):
    assert at(venue, ord_type, word) is None
