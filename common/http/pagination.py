"""Pages of a queryset by key, which stay right while rows are added."""

import base64
import binascii
import json
from collections.abc import Iterable
from typing import Any, TypeVar

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import Model, QuerySet

from common.errors import FieldError, Invalid

Row = TypeVar("Row", bound=Model)

_MAX_CURSOR = 512


def page(
    queryset: QuerySet[Row],
    *,
    key: str = "id",
    limit: int,
    cursor: str | None,
    descending: bool = True,
) -> tuple[list[Row], str | None]:
    """Return at most ``limit`` rows after ``cursor``, and the cursor of the next page.

    ``key`` names a unique column; the rows are ordered by it alone.

    :raises Invalid: if the cursor is none of ours.
    """
    if cursor is not None:
        value = _decode(queryset, key, cursor)
        queryset = queryset.filter(**{f"{key}__{'lt' if descending else 'gt'}": value})
    rows = list(queryset.order_by(f"-{key}" if descending else key)[: limit + 1])
    if len(rows) <= limit:
        return rows, None
    rows = rows[:limit]
    return rows, _encode(key, getattr(rows[-1], key))


def listing(items: Iterable[Any], next_cursor: str | None) -> dict[str, Any]:
    """Return the shape of every list."""
    return {"items": list(items), "next": next_cursor}


def _encode(key: str, value: Any) -> str:
    text = json.dumps([key, str(value)], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode(queryset: QuerySet[Any], key: str, cursor: str) -> Any:
    failure = Invalid(
        "The cursor is not one of ours; leave it out to begin anew.",
        errors=[
            FieldError("cursor", "invalid_cursor", "Use the value of next of an earlier page.")
        ],
    )
    if len(cursor) > _MAX_CURSOR or not cursor.isascii():
        raise failure
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        decoded = json.loads(text)
        if not (isinstance(decoded, list) and len(decoded) == 2 and decoded[0] == key):
            raise failure
        if not isinstance(decoded[1], str) or "\x00" in decoded[1]:
            raise failure
        field = queryset.model._meta.get_field(key)
        value = field.to_python(decoded[1])
        field.run_validators(value)
    except (binascii.Error, ValueError, ValidationError, FieldDoesNotExist, OverflowError):
        raise failure from None
    return value
