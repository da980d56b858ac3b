"""Profit between two instants: realised, change of unrealised, fees, and what is left of them.

A change that would need a mark nobody recorded is None, and so is everything it is part of.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from trading import exact
from trading.exact import ZERO


@dataclass(frozen=True, slots=True)
class Gain:
    """Amounts of one currency; ``realized`` is positive for a profit, ``fees`` for a charge."""

    realized: Decimal = ZERO
    unrealized: Decimal | None = ZERO
    fees: Decimal = ZERO

    @property
    def net(self) -> Decimal | None:
        """Realised and unrealised after fees; None while the unrealised part is not known."""
        if self.unrealized is None:
            return None
        return exact.subtract(exact.add(self.realized, self.unrealized), self.fees)

    def plus(self, other: "Gain") -> "Gain":
        """Both together."""
        known = self.unrealized is not None and other.unrealized is not None
        return Gain(
            exact.add(self.realized, other.realized),
            exact.add(self.unrealized, other.unrealized) if known else None,  # type: ignore[arg-type]
            exact.add(self.fees, other.fees),
        )

    def since(self, earlier: "Gain") -> "Gain":
        """What came between two running totals."""
        known = self.unrealized is not None and earlier.unrealized is not None
        return Gain(
            exact.subtract(self.realized, earlier.realized),
            exact.subtract(self.unrealized, earlier.unrealized) if known else None,  # type: ignore[arg-type]
            exact.subtract(self.fees, earlier.fees),
        )


def total(gains: Iterable[Gain]) -> Gain:
    """All together; of none it is nothing."""
    whole = Gain()
    for gain in gains:
        whole = whole.plus(gain)
    return whole
