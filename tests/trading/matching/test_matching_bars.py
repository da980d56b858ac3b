"""What a bar does to orders: both orders of its extremes are played, the worse one counts."""

from dataclasses import replace

import hypothesis.strategies as st
import pytest
from hypothesis import given

from tests.trading.matching.floor_talk import buy, sell, told, trades
from trading.matching import Cancel, Engine, EngineState, Policy, Trail, Trigger
from trading.matching.bars import Bar, BarRules, Path, play_bar, play_path
from trading.vocabulary import ExecType, OrdStatus, Side, TimeInForce

GTC = TimeInForce.GTC
WHOLE = Policy(volume_cap_bp=10_000, market_rest_waits=True)
EMPTY = EngineState(policy=WHOLE)


def bar(open_, high, low, close, volume=1_000, at=10):
    return Bar(at, at + 9, open_, high, low, close, volume)


def working(*orders, policy=WHOLE):
    """An engine in which these orders came during the bar before."""
    return play_bar(
        EngineState(policy=policy), bar(100, 100, 100, 100, 0, at=1), at_close=_at(10, orders)
    ).state


def _at(at, orders):
    return [replace(order, at=at) for order in orders]


def test_a_market_order_trades_at_the_open_with_slippage():
    outcome = play_bar(EMPTY, bar(100, 110, 90, 105), at_open=_at(10, [buy("m", 5)]))
    assert trades(outcome.reports) == [("m", 5, 100)]
    slipped = play_bar(
        EMPTY,
        bar(100, 110, 90, 105),
        at_open=_at(10, [buy("m", 5), sell("n", 5)]),
        rules=BarRules(slippage=2),
    )
    assert trades(slipped.reports) == [("m", 5, 102), ("n", 5, 98)]


@pytest.mark.parametrize(
    ("low", "touch_fills", "fills"),
    [(95, False, []), (94, False, [("b", 5, 95)]), (95, True, [("b", 5, 95)])],
)
def test_a_limit_is_filled_where_the_price_goes_through_it(low, touch_fills, fills):
    outcome = play_bar(
        working(buy("b", 5, 95, tif=GTC)),
        bar(100, 110, low, 105),
        rules=BarRules(touch_fills=touch_fills),
    )
    assert trades(outcome.reports) == fills


def test_a_limit_the_open_is_already_better_than_trades_at_the_open():
    outcome = play_bar(working(buy("b", 5, 95, tif=GTC)), bar(90, 92, 89, 91))
    assert trades(outcome.reports) == [("b", 5, 90)]


def test_an_open_at_the_limit_is_a_touch_only():
    outcome = play_bar(working(buy("b", 5, 95, tif=GTC)), bar(95, 97, 95, 96))
    assert trades(outcome.reports) == []


def test_a_stop_fires_at_its_price_or_at_the_open_that_gapped_over_it():
    held = working(sell("s", 5, tif=GTC, trigger=Trigger(stop_px=95)))
    inside = play_bar(held, bar(100, 101, 90, 92), rules=BarRules(slippage=1))
    assert trades(inside.reports) == [("s", 5, 94)]
    gapped = play_bar(held, bar(80, 85, 78, 84))
    assert trades(gapped.reports) == [("s", 5, 80)]


def bracket_exits(reports):
    """Whichever exit trades takes the other one back."""
    other = {"stop": "target", "target": "stop"}
    return [
        Cancel(report.at, other[report.order_id], "oco")
        for report in reports
        if report.exec_type is ExecType.TRADE and report.order_id in other
    ]


def test_with_stop_and_target_inside_the_bar_the_stop_counts():
    held = working(
        sell("stop", 5, tif=GTC, trigger=Trigger(stop_px=95)), sell("target", 5, 110, tif=GTC)
    )
    outcome = play_bar(held, bar(100, 112, 94, 105), react=bracket_exits)
    assert trades(outcome.reports) == [("stop", 5, 95)]
    assert outcome.path is Path.LOW_FIRST
    assert outcome.is_ambiguous
    assert outcome.state.orders == ()


def test_exits_made_by_a_fill_act_on_the_rest_of_the_path_only():
    def protect(reports):
        return [
            sell("stop", 5, at=report.at, tif=GTC, trigger=Trigger(stop_px=101))
            for report in reports
            if report.order_id == "entry" and report.ord_status is OrdStatus.FILLED
        ]

    held = working(buy("entry", 5, tif=GTC, trigger=Trigger(stop_px=105)))
    outcome = play_bar(held, bar(100, 110, 99, 108), react=protect)
    # Low first: entered at 105 on the way up, and the low is over. High first: stopped on the
    # way down, which is worse.
    assert outcome.path is Path.HIGH_FIRST
    assert trades(outcome.reports) == [("entry", 5, 105), ("stop", 5, 101)]


