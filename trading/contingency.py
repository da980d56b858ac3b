"""Orders that depend on each other: what each leg of a list should have working, and what to do.

``desired`` is run after every report of a leg, after a restart and by a sweeper. It compares what
should work with what does and returns the difference alone, so that running it twice is harmless
and a crash between a fill and the cancel it calls for heals by itself. Quantities are Decimals in
units of the instrument; nothing here knows a venue.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

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


class LegState(StrEnum):
    """What is known of one order of a leg."""

    WORKING = "WORKING"
    UNKNOWN = "UNKNOWN"
    """It may work: it counts with everything it could still execute, and nothing replaces it."""
    CLOSED = "CLOSED"


@dataclass(frozen=True, slots=True)
class LegOrder:
    """One order sent for a leg. ``leaves_qty`` is what it may still execute.

    ``is_changing`` says that a cancel or replace of it is under way; ``unsolicited`` that its
    venue ended it and no action of this list.
    """

    order_id: str
    cum_qty: Decimal
    leaves_qty: Decimal
    state: LegState
    is_changing: bool = False
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


def wanted_leaves(terms: ListTerms, legs: Sequence[Leg]) -> tuple[Decimal, ...]:
    """Return what each leg should have working, whole lots, by leg."""
    by_type = {
        ContingencyType.OCO: _one_cancels,
        ContingencyType.OUO_ABSOLUTE: _less_by_quantity,
        ContingencyType.OUO_PROPORTIONAL: _less_by_share,
        ContingencyType.OTO: _triggered,
        ContingencyType.OTOCO: _bracket,
    }
    wanted = by_type[terms.contingency_type](terms, legs)
    return tuple(
        ZERO if leg.is_withdrawn else quantity for leg, quantity in zip(legs, wanted, strict=True)
    )


def desired(terms: ListTerms, legs: Sequence[Leg]) -> list[Action]:
    """Return the commands that bring what works to what should work, in the order to send them.

    Whatever shrinks comes before whatever grows; of what grows the stop comes first, of what
    shrinks the target. A leg with a command under way or an unknown outcome waits for its answer.
    """
    wanted = wanted_leaves(terms, legs)
    numbered = list(enumerate(zip(legs, wanted, strict=True)))
    shrinking = [row for row in numbered if row[1][0].live_qty > row[1][1]]
    growing = [row for row in numbered if row[1][0].live_qty < row[1][1]]
    settled = [row for row in numbered if row not in shrinking and row not in growing]
    ordered = [
        *sorted(shrinking, key=lambda row: row[1][0].is_stop),
        *sorted(growing, key=lambda row: not row[1][0].is_stop),
        *settled,
    ]
    actions: list[Action] = []
    for number, (leg, quantity) in ordered:
        actions += _actions(terms, number, leg, quantity)
    return actions


def unprotected_qty(terms: ListTerms, legs: Sequence[Leg]) -> Decimal:
    """Return how much of what a bracket opened has no working stop; 0 for other lists.

    An order whose outcome is unknown does not protect.
    """
    if terms.contingency_type is not ContingencyType.OTOCO:
        return ZERO
    entry, *exits = legs
    if not any(leg.is_stop for leg in exits):
        return ZERO
    open_qty = entry.cum_qty - exact.total(leg.cum_qty for leg in exits)
    protected = exact.total(
        order.leaves_qty
        for leg in exits
        if leg.is_stop
        for order in leg.orders
        if order.state is LegState.WORKING
    )
    return max(ZERO, open_qty - protected)


def overfill_qty(terms: ListTerms, legs: Sequence[Leg]) -> Decimal:
    """Return what legs that should have excluded each other executed too much.

    In a bracket that is what the exits closed beyond what the entry opened; among alternatives
    what they executed together beyond the largest of them.
    """
    if terms.contingency_type is ContingencyType.OTOCO:
        entry, *exits = legs
        return max(ZERO, exact.total(leg.cum_qty for leg in exits) - entry.cum_qty)
    if terms.contingency_type in (ContingencyType.OCO, ContingencyType.OUO_ABSOLUTE):
        together = exact.total(leg.cum_qty for leg in legs)
        return max(ZERO, together - max(leg.order_qty for leg in legs))
    return ZERO


# --- targets --------------------------------------------------------------------------------


def _rest(leg: Leg) -> Decimal:
    return max(ZERO, leg.order_qty - leg.cum_qty)


def _one_cancels(terms: ListTerms, legs: Sequence[Leg]) -> list[Decimal]:
    decided = [number for number, leg in enumerate(legs) if leg.cum_qty or leg.ended_unasked]
    if not decided:
        return [_rest(leg) for leg in legs]
    return [
        _rest(leg) if number == decided[0] and _goes_on(terms, leg) else ZERO
        for number, leg in enumerate(legs)
    ]


def _less_by_quantity(terms: ListTerms, legs: Sequence[Leg]) -> list[Decimal]:
    executed = exact.total(leg.cum_qty for leg in legs)
    return [
        _tradable(leg.order_qty - executed, terms) if _goes_on(terms, leg) else ZERO for leg in legs
    ]


def _less_by_share(terms: ListTerms, legs: Sequence[Leg]) -> list[Decimal]:
    left = 1 - sum(Fraction(leg.cum_qty) / Fraction(leg.order_qty) for leg in legs)
    return [
        _tradable(Fraction(leg.order_qty) * left, terms) if _goes_on(terms, leg) else ZERO
        for leg in legs
    ]


def _triggered(terms: ListTerms, legs: Sequence[Leg]) -> list[Decimal]:
    first, *others = legs
    wanted = [_as_it_is(first)]
    for leg in others:
        size = leg.order_qty
        if terms.sizing is Sizing.MATCH:
            size = min(size, first.cum_qty)
        goes_on = _is_released(terms, first) and _goes_on(terms, leg)
        wanted.append(_tradable(size - leg.cum_qty, terms) if goes_on else ZERO)
    return wanted


def _bracket(terms: ListTerms, legs: Sequence[Leg]) -> list[Decimal]:
    entry, *exits = legs
    closed = exact.total(leg.cum_qty for leg in exits)
    open_qty = entry.cum_qty - closed if _is_released(terms, entry) else ZERO
    size = _tradable(open_qty, terms)
    return [_as_it_is(entry), *(size if _goes_on(terms, leg) else ZERO for leg in exits)]


def _as_it_is(first: Leg) -> Decimal:
    """The first leg is sent once and then left to itself: who ended it meant to."""
    return first.live_qty if first.orders else first.order_qty


def _is_released(terms: ListTerms, first: Leg) -> bool:
    """A first leg that ended early releases for what it executed, whatever was waited for."""
    if first.cum_qty == 0:
        return False
    whole = first.cum_qty >= first.order_qty or first.is_done
    return terms.release is Release.ON_FIRST_FILL or whole


def _goes_on(terms: ListTerms, leg: Leg) -> bool:
    """Whether a leg its venue ended is to work again."""
    return terms.resends or not leg.ended_unasked


# --- from targets to commands ---------------------------------------------------------------


def _actions(terms: ListTerms, number: int, leg: Leg, wanted: Decimal) -> list[Action]:
    live = leg.live
    if any(order.is_changing or order.state is LegState.UNKNOWN for order in live):
        return []
    if wanted == 0:
        return [Action(ActionKind.CANCEL, number, order_id=order.order_id) for order in live]
    if not live:
        return [Action(ActionKind.SEND, number, wanted)]
    newest = live[-1]
    if newest.leaves_qty == wanted:
        return _cancels(number, live[:-1])
    if terms.amends_in_place:
        resized = Action(
            ActionKind.RESIZE, number, newest.cum_qty + wanted, order_id=newest.order_id
        )
        return [resized, *_cancels(number, live[:-1])]
    if leg.is_stop:  # a moment with two stops beats a moment with none
        return [Action(ActionKind.SEND, number, wanted)]
    return _cancels(number, live)


def _cancels(number: int, orders: Iterable[LegOrder]) -> list[Action]:
    return [Action(ActionKind.CANCEL, number, order_id=order.order_id) for order in orders]


def _tradable(quantity: Decimal | Fraction, terms: ListTerms) -> Decimal:
    """Whole lots; less than the venue takes is carried until there is more."""
    lots = Fraction(quantity) // Fraction(terms.lot)
    whole = exact.multiply(terms.lot, Decimal(lots))
    return whole if lots > 0 and whole >= terms.min_qty else ZERO
