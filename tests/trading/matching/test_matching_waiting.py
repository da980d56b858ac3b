"""Orders that wait: stops, if-touched, trails, pegs, and what happens while nothing trades."""

from dataclasses import replace

import pytest

from tests.trading.matching.floor_talk import (
    buy,
    engine,
    order,
    quote,
    said,
    sell,
    told,
    trade,
    trades,
)
from trading.matching import (
    Cancel,
    EndReason,
    Liquidity,
    Peg,
    Phase,
    Replace,
    SessionPhase,
    Timer,
    Trail,
    Trigger,
)
from trading.vocabulary import (
    ExecType,
    OrdStatus,
    OrdType,
    PegPriceType,
    Side,
    TimeInForce,
    TriggerPriceType,
)

NEW, TRADE, CANCELED = ExecType.NEW, ExecType.TRADE, ExecType.CANCELED
TRIGGERED, RESTATED, REJECTED = ExecType.TRIGGERED, ExecType.RESTATED, ExecType.REJECTED
REPLACED, REFUSED, EXPIRED = ExecType.REPLACED, ExecType.REQUEST_REFUSED, ExecType.EXPIRED
GTC = TimeInForce.GTC
SECOND = 1_000_000_000


def stop(px, **more):
    return Trigger(stop_px=px, **more)


# --- stops ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "quiet", "fired"),
    [
        (sell("s", 5, trigger=stop(95)), 96, 95),
        (buy("s", 5, trigger=stop(105)), 104, 105),
        (sell("s", 5, trigger=stop(105, touch=True)), 104, 105),
        (buy("s", 5, trigger=stop(95, touch=True)), 96, 95),
    ],
    ids=["sell stop", "buy stop", "sell if touched", "buy if touched"],
)
def test_equality_fires_and_a_tick_before_does_not(made, quiet, fired):
    floor = engine(quote(last=100), made)
    assert floor.apply(quote(last=quiet)) == []
    assert said(floor.apply(quote(last=fired)))[:2] == [("s", TRIGGERED), ("s", TRADE)]


def test_row_51_a_stop_that_gaps_trades_at_the_market_and_not_at_its_price():
    floor = engine(quote(last=100), sell("s", 5, trigger=stop(95)))
    assert trades(floor.apply(quote(bid=80, ask=81, last=80))) == [("s", 5, 80)]


def test_row_52_a_stop_limit_beyond_which_the_market_gapped_rests():
    floor = engine(quote(last=100), sell("s", 5, 94, trigger=stop(95)))
    reports = floor.apply(quote(bid=80, ask=81, last=80))
    assert told(reports) == [("s", TRIGGERED, 0, 0)]
    assert floor.find("s").price == 94
    assert floor.find("s").trigger is None


@pytest.mark.parametrize(
    "made",
    [
        sell("s", 5, trigger=stop(100)),
        buy("s", 5, trigger=stop(100)),
        sell("s", 5, trigger=stop(99, touch=True)),
        buy("s", 5, trigger=stop(101, touch=True)),
    ],
)
def test_row_50_a_stop_on_the_wrong_side_is_rejected(made):
    (report,) = engine(quote(last=100)).apply(made)
    assert (report.exec_type, report.reason) == (REJECTED, EndReason.WOULD_TRIGGER)


def test_a_trade_that_is_not_eligible_triggers_nothing():
    floor = engine(quote(last=100), sell("s", 5, trigger=stop(95)))
    assert floor.apply(trade(90, 5, eligible=False)) == []
    assert said(floor.apply(trade(90, 5)))[0] == ("s", TRIGGERED)


def test_bid_ask_triggers_are_judged_by_what_the_order_would_trade_at():
    by_bid = sell("s", 5, trigger=stop(95, price_type=TriggerPriceType.BID_ASK))
    floor = engine(quote(), by_bid)
    assert floor.apply(quote(bid=96, ask=97, last=90)) == []
    assert said(floor.apply(quote(bid=95, ask=96, last=99)))[0] == ("s", TRIGGERED)


