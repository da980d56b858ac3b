"""The matching rules one by one: who trades with what, at which price, and how orders end."""

import pytest

from tests.trading.matching.floor_talk import buy, engine, quote, sell, told, trades
from trading.matching import (
    BeyondTouch,
    Cancel,
    EndReason,
    Liquidity,
    NewOrder,
    Phase,
    QuoteTick,
    Replace,
    SessionPhase,
    TimeReversed,
    event_order,
    state_from_json,
    state_to_json,
)
from trading.vocabulary import CxlRejReason, ExecType, OrdStatus, OrdType, Side, TimeInForce

NEW, TRADE, CANCELED = ExecType.NEW, ExecType.TRADE, ExecType.CANCELED
REPLACED, EXPIRED, REJECTED = ExecType.REPLACED, ExecType.EXPIRED, ExecType.REJECTED
REFUSED = ExecType.REQUEST_REFUSED


def test_market_order_takes_the_displayed_size_then_one_tick_worse_per_further_size():
    reports = engine(quote(ask=101, ask_size=10)).apply(buy("m", 25))
    assert told(reports) == [
        ("m", NEW, 0, 0),
        ("m", TRADE, 10, 101),
        ("m", TRADE, 10, 102),
        ("m", TRADE, 5, 103),
    ]
    assert reports[-1].ord_status is OrdStatus.FILLED
    assert {r.liquidity for r in reports[1:]} == {Liquidity.TAKER}


def test_market_sale_walks_down():
    reports = engine(quote(bid=100, bid_size=4)).apply(sell("m", 6))
    assert trades(reports) == [("m", 4, 100), ("m", 2, 99)]


@pytest.mark.parametrize("tif", [TimeInForce.DAY, TimeInForce.IOC, TimeInForce.FOK])
def test_row_53_market_order_into_an_empty_side_is_rejected(tif):
    made = engine(quote(ask_size=0))
    reports = made.apply(buy("m", 1, tif=tif))
    assert [(r.exec_type, r.reason) for r in reports] == [(REJECTED, EndReason.NO_LIQUIDITY)]
    assert reports[0].leaves_qty == 0
    assert made.working == ()


def test_market_order_never_rests_even_as_day_order():
    made = engine(quote(ask_size=10), beyond_touch=BeyondTouch.STOP)
    reports = made.apply(buy("m", 25))
    assert trades(reports) == [("m", 10, 101)]
    assert (reports[-1].exec_type, reports[-1].reason) == (CANCELED, EndReason.NO_LIQUIDITY)
    assert made.working == ()


def test_reach_beyond_the_touch_is_bounded():
    reports = engine(quote(ask_size=1), max_levels=3).apply(buy("m", 10))
    assert trades(reports) == [("m", 1, 101), ("m", 1, 102), ("m", 1, 103)]


def test_bids_are_not_walked_below_the_lowest_price():
    reports = engine(quote(bid=2, ask=3, bid_size=1)).apply(sell("m", 10))
    assert trades(reports) == [("m", 1, 2), ("m", 1, 1)]


def test_marketable_limit_takes_up_to_its_price_then_rests():
    made = engine(quote(ask=101, ask_size=10))
    reports = made.apply(buy("l", 50, 102))
    assert trades(reports) == [("l", 10, 101), ("l", 10, 102)]
    assert made.find("l").leaves_qty == 30


def test_what_was_taken_stays_taken_until_the_market_shows_the_side_again():
    made = engine(quote(ask=101, ask_size=10))
    assert trades(made.apply(buy("a", 4, 101))) == [("a", 4, 101)]
    assert trades(made.apply(buy("b", 10, 101))) == [("b", 6, 101)]
    assert trades(made.apply(buy("c", 10, 101))) == []
    assert trades(made.apply(quote(ask=101, ask_size=10, at=2))) == [
        ("b", 4, 101),
        ("c", 6, 101),
    ]


