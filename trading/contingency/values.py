"""Lists of orders that depend on each other, as the rules read them.

Quantities are Decimals in units of the instrument; nothing here knows a venue.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from trading import exact

ZERO = Decimal(0)


class ContingencyType(StrEnum):
    """How legs depend on each other (FIX tag 1385; OTOCO is 2 and 3 together)."""

    OCO = "OCO"
    """The first execution of any size in a leg cancels the others."""
    OUO_ABSOLUTE = "OUO_ABSOLUTE"
    """What a leg executes is taken off every other one."""
    OUO_PROPORTIONAL = "OUO_PROPORTIONAL"
    """The share a leg executes is taken off every other one."""
    OTO = "OTO"
    """The first leg releases the others."""
    OTOCO = "OTOCO"
    """The bracket: an entry, and the pair of exits that closes what the entry opened."""


class Release(StrEnum):
    """When the first leg of an OTO or OTOCO releases the others."""

    ON_FIRST_FILL = "ON_FIRST_FILL"
    ON_FULL_FILL = "ON_FULL_FILL"


class Sizing(StrEnum):
    """How large a released leg is."""

    MATCH = "MATCH"
    """As much as the first leg has executed."""
    FIXED = "FIXED"
    """Its own quantity at once."""


class Reprotect(StrEnum):
    """What is done about a position whose stop is gone."""

    RESEND = "RESEND"
    """The leg is sent again, once per cause."""
    FLATTEN = "FLATTEN"
    """What is unprotected is closed by a MARKET order."""
    NONE = "NONE"
    """Nothing: the alarm tells people."""


class Role(StrEnum):
    """What a leg is for."""

    ENTRY = "ENTRY"
    """Sent at once; it releases the others."""
    TARGET = "TARGET"
    STOP = "STOP"
    """The exit that protects."""
    RELEASED = "RELEASED"
    """Waits for the first leg of an OTO."""
    ALTERNATIVE = "ALTERNATIVE"
    """Excludes its siblings."""


class ListOrderStatus(StrEnum):
    """How far a list as a whole has come (FIX tag 431)."""

    EXECUTING = "EXECUTING"
    """A leg is open."""
    ALL_DONE = "ALL_DONE"
    """Every leg is closed."""
    REJECTED = "REJECTED"
    """Refused whole, by our risk."""


class LegState(StrEnum):
    """What is known of one order of a leg."""

    WORKING = "WORKING"
    UNKNOWN = "UNKNOWN"
    """It may work: it counts with everything it could still execute, and nothing replaces it."""
    CLOSED = "CLOSED"


@dataclass(frozen=True, slots=True)
class LegOrder:
    """One order sent for a leg. ``leaves_qty`` is what it may still execute.

    ``is_changing`` says that a replace of it is under way or was refused just now, ``is_ending``
    the same of a cancel; ``is_acknowledged`` that its venue has it; ``unsolicited`` that its
    venue ended it and no action of this list.
    """

    order_id: str
    cum_qty: Decimal
    leaves_qty: Decimal
    state: LegState
    is_changing: bool = False
    is_ending: bool = False
    is_acknowledged: bool = True
    unsolicited: bool = False

    @property
    def is_live(self) -> bool:
        """Whether it works or may work."""
        return self.state is not LegState.CLOSED


@dataclass(frozen=True, slots=True)
class Leg:
    """One leg: what the client asked for, and the orders sent for it, oldest first.

    ``is_stop`` marks the leg that protects. ``is_withdrawn`` says that the client took the leg
    back.
    """

    order_qty: Decimal
    orders: tuple[LegOrder, ...] = ()
    is_stop: bool = False
    is_withdrawn: bool = False

    @property
    def cum_qty(self) -> Decimal:
        """What the leg has executed in all its orders."""
        return exact.total(order.cum_qty for order in self.orders)

    @property
    def live(self) -> tuple[LegOrder, ...]:
        """Its orders that work or may work."""
        return tuple(order for order in self.orders if order.is_live)

    @property
    def live_qty(self) -> Decimal:
        """What its orders may still execute."""
        return exact.total(order.leaves_qty for order in self.live)

    @property
    def is_done(self) -> bool:
        """Whether it was sent and nothing of it works any more."""
        return bool(self.orders) and not self.live

    @property
    def ended_unasked(self) -> bool:
        """Whether its venue ended it, rejected it or let it expire without a word of ours."""
        return self.is_done and self.orders[-1].unsolicited


@dataclass(frozen=True, slots=True)
class ListTerms:
    """What holds for a list as a whole; ``lot`` and ``min_qty`` are the instrument's.

    ``amends_in_place`` says whether the venue changes a quantity without a new order;
    ``resends`` whether a leg its venue ended is sent again.
    """

    contingency_type: ContingencyType
    lot: Decimal
    min_qty: Decimal
    release: Release = Release.ON_FIRST_FILL
    sizing: Sizing = Sizing.MATCH
    amends_in_place: bool = True
    resends: bool = False


class ActionKind(StrEnum):
    """What is to be done for a leg."""

    SEND = "SEND"
    RESIZE = "RESIZE"
    CANCEL = "CANCEL"


@dataclass(frozen=True, slots=True)
class Action:
    """One command a list calls for: ``leg`` by number from 0; ``order_qty`` the order's new total.

    SEND makes a new order, RESIZE and CANCEL name the one they change.
    """

    kind: ActionKind
    leg: int
    order_qty: Decimal = ZERO
    order_id: str = ""
