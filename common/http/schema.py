"""Schemas of bodies and answers. Import the value types from here too."""

from typing import Any

from ninja import Schema
from pydantic import ConfigDict, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from common.http.types import (
    DecimalIn,
    DecimalOut,
    EnumIn,
    PositiveDecimalIn,
    Text,
    UlidIn,
    UtcDatetimeIn,
    UtcDatetimeOut,
)

__all__ = [
    "DecimalIn",
    "DecimalOut",
    "EmptyBody",
    "EnumIn",
    "PositiveDecimalIn",
    "StrictSchema",
    "Text",
    "UlidIn",
    "UtcDatetimeIn",
    "UtcDatetimeOut",
]


class StrictSchema(Schema):
    """A body, or an object inside one: only the declared fields, each of its exact JSON type."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, from_attributes=False)

    @model_validator(mode="wrap")
    @classmethod
    def _run_root_validator(cls, values: Any, handler: Any, _: ValidationInfo) -> Any:
        """Replace Ninja's own, which validates twice to read ORM objects: bodies are dicts."""
        if not isinstance(values, dict | cls):
            raise PydanticCustomError("invalid_type", "Expected an object.")
        return handler(values)


class EmptyBody(StrictSchema):
    """The body ``{}``."""
