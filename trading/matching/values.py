"""How an instrument is matched, and what comes out. All numbers are integers (ticks, lots, ns)."""

from dataclasses import dataclass
from enum import StrEnum

from trading.vocabulary import CxlRejReason, ExecType, OrdStatus, Side, TimeInForce


class BeyondTouch(StrEnum):
    """What an aggressive order finds behind the displayed best when only quotes are known."""

    LINEAR = "LINEAR"
    """The displayed size again, one tick worse, and so on."""
    STOP = "STOP"
    """Nothing."""


class QueueModel(StrEnum):
    """Who left when the size displayed at our price shrinks without a trade."""

    PESSIMISTIC = "PESSIMISTIC"
    """Those behind us, as far as that is possible."""
    PROBABILISTIC = "PROBABILISTIC"
    """Those before and behind us in proportion."""


class Liquidity(StrEnum):
    """Who rested and who came (FIX tag 851)."""

    MAKER = "MAKER"
    TAKER = "TAKER"
    AUCTION = "AUCTION"


class EndReason(StrEnum):
    """Why an order ended, was refused or was restated without being filled."""

    NO_LIQUIDITY = "no_liquidity"
    IMMEDIATE_REST = "immediate_or_cancel"
    FILL_OR_KILL = "fill_or_kill"
    MIN_QTY = "min_qty"
    SELF_MATCH = "self_match"
    WOULD_TAKE = "would_take"
    WOULD_TRIGGER = "would_trigger_immediately"
    NO_REFERENCE = "no_reference_price"
    REQUESTED = "requested"
    SESSION_CLOSE = "session_close"
    EXPIRE_TIME = "expire_time"
    AUCTION_END = "auction_end"
    NOT_TRADING = "not_trading"
    DELISTED = "delisted"
    CORPORATE_ACTION = "corporate_action"
    REPRICED = "repriced"
    TRAILED = "trailed"


@dataclass(frozen=True, slots=True)
class Policy:
    """How one instrument is matched.

    ``max_levels`` bounds how many ticks beyond the touch LINEAR reaches; ``min_price`` is the
    lowest price (ticks) anything trades at; ``internal_crossing`` lets accounts meet each other.
    ``volume_cap_bp`` and ``auction_cap_bp`` are the shares of a trade's and of an auction's volume
    our orders get at most, in hundredths of a percent. ``market_rest_waits`` keeps what a MARKET
    order did not get for the next price, where a bar's volume is shared out; else it is cancelled.
    """

    beyond_touch: BeyondTouch = BeyondTouch.LINEAR
    max_levels: int = 100
    min_price: int = 1
    internal_crossing: bool = False
    queue_model: QueueModel = QueueModel.PESSIMISTIC
    volume_cap_bp: int = 1_000
    auction_cap_bp: int = 1_000
    market_rest_waits: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """One thing the engine says about an order; ``seq`` counts the reports of a run from 1.

    ``last_qty`` and ``last_px`` are set on TRADE; ``reason`` on CANCELED, EXPIRED, REJECTED and
    RESTATED; ``stop_px`` while the order waits for a price and when it fires, with ``anchor_px``
    where it trails; ``cxl_rej_reason`` on REQUEST_REFUSED (of an order the engine does not have,
    the other figures are then 0).
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
    side: Side | None = None
    last_qty: int = 0
    last_px: int = 0
    liquidity: Liquidity | None = None
    request_id: str | None = None
    reason: EndReason | None = None
    cxl_rej_reason: CxlRejReason | None = None
    text: str = ""
    stop_px: int | None = None
    anchor_px: int | None = None
