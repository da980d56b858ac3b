"""A line over time as the numbers of an inline SVG: a drawing made by the server, no script.

Places are whole and half units of the drawing; the values themselves stay decimals and are shown
as text, the drawing is never read for one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

WIDTH, HEIGHT = 640, 190
START, END, TOP, BOTTOM = 84, 8, 10, 22
"""Room for the words around the drawing."""
STEPS = 4
_NICE = (Decimal(1), Decimal(2), Decimal("2.5"), Decimal(5), Decimal(10))


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark of an axis: where it lies, and the value or instant it stands for."""

    at: str
    value: Decimal | datetime


@dataclass(frozen=True, slots=True)
class Curve:
    """A drawn line. ``line`` and ``area`` are path data; the extremes are the values drawn."""

    line: str
    area: str
    values: Sequence[Tick]
    instants: Sequence[Tick]
    lowest: Decimal
    highest: Decimal
    last_x: str
    last_y: str
    width: int = WIDTH
    height: int = HEIGHT
    left: int = START
    right: int = WIDTH - END
    floor: int = HEIGHT - BOTTOM


def drawn(points: Sequence[tuple[datetime, Decimal]]) -> Curve | None:
    """Return the line through ``points`` (oldest first); None of fewer than two."""
    if len(points) < 2 or points[0][0] == points[-1][0]:
        return None
    values = [value for _, value in points]
    lowest, highest = min(values), max(values)
    ticks = _steps(lowest, highest)
    low, high = min(lowest, ticks[0]), max(highest, ticks[-1])
    begun, span = points[0][0], points[-1][0] - points[0][0]

    def x(at: datetime) -> str:
        return _place(START + (WIDTH - START - END) * _part(at - begun, span))

    def y(value: Decimal) -> str:
        return _place(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (value - low) / (high - low))

    places = [f"{x(at)} {y(value)}" for at, value in points]
    line = "M" + "L".join(places)
    floor = HEIGHT - BOTTOM
    return Curve(
        line=line,
        area=f"{line}L{x(points[-1][0])} {floor}L{x(begun)} {floor}Z",
        values=[Tick(y(value), value) for value in ticks],
        instants=[Tick(x(at), at) for at in (begun + span * part / STEPS for part in range(1, 4))],
        lowest=lowest,
        highest=highest,
        last_x=x(points[-1][0]),
        last_y=y(values[-1]),
    )


def _part(elapsed: timedelta, span: timedelta) -> Decimal:
    second = timedelta(seconds=1)
    return Decimal(elapsed // second) / max(Decimal(span // second), Decimal(1))


def _place(value: Decimal) -> str:
    return str(value.quantize(Decimal("0.1")))


def _steps(low: Decimal, high: Decimal) -> list[Decimal]:
    """Round values from at or below ``low`` to at or above ``high``, about ``STEPS`` of them."""
    rough = max((high - low) / STEPS, Decimal("0.01"))
    size = Decimal(1).scaleb(rough.adjusted())
    step = next(size * nice for nice in _NICE if size * nice >= rough)
    first = (low / step).to_integral_value(ROUND_FLOOR)
    last = (high / step).to_integral_value(ROUND_CEILING)
    return [step * number for number in range(int(first), int(max(last, first + 1)) + 1)]
