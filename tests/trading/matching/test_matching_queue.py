"""What trades of others and the depth of a book do for orders that rest."""

from tests.trading.matching.floor_talk import buy, engine, quote, said, sell, trade, trades
from trading.matching import (
    Auction,
    BookDelta,
    BookSnapshot,
    Delisting,
    EndReason,
    Liquidity,
    QueueModel,
    Split,
    Trigger,
)
from trading.vocabulary import ExecType, TimeInForce, TriggerPriceType

OPG, GTC = TimeInForce.OPG, TimeInForce.GTC
ALL = 10_000


def book(*levels, at=1):
    """A snapshot: bids, then offers, each as (price, size) from the best on."""
    bids, asks = levels
    return BookSnapshot(at, bids, asks)


def test_whoever_stood_before_us_is_served_first():
    floor = engine(quote(bid=100, bid_size=10), buy("q", 5, 100), volume_cap_bp=ALL)
    assert trades(floor.apply(trade(100, 8))) == []
    assert floor.find("q").queue_ahead == 2
    assert trades(floor.apply(trade(100, 6))) == [("q", 4, 100)]


def test_an_order_that_improves_the_best_stands_first():
    floor = engine(quote(bid=100, ask=105), buy("q", 5, 101), volume_cap_bp=ALL)
    assert trades(floor.apply(trade(101, 3))) == [("q", 3, 101)]


def test_a_trade_through_our_price_reaches_us_whatever_the_queue():
    floor = engine(quote(bid=100, bid_size=50), buy("q", 5, 100), volume_cap_bp=ALL)
    assert trades(floor.apply(trade(99, 3))) == [("q", 3, 100)]


def test_our_share_of_the_volume_is_capped_and_parts_of_a_lot_are_kept():
    floor = engine(quote(bid=100, ask=105), buy("q", 50, 101), volume_cap_bp=1_000)
    filled = [sum(lots for _, lots, _ in trades(floor.apply(trade(101, 15)))) for _ in range(4)]
    assert filled == [1, 2, 1, 2]  # a tenth of 60 in all


def test_behind_the_best_the_queue_is_not_known_until_the_level_is_shown():
    floor = engine(quote(bid=100), buy("q", 5, 98), volume_cap_bp=ALL)
    assert trades(floor.apply(trade(98, 50))) == []
    floor.apply(quote(bid=98, ask=99, bid_size=7))
    assert trades(floor.apply(trade(98, 9))) == [("q", 2, 98)]


def test_a_size_that_shrinks_shortens_the_queue_as_the_model_says():
    for model, ahead in ((QueueModel.PESSIMISTIC, 8), (QueueModel.PROBABILISTIC, 8)):
        floor = engine(quote(bid_size=10), buy("q", 5, 100), queue_model=model)
        floor.apply(quote(bid_size=8))
        assert floor.find("q").queue_ahead == ahead
    cautious = engine(quote(bid_size=10), buy("q", 5, 100))
    cautious.apply(quote(bid_size=30))
    cautious.apply(quote(bid_size=15))
    assert cautious.find("q").queue_ahead == 10
    fair = engine(quote(bid_size=10), buy("q", 5, 100), queue_model=QueueModel.PROBABILISTIC)
    fair.apply(quote(bid_size=30))
    fair.apply(quote(bid_size=15))
    assert fair.find("q").queue_ahead == 5


def test_an_order_walks_the_levels_of_a_book_and_finds_nothing_behind_them():
    floor = engine(book((), ((101, 3), (103, 4))))
    reports = floor.apply(buy("m", 10))
    assert trades(reports) == [("m", 3, 101), ("m", 4, 103)]
    assert reports[-1].reason is EndReason.NO_LIQUIDITY


def test_what_was_taken_of_a_level_stays_taken_until_it_is_shown_again():
    floor = engine(book((), ((101, 3), (103, 4))), buy("a", 2, tif=TimeInForce.IOC))
    assert trades(floor.apply(buy("b", 2))) == [("b", 1, 101), ("b", 1, 103)]
    floor.apply(BookDelta(1, False, 101, 3, sequence=1))
    assert trades(floor.apply(buy("c", 2))) == [("c", 2, 101)]


