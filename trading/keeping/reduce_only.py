"""Reduce-only orders at venues that do not watch the position: never more open than there is."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from trading import exact
from trading.vocabulary import Side


@dataclass(frozen=True, slots=True)
class Reducing:
    """An open reduce-only order of one account, instrument and side. ``id`` is its ULID."""

    id: str
    cum_qty: Decimal
    leaves_qty: Decimal


@dataclass(frozen=True, slots=True)
class Cut:
    """What becomes of one of them: ``order_qty`` is its new total, None takes it back whole."""

    id: str
    order_qty: Decimal | None


def reducible(side: Side, position_qty: Decimal) -> Decimal:
    """Return how much an order of this side can take from the position without turning it."""
    open_qty = position_qty if side.sign < 0 else -position_qty
    return max(open_qty, exact.ZERO)


def cuts(room: Decimal, working: Iterable[Reducing]) -> list[Cut]:
    """Return what must change so that all that is open fits into ``room``, the newest first.

    Every order cut but the last is taken back whole; what is executed already stays.
    """
    newest_first = sorted(working, key=lambda order: order.id, reverse=True)
    excess = exact.subtract(exact.total(order.leaves_qty for order in newest_first), room)
    found = []
    for order in newest_first:
        if excess <= 0:
            break
        rest = exact.subtract(order.leaves_qty, min(order.leaves_qty, excess))
        found.append(Cut(order.id, exact.add(order.cum_qty, rest) if rest else None))
        excess = exact.subtract(excess, order.leaves_qty)
    return found
