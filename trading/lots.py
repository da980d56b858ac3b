"""Tax lots: what was bought (or sold short) when and at what cost, and what a fill makes of it.

Quantities are signed: a lot of a short position is negative and so is its cost, which is then the
money received. A position is nothing but its open lots; its cost is the sum of theirs. Money is
kept to 18 decimals (``trading.exact``), and no rounding can create or destroy any: a lot that is
closed in part gives away its share of the cost, and what is left is computed by subtraction.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum

from trading import exact
from trading.exact import ZERO
from trading.vocabulary import Side


class TaxLotMethod(StrEnum):
    """Which open lot is relieved first."""

    FIFO = "FIFO"
    LIFO = "LIFO"
    HIFO = "HIFO"


@dataclass(frozen=True, slots=True)
class Lot:
    """Units held since ``opened_at`` and what they cost; ``qty`` and ``cost`` share the sign.

    (With negative prices, which some futures have seen, the cost has the other sign.)
    """

    lot_id: str
    opened_at: datetime
    qty: Decimal
    cost: Decimal

    @property
    def unit_cost(self) -> Decimal:
        """Cost of one unit, multiplier included; positive for long and short alike."""
        return exact.ratio(self.cost, self.qty)


@dataclass(frozen=True, slots=True)
class Closure:
    """The part of a lot that a fill closed: ``qty`` and ``cost`` are what left the lot.

    ``proceeds`` is the money the closing brought (negative where it was paid to buy back).
    """

    lot_id: str
    qty: Decimal
    cost: Decimal
    proceeds: Decimal

    @property
    def realized(self) -> Decimal:
        """Profit (or loss, below zero) of the closed units, fees apart."""
        return exact.subtract(self.proceeds, self.cost)


@dataclass(frozen=True, slots=True)
class Relief:
    """Lots split into what a quantity closes and what stays open."""

    closed: tuple[Lot, ...]
    remaining: tuple[Lot, ...]


@dataclass(frozen=True, slots=True)
class LotChange:
    """What one fill does to the lots of one account and instrument.

    ``gross`` is the fill's signed value (positive for a purchase): cash moves by its negative.
    ``lots`` is every open lot afterwards, ``touched`` those of them a closure made smaller.
    """

    signed_qty: Decimal
    gross: Decimal
    closures: tuple[Closure, ...]
    opened: Lot | None
    lots: tuple[Lot, ...]
    touched: tuple[Lot, ...]

    @property
    def realized(self) -> Decimal:
        """Profit of all closures, fees apart."""
        return exact.total(closure.realized for closure in self.closures)

    @property
    def cost_delta(self) -> Decimal:
        """By how much the cost of the position changes."""
        opened = self.opened.cost if self.opened is not None else ZERO
        return exact.subtract(opened, exact.total(closure.cost for closure in self.closures))


def _gain_rank(lot: Lot) -> Decimal:
    """Lower for lots whose closing gains less: dear ones of a long, cheap ones of a short."""
    return exact.signed(lot.unit_cost, -1 if lot.qty > 0 else 1)


_END_OF_TIME = datetime.max.replace(tzinfo=UTC)
ORDERINGS: dict[TaxLotMethod, Callable[[Lot], tuple[object, ...]]] = {
    TaxLotMethod.FIFO: lambda lot: (lot.opened_at, lot.lot_id),
    TaxLotMethod.LIFO: lambda lot: (_END_OF_TIME - lot.opened_at, lot.lot_id),
    TaxLotMethod.HIFO: lambda lot: (_gain_rank(lot), lot.opened_at, lot.lot_id),
}
"""Sort keys, first relieved first. Ties end with the lot's id, so that a replay is exact."""


def total_qty(lots: Iterable[Lot]) -> Decimal:
    """Return the signed quantity of the position these lots make."""
    return exact.total([lot.qty for lot in lots])


