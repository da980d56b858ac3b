"""A sparkline: closes as the path of an inline SVG, made by the server, no library."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from common.numbers import dec_str

WIDTH = 96
HEIGHT = 24
_EDGE = 2


@dataclass(frozen=True, slots=True)
class Sparkline:
    """``path`` is the ``d`` of an SVG path in WIDTH x HEIGHT, ``title`` says it in words."""

    path: str
    title: str


def sparkline(closes: Sequence[tuple[date, Decimal]]) -> Sparkline | None:
    """Return the line of these closes, oldest first; None of fewer than two."""
    if len(closes) < 2:
        return None
    values = [value for _, value in closes]
    low, high = min(values), max(values)
    span = Fraction(high - low) or Fraction(1)
    points = []
    for place, value in enumerate(values):
        x = Fraction(place * WIDTH, len(values) - 1)
        y = _EDGE + (HEIGHT - 2 * _EDGE) * (1 - Fraction(value - low) / span)
        points.append(f"{float(x):.1f} {float(y):.1f}")
    first, last = closes[0][0], closes[-1][0]
    title = (
        f"{len(closes)} closes {first:%Y-%m-%d} to {last:%Y-%m-%d}:"
        f" low {dec_str(low)}, high {dec_str(high)}, last {dec_str(values[-1])}"
    )
    return Sparkline("M" + "L".join(points), title)
