"""What may be wished of a list: defaults, roles, distances from the entry, equal wishes."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.contingency import (
    ContingencyType,
    LegWish,
    ListWish,
    Release,
    Role,
    Sizing,
    list_hash,
    relative_px,
    roles,
    with_defaults,
)
from trading.orders.intent import OrderIntent
from trading.vocabulary import OrdType, Side, TimeInForce

D = Decimal
K = ContingencyType


def leg(side=Side.BUY, ord_type=OrdType.LIMIT, qty=0, distance=None, **terms) -> LegWish:
    intent = OrderIntent(
        account="A",
        symbol="SPX",
        side=side,
        ord_type=ord_type,
        order_qty=D(qty),
        time_in_force=TimeInForce.GTC,
        **terms,
    )
    return LegWish(intent=intent, offset=None if distance is None else D(distance))


BRACKET = ListWish(
    contingency_type=K.OTOCO,
    legs=(
        leg(qty=10, price=D(100)),
        leg(Side.SELL, OrdType.STOP, stop_px=D(90)),
        leg(Side.SELL, price=D(110)),
    ),
)


def test_what_follows_from_the_kind_is_filled_in():
    wish = with_defaults(BRACKET)
    assert [one.intent.order_qty for one in wish.legs] == [10, 10, 10]
    assert (wish.release, wish.sizing) == (Release.ON_FIRST_FILL, Sizing.MATCH)
    pair = with_defaults(replace(BRACKET, contingency_type=K.OCO))
    assert (pair.release, pair.sizing, pair.legs[1].intent.order_qty) == (None, None, 0)


@pytest.mark.parametrize(
    ("kind", "parts"),
    [
        (K.OTOCO, (Role.ENTRY, Role.STOP, Role.TARGET)),
        (K.OTO, (Role.ENTRY, Role.RELEASED, Role.RELEASED)),
        (K.OCO, (Role.ALTERNATIVE,) * 3),
        (K.OUO_ABSOLUTE, (Role.ALTERNATIVE,) * 3),
    ],
)
def test_a_leg_has_its_role_by_the_kind_and_its_type(kind, parts):
    assert roles(replace(BRACKET, contingency_type=kind)) == parts


def test_equal_wishes_have_equal_hashes_and_every_term_counts():
    wish = with_defaults(BRACKET)
    spelled = replace(
        wish, cl_ord_id="other", legs=(leg(qty="10.0", price=D("100.00")), *wish.legs[1:])
    )
    assert list_hash(spelled) == list_hash(wish)
    others = [
        replace(wish, release=Release.ON_FULL_FILL),
        replace(wish, contingency_type=K.OTO),
        replace(wish, legs=wish.legs[:2]),
        replace(wish, legs=(*wish.legs[:2], leg(Side.SELL, qty=10, distance=10))),
        replace(wish, legs=(wish.legs[0], wish.legs[2], wish.legs[1])),
    ]
    assert len({list_hash(one) for one in [wish, *others]}) == 6


@pytest.mark.parametrize(
    ("side", "ord_type", "distance", "px"),
    [
        (Side.BUY, OrdType.LIMIT, {"offset": D("1.001")}, "101.01"),
        (Side.BUY, OrdType.MARKET_IF_TOUCHED, {"offset": D("1.001")}, "101.01"),
        (Side.BUY, OrdType.STOP, {"offset": D("1.001")}, "98.99"),
        (Side.SELL, OrdType.LIMIT, {"offset": D("1.001")}, "98.99"),
        (Side.SELL, OrdType.STOP, {"offset": D("1.001")}, "101.01"),
        (Side.BUY, OrdType.LIMIT, {"offset_percent": D("2.5")}, "102.5"),
        (Side.SELL, OrdType.STOP, {"offset_percent": D("0.001")}, "100.01"),
        (Side.BUY, OrdType.STOP, {"offset": D(500)}, "0"),
    ],
)
def test_a_distance_is_rounded_away_from_the_entry(side, ord_type, distance, px):
    found = relative_px(
        entry_side=side, ord_type=ord_type, entry_px=D(100), tick_size=D("0.01"), **distance
    )
    assert found == D(px)


@given(
    st.decimals("0.01", "10000", places=4),
    st.decimals("0.0001", "50", places=4),
    st.sampled_from([Side.BUY, Side.SELL]),
)
def test_a_profit_lies_beyond_the_entry_and_a_stop_before_it(entry_px, offset, side):
    target, stop = (
        relative_px(
            entry_side=side,
            ord_type=ord_type,
            entry_px=entry_px,
            tick_size=D("0.05"),
            offset=offset,
        )
        for ord_type in (OrdType.LIMIT, OrdType.STOP)
    )
    assert (target - entry_px) * side.sign > 0 or target == 0
    assert (stop - entry_px) * side.sign < 0 or stop == 0
    assert target % D("0.05") == stop % D("0.05") == 0