def test_resting_order_is_filled_at_its_own_price_when_the_market_comes_through():
    made = engine(quote(), buy("l", 5, 99))
    reports = made.apply(quote(bid=96, ask=97, at=2))
    assert told(reports) == [("l", TRADE, 5, 99)]
    assert reports[0].liquidity is Liquidity.MAKER


def test_market_equal_to_the_limit_fills_and_one_tick_away_does_not():
    made = engine(quote(), buy("l", 5, 99))
    assert made.apply(quote(bid=98, ask=100, at=2)) == []
    assert trades(made.apply(quote(bid=97, ask=99, at=3))) == [("l", 5, 99)]


def test_better_price_first_then_earlier_time():
    made = engine(
        quote(),
        buy("late", 5, 98, at=2),
        buy("later", 5, 98, at=3, account="B"),
        buy("best", 5, 99, at=4),
    )
    reports = made.apply(quote(bid=90, ask=91, ask_size=8, at=5))
    assert trades(reports) == [("best", 5, 99), ("late", 3, 98)]
    assert trades(made.apply(quote(bid=90, ask=91, ask_size=8, at=6))) == [
        ("late", 2, 98),
        ("later", 5, 98),
    ]


def test_immediate_or_cancel_takes_what_is_there_and_ends():
    made = engine(quote(ask_size=10))
    reports = made.apply(buy("i", 15, 101, tif=TimeInForce.IOC))
    assert told(reports) == [("i", NEW, 0, 0), ("i", TRADE, 10, 101), ("i", CANCELED, 0, 0)]
    assert reports[-1].cum_qty == 10
    assert made.working == ()


def test_row_63_fill_or_kill_is_all_or_nothing():
    made = engine(quote(ask_size=10))
    reports = made.apply(buy("f", 11, 101, tif=TimeInForce.FOK))
    assert [(r.exec_type, r.cum_qty) for r in reports] == [(NEW, 0), (CANCELED, 0)]
    assert reports[-1].reason is EndReason.FILL_OR_KILL
    whole = made.apply(buy("g", 10, 101, tif=TimeInForce.FOK))
    assert trades(whole) == [("g", 10, 101)], "the killed order consumed nothing"


def test_own_account_is_never_traded_with():
    made = engine(quote(ask=105), sell("mine", 10, 102))
    reports = made.apply(buy("in", 5, 103))
    assert [(r.exec_type, r.reason) for r in reports] == [
        (NEW, None),
        (CANCELED, EndReason.SELF_MATCH),
    ]
    assert made.find("mine").leaves_qty == 10


def test_self_match_stops_only_the_rest_that_would_reach_it():
    made = engine(quote(ask=101, ask_size=3), sell("mine", 10, 102))
    reports = made.apply(buy("in", 5, 103))
    assert trades(reports) == [("in", 3, 101)]
    assert reports[-1].reason is EndReason.SELF_MATCH


def test_accounts_meet_each_other_only_where_crossing_is_on():
    resting = sell("theirs", 10, 101, account="B")
    apart = engine(quote(ask=103), resting).apply(buy("in", 5, 102))
    assert trades(apart) == []
    together = engine(quote(ask=103), resting, internal_crossing=True)
    assert trades(together.apply(buy("in", 5, 102))) == [("theirs", 5, 101), ("in", 5, 101)]
    assert together.find("theirs").leaves_qty == 5


def test_crossing_order_takes_the_better_market_first():
    made = engine(
        quote(ask=101, ask_size=2), sell("theirs", 3, 102, account="B"), internal_crossing=True
    )
    assert trades(made.apply(buy("in", 7, 102))) == [
        ("in", 2, 101),
        ("theirs", 3, 102),
        ("in", 3, 102),
        ("in", 2, 102),
    ]


def test_day_orders_expire_at_the_close_and_gtc_orders_stay():
    made = engine(quote(), buy("d", 5, 90), buy("g", 5, 90, tif=TimeInForce.GTC))
    reports = made.apply(SessionPhase(9, Phase.CLOSED))
    assert [(r.order_id, r.exec_type, r.leaves_qty) for r in reports] == [("d", EXPIRED, 0)]
    assert [o.order_id for o in made.working] == ["g"]


