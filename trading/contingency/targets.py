"""What each leg of a list should have working, and what stands open without protection."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from trading import exact
from trading.contingency.values import (
    ZERO,
    ContingencyType,
    Leg,
    LegState,
    ListTerms,
    Release,
    Sizing,
)


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


def unprotected_qty(terms: ListTerms, legs: Sequence[Leg]) -> Decimal:
    """Return how much of what a bracket opened has no working stop; 0 for other lists.

    A list whose stop its client took back protects nothing and owes nothing.

    An order whose outcome is unknown, or that no venue has acknowledged, does not protect.
    """
    if terms.contingency_type is not ContingencyType.OTOCO:
        return ZERO
    entry, *exits = legs
    if not any(leg.is_stop and not leg.is_withdrawn for leg in exits):
        return ZERO
    open_qty = entry.cum_qty - exact.total(leg.cum_qty for leg in exits)
    protected = exact.total(
        order.leaves_qty
        for leg in exits
        if leg.is_stop
        for order in leg.orders
        if order.state is LegState.WORKING and order.is_acknowledged
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


def _tradable(quantity: Decimal | Fraction, terms: ListTerms) -> Decimal:
    """Whole lots; less than the venue takes is carried until there is more."""
    lots = Fraction(quantity) // Fraction(terms.lot)
    whole = exact.multiply(terms.lot, Decimal(lots))
    return whole if lots > 0 and whole >= terms.min_qty else ZERO
