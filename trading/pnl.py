"""What the books are worth: average price, unrealised profit, equity.

A mark is the price a position is valued at; None means nobody knows one. A value that would need
an unknown mark is None too: it is never taken for zero.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from trading import exact
from trading.exact import ZERO


@dataclass(frozen=True, slots=True)
class Holding:
    """A position as the valuation needs it: signed quantity and cost, one currency."""

    symbol: str
    qty: Decimal
    cost: Decimal
    multiplier: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True)
class Ledgers:
    """Running sums of one account and currency, each as a person reads it.

    ``realized`` is positive for a profit, ``fees`` positive for a charge.
    """

    cash: Decimal
    realized: Decimal
    fees: Decimal


@dataclass(frozen=True, slots=True)
class Valuation:
    """The books of one account and currency at some marks.

    ``unrealized``, ``market_value``, ``equity`` and ``total`` are None while ``unmarked`` names
    symbols that are held and have no mark.
    """

    cash: Decimal
    realized: Decimal
    fees: Decimal
    market_value: Decimal | None
    unrealized: Decimal | None
    unmarked: tuple[str, ...]

    @property
    def equity(self) -> Decimal | None:
        """Cash and what the positions would bring at their marks."""
        return None if self.market_value is None else exact.add(self.cash, self.market_value)

    @property
    def total(self) -> Decimal | None:
        """Realised and unrealised profit after fees: by how much equity left paid-in capital."""
        if self.unrealized is None:
            return None
        return exact.subtract(exact.add(self.realized, self.unrealized), self.fees)


def average_price(qty: Decimal, cost: Decimal, multiplier: Decimal) -> Decimal | None:
    """Return the price per unit the cost stands for, to 12 decimals; None of a flat position."""
    if qty == 0:
        return None
    return exact.price(cost, exact.multiply(qty, multiplier))


def market_value(qty: Decimal, mark: Decimal, multiplier: Decimal) -> Decimal:
    """Return what ``qty`` signed units are worth at ``mark``; negative for a short position."""
    return exact.money(exact.multiply(exact.multiply(qty, mark), multiplier))


def unrealized(
    qty: Decimal, cost: Decimal, mark: Decimal | None, multiplier: Decimal = Decimal(1)
) -> Decimal | None:
    """Return the profit closing at ``mark`` would bring; 0 of a flat position, None unmarked."""
    if qty == 0:
        return ZERO
    if mark is None:
        return None
    return exact.subtract(market_value(qty, mark, multiplier), cost)


def value(ledgers: Ledgers, holdings: Iterable[Holding], marks: Mapping[str, Decimal]) -> Valuation:
    """Return the valuation of one account's holdings in one currency."""
    worth, gain = ZERO, ZERO
    unmarked: list[str] = []
    for holding in holdings:
        if holding.qty == 0:
            continue
        mark = marks.get(holding.symbol)
        if mark is None:
            unmarked.append(holding.symbol)
            continue
        one = market_value(holding.qty, mark, holding.multiplier)
        worth = exact.add(worth, one)
        gain = exact.add(gain, exact.subtract(one, holding.cost))
    known = not unmarked
    return Valuation(
        cash=ledgers.cash,
        realized=ledgers.realized,
        fees=ledgers.fees,
        market_value=worth if known else None,
        unrealized=gain if known else None,
        unmarked=tuple(sorted(unmarked)),
    )