def test_a_middle_between_two_ticks_does_not_fire_half_a_tick_early():
    by_middle = sell("s", 5, trigger=stop(95, price_type=TriggerPriceType.MID))
    floor = engine(quote(), by_middle)
    assert floor.apply(quote(bid=95, ask=96)) == []  # 95.5
    assert said(floor.apply(quote(bid=94, ask=96)))[0] == ("s", TRIGGERED)


def test_a_fired_stop_that_finds_nothing_is_cancelled_because_it_was_accepted():
    floor = engine(quote(last=100), sell("s", 5, trigger=stop(95)))
    reports = floor.apply(quote(bid_size=0, last=95))
    assert said(reports) == [("s", TRIGGERED), ("s", CANCELED)]
    assert reports[1].reason is EndReason.NO_LIQUIDITY


def test_a_waiting_stop_can_be_cancelled_and_its_price_amended():
    floor = engine(quote(last=100), sell("s", 5, trigger=stop(95)))
    changed = Replace(1, "s", "r1", 4, None, TimeInForce.DAY, trigger=stop(97))
    (report,) = floor.apply(changed)
    assert (report.exec_type, report.order_qty, report.stop_px) == (REPLACED, 4, 97)
    late = replace(changed, request_id="r2", trigger=stop(100))
    assert said(floor.apply(late)) == [("s", REFUSED)]
    assert floor.find("s").trigger.stop_px == 97
    assert said(floor.apply(Cancel(1, "s", "c"))) == [("s", CANCELED)]


# --- trails ---------------------------------------------------------------------------------


def trailing(name="t", side=Side.SELL, qty=5, price=None, at=1, tif=GTC, **trail):
    limited = trail.get("limit_offset") is not None
    made = order(name, side, qty, price, at=at, tif=tif, trigger=Trigger(trail=Trail(offset=1)))
    trigger = Trigger(stop_px=trail.pop("stop_px", None), trail=Trail(**trail))
    if not limited:
        return replace(made, trigger=trigger)
    return replace(made, trigger=trigger, ord_type=OrdType.LIMIT)


def test_row_55_a_trail_follows_up_never_comes_back_and_fires():
    floor = engine(quote(last=100), trailing(percent=500))
    for last, stop in ((100, 95), (120, 114), (118, 114)):
        floor.apply(quote(last=last))
        assert floor.find("t").trigger.stop_px == stop
    assert said(floor.apply(quote(last=114)))[0] == ("t", TRIGGERED)


def test_a_percent_trail_is_rounded_away_from_the_market():
    selling = engine(quote(last=101), trailing(percent=1_000))
    assert selling.find("t").trigger.stop_px == 90  # 90.9 down
    buying = engine(quote(last=101), trailing(side=Side.BUY, percent=1_000))
    assert buying.find("t").trigger.stop_px == 112  # 111.1 up


def test_row_56_a_trail_waits_for_its_activation_and_starts_from_the_price_that_activated_it():
    floor = engine(quote(last=100), trailing(offset=5, activation_px=110))
    floor.apply(quote(last=90))
    assert floor.find("t").trigger.stop_px is None
    floor.apply(quote(last=112))
    assert floor.find("t").trigger.stop_px == 107


def test_a_trail_without_a_price_to_start_from_is_rejected():
    (report,) = engine(quote()).apply(trailing(offset=5))
    assert (report.exec_type, report.reason) == (REJECTED, EndReason.NO_REFERENCE)


def test_a_trailing_stop_limit_takes_its_price_from_the_stop_it_fired_at():
    floor = engine(quote(last=100), trailing(offset=5, limit_offset=2))
    floor.apply(quote(last=110))
    floor.apply(quote(bid=90, ask=91, last=100))
    assert floor.find("t").price == 103


def test_a_stop_that_moves_with_every_price_is_told_once_a_second():
    floor = engine(quote(last=100, at=SECOND), trailing(offset=5, at=SECOND))
    assert floor.apply(quote(last=101, at=SECOND + 1)) == []
    later = floor.apply(quote(last=103, at=2 * SECOND))
    assert [(r.exec_type, r.stop_px, r.anchor_px) for r in later] == [(RESTATED, 98, 103)]
    assert floor.apply(quote(last=104, at=2 * SECOND + 1)) == []
    assert floor.next_timer == 3 * SECOND
    (told,) = floor.apply(Timer(3 * SECOND))
    assert (told.exec_type, told.stop_px) == (RESTATED, 99)
    assert floor.next_timer is None


