"""How one value of a row is shown: exact numbers without padding, times with their zone."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.db import models
from django.utils.html import format_html
from unfold.decorators import display
from unfold.utils import display_for_label

from common.console.words import LABELS
from common.numbers import dec_str

NOTHING = "-"
_UNBROKEN = (models.DecimalField, models.DateTimeField, models.ForeignKey, models.CharField)
_LONGEST_JSON = 20_000


def instant(moment: datetime) -> str:
    """Return a moment as the consoles write it.

    >>> instant(datetime(2026, 1, 2, 3, 4, 5, 670000, tzinfo=UTC))
    '2026-01-02 03:04:05 UTC'
    """
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def label_of(field: Any) -> str:
    """Return the heading of a field's column."""
    return LABELS.get(field.name) or str(field.verbose_name)


def text_of(value: Any) -> Any:
    """Return a value as text; None stays None, so that the table shows its dash."""
    if isinstance(value, Decimal):
        return dec_str(value)
    if isinstance(value, datetime):
        return instant(value)
    return value


def needs_cell(field: Any, badges: Mapping[str, Mapping[str, str]]) -> bool:
    """Whether Django's own way to show the field is not ours."""
    return (
        isinstance(field, models.DecimalField | models.DateTimeField | models.JSONField)
        or field.name in badges
        or field.name in LABELS
        or field.is_relation
    )


def column(field: Any, colours: Mapping[str, str] | None) -> Callable[[Any], Any]:
    """Return the cell of a list: a badge where colours are given."""
    options = {"description": label_of(field), "ordering": field.name}
    name = field.name

    def cell(row: Any) -> Any:
        value = getattr(row, name)
        if field.is_relation and value is not None:
            value = getattr(value, "code", None) or str(value)
        if value is None or colours is not None or not isinstance(field, _UNBROKEN):
            return text_of(value)
        kind = "bl-num" if isinstance(field, models.DecimalField) else "bl-id"
        return format_html('<span class="{}">{}</span>', kind, text_of(value))

    if colours is not None:
        options["label"] = dict(colours)
    return display(cell, **options)  # type: ignore[no-any-return]


def detail(field: Any, colours: Mapping[str, str] | None) -> Callable[[Any], Any]:
    """Return the cell of a page about one row: JSON readable, badges as in the list.

    Relations keep Django's own cell, which links to the row's page.
    """
    name = field.name

    def cell(row: Any) -> Any:
        value = getattr(row, name)
        if value in (None, ""):
            return NOTHING
        if isinstance(field, models.JSONField):
            return as_json(value)
        if colours is not None:
            return display_for_label(value, NOTHING, dict(colours))
        return text_of(value)

    return display(cell, description=label_of(field))  # type: ignore[no-any-return]


def as_json(value: Any) -> Any:
    """Return JSON set out over lines."""
    text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    return format_html(
        '<pre class="font-mono text-xs whitespace-pre-wrap break-all">{}</pre>',
        text[:_LONGEST_JSON],
    )
