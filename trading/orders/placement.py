"""How an order reaches its venue: as it is, or with parts that this system keeps for the venue."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final, Protocol

from trading.orders.intent import OrderIntent
from trading.orders.validity import TRIGGERED_TYPES
from trading.vocabulary import OrdType, TimeInForce, TriggerPriceType

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
    "Held here: this order does not exist at the venue before it goes out, and while this "
    "system is down it does not go out."
)
REDUCE_ONLY = "REDUCE_ONLY"
FIELD_OF_PART: Final[Mapping[str, str]] = MappingProxyType(
    {"trigger": "ord_type", "expire_time": "time_in_force", "reduce_only": "exec_inst"}
)
"""The field of an order that asks for a part this system would keep."""
TRIGGER_FIELDS = (
    "stop_px",
    "trigger_price_type",
    "trail_offset",
    "trail_type",
    "activation_px",
    "limit_offset",
)
"""What an order waits for: of no use to a venue that only hears of it when it has fired."""

Takes = Callable[[OrdType, TimeInForce], bool]
"""Whether a venue takes a type with a time in force."""


class Venue(Protocol):
    """What a placement has to know of a venue (its capabilities say it)."""

    @property
    def exec_inst(self) -> frozenset[str]:
        """The instructions it follows."""

    def takes(self, ord_type: OrdType, time_in_force: TimeInForce, /) -> bool:
        """Whether it takes this type with this time in force."""

    def lacks(self, order: OrderIntent, /) -> tuple[str, ...]:
        """The fields of an order that ask for what it has not."""


@dataclass(frozen=True, slots=True)
class Placement:
    """What a venue is told of an order, ``ord_type`` and ``time_in_force``, and what we keep.

    ``keeps_trigger``: no venue hears of the order before it fires. ``keeps_end``: its venue is
    told GTC and we take it back at its ``expire_time``. ``keeps_reduce_only``: we see to it that
    it never opens a position. ``protects``: a MARKET goes out as a LIMIT at its worst price.
    """

    ord_type: OrdType
    time_in_force: TimeInForce
    keeps_trigger: bool = False
    keeps_end: bool = False
    keeps_reduce_only: bool = False
    protects: bool = False

    @property
    def synthetic_parts(self) -> tuple[str, ...]:
        """What this system keeps: of ``trigger``, ``expire_time`` and ``reduce_only``."""
        parts = (
            ("trigger", self.keeps_trigger),
            ("expire_time", self.keeps_end),
            ("reduce_only", self.keeps_reduce_only),
        )
        return tuple(name for name, kept in parts if kept)

    def told(self, intent: OrderIntent) -> OrderIntent:
        """The order as the venue is told it; the price of a protected one is not known yet."""
        changes: dict[str, Any] = {"ord_type": self.ord_type, "time_in_force": self.time_in_force}
        if self.keeps_trigger:
            changes |= dict.fromkeys(TRIGGER_FIELDS)
        if self.time_in_force is not TimeInForce.GTD:
            changes["expire_time"] = None
        if self.keeps_reduce_only:
            changes["exec_inst"] = tuple(w for w in intent.exec_inst if w != REDUCE_ONLY)
        return replace(intent, **changes)


def placement(ord_type: OrdType, time_in_force: TimeInForce, takes: Takes) -> Placement | None:
    """Return how an order is placed at a venue, natively wherever it can; None if it cannot be.

    FOK is the venue's or nobody's: whether all is there at once only its book tells.
    """
    return next(_candidates(ord_type, time_in_force, takes), None)


def place(intent: OrderIntent, venue: Venue) -> Placement | tuple[str, ...]:
    """Return how the whole order is placed, else the fields that stand against it.

    What the venue does itself it does; a part we would have to keep needs ``allow_synthetic``.
    """
    assert intent.time_in_force is not None, "defaults are filled in first"
    against: tuple[str, ...] = ()
    for found in _candidates(intent.ord_type, intent.time_in_force, venue.takes):
        placed = _with_instructions(found, intent, venue)
        why = _why_not(placed, intent, venue)
        if not why:
            return placed
        against = against or why
    if against:
        return against
    known = any(venue.takes(intent.ord_type, word) for word in TimeInForce)
    return ("time_in_force",) if known else ("ord_type",)


def _with_instructions(placed: Placement, intent: OrderIntent, venue: Venue) -> Placement:
    if REDUCE_ONLY in intent.exec_inst and REDUCE_ONLY not in venue.exec_inst:
        placed = replace(placed, keeps_reduce_only=True)
    if intent.max_slippage_bps is None or placed.ord_type is not OrdType.MARKET:
        return placed
    word = TimeInForce.IOC if placed.time_in_force is TimeInForce.DAY else placed.time_in_force
    if not placed.keeps_trigger and venue.takes(OrdType.LIMIT, word):
        return replace(placed, ord_type=OrdType.LIMIT, time_in_force=word, protects=True)
    return placed


def _why_not(placed: Placement, intent: OrderIntent, venue: Venue) -> tuple[str, ...]:
    if placed.keeps_trigger and intent.trigger_price_type is TriggerPriceType.MARK:
        return ("trigger_price_type",)  # no feed tells us a mark
    if intent.max_slippage_bps is not None and intent.ord_type in TRIGGERED_TYPES:
        return ("max_slippage_bps",)  # what fires is a plain MARKET order, here and there
    if placed.synthetic_parts and not intent.allow_synthetic:
        return tuple(FIELD_OF_PART[part] for part in placed.synthetic_parts)
    return venue.lacks(placed.told(intent))


def _candidates(ord_type: OrdType, time_in_force: TimeInForce, takes: Takes) -> Iterator[Placement]:
    """The ways there are, the venue's own first."""
    whole = _at_venue(ord_type, time_in_force, takes)
    if whole is not None:
        yield whole
    if ord_type not in TRIGGERED_TYPES:
        return
    fired_as = FIRED_AS[ord_type]
    if fired_as is OrdType.LIMIT:
        fired = _at_venue(fired_as, time_in_force, takes)
    else:
        # A market order trades at once; how long its stop waited is no matter any more.
        able = [word for word in (TimeInForce.DAY, TimeInForce.IOC) if takes(fired_as, word)]
        fired = Placement(fired_as, able[0]) if able else None
    if fired is not None:
        yield replace(fired, keeps_trigger=True)


def _at_venue(ord_type: OrdType, time_in_force: TimeInForce, takes: Takes) -> Placement | None:
    """An order the venue holds whole, but for the end of a GTD it may not be able to keep."""
    if takes(ord_type, time_in_force):
        return Placement(ord_type, time_in_force)
    if time_in_force is TimeInForce.GTD and takes(ord_type, TimeInForce.GTC):
        return Placement(ord_type, TimeInForce.GTC, keeps_end=True)
    return None
