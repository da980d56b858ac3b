"""Between the decimals of messages and the integers of the engine."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

from trading.market import Quote
from trading.matching.events import QuoteTick

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class OffScale(ValueError):
    """A price that is not a whole number of ticks, or a quantity not one of lots."""


@dataclass(frozen=True, slots=True)
class Scale:
    """One instrument's tick and lot. Two orders meet only where these are equal."""

    symbol: str
    tick_size: Decimal
    lot_size: Decimal

    def ticks(self, price: Decimal) -> int:
        """:raises OffScale: if the price is not a multiple of the tick."""
        return _whole(price, self.tick_size, "price", "tick")

    def lots(self, quantity: Decimal) -> int:
        """:raises OffScale: if the quantity is not a multiple of the lot."""
        return _whole(quantity, self.lot_size, "quantity", "lot")

    def price(self, ticks: int) -> Decimal:
        """Ticks as a price."""
        return ticks * self.tick_size

    def quantity(self, lots: int) -> Decimal:
        """Lots as a quantity."""
        return lots * self.lot_size

    def tick_of(self, quote: Quote, at: int) -> QuoteTick:
        """The quote for the engine: bids rounded down, offers up, the last trade to the nearest
        tick, sizes down to whole lots.
        """
        return QuoteTick(
            at=at,
            bid=_floor(quote.bid, self.tick_size),
            ask=int((quote.ask / self.tick_size).to_integral_value(ROUND_CEILING)),
            bid_size=_floor(quote.bid_size, self.lot_size),
            ask_size=_floor(quote.ask_size, self.lot_size),
            last=int((quote.last / self.tick_size).to_integral_value(ROUND_HALF_EVEN)),
        )


def nanoseconds(moment: datetime) -> int:
    """Nanoseconds since 1970 UTC of an aware instant, exactly."""
    return (moment - _EPOCH) // _MICROSECOND * 1000


def opt_nanoseconds(moment: datetime | None) -> int | None:
    """``nanoseconds``, None of None."""
    return None if moment is None else nanoseconds(moment)


def instant_of(at: int) -> datetime:
    """The aware instant of nanoseconds since 1970 UTC, to the microsecond."""
    return _EPOCH + _MICROSECOND * (at // 1000)


def _floor(value: Decimal, step: Decimal) -> int:
    return int((value / step).to_integral_value(ROUND_FLOOR))


def _whole(value: Decimal, step: Decimal, noun: str, unit: str) -> int:
    count = _floor(value, step)
    if count * step != value:
        raise OffScale(f"{noun} {value:f} is not a multiple of the {unit} {step.normalize():f}")
    return count
