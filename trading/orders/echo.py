"""Whether a venue took the order it was asked to take."""

from collections.abc import Mapping
from typing import Any

from trading.orders import wire
from trading.orders.reports import ExecutionReport
from trading.orders.validity import TRAILING_TYPES

ECHOED = ("ord_type", "time_in_force", "stop_px")
"""What an acknowledgement repeats of an order; another value is another order."""


def misread(asked: Mapping[str, Any], report: ExecutionReport) -> dict[str, tuple[Any, Any]]:
    """Return what was asked and what the venue says instead, by field.

    ``asked`` holds JSON values as ``wire.write`` makes them. What the venue does not say is not
    compared, nor the stop of a trail: that follows the market from the start.
    """
    wanted = wire.read(asked, ECHOED)
    names = ECHOED[:2] if wanted["ord_type"] in TRAILING_TYPES else ECHOED
    said = {name: getattr(report, name) for name in names}
    return {
        name: (wanted.get(name), value)
        for name, value in said.items()
        if value is not None and value != wanted.get(name)
    }
