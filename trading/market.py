"""Market data as values: what the matching engine, the risk rules and the marks read."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from trading import exact


@dataclass(frozen=True, slots=True)
class Quote:
    """Best bid and offer of one instrument, prices in its currency, sizes in its unit.

    ``at`` is when the quote reached us (UTC). For a historical replay ``history_at`` is the
    instant of the past the numbers come from, and ``simulated`` is True.

    ``open``, ``high`` and ``low`` are the session's so far, ``prev_close`` is the close of the
    session before it; None where the source does not say.
    """

    symbol: str
    bid: Decimal
    ask: Decimal
    last: Decimal
    bid_size: Decimal
    ask_size: Decimal
    at: datetime
    feed: str
    simulated: bool
    history_at: datetime | None = None
    open: Decimal | None = None
    high: Decimal | None = None
    low: Decimal | None = None
    prev_close: Decimal | None = None

    @property
    def mid(self) -> Decimal:
        """Midpoint of bid and ask."""
        return (self.bid + self.ask) / 2

    @property
    def spread(self) -> Decimal:
        """Ask less bid; negative in a crossed market."""
        return exact.subtract(self.ask, self.bid)

    @property
    def change(self) -> Decimal | None:
        """Last trade less the close of the session before; None where that is unknown."""
        return None if self.prev_close is None else exact.subtract(self.last, self.prev_close)

    @property
    def change_pct(self) -> Decimal | None:
        """``change`` in percent of the close before, to two places, half-even."""
        return None if self.prev_close is None else percent_change(self.prev_close, self.last)


def percent_change(before: Decimal, after: Decimal) -> Decimal | None:
    """Return how far ``after`` is from ``before`` in percent, to two places, half-even.

    None where ``before`` is not positive: a percentage of it would mean nothing.
    """
    if before <= 0:
        return None
    hundredths = round((Fraction(after) / Fraction(before) - 1) * 10_000)
    return Decimal(hundredths).scaleb(-2)


@dataclass(frozen=True, slots=True)
class Bar:
    """Open, high, low, close and volume of one interval that starts at ``at`` (UTC)."""

    at: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


@dataclass(frozen=True, slots=True)
class InstrumentRules:
    """What an instrument demands of a price and a quantity.

    ``tick_size`` and ``lot_size`` are the smallest steps; ``qty_decimals`` the most decimals a
    quantity may be written with; ``multiplier`` turns price x quantity into money.
    """

    symbol: str
    currency: str
    tick_size: Decimal
    lot_size: Decimal
    qty_decimals: int
    min_qty: Decimal
    max_qty: Decimal
    min_notional: Decimal
    multiplier: Decimal = Decimal(1)
