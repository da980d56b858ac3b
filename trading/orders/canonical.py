"""One spelling per value: decimals, instants and JSON as they are hashed and stored."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal, InvalidOperation

EXACT = Context(prec=80, traps=[InvalidOperation])
"""Wide enough that no sum or product of two 24-digit numbers is ever rounded."""

ZERO = Decimal(0)

_COLUMN = Context(prec=24, traps=[])
_STEP = Decimal("0.000000000001")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def dec_str(value: Decimal) -> str:
    """Return ``value`` without exponent, padding zeros or negative zero ("10.0" -> "10")."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def opt_dec_str(value: Decimal | None) -> str | None:
    """Like ``dec_str``; None stays None."""
    return None if value is None else dec_str(value)


def opt_dec(text: str | None) -> Decimal | None:
    """Read what ``opt_dec_str`` wrote."""
    return None if text is None else Decimal(text)


def micros(value: datetime) -> int:
    """Microseconds since 1970-01-01 UTC of an aware instant."""
    return (value - _EPOCH) // _MICROSECOND


def instant(value: int) -> datetime:
    """The aware UTC instant of so many microseconds since 1970-01-01."""
    return _EPOCH + value * _MICROSECOND


def opt_micros(value: datetime | None) -> int | None:
    """Like ``micros``; None stays None."""
    return None if value is None else micros(value)


def opt_instant(value: int | None) -> datetime | None:
    """Like ``instant``; None stays None."""
    return None if value is None else instant(value)


def fits_column(value: Decimal) -> bool:
    """Whether a NUMERIC(24,12) column holds ``value`` unchanged (false for NaN and infinity)."""
    return _COLUMN.quantize(value, _STEP) == value


def json_text(value: Mapping[str, object]) -> str:
    """Canonical JSON: sorted keys, no blanks, plain UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
