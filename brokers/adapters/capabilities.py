"""What an adapter declares its venue can do; what it does not is refused before the wire."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from trading.vocabulary import OrdType, TimeInForce


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

    @property
    def lookup_lag_max(self) -> timedelta:
        """The longest any of its look-ups may be behind its books."""
        return max((reach.lag for reach in self.lookups.values()), default=timedelta(0))
