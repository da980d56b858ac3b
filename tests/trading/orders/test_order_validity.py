"""Every field rule of the order types: one line says the order, the field and the code."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import product

import pytest
from order_life import dec

from trading.market import InstrumentRules
from trading.orders.intent import OrderIntent, field_errors
from trading.orders.validity import NEEDED, POSSIBLE, TIME_IN_FORCE_BY_TYPE
from trading.vocabulary import (
    OrdType,
    PegPriceType,
    Side,
    TimeInForce,
    TrailType,
    TriggerPriceType,
)

T, F = OrdType, TimeInForce
END = datetime(2026, 6, 1, tzinfo=UTC)
RULES = InstrumentRules(
    symbol="SPX",
    currency="USD",
    tick_size=dec("0.05"),
    lot_size=dec("0.5"),
    qty_decimals=4,
    min_qty=dec(1),
    max_qty=dec(1000),
    min_notional=dec(50),
)
WHOLE = {
    "price": dec("100.05"),
    "stop_px": dec(99),
    "trail_offset": dec("1.5"),
    "trail_type": TrailType.PRICE,
    "limit_offset": dec(0),
    "peg_price_type": PegPriceType.PRIMARY,
}
ANY = {
    **WHOLE,
    "activation_px": dec(105),
    "trigger_price_type": TriggerPriceType.MID,
    "peg_offset": -2,
    "cash_order_qty": dec(500),
    "display_qty": dec(1),
    "max_slippage_bps": dec(20),
    "extended_hours": True,
}
"""A good value of every field that only some types have."""


def an(ord_type: OrdType, time_in_force: TimeInForce = F.DAY, **more: object) -> OrderIntent:
    """An order of this type with what it needs, changed by ``more``."""
    needed = {name: WHOLE[name] for name, types in NEEDED.items() if ord_type in types}
    if time_in_force is F.GTD:
        needed["expire_time"] = END
    basic = {"account": "main", "symbol": "SPX", "side": Side.BUY, "order_qty": dec(10)}
    return OrderIntent(
        ord_type=ord_type, time_in_force=time_in_force, **{**basic, **needed, **more}
    )


def broken(intent: OrderIntent) -> list[tuple[str, str]]:
    return [(error.field, error.code) for error in field_errors(intent, RULES)]


@pytest.mark.parametrize(("ord_type", "word"), list(product(T, F)))
def test_the_table_of_times_in_force(ord_type, word):
    found = broken(an(ord_type, word))
    may = word in TIME_IN_FORCE_BY_TYPE[ord_type]
    assert found == ([] if may else [("time_in_force", "not_allowed_for_type")])


@pytest.mark.parametrize(("ord_type", "name"), list(product(T, POSSIBLE)))
def test_the_table_of_fields(ord_type, name):
    if ord_type in NEEDED.get(name, ()):
        assert broken(an(ord_type, **{name: None})) == [(name, "required_for_type")]
        return
    more = {"order_qty": dec(0)} if name == "cash_order_qty" else {}
    found = broken(an(ord_type, **{name: ANY[name]}, **more))
    assert found == ([] if ord_type in POSSIBLE[name] else [(name, "not_allowed_for_type")])


TRAIL, TRAIL_LIMIT, PEG = T.TRAILING_STOP, T.TRAILING_STOP_LIMIT, T.PEGGED
PERCENT = {"trail_type": TrailType.PERCENT}
CASH = {"order_qty": dec(0), "cash_order_qty": dec(500)}
LINES = [
    # how much
    (an(T.MARKET, order_qty=dec(0)), "order_qty", "quantity_required"),
    (an(T.MARKET, cash_order_qty=dec(5)), "cash_order_qty", "contradictory"),
    (an(T.LIMIT, **CASH), "cash_order_qty", "not_allowed_for_type"),
    (an(T.STOP, **CASH), "cash_order_qty", "not_allowed_for_type"),
    (an(T.MARKET, F.FOK, **CASH), "cash_order_qty", "not_allowed_for_type"),
    (an(T.MARKET, F.CLS, **CASH), "cash_order_qty", "not_allowed_for_type"),
    (an(T.MARKET, **CASH | {"cash_order_qty": dec(0)}), "cash_order_qty", "not_positive"),
    (an(T.MARKET, **CASH | {"cash_order_qty": dec("1e12")}), "cash_order_qty", "out_of_range"),
    (an(T.MARKET, **CASH | {"cash_order_qty": dec("1e-13")}), "cash_order_qty",
     "too_many_decimals"),
    (an(T.LIMIT, order_qty=dec(-1)), "order_qty", "not_positive"),
    (an(T.LIMIT, order_qty=dec("NaN")), "order_qty", "not_finite"),
    (an(T.LIMIT, order_qty=dec("1e12")), "order_qty", "out_of_range"),
    (an(T.LIMIT, order_qty=dec("1.00001")), "order_qty", "too_many_decimals"),
    (an(T.LIMIT, order_qty=dec("10.3")), "order_qty", "off_lot"),
    (an(T.LIMIT, order_qty=dec("0.5")), "order_qty", "below_min_qty"),
    (an(T.LIMIT, order_qty=dec("1000.5")), "order_qty", "above_max_qty"),
    (an(T.LIMIT, order_qty=dec(1), price=dec(20)), "order_qty", "below_min_notional"),
    # prices
    (an(T.LIMIT, price=dec("100.06")), "price", "off_tick"),
    (an(T.LIMIT, price=dec(0)), "price", "not_positive"),
    (an(T.LIMIT, price=dec("Infinity")), "price", "not_finite"),
    (an(T.LIMIT, price=dec("1e12")), "price", "out_of_range"),
    (an(T.LIMIT, price=dec("1e-13")), "price", "too_many_decimals"),
    (an(T.STOP, stop_px=dec("99.01")), "stop_px", "off_tick"),
    (an(T.STOP_LIMIT, stop_px=dec(-1)), "stop_px", "not_positive"),
    (an(TRAIL, stop_px=dec("99.01")), "stop_px", "off_tick"),
    (an(TRAIL, activation_px=dec("0.01")), "activation_px", "off_tick"),
    (an(PEG, price=dec("100.01")), "price", "off_tick"),
    # trails
    (an(TRAIL, trail_offset=dec("1.51")), "trail_offset", "off_tick"),
    (an(TRAIL, trail_offset=dec(0)), "trail_offset", "not_positive"),
    (an(TRAIL, trail_offset=dec(-1), **PERCENT), "trail_offset", "not_positive"),
    (an(TRAIL, trail_offset=dec("50.01"), **PERCENT), "trail_offset", "out_of_range"),
    (an(TRAIL, trail_offset=dec("0.001"), **PERCENT), "trail_offset", "too_many_decimals"),
    (an(TRAIL_LIMIT, limit_offset=dec("-0.05")), "limit_offset", "out_of_range"),
    (an(TRAIL_LIMIT, limit_offset=dec("0.01")), "limit_offset", "off_tick"),
    # parts of the quantity
    (an(T.LIMIT, display_qty=dec(0)), "display_qty", "not_positive"),
    (an(T.LIMIT, display_qty=dec("0.3")), "display_qty", "off_lot"),
    (an(T.LIMIT, display_qty=dec("10.5")), "display_qty", "out_of_range"),
    (an(T.LIMIT, min_qty=dec(5)), "min_qty", "not_allowed_for_type"),
    (an(T.LIMIT, F.FOK, min_qty=dec(5)), "min_qty", "not_allowed_for_type"),
    (an(T.LIMIT, F.IOC, min_qty=dec("10.5")), "min_qty", "out_of_range"),
    (an(T.LIMIT, F.IOC, min_qty=dec("0.3")), "min_qty", "off_lot"),
    # instructions
    (an(T.LIMIT, exec_inst=("NOT_HELD",)), "exec_inst", "invalid_choice"),
    (an(T.MARKET, exec_inst=("POST_ONLY",)), "exec_inst", "not_allowed_for_type"),
    (an(T.STOP_LIMIT, exec_inst=("POST_ONLY",)), "exec_inst", "not_allowed_for_type"),
    (an(T.MARKET_TO_LIMIT, exec_inst=("POST_ONLY",)), "exec_inst", "not_allowed_for_type"),
    (an(T.LIMIT, F.IOC, exec_inst=("POST_ONLY",)), "exec_inst", "contradictory"),
    (an(T.LIMIT, F.FOK, exec_inst=("POST_ONLY",)), "exec_inst", "contradictory"),
    (an(T.LIMIT, F.OPG, exec_inst=("POST_ONLY",)), "exec_inst", "contradictory"),
    (an(PEG, exec_inst=("POST_ONLY",), peg_offset=1), "exec_inst", "contradictory"),
    (an(PEG, exec_inst=("POST_ONLY",), peg_price_type=PegPriceType.MARKET), "exec_inst",
     "contradictory"),
    (an(T.LIMIT, F.IOC, exec_inst=("ALL_OR_NONE",)), "exec_inst", "contradictory"),
    (an(T.LIMIT, exec_inst=("ALL_OR_NONE",), display_qty=dec(1)), "exec_inst", "contradictory"),
    # time
    (an(T.LIMIT, F.GTD, expire_time=None), "expire_time", "required_for_type"),
    (an(T.LIMIT, F.GTC, expire_time=END), "expire_time", "contradictory"),
    (an(T.LIMIT, F.GTD, extended_hours=True), "extended_hours", "not_allowed_for_type"),
    (an(T.LIMIT, F.IOC, extended_hours=True), "extended_hours", "not_allowed_for_type"),
    # protection
    (an(T.MARKET, max_slippage_bps=dec(0)), "max_slippage_bps", "not_positive"),
    (an(T.MARKET, max_slippage_bps=dec(10_000)), "max_slippage_bps", "out_of_range"),
    (an(T.STOP, max_slippage_bps=dec("1e-13")), "max_slippage_bps", "too_many_decimals"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("intent", "name", "code"),
    LINES,
    ids=[f"{n}-{intent.ord_type}-{name}-{code}" for n, (intent, name, code) in enumerate(LINES)],
)
def test_one_broken_rule_is_one_error_with_its_code(intent, name, code):
    assert broken(intent) == [(name, code)]


def test_the_nearest_legal_numbers_are_named():
    (tick,) = field_errors(an(T.LIMIT, price=dec("100.06")), RULES)
    assert tick.nearest == (dec("100.05"), dec("100.10"))
    assert "100.05 and 100.1" in tick.message
    (lot,) = field_errors(an(T.LIMIT, order_qty=dec("10.3")), RULES)
    assert lot.nearest == (dec(10), dec("10.5"))


@pytest.mark.parametrize(
    "intent",
    [
        an(T.MARKET, **CASH),
        an(T.MARKET, F.IOC, min_qty=dec(10)),
        an(T.LIMIT, F.IOC, min_qty=dec(5)),
        an(T.LIMIT, display_qty=dec(10)),
        an(T.LIMIT, F.GTC, extended_hours=True, exec_inst=("POST_ONLY", "REDUCE_ONLY")),
        an(T.LIMIT, F.FOK, exec_inst=("ALL_OR_NONE",)),
        an(T.STOP, max_slippage_bps=dec("0.5"), exec_inst=("REDUCE_ONLY",)),
        an(T.STOP_LIMIT, F.FOK),
        an(TRAIL, F.GTD, trail_offset=dec(50), **PERCENT, stop_px=dec(90)),
        an(TRAIL_LIMIT, F.GTC, activation_px=dec(90), limit_offset=dec("0.05")),
        an(PEG, F.GTC, exec_inst=("POST_ONLY",), peg_offset=-1),
        an(PEG, side=Side.SELL, exec_inst=("POST_ONLY",), peg_offset=1),
        an(PEG, exec_inst=("POST_ONLY",), peg_price_type=PegPriceType.MARKET, peg_offset=-1),
    ],
    ids=lambda intent: f"{intent.ord_type}-{intent.time_in_force}",
)
def test_what_belongs_together_is_taken(intent):
    assert broken(intent) == []


def test_a_cheap_order_without_a_price_of_its_own_is_weighed_by_the_market():
    small = replace(an(T.MARKET), order_qty=dec(1))
    assert broken(small) == []
    (error,) = field_errors(small, RULES, reference_price=dec(49))
    assert (error.field, error.code) == ("order_qty", "below_min_notional")