def test_row_58_amending_the_distance_keeps_the_anchor():
    floor = engine(quote(last=100), trailing(offset=5))
    floor.apply(quote(last=110))
    floor.apply(quote(last=107))
    wider = Replace(1, "t", "r", 5, None, GTC, trigger=Trigger(trail=Trail(offset=8)))
    (report,) = floor.apply(wider)
    assert (report.exec_type, report.stop_px) == (REPLACED, 102)
    closer = replace(wider, request_id="r2", trigger=Trigger(trail=Trail(offset=2)))
    assert said(floor.apply(closer)) == [("t", REFUSED)]  # 108 would fire at 107


# --- market to limit, pegs, hidden size -----------------------------------------------------


def test_row_54_market_to_limit_takes_the_best_level_and_rests_there():
    floor = engine(quote(ask=101, ask_size=4), buy("m", 10, to_limit=True))
    resting = floor.find("m")
    assert (resting.price, resting.cum_qty, resting.leaves_qty) == (101, 4, 6)


def test_market_to_limit_into_an_empty_side_is_rejected():
    (report,) = engine(quote(ask_size=0)).apply(buy("m", 10, to_limit=True))
    assert report.reason is EndReason.NO_LIQUIDITY


@pytest.mark.parametrize(
    ("peg", "price"),
    [
        (Peg(PegPriceType.PRIMARY), 100),
        (Peg(PegPriceType.PRIMARY, 1), 101),
        (Peg(PegPriceType.MARKET, -2), 102),
        (Peg(PegPriceType.MID), 102),
    ],
)
def test_a_peg_rests_where_its_reference_says(peg, price):
    floor = engine(quote(bid=100, ask=104), buy("p", 5, 103, peg=peg))
    assert floor.find("p").price == price


def test_a_peg_follows_up_to_its_cap_and_each_move_loses_the_place():
    floor = engine(quote(bid=100, ask=110), buy("p", 5, 103, peg=Peg()), buy("l", 5, 102))
    reports = floor.apply(quote(bid=102, ask=110))
    assert [(r.order_id, r.exec_type, r.price) for r in reports] == [("p", RESTATED, 102)]
    assert [o.order_id for o in floor.working] == ["l", "p"]
    floor.apply(quote(bid=105, ask=110))
    assert floor.find("p").price == 103


def test_a_peg_without_a_reference_is_suspended_until_it_is_back():
    floor = engine(quote(bid=100, ask=110), buy("p", 5, 103, peg=Peg()))
    (report,) = floor.apply(quote(bid_size=0, ask=110))
    assert (report.exec_type, report.ord_status) == (ExecType.SUSPENDED, OrdStatus.SUSPENDED)
    floor.apply(quote(bid=99, ask=110))
    assert floor.find("p").price == 99


def test_a_peg_that_moves_may_meet_another_that_is_still_to_move():
    floor = engine(quote(100, 104), internal_crossing=True)
    floor.apply(buy("b", 5, 110, tif=GTC, peg=Peg(PegPriceType.PRIMARY, 1), account="B"))
    floor.apply(sell("s", 7, 95, tif=GTC, peg=Peg(PegPriceType.PRIMARY, -1), account="S"))
    reports = floor.apply(quote(103, 105))  # the purchase moves to 104 and meets the sale at 103
    assert trades(reports)[:2] == [("s", 5, 103), ("b", 5, 103)]
    assert floor.find("b") is None
    assert (floor.find("s").leaves_qty, floor.find("s").price) == (2, 104)


def test_an_iceberg_shows_its_next_part_behind_those_who_waited():
    floor = engine(quote(), sell("i", 9, 105, display_qty=3), sell("o", 4, 105))
    reports = floor.apply(quote(bid=105, ask=106, bid_size=8))
    assert trades(reports) == [("i", 3, 105), ("o", 4, 105), ("i", 1, 105)]


