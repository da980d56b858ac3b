"""Intents: one hash per wish, and every field rule with its exact code."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from order_life import ID, dec

from trading.market import InstrumentRules
from trading.orders import ids
from trading.orders.intent import (
    OrderIntent,
    canonical_json,
    default_time_in_force,
    field_errors,
    intent_hash,
)
from trading.vocabulary import OrdType, Side, TimeInForce

RULES = InstrumentRules(
    symbol="SPX",
    currency="USD",
    tick_size=dec("0.05"),
    lot_size=dec("0.5"),
    qty_decimals=8,
    min_qty=dec(1),
    max_qty=dec(1000),
    min_notional=dec(50),
    multiplier=dec(2),
)
LIMIT = OrderIntent(
    account="main",
    symbol="SPX",
    side=Side.BUY,
    ord_type=OrdType.LIMIT,
    order_qty=dec(10),
    price=dec("100.05"),
    time_in_force=TimeInForce.DAY,
)
MARKET = replace(LIMIT, ord_type=OrdType.MARKET, price=None)


def codes(intent: OrderIntent, **more: Decimal) -> list[tuple[str, str]]:
    return [(e.field, e.code) for e in field_errors(intent, RULES, **more)]


def test_row_02_ten_and_ten_point_zero_are_the_same_wish() -> None:
    same = replace(LIMIT, order_qty=dec("10.0"), price=dec("1.0005E+2"), cl_ord_id="a")
    assert intent_hash(same) == intent_hash(LIMIT)
    assert intent_hash(replace(LIMIT, order_qty=dec(11))) != intent_hash(LIMIT)
    assert canonical_json(LIMIT) == (
        '{"account":"main","ord_type":"LIMIT","order_qty":"10","price":"100.05","side":"BUY",'
        '"symbol":"SPX","time_in_force":"DAY"}'
    )


@pytest.mark.parametrize(
    "change",
    [
        {"account": "other"},
        {"symbol": "IXIC"},
        {"side": Side.SELL},
        {"price": dec("100.1")},
        {"price": None},
        {"stop_px": dec(1)},
        {"display_qty": dec(1)},
        {"time_in_force": TimeInForce.GTC},
        {"expire_time": datetime(2026, 1, 1, tzinfo=UTC)},
        {"exec_inst": ("POST_ONLY",)},
        {"strategy": "trend"},
        {"ord_type": OrdType.MARKET},
    ],
)
def test_every_economic_field_is_hashed(change: dict[str, object]) -> None:
    assert intent_hash(replace(LIMIT, **change)) != intent_hash(LIMIT)


def test_what_is_not_economic_is_not_hashed() -> None:
    noted = replace(LIMIT, tags={"desk": "a"}, source="portal", cl_ord_id="x")
    assert intent_hash(noted) == intent_hash(LIMIT)
    flags = replace(LIMIT, exec_inst=("REDUCE_ONLY", "POST_ONLY"))
    assert intent_hash(flags) == intent_hash(replace(LIMIT, exec_inst=("POST_ONLY", "REDUCE_ONLY")))
    at = datetime(2026, 1, 1, 12, tzinfo=UTC)
    elsewhere = at.astimezone(timezone(timedelta(hours=5)))
    assert intent_hash(replace(LIMIT, expire_time=at)) == intent_hash(
        replace(LIMIT, expire_time=elsewhere)
    )


def test_valid_intents_have_no_errors() -> None:
    for intent in (
        LIMIT,
        MARKET,
        replace(LIMIT, display_qty=dec(10), order_qty=dec("10.50")),
        replace(LIMIT, exec_inst=("POST_ONLY",), time_in_force=TimeInForce.GTC),
        replace(LIMIT, price=dec("100.050000000000000")),
        replace(LIMIT, order_qty=RULES.min_qty),
        replace(LIMIT, order_qty=RULES.max_qty),
    ):
        assert field_errors(intent, RULES, reference_price=dec(100)) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"order_qty": dec(0)}, ("order_qty", "quantity_required")),
        ({"order_qty": dec(-1)}, ("order_qty", "not_positive")),
        ({"order_qty": dec("-0")}, ("order_qty", "quantity_required")),
        ({"order_qty": dec("1000000000000")}, ("order_qty", "out_of_range")),
        ({"order_qty": dec("0.123456789")}, ("order_qty", "too_many_decimals")),
        ({"order_qty": dec("10.3")}, ("order_qty", "off_lot")),
        ({"order_qty": dec("0.5")}, ("order_qty", "below_min_qty")),
        ({"order_qty": dec(1001)}, ("order_qty", "above_max_qty")),
        ({"price": dec(0)}, ("price", "not_positive")),
        ({"price": dec("100.06")}, ("price", "off_tick")),
        ({"price": dec("1.0000000000001")}, ("price", "too_many_decimals")),
        ({"price": dec("9999999999999")}, ("price", "out_of_range")),
        ({"price": None}, ("price", "required_for_type")),
        ({"stop_px": dec(99)}, ("stop_px", "not_allowed_for_type")),
        ({"display_qty": dec(11)}, ("display_qty", "out_of_range")),
        ({"display_qty": dec("0.3")}, ("display_qty", "off_lot")),
        ({"display_qty": dec(0)}, ("display_qty", "not_positive")),
        ({"expire_time": datetime(2026, 1, 1, tzinfo=UTC)}, ("expire_time", "contradictory")),
        ({"exec_inst": ("NOT_HELD",)}, ("exec_inst", "invalid_choice")),
        (
            {"exec_inst": ("POST_ONLY",), "time_in_force": TimeInForce.IOC},
            ("exec_inst", "contradictory"),
        ),
        (
            {"exec_inst": ("ALL_OR_NONE",), "time_in_force": TimeInForce.IOC},
            ("exec_inst", "contradictory"),
        ),
        (
            {"exec_inst": ("ALL_OR_NONE",), "display_qty": dec(1)},
            ("exec_inst", "contradictory"),
        ),
        ({"order_qty": dec(1), "price": dec(20)}, ("order_qty", "below_min_notional")),
    ],
)
def test_limit_field_rule(change: dict[str, object], expected: tuple[str, str]) -> None:
    assert codes(replace(LIMIT, **change)) == [expected]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"price": dec(100)}, ("price", "not_allowed_for_type")),
        ({"time_in_force": TimeInForce.GTC}, ("time_in_force", "not_allowed_for_type")),
        ({"display_qty": dec(1)}, ("display_qty", "not_allowed_for_type")),
        ({"exec_inst": ("POST_ONLY",)}, ("exec_inst", "not_allowed_for_type")),
    ],
)
def test_market_field_rule(change: dict[str, object], expected: tuple[str, str]) -> None:
    assert codes(replace(MARKET, **change)) == [expected]


def test_row_61_off_tick_and_off_lot_name_the_nearest_legal_values() -> None:
    (price,) = field_errors(replace(LIMIT, price=dec("100.06")), RULES)
    assert price.nearest == (dec("100.05"), dec("100.1"))
    assert "100.05 and 100.1" in price.message
    (tiny,) = field_errors(replace(LIMIT, price=dec("0.01")), RULES)
    assert tiny.nearest == (dec("0.05"), dec("0.1"))
    (qty,) = field_errors(replace(LIMIT, order_qty=dec("10.3")), RULES)
    assert qty.nearest == (dec(10), dec("10.5"))
    assert "10 and 10.5" in qty.message


def test_notional_of_a_market_order_needs_a_reference() -> None:
    small = replace(MARKET, order_qty=dec(1))
    assert codes(small) == []
    assert codes(small, reference_price=dec("24.95")) == [("order_qty", "below_min_notional")]
    assert codes(small, reference_price=dec(25)) == []


def test_all_broken_rules_are_named_at_once() -> None:
    bad = replace(LIMIT, order_qty=dec(-1), price=dec("100.01"), stop_px=dec(1))
    assert codes(bad) == [
        ("order_qty", "not_positive"),
        ("stop_px", "not_allowed_for_type"),
        ("price", "off_tick"),
    ]


def test_default_time_in_force() -> None:
    assert default_time_in_force(OrdType.MARKET, continuous=True) is TimeInForce.IOC
    assert default_time_in_force(OrdType.LIMIT, continuous=True) is TimeInForce.GTC
    assert default_time_in_force(OrdType.MARKET, continuous=False) is TimeInForce.DAY


def test_client_id_forms() -> None:
    for good in ("a", "A.b_c-1", "_x", "9" * 36, "7" * 26 + ".a"):
        assert ids.is_valid_cl_ord_id(good)
        assert not ids.is_reserved_cl_ord_id(good)
    for bad in ("", ".a", "-a", "a b", "ä", "9" * 37, "a\n"):
        assert not ids.is_valid_cl_ord_id(bad)
    made = (ID, ids.child_id(ID, 3), ids.leg_id(ID, 1), ids.cancel_id(ID, 1), ids.replace_id(ID, 2))
    for reserved in made:
        assert ids.is_valid_cl_ord_id(reserved)
        assert ids.is_reserved_cl_ord_id(reserved)


def test_venue_ids_of_the_chain() -> None:
    assert ids.venue_cl_ord_id(ID, 0) == ID
    assert ids.venue_cl_ord_id(ID, 1) == f"{ID}01"
    assert ids.venue_cl_ord_id(ID, 35) == f"{ID}0Z"
    assert ids.venue_cl_ord_id(ID, 36) == f"{ID}10"
    assert ids.venue_cl_ord_id(ID, ids.MAX_AMENDS) == f"{ID}ZZ"
    with pytest.raises(ValueError, match="1296"):
        ids.venue_cl_ord_id(ID, ids.MAX_AMENDS + 1)
    assert len({ids.venue_cl_ord_id(ID, n, hex_length=32) for n in range(100)}) == 100
    assert len(ids.venue_cl_ord_id(ID, 1, hex_length=32)) == 32


def test_derived_execution_ids_ignore_spelling_and_see_content() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    fill = {
        "account": "main",
        "order_id": "V1",
        "trade_time": at,
        "side": Side.BUY,
        "last_qty": dec(1),
        "last_px": dec(100),
        "n": 0,
    }
    first = ids.execution_fingerprint(**fill)
    assert first == ids.execution_fingerprint(**{**fill, "last_qty": dec("1.0")})
    assert first != ids.execution_fingerprint(**{**fill, "n": 1})
    assert len(first) == 32
