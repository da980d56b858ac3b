"""Query strings: known parameters, each once, each of its type."""

from typing import Annotated, Any

from ninja import Schema
from pydantic import BeforeValidator, ConfigDict, WithJsonSchema
from pydantic_core import PydanticCustomError

DEFAULT_LIMIT = 100
MAX_LIMIT = 500


def _limit(value: Any) -> int:
    if isinstance(value, int):
        return value
    if not (isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 9):
        raise PydanticCustomError("invalid_number", "Expected a whole number from 1 to 500.")
    number = int(value)
    if not 1 <= number <= MAX_LIMIT:
        raise PydanticCustomError("out_of_range", "Expected a whole number from 1 to 500.")
    return number


Limit = Annotated[
    int,
    BeforeValidator(_limit),
    WithJsonSchema({"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": 100}),
]


def _position(value: Any) -> int:
    if isinstance(value, int):
        return value
    if not (isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 18):
        raise PydanticCustomError("invalid_number", "Expected a whole number, 0 or greater.")
    return int(value)


Position = Annotated[
    int,
    BeforeValidator(_position),
    WithJsonSchema({"type": "integer", "minimum": 0}),
]


class StrictQuery(Schema):
    """Base of ``Query`` schemas of lists: ``filters: Annotated[OrdersQuery, Query(...)]``.

    Unknown and doubled parameters are refused for every operation by ``common.http.door``, with or
    without a query schema. Use the types of ``common.http.types`` for instants and choices.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: Limit = DEFAULT_LIMIT
    cursor: str | None = None
