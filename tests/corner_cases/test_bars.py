"""What a bar of prices does to orders in a backtest."""

from dataclasses import replace

import pytest

from tests.trading.matching.floor_talk import buy, sell, trades
from trading.matching import Cancel, EngineState, Policy, Trigger
from trading.matching.bars import Bar, BarRules, play_bar
from trading.vocabulary import ExecType, TimeInForce

GTC = TimeInForce.GTC
DAY_BEFORE = Bar(1, 9, 10_000, 10_000, 10_000, 10_000, 0)
BRACKET = (
    sell("stop", 5, tif=GTC, trigger=Trigger(stop_px=9_500)),
    sell("target", 5, 11_000, tif=GTC),
)


def waiting(*orders):
    """An engine in which these orders came with the close of the day before."""
    state = EngineState(policy=Policy(volume_cap_bp=10_000, market_rest_waits=True))
    return play_bar(state, DAY_BEFORE, at_close=[replace(one, at=10) for one in orders]).state


def one_cancels_the_other(reports):
    other = {"stop": "target", "target": "stop"}
    return [
        Cancel(report.at, other[report.order_id], "oco")
        for report in reports
        if report.exec_type is ExecType.TRADE and report.order_id in other
    ]


@pytest.mark.parametrize("close", [9_600, 10_900])
def test_row_90_of_a_stop_and_a_target_inside_one_bar_the_stop_counts_and_the_bar_is_ambiguous(
    close,
):
    both = Bar(11, 19, 10_000, 11_200, 9_400, close, 1_000)
    outcome = play_bar(waiting(*BRACKET), both, react=one_cancels_the_other)
    assert trades(outcome.reports) == [("stop", 5, 9_500)]
    assert outcome.is_ambiguous
    assert outcome.state.orders == ()
    target_only = Bar(11, 19, 10_000, 11_200, 9_600, close, 1_000)
    outcome = play_bar(waiting(*BRACKET), target_only, react=one_cancels_the_other)
    assert trades(outcome.reports) == [("target", 5, 11_000)]
    assert not outcome.is_ambiguous


def test_row_91_a_low_equal_to_the_buy_limit_fills_only_where_a_touch_is_enough():
    held = waiting(buy("b", 5, 9_500, tif=GTC))
    touched = Bar(11, 19, 10_000, 10_100, 9_500, 9_900, 1_000)
    assert trades(play_bar(held, touched).reports) == []
    enough = BarRules(touch_fills=True)
    assert trades(play_bar(held, touched, rules=enough).reports) == [("b", 5, 9_500)]
    through = replace(touched, low=9_499)
    assert trades(play_bar(held, through).reports) == [("b", 5, 9_500)]
