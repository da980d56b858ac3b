"""Columns many rows here share."""

from typing import Any

from django.db import models

ULID_LENGTH = 26
CL_ORD_ID_LENGTH = 36


def choices(enum: Any) -> list[tuple[str, str]]:
    """The members of an enumeration as a column's choices."""
    return [(member.value, member.value) for member in enum]


def hot_key(model: Any, **options: Any) -> Any:
    """A foreign key that says what a column means without a constraint that locks the target."""
    return models.ForeignKey(
        model, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+", **options
    )


def exact(**options: Any) -> "models.DecimalField[Any, Any]":
    """A quantity or price: 12 digits before the point, 12 behind."""
    return models.DecimalField(max_digits=24, decimal_places=12, **options)