def test_a_trail_is_worse_on_the_path_that_fires_it():
    held = working(sell("t", 5, tif=GTC, trigger=Trigger(trail=Trail(offset=5))))
    outcome = play_bar(held, bar(100, 110, 96, 109))
    assert outcome.is_ambiguous
    assert trades(outcome.reports) == [("t", 5, 105)]


def test_where_both_paths_leave_as_much_the_one_towards_the_close_is_taken():
    assert play_bar(EMPTY, bar(100, 110, 90, 105)).path is Path.LOW_FIRST
    assert play_bar(EMPTY, bar(100, 110, 90, 95)).path is Path.HIGH_FIRST
    assert not play_bar(EMPTY, bar(100, 110, 90, 95)).is_ambiguous


def test_the_volume_of_a_bar_is_shared_and_the_rest_works_on_in_the_next():
    state = EngineState(policy=Policy(volume_cap_bp=1_000, market_rest_waits=True))
    first = play_bar(state, bar(100, 110, 90, 105, 100), at_open=_at(10, [buy("m", 25)]))
    assert trades(first.reports) == [("m", 10, 100)]
    second = play_bar(first.state, bar(106, 107, 104, 105, 120, at=20))
    assert trades(second.reports) == [("m", 12, 106)]
    third = play_bar(second.state, bar(103, 107, 103, 105, 120, at=30))
    assert trades(third.reports) == [("m", 3, 103)]


def test_a_bar_without_volume_limits_nothing_and_says_so():
    outcome = play_bar(EMPTY, bar(100, 110, 90, 105, None), at_open=_at(10, [buy("m", 10**6)]))
    assert trades(outcome.reports) == [("m", 10**6, 100)]
    assert outcome.size_unknown


def test_commands_for_the_close_meet_the_closing_price():
    outcome = play_bar(EMPTY, bar(100, 110, 90, 105), at_close=_at(19, [sell("m", 5)]))
    assert told(outcome.reports)[-1] == ("m", ExecType.TRADE, 5, 105)


@pytest.mark.parametrize("wrong", [(100, 99, 90, 95), (100, 110, 101, 105)])
def test_a_bar_that_contradicts_itself_is_refused(wrong):
    with pytest.raises(ValueError, match="contradicts"):
        bar(*wrong)


prices = st.integers(90, 110)
resting = st.one_of(
    st.builds(buy, st.just(""), st.integers(1, 9), prices, tif=st.just(GTC)),
    st.builds(sell, st.just(""), st.integers(1, 9), prices, tif=st.just(GTC)),
    st.builds(
        sell,
        st.just(""),
        st.integers(1, 9),
        tif=st.just(GTC),
        trigger=st.builds(Trigger, stop_px=st.integers(85, 99)),
    ),
)


@st.composite
def bars(draw):
    figures = sorted(draw(st.lists(prices, min_size=4, max_size=4)))
    low, middle, other, high = figures
    first, last = draw(st.permutations([middle, other]))
    return (first, high, low, last, draw(st.none() | st.integers(0, 200)))


@given(st.lists(resting, max_size=5), st.lists(bars(), min_size=1, max_size=3))
def test_no_bar_fills_outside_its_range_against_a_limit_or_beyond_its_volume(drawn, figures):
    orders = [replace(order, order_id=f"o{turn}") for turn, order in enumerate(drawn)]
    state = working(*orders)
    limits = {order.order_id: order for order in orders}
    for turn, figure in enumerate(figures):
        one = bar(*figure, at=20 + turn * 20)
        outcome = play_bar(state, one)
        state = outcome.state
        filled = 0
        for report in outcome.reports:
            if report.exec_type is not ExecType.TRADE:
                continue
            filled += report.last_qty
            assert one.low <= report.last_px <= one.high or report.price is not None
            limit = limits[report.order_id].price
            if limit is not None:
                assert (limit - report.last_px) * limits[report.order_id].side.sign >= 0
        assert one.volume is None or filled <= one.volume


@given(st.lists(resting, max_size=5), bars())
def test_the_path_taken_is_never_the_better_one(drawn, figure):
    orders = [replace(order, order_id=f"o{turn}") for turn, order in enumerate(drawn)]
    state, one = working(*orders), bar(*figure, at=20)

    def equity(reports):
        return sum(
            (1 if r.side is Side.BUY else -1) * r.last_qty * (one.close - r.last_px)
            for r in reports
        )

    outcome = play_bar(state, one)
    assert play_bar(state, one) == outcome, "equal input, equal outcome"
    assert Engine.resume(outcome.state).dump() == outcome.state
    other = Path.LOW_FIRST if outcome.path is Path.HIGH_FIRST else Path.HIGH_FIRST
    _, reports = play_path(state, one, other)
    assert equity(outcome.reports) <= equity(reports)
