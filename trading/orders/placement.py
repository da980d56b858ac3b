"""How an order reaches its venue: as it is, or with parts that this system keeps for the venue."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from trading.orders.validity import TRIGGERED_TYPES
from trading.vocabulary import OrdType, TimeInForce

FIRED_AS = {
    OrdType.STOP: OrdType.MARKET,
    OrdType.MARKET_IF_TOUCHED: OrdType.MARKET,
    OrdType.TRAILING_STOP: OrdType.MARKET,
    OrdType.STOP_LIMIT: OrdType.LIMIT,
    OrdType.LIMIT_IF_TOUCHED: OrdType.LIMIT,
    OrdType.TRAILING_STOP_LIMIT: OrdType.LIMIT,
}
"""What an order that waits for a price is once it has fired."""

NOT_AT_THE_VENUE = (
    "This order is held here, the venue does not have it: while this system is down, "
    "it does not exist there and does not fire."
)

Takes = Callable[[OrdType, TimeInForce], bool]
"""Whether a venue takes a type with a time in force."""


@dataclass(frozen=True, slots=True)
class Placement:
    """What a venue is told of an order, ``ord_type`` and ``time_in_force``, and what we keep.

    ``keeps_trigger``: no venue hears of the order before it fires. ``keeps_end``: its venue is
    told GTC and we take it back at its ``expire_time``.
    """

    ord_type: OrdType
    time_in_force: TimeInForce
    keeps_trigger: bool = False
    keeps_end: bool = False

    @property
    def synthetic_parts(self) -> tuple[str, ...]:
        """The fields this system keeps: of ``trigger`` and ``expire_time``."""
        parts = (("trigger", self.keeps_trigger), ("expire_time", self.keeps_end))
        return tuple(name for name, kept in parts if kept)


def placement(ord_type: OrdType, time_in_force: TimeInForce, takes: Takes) -> Placement | None:
    """Return how an order is placed at a venue, natively wherever it can; None if it cannot be.

    FOK is the venue's or nobody's: whether all is there at once only its book tells.
    """
    whole = _at_venue(ord_type, time_in_force, takes)
    if whole is not None:
        return whole
    if ord_type not in TRIGGERED_TYPES:
        return None
    fired_as = FIRED_AS[ord_type]
    if fired_as is OrdType.LIMIT:
        fired = _at_venue(fired_as, time_in_force, takes)
    else:
        # A market order trades at once; how long its stop waited is no matter any more.
        able = [word for word in (TimeInForce.DAY, TimeInForce.IOC) if takes(fired_as, word)]
        fired = Placement(fired_as, able[0]) if able else None
    return None if fired is None else replace(fired, keeps_trigger=True)


def _at_venue(ord_type: OrdType, time_in_force: TimeInForce, takes: Takes) -> Placement | None:
    """An order the venue holds whole, but for the end of a GTD it may not be able to keep."""
    if takes(ord_type, time_in_force):
        return Placement(ord_type, time_in_force)
    if time_in_force is TimeInForce.GTD and takes(ord_type, TimeInForce.GTC):
        return Placement(ord_type, TimeInForce.GTC, keeps_end=True)
    return None
