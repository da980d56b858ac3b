"""What goes into the engine and what comes out. All numbers are integers (ticks, lots, ns)."""

from dataclasses import dataclass
from enum import StrEnum

from trading.vocabulary import CxlRejReason, ExecType, OrdStatus, OrdType, Side, TimeInForce


class BeyondTouch(StrEnum):
    """What an aggressive order finds behind the displayed best when only quotes are known."""

    LINEAR = "LINEAR"
    """The displayed size again, one tick worse, and so on."""
    STOP = "STOP"
    """Nothing."""


class Liquidity(StrEnum):
    """Who rested and who came."""

    MAKER = "MAKER"
    TAKER = "TAKER"


class EndReason(StrEnum):
    """Why an order ended, or was refused, without being filled."""

    NO_LIQUIDITY = "no_liquidity"
    IMMEDIATE_REST = "immediate_or_cancel"
    FILL_OR_KILL = "fill_or_kill"
    SELF_MATCH = "self_match"
    REQUESTED = "requested"
    SESSION_CLOSE = "session_close"


@dataclass(frozen=True, slots=True)
class Policy:
    """How one instrument is matched.

    ``max_levels`` bounds how many ticks beyond the touch LINEAR reaches; ``min_price`` is the
    lowest price (ticks) anything trades at; ``internal_crossing`` lets accounts meet each other.
    """

    beyond_touch: BeyondTouch = BeyondTouch.LINEAR
    max_levels: int = 100
    min_price: int = 1
    internal_crossing: bool = False


@dataclass(frozen=True, slots=True)
class QuoteTick:
    """Best bid and offer with sizes; a size of 0 means that side is empty."""

    at: int
    bid: int
    ask: int
    bid_size: int
    ask_size: int
    source_seq: int = 0


@dataclass(frozen=True, slots=True)
class SessionClose:
    """The session ends: DAY orders expire."""

    at: int
    source_seq: int = 0


@dataclass(frozen=True, slots=True)
class NewOrder:
    """An order arrives. ``price`` is set for LIMIT and None for MARKET."""

    at: int
    order_id: str
    account: str
    side: Side
    ord_type: OrdType
    time_in_force: TimeInForce
    qty: int
    price: int | None = None
    source_seq: int = 0

    def __post_init__(self) -> None:
        if self.qty <= 0:
            raise ValueError(f"quantity {self.qty} of {self.order_id} is not positive")
        if (self.ord_type is OrdType.LIMIT) != (self.price is not None):
            raise ValueError(f"{self.ord_type} of {self.order_id} with price {self.price}")


@dataclass(frozen=True, slots=True)
class Cancel:
    """A request to take an order back; ``request_id`` is echoed."""

    at: int
    order_id: str
    request_id: str
    source_seq: int = 0


@dataclass(frozen=True, slots=True)
class Replace:
    """A request for new terms; ``qty`` is the new total, what is filled included."""

    at: int
    order_id: str
    request_id: str
    qty: int
    price: int
    time_in_force: TimeInForce
    source_seq: int = 0


Event = QuoteTick | SessionClose | NewOrder | Cancel | Replace

_RANK: dict[type[Event], int] = {SessionClose: 0, QuoteTick: 3, NewOrder: 4, Cancel: 4, Replace: 4}


def event_order(event: Event) -> tuple[int, int, int]:
    """The sort key of events: time, kind (session, market data, commands), source sequence."""
    return (event.at, _RANK[type(event)], event.source_seq)


@dataclass(frozen=True, slots=True)
class Report:
    """One thing the engine says about an order; ``seq`` counts the reports of a run from 1.

    ``last_qty`` and ``last_px`` are set on TRADE; ``reason`` on CANCELED, EXPIRED and REJECTED;
    ``cxl_rej_reason`` on REQUEST_REFUSED (of an order the engine does not have, the other figures
    are then 0).
    """

    seq: int
    at: int
    exec_type: ExecType
    order_id: str
    ord_status: OrdStatus
    order_qty: int
    price: int | None
    time_in_force: TimeInForce
    cum_qty: int
    leaves_qty: int
    last_qty: int = 0
    last_px: int = 0
    liquidity: Liquidity | None = None
    request_id: str | None = None
    reason: EndReason | None = None
    cxl_rej_reason: CxlRejReason | None = None
    text: str = ""
