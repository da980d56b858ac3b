"""Pages of an order list in any sequence, by key: they stay right while orders are added."""

import base64
import binascii
import json
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Coalesce, Collate

from common.errors import FieldError, Invalid
from common.http.pagination import page
from common.ids import is_ulid
from oms.models import Order
from portal.orders.query import NUMBERS, SORTS

_MAX_CURSOR = 512


def order_page(
    rows: QuerySet[Order], *, sort: str, limit: int, cursor: str | None
) -> tuple[list[Order], str | None]:
    """Return at most ``limit`` orders after ``cursor`` and the cursor of the next page.

    ``sort`` is a name of ``SORTS``, with ``-`` before it the other way round. An order that has
    no value in the column counts as having the least.

    :raises Invalid: if the cursor is none of this sequence.
    """
    name, down = sort.removeprefix("-"), sort.startswith("-")
    if name == "time":
        return page(rows, limit=limit, cursor=cursor, descending=down)
    column = SORTS[name]
    key = (
        Coalesce(column, Value(Decimal(0)))
        if name in NUMBERS
        # The browser compares code points; so does the collation named here.
        else Collate(Coalesce(column, Value("")), "C")
    )
    rows = rows.annotate(sort_key=key)
    if cursor is not None:
        value, order_id = _read(name, cursor)
        way = "lt" if down else "gt"
        rows = rows.filter(
            Q(**{f"sort_key__{way}": value}) | Q(**{"sort_key": value, f"pk__{way}": order_id})
        )
    sign = "-" if down else ""
    found: list[Any] = list(rows.order_by(f"{sign}sort_key", f"{sign}pk")[: limit + 1])
    if len(found) <= limit:
        return found, None
    last = found[limit - 1]
    return found[:limit], _written(name, last.sort_key, last.pk)


def _written(name: str, value: Any, order_id: str) -> str:
    text = json.dumps([name, str(value), order_id], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read(name: str, cursor: str) -> tuple[Any, str]:
    failure = Invalid(
        "The cursor is not one of this list; leave it out to begin anew.",
        errors=[FieldError("cursor", "invalid_cursor", "Use the next of an earlier page.")],
    )
    if len(cursor) > _MAX_CURSOR or not cursor.isascii():
        raise failure
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        kind, value, order_id = json.loads(text)
        if kind != name or not isinstance(value, str) or not is_ulid(order_id):
            raise failure
        if name not in NUMBERS:
            if "\x00" in value:
                raise failure
            return value, order_id
        number = Decimal(value)
    except (binascii.Error, ValueError, TypeError, InvalidOperation):
        raise failure from None
    if not number.is_finite() or abs(number) >= Decimal(10) ** 12:
        raise failure
    return number, order_id
