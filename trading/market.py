"""Market data as values: what the matching engine, the risk rules and the marks read."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Quote:
    """Best bid and offer of one instrument, prices in its currency, sizes in its unit.

    ``at`` is when the quote reached us (UTC). For a historical replay ``history_at`` is the
    instant of the past the numbers come from, and ``simulated`` is True.
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

    @property
    def mid(self) -> Decimal:
        """Midpoint of bid and ask."""
        return (self.bid + self.ask) / 2


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