def test_cancel_keeps_what_was_filled_and_echoes_the_request():
    made = engine(quote(ask_size=4), buy("l", 10, 101))
    (report,) = made.apply(Cancel(2, "l", "C1"))
    assert (report.exec_type, report.cum_qty, report.leaves_qty) == (CANCELED, 4, 0)
    assert report.request_id == "C1"
    (refused,) = made.apply(Cancel(3, "l", "C2"))
    assert (refused.exec_type, refused.cxl_rej_reason) == (REFUSED, CxlRejReason.UNKNOWN_ORDER)


def replaced(name, qty, price, tif=TimeInForce.DAY, at=5):
    return Replace(at, name, "R1", qty, price, tif)


def test_smaller_quantity_keeps_the_place_in_time():
    made = engine(quote(), buy("first", 9, 99, at=2), buy("second", 9, 99, at=3))
    made.apply(replaced("first", 5, 99))
    assert trades(made.apply(quote(bid=90, ask=91, ask_size=5, at=6))) == [("first", 5, 99)]


@pytest.mark.parametrize("terms", [(12, 99), (9, 98)])
def test_larger_quantity_or_another_price_loses_it(terms):
    made = engine(quote(), buy("first", 9, 99, at=2), buy("second", 9, 98, at=3))
    made.apply(replaced("second", 9, 99, at=4))
    made.apply(replaced("first", *terms))
    assert trades(made.apply(quote(bid=90, ask=91, ask_size=9, at=6))) == [("second", 9, 99)]


def test_amend_through_the_market_trades_at_once():
    made = engine(quote(ask=101), buy("l", 5, 99))
    reports = made.apply(replaced("l", 5, 101))
    assert told(reports) == [("l", REPLACED, 0, 0), ("l", TRADE, 5, 101)]
    assert reports[0].request_id == "R1"


def test_amend_below_what_is_filled_means_no_more():
    made = engine(quote(ask_size=4), buy("l", 10, 101))
    (report,) = made.apply(replaced("l", 3, 101))
    assert (report.exec_type, report.order_qty, report.ord_status) == (
        REPLACED,
        4,
        OrdStatus.FILLED,
    )
    assert made.working == ()


def test_resting_order_cannot_become_immediate():
    made = engine(quote(), buy("l", 10, 99))
    (report,) = made.apply(replaced("l", 10, 101, tif=TimeInForce.IOC))
    assert (report.exec_type, report.ord_status) == (REFUSED, OrdStatus.NEW)
    assert made.find("l").price == 99


def test_time_only_goes_forward():
    made = engine(quote(at=5))
    with pytest.raises(TimeReversed):
        made.apply(buy("l", 1, 99, at=4))


def test_an_id_that_rests_is_not_taken_again():
    made = engine(quote(), buy("l", 1, 99))
    with pytest.raises(ValueError, match="works already"):
        made.apply(buy("l", 1, 99))


def test_limit_order_needs_a_price_and_every_order_a_quantity():
    with pytest.raises(ValueError, match="LIMIT"):
        NewOrder(1, "x", "A", Side.BUY, OrdType.LIMIT, TimeInForce.DAY, 1, None)
    with pytest.raises(ValueError, match="not positive"):
        buy("x", 0, 10)


def test_at_one_instant_the_session_comes_first_and_commands_after_data():
    events = [buy("l", 1, 99), quote(), SessionPhase(1, Phase.CLOSED)]
    assert [type(e) for e in sorted(events, key=event_order)] == [SessionPhase, QuoteTick, NewOrder]


def test_state_survives_json():
    made = engine(quote(), buy("l", 7, 99), sell("s", 3, 120, tif=TimeInForce.GTC))
    state = made.dump()
    assert state_from_json(state_to_json(state)) == state
