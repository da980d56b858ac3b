"""What an adapter declares its venue can do; what it does not is refused before the wire."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from trading.vocabulary import (
    OrdType,
    PegPriceType,
    TimeInForce,
    TrailType,
    TriggerPriceType,
)

if TYPE_CHECKING:
    from brokers.adapters.base import NewOrder
    from trading.orders.intent import OrderIntent


class Dedup(StrEnum):
    """How long a venue refuses a client id it has seen."""

    FULL = "FULL"
    OPEN_ONLY = "OPEN_ONLY"
    NONE = "NONE"
    ASCENDING = "ASCENDING"


class Amend(StrEnum):
    """How an order gets new terms."""

    IN_PLACE = "IN_PLACE"
    ATOMIC = "ATOMIC"
    CANCEL_NEW = "CANCEL_NEW"
    NONE = "NONE"


class AmendSlots(StrEnum):
    """How many replace requests of one order may wait at once."""

    SINGLE = "SINGLE"
    PIPELINED = "PIPELINED"


class Contingencies(StrEnum):
    """Who holds the links between orders."""

    NATIVE = "NATIVE"
    NATIVE_CANCEL_ON_PARTIAL = "NATIVE_CANCEL_ON_PARTIAL"
    SYNTHETIC = "SYNTHETIC"
    NONE = "NONE"


class LookupChannel(StrEnum):
    """One way of asking a venue about an order."""

    BY_CLIENT_ID = "BY_CLIENT_ID"
    OPEN = "OPEN"
    CLOSED = "CLOSED"
    EXECUTIONS = "EXECUTIONS"


@dataclass(frozen=True, slots=True)
class ChannelReach:
    """How far back a look-up sees (None = for ever) and how late it may be behind the books."""

    horizon: timedelta | None
    lag: timedelta


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most ``count`` requests ``per`` span."""

    count: int
    per: timedelta


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a venue offers; what is not declared is refused before the wire.

    ``source`` and ``as_of`` say where the statement comes from and of which day it is.
    """

    time_in_force: Mapping[OrdType, frozenset[TimeInForce]]
    source: str
    as_of: str
    exec_inst: frozenset[str] = frozenset()
    trigger_price_types: frozenset[TriggerPriceType] = frozenset()
    trail_types: frozenset[TrailType] = frozenset()
    peg_price_types: frozenset[PegPriceType] = frozenset()
    display_qty: bool = False
    min_qty: bool = False
    extended_hours: bool = False
    qty_modes: frozenset[str] = frozenset({"base"})
    fractional: bool = False
    contingencies: Contingencies = Contingencies.NONE
    amend: Amend = Amend.NONE
    amend_slots: AmendSlots = AmendSlots.SINGLE
    cancel_during_replace: bool = False
    replace_filled: bool = False
    cancel_by_client_id: bool = False
    cancel_foreign: bool = False
    venue_id_pattern: str = r"[A-Z0-9]{1,28}"
    venue_id_max_len: int = 28
    dedup: Dedup = Dedup.NONE
    dedup_window: timedelta | None = None
    lookups: Mapping[LookupChannel, ChannelReach] = field(default_factory=dict)
    accept_delay_max: timedelta = timedelta(seconds=5)
    request_expiry: bool = False
    streams: frozenset[str] = frozenset()
    queues_when_closed: bool = False
    gtc_max_days: int | None = None
    protected_market: bool = False
    cancel_on_disconnect: bool = False
    rate_limit: RateLimit | None = None
    definite_refusals: frozenset[str] = frozenset()

    @property
    def ord_types(self) -> frozenset[OrdType]:
        """The order types it takes at all."""
        return frozenset(self.time_in_force)

    def takes(self, ord_type: OrdType, time_in_force: TimeInForce) -> bool:
        """Whether it takes this type with this time in force."""
        return time_in_force in self.time_in_force.get(ord_type, frozenset())

    def lacks(self, order: "NewOrder | OrderIntent") -> tuple[str, ...]:
        """The fields of an order that ask for what is not declared, in a fixed order.

        The rest of an order whose type it does not take is not looked at.
        """
        if order.ord_type not in self.ord_types:
            return ("ord_type",)
        in_force = order.time_in_force
        unable = {
            "time_in_force": in_force is not None and not self.takes(order.ord_type, in_force),
            "exec_inst": not self.exec_inst.issuperset(order.exec_inst),
            "display_qty": order.display_qty is not None and not self.display_qty,
            "min_qty": order.min_qty is not None and not self.min_qty,
            "trigger_price_type": _beyond(order.trigger_price_type, self.trigger_price_types),
            "trail_type": _beyond(order.trail_type, self.trail_types),
            "peg_price_type": _beyond(order.peg_price_type, self.peg_price_types),
            "extended_hours": order.extended_hours and not self.extended_hours,
        }
        return tuple(name for name, lacking in unable.items() if lacking)

    @property
    def lookup_lag_max(self) -> timedelta:
        """The longest any of its look-ups may be behind its books."""
        return max((reach.lag for reach in self.lookups.values()), default=timedelta(0))


def _beyond(word: StrEnum | None, declared: frozenset[Any]) -> bool:
    return word is not None and word not in declared