def test_an_immediate_order_that_does_not_get_its_minimum_gets_nothing():
    floor = engine(quote(ask_size=4))
    hopeless = buy("m", 10, 101, tif=TimeInForce.IOC, min_qty=5)
    assert said(floor.apply(hopeless)) == [("m", NEW), ("m", CANCELED)]
    modest = buy("n", 10, 101, tif=TimeInForce.IOC, min_qty=4)
    assert trades(floor.apply(modest)) == [("n", 4, 101)]


def test_all_or_none_waits_for_one_piece_behind_those_who_take_parts():
    floor = engine(quote(), sell("all", 6, 105, all_or_none=True), sell("part", 4, 105))
    assert trades(floor.apply(quote(bid=105, ask=106, bid_size=5))) == [("part", 4, 105)]
    assert trades(floor.apply(quote(bid=105, ask=106, bid_size=6))) == [("all", 6, 105)]


@pytest.mark.parametrize("price", [101, 102])
def test_row_59_a_post_only_order_that_would_take_is_rejected_and_not_repriced(price):
    (report,) = engine(quote()).apply(buy("p", 5, price, post_only=True))
    assert report.reason is EndReason.WOULD_TAKE


def test_a_post_only_order_is_not_amended_into_the_other_side():
    floor = engine(quote(), buy("p", 5, 99, post_only=True))
    assert said(floor.apply(Replace(1, "p", "r", 5, 101, TimeInForce.DAY))) == [("p", REFUSED)]
    assert floor.find("p").price == 99


# --- pauses and ends ------------------------------------------------------------------------


def test_orders_that_came_over_a_pause_meet_the_first_price_and_its_improvement():
    floor = engine(quote(), SessionPhase(1, Phase.CLOSED), buy("g", 5, 110, tif=GTC))
    assert floor.apply(quote(bid=104, ask=105)) == []
    floor.apply(SessionPhase(1, Phase.OPEN))
    reports = floor.apply(quote(bid=104, ask=105))
    assert trades(reports) == [("g", 5, 105)]
    assert reports[0].liquidity is Liquidity.TAKER


@pytest.mark.parametrize("phase", [Phase.CLOSED, Phase.HALTED])
def test_while_nothing_trades_what_must_trade_now_is_rejected_and_cancels_pass(phase):
    floor = engine(quote(), buy("g", 5, 99, tif=GTC), SessionPhase(1, phase))
    (report,) = floor.apply(buy("m", 5))
    assert report.reason is EndReason.NOT_TRADING
    assert said(floor.apply(Cancel(1, "g", "c"))) == [("g", CANCELED)]


def test_a_halt_keeps_day_orders_and_a_close_ends_them():
    floor = engine(quote(), buy("d", 5, 99), sell("s", 5, trigger=stop(50)))
    assert floor.apply(SessionPhase(1, Phase.HALTED)) == []
    ends = floor.apply(SessionPhase(2, Phase.CLOSED))
    assert said(ends) == [("d", EXPIRED), ("s", EXPIRED)]


def test_stops_do_not_fire_while_nothing_trades():
    floor = engine(quote(last=100), sell("s", 5, tif=GTC, trigger=stop(95)))
    floor.apply(SessionPhase(1, Phase.HALTED))
    assert floor.apply(quote(last=90)) == []
    floor.apply(SessionPhase(1, Phase.OPEN))
    assert said(floor.apply(quote(bid=89, ask=90, last=90)))[0] == ("s", TRIGGERED)


def test_a_good_till_date_order_ends_at_its_time_and_not_before():
    floor = engine(quote(), buy("g", 5, 99, tif=TimeInForce.GTD, expire_at=100))
    assert floor.apply(Timer(99)) == []
    (report,) = floor.apply(Timer(100))
    assert (report.exec_type, report.reason) == (EXPIRED, EndReason.EXPIRE_TIME)


def test_what_happens_at_the_instant_of_expiry_still_counts():
    floor = engine(quote(), buy("g", 5, 99, tif=TimeInForce.GTD, expire_at=100))
    assert trades(floor.apply(quote(bid=98, ask=99, at=100))) == [("g", 5, 99)]
