"""A list as a file for spreadsheets: the columns of the list, the filters of the list."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.http import HttpResponse
from django.utils.html import strip_tags

from common.console.cells import text_of

MOST_ROWS = 10_000
# A spreadsheet takes text that begins so for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_csv(name: str, table: Any, columns: Sequence[str], rows: Iterable[Any]) -> HttpResponse:
    """Return the rows as a download; numbers exact, times in UTC, text that is no formula."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(_value(table, row, column)) for column in columns])
    answer = HttpResponse(text.getvalue(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}-{_stamp()}.csv"'
    return answer


def _value(table: Any, row: Any, column: str) -> Any:
    if hasattr(row, column):
        value = getattr(row, column)
        return value() if callable(value) else value
    return strip_tags(str(getattr(table, column)(row)))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal | int | datetime):
        return str(text_of(value))
    text = str(getattr(value, "code", None) or value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _stamp() -> str:
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}"
