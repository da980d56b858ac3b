"""What an order meets at entry: money turned into units, protection, the position, the clock."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from trading.market import InstrumentRules
from trading.orders.entry import (
    Converted,
    expire_time_error,
    reduce_only_error,
    units_for,
    when_closed,
    worst_px,
)
from trading.vocabulary import Side, TimeInForce, WhenClosed

BUY, SELL = Side.BUY, Side.SELL
D = Decimal
RULES = InstrumentRules(
    symbol="SPX",
    currency="USD",
    tick_size=D("0.05"),
    lot_size=D(1),
    qty_decimals=0,
    min_qty=D(1),
    max_qty=D(1000),
    min_notional=D(0),
)


@pytest.mark.parametrize(
    ("cash", "px", "bps", "found"),
    [
        ("100", "33", "0", Converted(D(3), D(1), D("33.333333333334"))),
        ("100", "33", "50", Converted(D(3), D(1), D("33.333333333334"))),
        ("99", "33", "0", Converted(D(3), D(0), D(33))),
        ("99", "33", "1", Converted(D(2), D(33), D("49.5"))),
        ("33000", "33", "0", Converted(D(1000), D(0), D(33))),
    ],
)
def test_money_is_turned_into_whole_lots(cash, px, bps, found):
    assert units_for(D(cash), D(px), protection_bps=D(bps), rules=RULES) == found


@pytest.mark.parametrize(
    ("cash", "code"),
    [("20", "below_min_qty"), ("32.99", "below_min_qty"), ("33033", "above_max_qty")],
)
def test_too_little_or_too_much_money_is_no_order(cash, code):
    error = units_for(D(cash), D(33), protection_bps=D(0), rules=RULES)
    assert (error.field, error.code) == ("cash_order_qty", code)


@pytest.mark.parametrize(
    ("side", "bps", "px"),
    [
        (BUY, "50", "1005.50"),
        (SELL, "50", "995.50"),
        (BUY, "0.3", "1000.50"),
        (SELL, "0.3", "1000.50"),
    ],
)
def test_the_worst_price_is_rounded_in_the_clients_favour(side, bps, px):
    assert worst_px(side, D("1000.50"), bps=D(bps), tick_size=D("0.05")) == D(px)


@pytest.mark.parametrize(
    ("side", "qty", "position", "others", "fits"),
    [
        (SELL, 10, 10, 0, True),
        (SELL, 11, 10, 0, False),
        (SELL, 4, 10, 6, True),
        (SELL, 5, 10, 6, False),
        (BUY, 10, -10, 0, True),
        (BUY, 1, 10, 0, False),
        (SELL, 1, -10, 0, False),
        (SELL, 1, 0, 0, False),
        (Side.SELL_SHORT, 1, 10, 0, False),
        (Side.SELL_SHORT, 1, -10, 0, False),
        (SELL, 1, 4, 10, False),
    ],
)
def test_reduce_only_never_opens_nor_turns(side, qty, position, others, fits):
    error = reduce_only_error(side, D(qty), position_qty=D(position), others=D(others))
    assert (error is None) is fits
    if error is not None:
        assert (error.field, error.code) == ("exec_inst", "reduce_only_violation")


NOW = datetime(2026, 3, 2, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("after", "days", "fits"),
    [
        (timedelta(seconds=1), None, False),
        (timedelta(seconds=-1), None, False),
        (timedelta(seconds=1, microseconds=1), None, True),
        (timedelta(days=90), 90, True),
        (timedelta(days=90, microseconds=1), 90, False),
        (timedelta(days=9000), None, True),
    ],
)
def test_a_good_till_date_order_ends_later_than_now_and_within_the_venues_limit(after, days, fits):
    error = expire_time_error(NOW + after, NOW, max_days=days)
    assert error is None if fits else error.code == "invalid_expire_time"


def test_an_order_without_an_end_has_none_to_check():
    assert expire_time_error(None, NOW, max_days=1) is None


@pytest.mark.parametrize("word", list(TimeInForce))
def test_who_waits_for_the_open(word):
    waits = word in {TimeInForce.GTC, TimeInForce.GTD, TimeInForce.OPG, TimeInForce.CLS}
    assert when_closed(None, word) is (WhenClosed.QUEUE if waits else WhenClosed.REJECT)
    for asked in WhenClosed:
        assert when_closed(asked, word) is asked