def total_cost(lots: Iterable[Lot]) -> Decimal:
    """Return the signed cost of the position these lots make."""
    return exact.total([lot.cost for lot in lots])


def relieve(lots: Sequence[Lot], qty: Decimal, method: TaxLotMethod) -> Relief:
    """Close ``qty`` units (unsigned) of lots that all lie on one side, in the method's order.

    :raises ValueError: if qty is negative or more than the lots hold, or if the lots are mixed.
    """
    if any(lot.qty == 0 for lot in lots) or len({lot.qty > 0 for lot in lots}) > 1:
        raise ValueError("open lots of one position are all long or all short, and none is empty")
    held = total_qty(lots).copy_abs()
    if not 0 <= qty <= held:
        raise ValueError(f"cannot close {qty} of {held} units held")
    closed: list[Lot] = []
    remaining: list[Lot] = []
    left = qty
    for lot in sorted(lots, key=ORDERINGS[method]):
        part, rest = _split(lot, min(left, lot.qty.copy_abs()))
        closed.extend(part)
        remaining.extend(rest)
        left = exact.subtract(left, total_qty(part).copy_abs())
    return Relief(tuple(closed), tuple(remaining))


def _split(lot: Lot, units: Decimal) -> tuple[list[Lot], list[Lot]]:
    """Cut ``units`` (unsigned) off a lot; the two costs sum to the lot's."""
    if units == 0:
        return [], [lot]
    if units == lot.qty.copy_abs():
        return [lot], []
    qty = units.copy_sign(lot.qty)
    cost = exact.share(lot.cost, qty, lot.qty)
    return (
        [Lot(lot.lot_id, lot.opened_at, qty, cost)],
        [
            Lot(
                lot.lot_id,
                lot.opened_at,
                exact.subtract(lot.qty, qty),
                exact.subtract(lot.cost, cost),
            )
        ],
    )


def apply_fill(
    lots: Sequence[Lot],
    *,
    lot_id: str,
    side: Side,
    last_qty: Decimal,
    last_px: Decimal,
    at: datetime,
    multiplier: Decimal = Decimal(1),
    method: TaxLotMethod = TaxLotMethod.FIFO,
) -> LotChange:
    """Book one fill: close what it closes, then open a lot ``lot_id`` with what is left of it.

    A fill larger than the opposite position flips it. The parts of a fill that meets several lots
    sum to the fill's own value to the last digit.

    :raises ValueError: if last_qty is not positive, or the lots are not those of one position.
    """
    if last_qty <= 0:
        raise ValueError(f"a fill has a positive quantity, not {last_qty}")
    sign = side.sign
    held = total_qty(lots)
    reduces = held < 0 if sign > 0 else held > 0
    closing = min(last_qty, held.copy_abs()) if reduces else ZERO
    relief = relieve(lots, closing, method) if closing else Relief((), tuple(lots))

    def value_of(units: Decimal) -> Decimal:
        worth = exact.money(exact.multiply(exact.multiply(units, last_px), multiplier))
        return exact.signed(worth, sign)

    closures: list[Closure] = []
    done = ZERO
    for piece in relief.closed:
        before, done = done, exact.add(done, piece.qty.copy_abs())
        proceeds = exact.subtract(value_of(before), value_of(done))
        closures.append(Closure(piece.lot_id, piece.qty, piece.cost, proceeds))
    gross = value_of(last_qty)
    opened = None
    if closing < last_qty:
        qty = exact.signed(exact.subtract(last_qty, closing), sign)
        opened = Lot(lot_id, at, qty, exact.subtract(gross, value_of(closing)))
    closed_ids = {piece.lot_id for piece in relief.closed}
    return LotChange(
        signed_qty=exact.signed(last_qty, sign),
        gross=gross,
        closures=tuple(closures),
        opened=opened,
        lots=relief.remaining if opened is None else (*relief.remaining, opened),
        touched=tuple(lot for lot in relief.remaining if lot.lot_id in closed_ids),
    )
