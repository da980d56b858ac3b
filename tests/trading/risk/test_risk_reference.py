"""Which price orders are measured against, as quotes age and widen."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from trading.market import Quote
from trading.risk import ReferenceKind, ReferencePolicy, choose_reference

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
POLICY = ReferencePolicy(
    max_mid_age=timedelta(seconds=5),
    max_last_age=timedelta(seconds=60),
    max_spread_bps=Decimal(100),
)
QUOTE = Quote(
    symbol="SPX",
    bid=Decimal(999),
    ask=Decimal(1001),
    last=Decimal(1003),
    bid_size=Decimal(10),
    ask_size=Decimal(10),
    at=NOW,
    feed="replay",
    simulated=True,
)


def chosen(quote):
    reference = choose_reference(quote, now=NOW, policy=POLICY)
    return None if reference is None else (reference.kind, reference.price)


MID = (ReferenceKind.MID, Decimal(1000))
LAST = (ReferenceKind.LAST, Decimal(1003))


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, MID), (5, MID), (5.000001, LAST), (60, LAST), (60.000001, None)],
)
def test_the_midpoint_serves_while_fresh_then_the_last_trade_then_nothing(seconds, expected):
    assert chosen(replace(QUOTE, at=NOW - timedelta(seconds=seconds))) == expected


def test_a_quote_from_the_future_is_not_fresh():
    assert chosen(replace(QUOTE, at=NOW + timedelta(seconds=6))) == LAST
    assert chosen(replace(QUOTE, at=NOW + timedelta(hours=1))) is None


@pytest.mark.parametrize(
    ("bid", "ask", "expected"),
    [("995", "1005", MID), ("994.99", "1005.01", LAST), ("1001", "999", LAST)],
)
def test_a_wide_or_crossed_quote_gives_way_to_the_last_trade(bid, ask, expected):
    assert chosen(replace(QUOTE, bid=Decimal(bid), ask=Decimal(ask))) == expected


@pytest.mark.parametrize("side", ["bid_size", "ask_size"])
def test_a_midpoint_needs_both_sides(side):
    assert chosen(replace(QUOTE, **{side: Decimal(0)})) == LAST


def test_no_quote_is_no_reference():
    assert chosen(None) is None


def test_the_reference_says_how_old_it_is():
    reference = choose_reference(
        replace(QUOTE, at=NOW - timedelta(seconds=2)), now=NOW, policy=POLICY
    )
    assert reference.age == timedelta(seconds=2)
