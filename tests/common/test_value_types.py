"""Decimals, instants, choices as bodies carry them (bad-inputs.md B1 to B6, B9)."""

from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from common.errors import FieldError, Invalid
from common.http.problems import echo, problem_object, refused_object
from common.http.schema import (
    DecimalIn,
    DecimalOut,
    EnumIn,
    PositiveDecimalIn,
    StrictSchema,
    UlidIn,
    UtcDatetimeIn,
    UtcDatetimeOut,
)
from common.http.validation import field_errors
from common.ids import new_ulid
from common.numbers import dec_str


class Side(StrEnum):
    BUY = "BUY"
    SELL = "SELL"


class Ticket(StrictSchema):
    order_qty: PositiveDecimalIn
    price: DecimalIn | None = None
    side: EnumIn[Side] = Side.BUY
    at: UtcDatetimeIn | None = None
    id: UlidIn | None = None
    tags: dict[str, str] = {}
    legs: list["Leg"] = []
    count: int = 0
    flag: bool = False


class Leg(StrictSchema):
    qty: PositiveDecimalIn


Ticket.model_rebuild()


def codes(body) -> list[tuple[str, str]]:
    """What a body is refused for."""
    with pytest.raises(ValidationError) as failure:
        Ticket.model_validate(body)
    return [(row.field, row.code) for row in field_errors(failure.value.errors())]


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("0", "not_positive"), ("-1", "not_positive"), ("-0", "not_positive"),
        ("0.000", "not_positive"),
        ("NaN", "not_finite"), ("Infinity", "not_finite"), ("-inf", "not_finite"),
        ("sNaN", "not_finite"), ("nan1", "not_finite"),
        (0.1, "use_string"), (1, "use_string"), (10**30, "use_string"), (1e400, "use_string"),
        ("1,5", "invalid_number"), (" 1 ", "invalid_number"), ("", "invalid_number"),
        ("1e5", "invalid_number"), ("1_000", "invalid_number"), ("+1", "invalid_number"),
        (".5", "invalid_number"), ("5.", "invalid_number"), ("0x10", "invalid_number"),
        ("1\n", "invalid_number"), ("\N{ARABIC-INDIC DIGIT ONE}", "invalid_number"),
        ("\N{FULLWIDTH DIGIT ONE}", "invalid_number"), ("--1", "invalid_number"),
        ("9" * 5000, "invalid_number"), ("1" * 13, "out_of_range"), ("9" * 300, "out_of_range"),
        ("0." + "0" * 12 + "1", "too_many_decimals"),
        (None, "invalid_type"), ([1], "invalid_type"), ({}, "invalid_type"),
        (True, "invalid_type"), (["1"], "invalid_type"),
    ],
)  # fmt: skip
def test_quantities_that_are_not_acceptable(value, code):
    assert codes({"order_qty": value}) == [("order_qty", code)]


@given(st.decimals(-(10**12) + 1, 10**12 - 1, places=12, allow_nan=False, allow_infinity=False))
def test_every_decimal_in_range_passes_exactly(number):
    ticket = Ticket.model_validate({"order_qty": "1", "price": format(number, "f")})
    assert ticket.price == number
    assert "E" not in dec_str(number)


def test_padding_is_no_mistake():
    ticket = Ticket.model_validate({"order_qty": "00010.50", "price": "-0"})
    assert ticket.order_qty == Decimal("10.5")
    assert str(ticket.price) == "0"


@pytest.mark.parametrize(
    "text",
    ["2026-01-31", "2026-01-31T09:30:00", "2026-02-30T09:30:00Z", "0000-01-01T00:00:00Z",
     "2026-01-31T09:30:00+25:00", "2026-01-31T24:30:00Z", "1e9", "", "now",
     "2026-01-31T09:30:00Z ", "9999-12-31T23:59:59-14:00", "1800-01-01T00:00:00Z",
     "\N{FULLWIDTH DIGIT TWO}026-01-31T09:30:00Z"],
)  # fmt: skip
def test_instants_that_are_not_acceptable(text):
    assert codes({"order_qty": "1", "at": text}) == [("at", "invalid_datetime")]


def test_instants_come_in_any_zone_and_go_out_in_utc():
    class Out(StrictSchema):
        at: UtcDatetimeOut
        number: DecimalOut

    ticket = Ticket.model_validate({"order_qty": "1", "at": "2026-01-31T09:30:00.25+02:00"})
    assert ticket.at == datetime(2026, 1, 31, 7, 30, 0, 250_000, tzinfo=UTC)
    assert ticket.at.tzinfo is UTC
    shown = Out(at=ticket.at, number=Decimal("1250.500")).model_dump()
    assert shown == {"at": "2026-01-31T07:30:00.25Z", "number": "1250.5"}


@pytest.mark.parametrize("value", ["Buy ", "buy", "", "SELL_SHORT", "BUY\n"])
def test_choices_are_exact(value):
    assert codes({"order_qty": "1", "side": value}) == [("side", "invalid_choice")]


def test_places_are_named_and_types_are_exact():
    assert codes(
        {"order_qty": "1", "legs": [{"qty": "1"}, {"qty": "0", "x": 1}], "tags": {"desk": 5},
         "count": "5", "flag": 1, "id": "x", "side": None, "tenant_id": 1}
    ) == [
        ("side", "invalid_type"), ("id", "invalid_id"), ("tags.desk", "invalid_type"),
        ("legs.1.qty", "not_positive"), ("legs.1.x", "unknown_field"),
        ("count", "invalid_type"), ("flag", "invalid_type"), ("tenant_id", "unknown_field"),
    ]  # fmt: skip
    assert codes({}) == [("order_qty", "required")]
    assert codes({"order_qty": "1", "legs": ["x"]}) == [("legs.0", "invalid_type")]
    assert Ticket.model_validate({"order_qty": "1", "id": new_ulid(datetime.now(UTC))}).id


def test_a_problem_takes_the_code_its_rows_share():
    one = FieldError("a", "off_tick", "x", {"nearest": ["1", "2"]})
    other = FieldError("b", "off_lot", "x")
    assert refused_object(Invalid("d", errors=[one]))["code"] == "off_tick"
    assert refused_object(Invalid("d", errors=[one]))["errors"][0]["nearest"] == ["1", "2"]
    both = refused_object(Invalid("d", errors=[one, other], extra={"order": {}, "status": 200}))
    assert (both["code"], both["status"], both["order"]) == ("invalid", 422, {})
    assert problem_object(404, "not_found", "d")["title"] == "Not found"


def test_an_echo_is_short_and_printable():
    assert echo("a" * 65) == "a" * 63 + "…"
    assert echo("a" * 64) == "a" * 64
    assert echo("a\x00\N{RIGHT-TO-LEFT OVERRIDE}b") == "a\N{REPLACEMENT CHARACTER}" * 1 + (
        "\N{REPLACEMENT CHARACTER}b"
    )
