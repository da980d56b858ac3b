"""Value types of the doors: decimals as strings, instants with a zone, closed choices.

Each refusal is a pydantic custom error whose type is the code of api.md.
"""

import re
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

from common.ids import is_ulid
from common.instants import instant_str
from common.numbers import dec_str

MAX_INTEGER_DIGITS = 12
MAX_DECIMALS = 12

_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?", re.ASCII)
_NOT_FINITE = re.compile(r"[+-]?(?:s?nan[0-9]*|inf(?:inity)?)", re.IGNORECASE | re.ASCII)
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?"
    r"(?:[Zz]|[+-][0-9]{2}:[0-9]{2})",
    re.ASCII,
)


def parse_decimal(value: Any) -> Decimal:
    """Return the decimal a client wrote as a string.

    :raises PydanticCustomError: use_string, invalid_type, invalid_number, not_finite,
        out_of_range (over 12 integer digits), too_many_decimals (over 12).
    """
    if isinstance(value, Decimal):  # a default of ours, or a value validated before
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise PydanticCustomError("use_string", 'Write the number as a string, such as "10.5".')
    if not isinstance(value, str):
        raise PydanticCustomError("invalid_type", "Expected a decimal number in a string.")
    if _NOT_FINITE.fullmatch(value):
        raise PydanticCustomError("not_finite", "Must be a finite number.")
    if len(value) > 400 or _NUMBER.fullmatch(value) is None:
        raise PydanticCustomError(
            "invalid_number", 'Digits with a point at most, such as "1250.5"; nothing else.'
        )
    whole, _, fraction = value.lstrip("-").partition(".")
    if len(whole.lstrip("0")) > MAX_INTEGER_DIGITS:
        raise PydanticCustomError("out_of_range", "More than 12 digits before the point.")
    if len(fraction.rstrip("0")) > MAX_DECIMALS:
        raise PydanticCustomError("too_many_decimals", "More than 12 digits behind the point.")
    number = Decimal(value)
    return number or Decimal(0)


def _positive(value: Decimal) -> Decimal:
    if value <= 0:
        raise PydanticCustomError("not_positive", "Must be greater than zero.")
    return value


def parse_instant(value: Any) -> datetime:
    """Return an RFC 3339 instant in UTC.

    :raises PydanticCustomError: invalid_type, invalid_datetime.
    """
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value
    if not isinstance(value, str):
        raise PydanticCustomError("invalid_type", "Expected an RFC 3339 instant in a string.")
    failure = PydanticCustomError(
        "invalid_datetime", 'Expected an instant with its zone, such as "2026-01-31T09:30:00Z".'
    )
    if _INSTANT.fullmatch(value) is None:
        raise failure
    try:
        instant = datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise failure from None
    if instant.year < 1900:
        raise failure
    return instant


def _ulid(value: Any) -> str:
    if not isinstance(value, str) or not is_ulid(value):
        raise PydanticCustomError("invalid_id", "Expected an id of 26 characters as we made it.")
    return value


_DECIMAL_SCHEMA = {"type": "string", "pattern": r"^-?[0-9]{1,12}(\.[0-9]{1,12})?$"}

DecimalIn = Annotated[
    Decimal, BeforeValidator(parse_decimal), WithJsonSchema({**_DECIMAL_SCHEMA, "example": "10"})
]
PositiveDecimalIn = Annotated[
    Decimal,
    BeforeValidator(parse_decimal),
    AfterValidator(_positive),
    WithJsonSchema({**_DECIMAL_SCHEMA, "example": "10"}),
]
DecimalOut = Annotated[
    Decimal,
    PlainSerializer(dec_str, return_type=str),
    WithJsonSchema({"type": "string", "example": "1250.5"}),
]
UtcDatetimeIn = Annotated[
    datetime,
    BeforeValidator(parse_instant),
    WithJsonSchema({"type": "string", "format": "date-time", "example": "2026-01-31T09:30:00Z"}),
]
UtcDatetimeOut = Annotated[
    datetime,
    PlainSerializer(instant_str, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "example": "2026-01-31T09:30:00Z"}),
]
UlidIn = Annotated[
    str,
    BeforeValidator(_ulid),
    WithJsonSchema({"type": "string", "pattern": "^[0-7][0-9A-HJKMNP-TV-Z]{25}$"}),
]
Text = Annotated[str, Field(max_length=500)]

Choice = TypeVar("Choice", bound=StrEnum)


def _choose(enum: type[Choice], value: Any) -> Choice:
    if isinstance(value, enum):
        return value
    if not isinstance(value, str):
        raise PydanticCustomError("invalid_type", "Expected a string.")
    for member in enum:
        if member.value == value:
            return member
    allowed = ", ".join(member.value for member in enum)
    raise PydanticCustomError("invalid_choice", "Not one of {allowed}.", {"allowed": allowed})


if TYPE_CHECKING:
    EnumIn = Annotated[Choice, None]
else:

    class EnumIn:
        """``EnumIn[Side]``: one of the enum's values exactly as written, else invalid_choice."""

        def __class_getitem__(cls, enum):
            """Return the annotated type of one enum."""
            return Annotated[
                enum,
                BeforeValidator(partial(_choose, enum)),
                WithJsonSchema({"type": "string", "enum": [member.value for member in enum]}),
            ]