def test_the_queue_at_any_level_of_a_book_is_known():
    floor = engine(book(((100, 5), (99, 7)), ()), buy("q", 5, 99), volume_cap_bp=ALL)
    assert floor.find("q").queue_ahead == 7
    floor.apply(BookDelta(1, True, 99, 2, sequence=1))
    assert floor.find("q").queue_ahead == 2


def test_after_a_gap_nothing_of_a_book_is_believed_until_the_next_snapshot():
    floor = engine(book(((100, 5),), ((101, 5),)))
    floor.apply(BookDelta(1, False, 101, 9, sequence=2))
    assert said(floor.apply(buy("m", 1)))[0][1] is ExecType.REJECTED
    floor.apply(book(((100, 5),), ((101, 5),)))
    assert trades(floor.apply(buy("n", 1))) == [("n", 1, 101)]


def test_a_book_that_crosses_us_fills_us_from_all_its_better_levels():
    floor = engine(book((), ()), sell("s", 10, 100))
    assert trades(floor.apply(book(((102, 3), (100, 4), (99, 9)), ()))) == [("s", 7, 100)]


# --- auctions and corporate actions ---------------------------------------------------------


def test_an_auction_serves_market_before_limit_then_price_then_time_up_to_its_share():
    floor = engine(
        quote(),
        buy("low", 5, 104, tif=OPG),
        buy("high", 5, 106, tif=OPG),
        buy("mkt", 5, tif=OPG),
        buy("never", 5, 99, tif=OPG),
    )
    reports = floor.apply(Auction(2, OPG, 103, 120))
    assert trades(reports) == [("mkt", 5, 103), ("high", 5, 103), ("low", 2, 103)]
    assert {r.liquidity for r in reports if r.last_qty} == {Liquidity.AUCTION}
    ended = {r.order_id: r.reason for r in reports if r.exec_type is ExecType.EXPIRED}
    assert ended == {"low": EndReason.AUCTION_END, "never": EndReason.AUCTION_END}


def test_an_auction_without_a_price_ends_its_orders_and_touches_no_others():
    floor = engine(quote(), buy("o", 5, tif=OPG), buy("c", 5, tif=TimeInForce.CLS))
    assert said(floor.apply(Auction(2, OPG, None, 0))) == [("o", ExecType.EXPIRED)]
    assert floor.find("c") is not None


def test_orders_for_an_auction_are_not_in_the_book():
    floor = engine(quote(), sell("o", 5, 100, tif=OPG))
    assert floor.apply(quote(bid=104, ask=105)) == []


def test_a_split_restates_prices_for_the_client_and_quantities_down():
    floor = engine(
        quote(),
        buy("b", 5, 99, tif=GTC),
        sell("s", 5, 111, tif=GTC),
        sell("t", 5, tif=GTC, trigger=Trigger(stop_px=51, price_type=TriggerPriceType.BID_ASK)),
    )
    reports = floor.apply(Split(2, new=2, old=1))
    assert [(r.order_id, r.order_qty, r.price, r.stop_px) for r in reports] == [
        ("b", 10, 49, None),
        ("s", 10, 56, None),
        ("t", 10, None, 25),
    ]
    reverse = floor.apply(Split(3, new=1, old=20))
    assert {r.reason for r in reverse} == {EndReason.CORPORATE_ACTION}
    assert {r.exec_type for r in reverse} == {ExecType.CANCELED}


def test_a_delisting_cancels_everything():
    floor = engine(quote(), buy("b", 5, 99), buy("o", 5, tif=OPG))
    reports = floor.apply(Delisting(2))
    assert [(r.order_id, r.reason) for r in reports] == [
        ("b", EndReason.DELISTED),
        ("o", EndReason.DELISTED),
    ]
