"""Decimals at the edges: how they are written."""

from decimal import Decimal


def dec_str(value: Decimal) -> str:
    """Return ``value`` as the API writes it: no exponent, no padding zeros, no negative zero.

    >>> dec_str(Decimal("1250.500"))
    '1250.5'
    >>> dec_str(Decimal("1E+3"))
    '1000'
    """
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def opt_dec_str(value: Decimal | None) -> str | None:
    """Like ``dec_str``; None stays None."""
    return None if value is None else dec_str(value)
