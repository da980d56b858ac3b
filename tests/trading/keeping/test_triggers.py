"""What prices do to orders kept here: stops, if-touched orders, trails by price and percent."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.keeping import triggers
from trading.keeping.triggers import (
    Fired,
    Kept,
    Moved,
    following,
    from_anchor,
    judge,
    reference_px,
)
from trading.market import Quote
from trading.vocabulary import OrdType, Side, TrailType, TriggerPriceType

T = OrdType


def dec(text) -> Decimal:
    return Decimal(str(text))


def waiting(side=Side.SELL, ord_type=T.STOP, **prices) -> Kept:
    numbers = {
        name: dec(value) if isinstance(value, int | float | str) and name.endswith(("px", "offset"))
        else value
        for name, value in prices.items()
    }  # fmt: skip
    if "price" in numbers:
        numbers["price"] = dec(numbers["price"])
    return Kept(side, ord_type, dec("0.01"), **numbers)


def trail(side=Side.SELL, ord_type=T.TRAILING_STOP, offset=5, kind=TrailType.PRICE, **more) -> Kept:
    return waiting(side, ord_type, trail_offset=offset, trail_type=kind, **more)


def walk(order: Kept, *path) -> tuple[list, Kept]:
    """The stop after each price, FIRED at the end of a walk that fires."""
    stops = []
    for price in path:
        verdict = judge(order, dec(price))
        if isinstance(verdict, Fired):
            return [*stops, "FIRED"], order
        if isinstance(verdict, Moved):
            order = following(order, verdict)
        stops.append(order.stop_px)
    return stops, order


@pytest.mark.parametrize(
    ("side", "ord_type", "fires", "waits"),
    [
        (Side.SELL, T.STOP, ("95", "94.99", "90"), "95.01"),
        (Side.BUY, T.STOP, ("95", "95.01", "100"), "94.99"),
        (Side.SELL, T.MARKET_IF_TOUCHED, ("95", "96"), "94.99"),
        (Side.BUY, T.MARKET_IF_TOUCHED, ("95", "94"), "95.01"),
        (Side.SELL_SHORT, T.STOP, ("95",), "95.01"),
    ],
)
def test_equality_and_beyond_fires_and_one_tick_before_does_not(side, ord_type, fires, waits):
    order = waiting(side, ord_type, stop_px=95)
    assert judge(order, dec(waits)) is None
    for price in fires:
        assert judge(order, dec(price)) == Fired(dec(95), None, None)


def test_a_price_between_two_ticks_fires_nothing_early():
    assert judge(waiting(stop_px=95), dec("95.004")) is None
    assert judge(waiting(Side.BUY, stop_px=95), dec("94.996")) is None
    assert isinstance(judge(waiting(stop_px=95), dec("94.996")), Fired)


def test_a_stop_limit_fires_at_its_own_limit_however_far_the_price_has_gone():
    order = waiting(ord_type=T.STOP_LIMIT, stop_px=95, price=94)
    assert judge(order, dec(90)) == Fired(dec(95), dec(94), None)


def test_a_percent_trail_follows_up_and_never_down():
    order = trail(offset=5, kind=TrailType.PERCENT)
    stops, _ = walk(order, 100, 120, 118, 114)
    assert stops == [dec(95), dec(114), dec(114), "FIRED"]


def test_a_trail_of_a_purchase_is_the_mirror():
    stops, _ = walk(trail(Side.BUY), 100, 80, 83, 85)
    assert stops == [dec(105), dec(85), dec(85), "FIRED"]


def test_before_its_activation_a_trail_has_no_stop_and_anchors_at_what_activated_it():
    order = trail(activation_px=110)
    assert judge(order, dec(100)) is None
    assert judge(order, dec(90)) is None
    assert judge(order, dec(111)) == Moved(anchor_px=dec(111), stop_px=dec(106))


def test_a_first_stop_stands_until_the_trail_overtakes_it():
    stops, _ = walk(trail(stop_px=97), 100, 101, 103, 98)
    assert stops == [dec(97), dec(97), dec(98), "FIRED"]


def test_derived_stops_are_rounded_away_from_the_market():
    sale, _ = walk(trail(offset="0.33", kind=TrailType.PERCENT), "10.01")
    purchase, _ = walk(trail(Side.BUY, offset="0.33", kind=TrailType.PERCENT), "10.01")
    assert (sale, purchase) == ([dec("9.97")], [dec("10.05")])


def test_a_trail_that_fires_is_a_limit_behind_its_stop():
    order = trail(ord_type=T.TRAILING_STOP_LIMIT, limit_offset=2, anchor_px=120, stop_px=115)
    assert judge(order, dec(114)) == Fired(dec(115), dec(113), dec(120))
    bought = trail(Side.BUY, T.TRAILING_STOP_LIMIT, limit_offset=0, anchor_px=80, stop_px=85)
    assert judge(bought, dec(86)) == Fired(dec(85), dec(85), dec(80))


def test_a_resumed_trail_keeps_its_stop_whatever_the_first_price_is():
    order = trail(anchor_px=120, stop_px=115)
    assert judge(order, dec(118)) is None
    assert judge(order, dec(121)) == Moved(dec(121), dec(116))


def test_a_better_anchor_counts_with_its_stop_and_a_worse_one_does_not():
    order = trail(anchor_px=120, stop_px=115)
    better = from_anchor(order, dec(125))
    assert (better.anchor_px, better.stop_px) == (dec(125), dec(120))
    assert isinstance(judge(better, dec(119)), Fired)
    assert from_anchor(order, dec(117)) == from_anchor(order, dec(110)) == order
    assert from_anchor(order, None) == order
    assert from_anchor(trail(anchor_px=120), None).stop_px == dec(115)
    bought = from_anchor(trail(Side.BUY, anchor_px=80, stop_px=85), dec(75))
    assert (bought.anchor_px, bought.stop_px) == (dec(75), dec(80))
    assert from_anchor(waiting(stop_px=95), dec(75)) == waiting(stop_px=95)


def test_the_reference_is_the_price_the_order_names():
    quote = Quote(
        "SPX", dec("99.99"), dec("100.02"), dec("99.5"), dec(1), dec(1),
        datetime(2026, 3, 2, tzinfo=UTC), "test", True,
    )  # fmt: skip
    wants = {
        (TriggerPriceType.LAST, Side.SELL): dec("99.5"),
        (TriggerPriceType.BID_ASK, Side.SELL): dec("99.99"),
        (TriggerPriceType.BID_ASK, Side.BUY): dec("100.02"),
        (TriggerPriceType.MID, Side.SELL): dec("100.005"),
        (TriggerPriceType.MARK, Side.SELL): None,
    }
    for (word, side), price in wants.items():
        order = replace(waiting(side, stop_px=95), trigger_price_type=word)
        assert reference_px(order, quote) == price


@given(
    side=st.sampled_from([Side.BUY, Side.SELL]),
    kind=st.sampled_from(list(TrailType)),
    offset=st.integers(1, 2000).map(lambda n: Decimal(n) / 100),
    path=st.lists(st.integers(5_000, 15_000).map(lambda n: Decimal(n) / 100), min_size=1),
    cut=st.integers(0, 20),
)
def test_a_trail_never_moves_back_and_resumes_as_if_it_had_never_stopped(
    side, kind, offset, path, cut
):
    order = trail(side, offset=offset, kind=kind)
    whole, _ = walk(order, *path)
    before = [stop for stop in whole if stop != "FIRED"]
    assert before == sorted(before, reverse=side is Side.BUY)
    head, resumed = walk(order, *path[:cut])
    if "FIRED" not in head:
        assert [*head, *walk(resumed, *path[cut:])[0]] == whole


@given(
    side=st.sampled_from([Side.BUY, Side.SELL]),
    kind=st.sampled_from([T.STOP, T.MARKET_IF_TOUCHED, T.TRAILING_STOP]),
    stop=st.none() | st.integers(90, 110).map(Decimal),
    anchor=st.none() | st.integers(90, 110).map(Decimal),
    activation=st.none() | st.integers(90, 110).map(Decimal),
    offset=st.integers(1, 10).map(Decimal),
    price=st.integers(8_900, 11_100).map(lambda n: Decimal(n) / 100),
)
def test_what_reaches_nothing_is_told_apart_without_working_it_out(
    side, kind, stop, anchor, activation, offset, price
):
    if kind is T.TRAILING_STOP:
        order = Kept(
            side, kind, Decimal(1), stop, trail_offset=offset, trail_type=TrailType.PRICE,
            anchor_px=anchor, activation_px=activation,
        )  # fmt: skip
        settled = judge(order, anchor) if anchor is not None else None
        order = following(order, settled) if isinstance(settled, Moved) else order
    else:
        order = Kept(side, kind, Decimal(1), stop or Decimal(100))
    quick = judge(order, price)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(triggers, "_is_between", lambda *_: False)
        assert judge(order, price) == quick
