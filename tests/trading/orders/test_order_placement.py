"""How orders reach venues that take less than they say: whole, or with parts kept here."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from brokers.adapters.capabilities import Capabilities
from trading.orders.intent import OrderIntent
from trading.orders.placement import Placement, place, placement
from trading.vocabulary import OrdType, Side, TimeInForce, TrailType, TriggerPriceType

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


# --- a whole order --------------------------------------------------------------------------------


def venue(takes, **more):
    return Capabilities(
        time_in_force={t: frozenset(words) for t, words in takes.items()},
        source="a test",
        as_of="2026-11-21",
        **more,
    )


PLAIN_VENUE = venue(PLAIN)
ABLE = venue(
    PLAIN | {T.STOP: {F.GTC}, T.TRAILING_STOP: {F.GTC}},
    exec_inst=frozenset({"REDUCE_ONLY"}),
    trail_types=frozenset({TrailType.PRICE}),
    display_qty=True,
)


def an(ord_type, time_in_force=F.GTC, **more):
    basic = {"account": "main", "symbol": "SPX", "side": Side.SELL, "order_qty": Decimal(10)}
    return OrderIntent(ord_type=ord_type, time_in_force=time_in_force, **basic, **more)


def test_a_stop_goes_to_the_venue_that_keeps_stops_and_is_kept_here_for_the_other():
    stop = an(T.STOP, stop_px=Decimal(95))
    assert place(stop, ABLE) == Placement(T.STOP, F.GTC)
    kept = place(stop, PLAIN_VENUE)
    assert kept == Placement(T.MARKET, F.DAY, keeps_trigger=True)
    told = kept.told(stop)
    assert (told.ord_type, told.time_in_force, told.stop_px) == (T.MARKET, F.DAY, None)


def test_a_trail_the_venue_measures_otherwise_is_kept_here():
    trail = an(T.TRAILING_STOP, trail_offset=Decimal(5), trail_type=TrailType.PRICE)
    assert not place(trail, ABLE).keeps_trigger
    assert place(replace(trail, trail_type=TrailType.PERCENT), ABLE).keeps_trigger


def test_the_venue_is_told_no_end_it_cannot_keep():
    until = an(T.LIMIT, F.GTD, price=Decimal(99), expire_time=datetime(2026, 6, 1, tzinfo=UTC))
    placed = place(until, ABLE)
    assert placed.synthetic_parts == ("expire_time",)
    told = placed.told(until)
    assert (told.time_in_force, told.expire_time) == (F.GTC, None)


def test_what_only_reduces_is_watched_here_where_the_venue_does_not():
    reducing = an(T.LIMIT, price=Decimal(99), exec_inst=("REDUCE_ONLY",))
    assert place(reducing, ABLE).synthetic_parts == ()
    placed = place(reducing, PLAIN_VENUE)
    assert placed.synthetic_parts == ("reduce_only",)
    assert placed.told(reducing).exec_inst == ()


def test_a_protected_market_order_is_sent_as_a_limit_that_does_not_wait():
    for word, sent in ((F.DAY, F.IOC), (F.IOC, F.IOC), (F.FOK, F.FOK)):
        placed = place(an(T.MARKET, word, max_slippage_bps=Decimal(20)), ABLE)
        assert placed == Placement(T.LIMIT, sent, protects=True)
    alone = venue({T.MARKET: {F.DAY}})
    assert not place(an(T.MARKET, F.DAY, max_slippage_bps=Decimal(20)), alone).protects


@pytest.mark.parametrize(
    ("intent", "fields"),
    [
        (an(T.PEGGED, F.DAY), ("ord_type",)),
        (an(T.LIMIT, F.OPG), ("time_in_force",)),
        (an(T.LIMIT, exec_inst=("POST_ONLY",)), ("exec_inst",)),
        (an(T.LIMIT, display_qty=Decimal(1)), ("display_qty",)),
        (an(T.LIMIT, F.IOC, min_qty=Decimal(1)), ("min_qty",)),
        (an(T.LIMIT, extended_hours=True), ("extended_hours",)),
        (an(T.STOP, allow_synthetic=False), ("ord_type",)),
        (an(T.LIMIT, F.GTD, allow_synthetic=False), ("time_in_force",)),
        (an(T.LIMIT, exec_inst=("REDUCE_ONLY",), allow_synthetic=False), ("exec_inst",)),
        (an(T.STOP, trigger_price_type=TriggerPriceType.MARK), ("trigger_price_type",)),
        (an(T.STOP, max_slippage_bps=Decimal(20)), ("max_slippage_bps",)),
    ],
    ids=lambda value: value.ord_type.value if isinstance(value, OrderIntent) else value[0],
)
def test_what_stands_against_an_order_is_named(intent, fields):
    assert place(intent, PLAIN_VENUE) == fields
