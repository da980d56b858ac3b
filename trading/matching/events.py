"""What goes into the engine. All numbers are integers (ticks, lots, ns since 1970 UTC)."""

from dataclasses import dataclass
from enum import StrEnum

from trading.matching.triggers import Trigger
from trading.vocabulary import OrdType, PegPriceType, Side, TimeInForce


class Phase(StrEnum):
    """Whether an instrument trades."""

    OPEN = "OPEN"
    HALTED = "HALTED"
    """No fills for now; working orders stay."""
    CLOSED = "CLOSED"
    """The session is over: DAY orders have ended, the others wait for the next one."""


@dataclass(frozen=True, slots=True)
class Peg:
    """A price that follows the market: the reference moved by ``offset`` ticks, up if positive."""

    price_type: PegPriceType = PegPriceType.PRIMARY
    offset: int = 0


@dataclass(frozen=True, slots=True)
class SessionPhase:
    """The instrument opens, halts or closes; closing ends DAY orders."""

    at: int
    phase: Phase
    source_seq: int = 0


@dataclass(frozen=True, slots=True)
class Auction:
    """An uncross: orders for this auction (``time_in_force`` OPG or CLS) trade at its one price.

    ``price`` None says that there was none: those orders end.
    """

    at: int
    time_in_force: TimeInForce
    price: int | None
    volume: int
    source_seq: int = 0


@dataclass(frozen=True, slots=True)
class Split:
    """Every ``old`` units become ``new`` ones; a consolidation has ``new`` below ``old``."""

    at: int
    new: int
    old: int
    source_seq: int = 0

    def __post_init__(self) -> None:
        if self.new <= 0 or self.old <= 0:
            raise ValueError(f"a split of {self.old} into {self.new}")


@dataclass(frozen=True, slots=True)
class Delisting:
    """The instrument is gone: everything that works is cancelled."""

    at: int
    source_seq: int = 0


@dataclass(frozen=True, slots=True)
class QuoteTick:
    """Best bid and offer with sizes; a size of 0 means that side is empty.

    ``last`` is the price of the last trade where the feed says it with the quote.
    """

    at: int
    bid: int
    ask: int
    bid_size: int
    ask_size: int
    source_seq: int = 0
    last: int | None = None


@dataclass(frozen=True, slots=True)
class MarketLost:
    """Nothing is known of the market any more: no price stands, the last one is forgotten."""

    at: int
    source_seq: int = 0


@dataclass(frozen=True, slots=True)
class BookSnapshot:
    """All levels known, best first, as (price, size)."""

    at: int
    bids: tuple[tuple[int, int], ...]
    asks: tuple[tuple[int, int], ...]
    source_seq: int = 0


@dataclass(frozen=True, slots=True)
class BookDelta:
    """One level has a new size, 0 if it is gone.

    ``sequence`` counts the changes since the snapshot, from 1. After a gap the book is not
    believed until the next snapshot.
    """

    at: int
    bid_side: bool
    price: int
    size: int
    sequence: int
    source_seq: int = 0


@dataclass(frozen=True, slots=True)
class TradeTick:
    """Somebody traded. ``eligible`` is False for late, off-book and average-price trades, which
    neither fill nor trigger anything.
    """

    at: int
    price: int
    qty: int
    eligible: bool = True
    source_seq: int = 0


@dataclass(frozen=True, slots=True)
class PathTick:
    """The price of a bar's path: everything trades here, ``slippage`` ticks worse for who comes.

    ``size`` lots are left for both sides together. With ``through`` 1 a limit is filled only where
    the price goes a tick beyond it, with 0 where it touches.
    """

    at: int
    price: int
    size: int
    slippage: int = 0
    through: int = 1
    source_seq: int = 0


@dataclass(frozen=True, slots=True)
class NewOrder:
    """An order arrives.

    ``price`` is set for LIMIT (a pegged order's cap) and None for MARKET; with ``trigger`` it is
    what the order becomes when it fires: a stop is a MARKET with a trigger, a stop limit a LIMIT
    with one, and a trail with a limit offset a LIMIT whose price follows from the stop.
    ``to_limit`` makes a MARKET take the best level and rest there (market to limit).
    ``display_qty`` is what an iceberg shows, ``min_qty`` what an IOC must get at once,
    ``expire_at`` when it ends of itself: the time of a GTD, the end of its day for a DAY order of
    a market whose sessions are not told.
    """

    at: int
    order_id: str
    account: str
    side: Side
    ord_type: OrdType
    time_in_force: TimeInForce
    qty: int
    price: int | None = None
    source_seq: int = 0
    trigger: Trigger | None = None
    peg: Peg | None = None
    to_limit: bool = False
    display_qty: int | None = None
    min_qty: int = 0
    post_only: bool = False
    all_or_none: bool = False
    expire_at: int | None = None

    def __post_init__(self) -> None:
        if self.qty <= 0:
            raise ValueError(f"quantity {self.qty} of {self.order_id} is not positive")
        trails_limit = (
            self.trigger is not None
            and self.trigger.trail is not None
            and self.trigger.trail.limit_offset is not None
        )
        if (self.ord_type is OrdType.LIMIT) != (self.price is not None or trails_limit):
            raise ValueError(f"{self.ord_type} of {self.order_id} with price {self.price}")
        if self.peg is not None and (self.price is None or self.trigger is not None):
            raise ValueError(f"peg of {self.order_id} needs a cap and no trigger")
        if self.display_qty is not None and not 0 < self.display_qty <= self.qty:
            raise ValueError(f"{self.order_id} shows {self.display_qty} of {self.qty}")
        if self.time_in_force in AUCTIONS and (self.trigger or self.peg or self.to_limit):
            raise ValueError(f"{self.order_id} for an auction is a plain MARKET or LIMIT")


@dataclass(frozen=True, slots=True)
class Cancel:
    """A request to take an order back; ``request_id`` is echoed."""

    at: int
    order_id: str
    request_id: str
    source_seq: int = 0


@dataclass(frozen=True, slots=True)
class Replace:
    """A request for new terms; ``qty`` is the new total, what is filled included.

    ``price`` and ``trigger`` None keep what an order that has not fired has; ``display_qty`` None
    shows everything. ``expire_at`` None keeps the instant while the time in force stays.
    """

    at: int
    order_id: str
    request_id: str
    qty: int
    price: int | None
    time_in_force: TimeInForce
    source_seq: int = 0
    trigger: Trigger | None = None
    display_qty: int | None = None
    expire_at: int | None = None


@dataclass(frozen=True, slots=True)
class Timer:
    """Time passes: orders whose time has come end, stops that moved unseen are told."""

    at: int
    source_seq: int = 0


AUCTIONS = (TimeInForce.OPG, TimeInForce.CLS)
Command = NewOrder | Cancel | Replace
MarketData = QuoteTick | MarketLost | BookSnapshot | BookDelta | TradeTick | PathTick
Event = SessionPhase | Auction | Split | Delisting | MarketData | Command | Timer

_RANK: dict[type[Event], int] = {
    SessionPhase: 0,
    Auction: 0,
    Split: 1,
    Delisting: 1,
    QuoteTick: 3,
    MarketLost: 3,
    BookSnapshot: 3,
    BookDelta: 3,
    TradeTick: 3,
    PathTick: 3,
    NewOrder: 4,
    Cancel: 4,
    Replace: 4,
    Timer: 5,
}


def event_order(event: Event) -> tuple[int, int, int]:
    """The sort key of events: time, kind, source sequence.

    Kinds at one instant: session and auction, corporate action, market data, commands, timers.
    """
    return (event.at, _RANK[type(event)], event.source_seq)
