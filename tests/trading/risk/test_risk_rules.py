"""The rules at their edges: one tick below the limit, at it, one tick above it."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading import exact
from trading.market import InstrumentRules, Quote
from trading.risk import (
    BreachCode,
    Recent,
    ReferencePolicy,
    RiskContext,
    RuleId,
    Twin,
    choose_reference,
    duplicate_window,
    evaluate,
    order_notional,
    verdicts,
)
from trading.vocabulary import OrdType, Side

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
TICK = Decimal("0.01")
LOT = Decimal(1)
SPX = InstrumentRules("SPX", "USD", TICK, LOT, 8, LOT, Decimal(1_000_000), Decimal(0))
POLICY = ReferencePolicy()


@dataclass(frozen=True)
class Wish:
    """The least an intent has to be for the rules."""

    side: Side = Side.BUY
    order_qty: Decimal = Decimal(10)
    price: Decimal | None = Decimal(1000)
    symbol: str = "SPX"

    @property
    def ord_type(self):
        return OrdType.MARKET if self.price is None else OrdType.LIMIT


def quote_at(price, *, half_spread="0.5", size="100", age=0.0, last=None):
    price = Decimal(price)
    return Quote(
        symbol="SPX",
        bid=price - Decimal(half_spread),
        ask=price + Decimal(half_spread),
        last=price if last is None else Decimal(last),
        bid_size=Decimal(size),
        ask_size=Decimal(size),
        at=NOW - timedelta(seconds=age),
        feed="replay",
        simulated=True,
    )


def context(quote=None, *, rules=SPX, **facts):
    quote = quote or quote_at(1000)
    reference = choose_reference(quote, now=NOW, policy=POLICY)
    return RiskContext(rules=rules, quote=quote, reference=reference, now=NOW, **facts)


def codes(wish, ctx, **limits):
    named = {RuleId(name): Decimal(value) for name, value in limits.items()}
    return [breach.code for breach in evaluate(wish, ctx, named)]


quantities = st.integers(1, 10**9).map(Decimal)
prices = st.integers(1, 10**9).map(lambda ticks: ticks * TICK)
sides = st.sampled_from([Side.BUY, Side.SELL, Side.SELL_SHORT])


@given(limit=quantities.filter(lambda qty: qty > 1), side=sides)
def test_quantity_passes_up_to_the_limit_and_not_one_lot_further(limit, side):
    ctx = context()

    def breached(qty):
        return codes(Wish(side, qty), ctx, max_order_qty=limit)

    assert breached(limit - LOT) == []
    assert breached(limit) == []
    assert breached(limit + LOT) == [BreachCode.QUANTITY_EXCEEDS_MAXIMUM]


@given(qty=quantities, price=prices.filter(lambda price: price > TICK))
def test_notional_passes_up_to_the_limit_and_not_one_tick_further(qty, price):
    limit = qty * price
    ctx = context(quote_at(price))

    def breached(price):
        return codes(Wish(Side.BUY, qty, price), ctx, max_order_notional=limit)

    assert breached(price - TICK) == []
    assert breached(price) == []
    assert breached(price + TICK) == [BreachCode.NOTIONAL_EXCEEDS_MAXIMUM]


def test_a_notional_of_forty_eight_digits_is_not_rounded_into_the_limit():
    qty = Decimal("999999999999.999999999999")
    price = Decimal("999999999999.999999999999")
    worth = exact.multiply(qty, price)
    least = Decimal("1E-24")
    wish = Wish(Side.BUY, qty, price)
    ctx = context(quote_at(price))

    assert order_notional(wish, ctx) == worth
    assert codes(wish, ctx, max_order_notional=worth) == []
    assert codes(wish, ctx, max_order_notional=exact.subtract(worth, least)) == [
        BreachCode.NOTIONAL_EXCEEDS_MAXIMUM
    ]


@given(reference=st.integers(100, 10**8), percent=st.integers(1, 99))
def test_the_collar_holds_on_the_dear_side_to_the_tick(reference, percent):
    # A reference in whole money and a collar in whole per cent put the bound on the tick grid.
    share = Decimal(percent) / 100
    ctx = context(quote_at(reference, half_spread="0.01"))
    highest = reference * (1 + share)
    lowest = reference * (1 - share)

    def breached(side, price):
        return codes(Wish(side, LOT, price), ctx, price_collar=share)

    outside = [BreachCode.PRICE_OUTSIDE_COLLAR]
    for side in (Side.SELL, Side.SELL_SHORT):
        assert breached(side, lowest + TICK) == []
        assert breached(side, lowest) == []
        assert breached(side, lowest - TICK) == outside
        assert breached(side, reference * 50) == []
    assert breached(Side.BUY, highest - TICK) == []
    assert breached(Side.BUY, highest) == []
    assert breached(Side.BUY, highest + TICK) == outside
    assert breached(Side.BUY, TICK) == []


def test_below_zero_the_collar_still_lies_on_the_dear_side():
    ctx = context(quote_at("-37.63", half_spread="0.01"))

    def breached(price):
        return codes(Wish(Side.BUY, LOT, Decimal(price)), ctx, price_collar="0.10")

    assert breached("-33.86") == [BreachCode.PRICE_OUTSIDE_COLLAR]
    assert breached("-33.87") == []
    assert breached("-40") == []


@given(limit=st.integers(1, 10_000))
def test_open_orders_pass_up_to_the_limit(limit):
    assert (
        codes(Wish(), context(open_orders=limit - 2 if limit > 1 else 0), max_open_orders=limit)
        == []
    )
    assert codes(Wish(), context(open_orders=limit - 1), max_open_orders=limit) == []
    assert codes(Wish(), context(open_orders=limit), max_open_orders=limit) == [
        BreachCode.OPEN_ORDERS_EXCEED_MAXIMUM
    ]


@given(qty=quantities, price=prices, already=prices)
def test_open_notional_passes_up_to_the_limit_and_not_one_tick_further(qty, price, already):
    ctx = context(quote_at(price), open_notional=already)
    limit = already + qty * price

    def breached(limit):
        return codes(Wish(Side.BUY, qty, price), ctx, max_open_notional=limit)

    assert breached(limit + TICK) == []
    assert breached(limit) == []
    assert breached(limit - TICK) == [BreachCode.OPEN_NOTIONAL_EXCEEDS_MAXIMUM]


def test_a_replacement_is_judged_without_the_order_it_replaces():
    ctx = context(open_orders=5, open_notional=Decimal(50_000), amends=Decimal(10_000))
    larger = Wish(order_qty=Decimal(11))
    assert codes(larger, ctx, max_open_orders=1, max_open_notional=51_000) == []
    assert codes(larger, ctx, max_open_notional=50_999) == [
        BreachCode.OPEN_NOTIONAL_EXCEEDS_MAXIMUM
    ]


def test_a_replacement_that_shrinks_an_order_passes_although_the_limit_was_lowered_meanwhile():
    ctx = context(open_notional=Decimal(50_000), amends=Decimal(10_000))
    assert codes(Wish(order_qty=Decimal(9)), ctx, max_open_notional=1) == []


def test_every_breach_is_reported_at_once_with_its_numbers():
    wish = Wish(Side.BUY, Decimal(200), Decimal(1200))
    limits = {
        RuleId.MAX_ORDER_QTY: Decimal(100),
        RuleId.MAX_ORDER_NOTIONAL: Decimal(100_000),
        RuleId.PRICE_COLLAR: Decimal("0.10"),
    }
    quantity, worth, collar = evaluate(wish, context(), limits)
    assert (quantity.rule, quantity.value, quantity.limit, quantity.unit) == (
        "max_order_qty",
        Decimal(200),
        Decimal(100),
        "quantity",
    )
    assert (worth.value, worth.limit, worth.unit) == (Decimal(240_000), Decimal(100_000), "USD")
    assert (collar.value, collar.limit, collar.unit) == (Decimal(1200), Decimal(1100), "USD")
    assert "1200" in collar.message
    assert "1100" in collar.message
    assert "MID" in collar.message


def test_without_a_reference_nothing_passes_whatever_the_limits():
    ctx = RiskContext(rules=SPX, quote=None, reference=None, now=NOW)
    assert codes(Wish(), ctx) == [BreachCode.NO_REFERENCE_PRICE]
    assert codes(Wish(order_qty=Decimal(2)), ctx, max_order_qty=1) == [
        BreachCode.NO_REFERENCE_PRICE,
        BreachCode.QUANTITY_EXCEEDS_MAXIMUM,
    ]


@pytest.mark.parametrize(
    ("wish", "worth"),
    [
        (Wish(Side.BUY, price=Decimal(1100)), 11_000),
        (Wish(Side.BUY, price=Decimal(900)), 9_000),
        (Wish(Side.SELL, price=Decimal(900)), 9_995),  # it would trade at the bid
        (Wish(Side.SELL, price=Decimal(1100)), 11_000),
        (Wish(Side.BUY, price=None), 10_005),
        (Wish(Side.SELL_SHORT, price=None), 9_995),
    ],
)
def test_an_order_is_worth_what_it_could_trade_for(wish, worth):
    assert order_notional(wish, context()) == worth


def test_a_market_order_against_an_empty_side_is_worth_the_reference():
    ctx = context(quote_at(1000, size="0", last="990"))
    assert order_notional(Wish(price=None), ctx) == 9_900


def test_the_multiplier_counts():
    ctx = context(rules=replace(SPX, multiplier=Decimal(50)))
    assert order_notional(Wish(order_qty=Decimal(2)), ctx) == 100_000


@given(side=sides, qty=quantities, price=st.none() | prices, market=prices)
def test_nothing_is_worth_less_than_nothing(side, qty, price, market):
    assert order_notional(Wish(side, qty, price), context(quote_at(-market))) >= 0


def verdict_of(wish, ctx, **limits):
    (one,) = verdicts(wish, ctx, {RuleId(name): Decimal(value) for name, value in limits.items()})
    return one


def test_a_verdict_says_how_far_away_the_limit_is():
    half = verdict_of(Wish(order_qty=Decimal(50)), context(), max_order_qty=100)
    assert (half.value, half.limit, half.headroom, half.room) == (50, 100, 50, Decimal("0.5"))
    assert half.passes
    over = verdict_of(Wish(order_qty=Decimal(150)), context(), max_order_qty=100)
    assert (over.headroom, over.room, over.passes) == (-50, Decimal("-0.5"), False)
    fifth = verdict_of(Wish(), context(open_orders=3), max_open_orders=5)
    assert (fifth.before, fifth.value, fifth.room) == (3, 4, Decimal("0.2"))


@pytest.mark.parametrize(
    ("side", "price", "room"),
    [(Side.BUY, 1000, 1), (Side.BUY, 1050, "0.5"), (Side.BUY, 1100, 0), (Side.BUY, 1110, "-0.1"),
     (Side.SELL, 950, "0.5"), (Side.SELL, 900, 0), (Side.SELL, 1000, 1)],
)  # fmt: skip
def test_the_room_of_a_collar_is_what_is_left_of_its_width(side, price, room):
    one = verdict_of(Wish(side, price=Decimal(price)), context(), price_collar="0.1")
    assert one.room == Decimal(room)
    assert one.passes == (Decimal(room) >= 0)


@given(qty=quantities, price=prices, side=sides, limit=quantities)
def test_verdicts_and_breaches_are_one_judgement(qty, price, side, limit):
    wish, ctx = Wish(side, qty, price), context(open_orders=2)
    limits = dict.fromkeys(RuleId, limit) | {RuleId.PRICE_COLLAR: Decimal("0.1")}
    said = verdicts(wish, ctx, limits)
    assert tuple(one.breach for one in said if not one.passes) == evaluate(wish, ctx, limits)
    assert all(one.passes == (one.headroom >= 0) == (one.room >= 0) for one in said)


@given(limit=st.integers(1, 1000))
def test_the_orders_of_a_second_pass_up_to_the_limit_and_not_one_more(limit):
    def breached(before):
        ctx = context(recent=Recent(orders=before))
        return codes(Wish(), ctx, max_orders_per_second=limit)

    assert breached(limit - 1) == []
    assert breached(limit) == [BreachCode.ORDER_RATE_EXCEEDS_MAXIMUM]
    assert breached(None) == []


def test_an_equal_order_is_named_with_its_age_and_when_it_ceases_to_count():
    twin = Twin("c-1", timedelta(milliseconds=400), timedelta(seconds=1))
    (breach,) = evaluate(Wish(), context(recent=Recent(twin)), {RuleId.DUPLICATE_ORDER: Decimal(1)})
    assert breach.code is BreachCode.ORDER_REPEATS_ANOTHER
    assert (breach.value, breach.limit, breach.unit) == (Decimal("0.4"), Decimal(1), "seconds")
    assert "(c-1)" in breach.message
    assert codes(Wish(), context(), duplicate_order=1) == []


@pytest.mark.parametrize(
    ("limit", "by_hand", "seconds"),
    [("1", False, 1), ("1", True, 5), ("0.5", False, 0.5), ("30", True, 30)],
)
def test_equal_orders_count_longer_where_a_person_sends_them(limit, by_hand, seconds):
    assert duplicate_window(Decimal(limit), by_hand=by_hand) == timedelta(seconds=seconds)
