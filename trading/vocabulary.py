"""The field's standard words (FIX 5.0 names) as enumerations every layer shares.

Values are what the API, the database and the logs carry. Words that are ours and not FIX say so.
"""

from enum import StrEnum


class Side(StrEnum):
    """FIX tag 54."""

    BUY = "BUY"
    SELL = "SELL"
    SELL_SHORT = "SELL_SHORT"

    @property
    def sign(self) -> int:
        """+1 where a fill adds to the position, -1 where it takes from it."""
        return 1 if self is Side.BUY else -1

    @property
    def opposite(self) -> "Side":
        """The side a trade of this one meets (short sales count as sales)."""
        return Side.SELL if self is Side.BUY else Side.BUY


class OrdType(StrEnum):
    """FIX tag 40. The if-touched limit and the trails are words FIX spells with tag 18 and 1100."""

    MARKET = "MARKET"
    LIMIT = "LIMIT"
    STOP = "STOP"
    STOP_LIMIT = "STOP_LIMIT"
    MARKET_IF_TOUCHED = "MARKET_IF_TOUCHED"
    LIMIT_IF_TOUCHED = "LIMIT_IF_TOUCHED"
    TRAILING_STOP = "TRAILING_STOP"
    TRAILING_STOP_LIMIT = "TRAILING_STOP_LIMIT"
    MARKET_TO_LIMIT = "MARKET_TO_LIMIT"
    PEGGED = "PEGGED"


class TriggerPriceType(StrEnum):
    """Which price moves a trigger (FIX tag 1107); MARK is a derivative's mark."""

    LAST = "LAST"
    BID_ASK = "BID_ASK"
    MID = "MID"
    MARK = "MARK"


class TrailType(StrEnum):
    """What the distance of a trail is measured in (FIX tag 836)."""

    PRICE = "PRICE"
    PERCENT = "PERCENT"


class PegPriceType(StrEnum):
    """What a pegged order's price follows (FIX tag 1094): its own side's best, the other's, or
    the middle.
    """

    PRIMARY = "PRIMARY"
    MARKET = "MARKET"
    MID = "MID"


class WhenClosed(StrEnum):
    """Ours: what becomes of an order entered while its session is closed."""

    REJECT = "REJECT"
    QUEUE = "QUEUE"


class HeldBy(StrEnum):
    """Ours: who keeps an order that no venue works yet."""

    OMS = "OMS"


class TimeInForce(StrEnum):
    """FIX tag 59."""

    DAY = "DAY"
    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"
    GTD = "GTD"
    OPG = "OPG"
    CLS = "CLS"


class OrdStatus(StrEnum):
    """FIX tag 39. REPLACED, RESTATED and the trade words are exec types only."""

    PENDING_NEW = "PENDING_NEW"
    NEW = "NEW"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    DONE_FOR_DAY = "DONE_FOR_DAY"
    PENDING_CANCEL = "PENDING_CANCEL"
    PENDING_REPLACE = "PENDING_REPLACE"
    CANCELED = "CANCELED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    SUSPENDED = "SUSPENDED"
    STOPPED = "STOPPED"


class ExecType(StrEnum):
    """FIX tag 150; REQUEST_REFUSED stands for the whole message OrderCancelReject (35=9)."""

    PENDING_NEW = "PENDING_NEW"
    NEW = "NEW"
    TRADE = "TRADE"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"
    PENDING_CANCEL = "PENDING_CANCEL"
    PENDING_REPLACE = "PENDING_REPLACE"
    REPLACED = "REPLACED"
    REQUEST_REFUSED = "REQUEST_REFUSED"
    DONE_FOR_DAY = "DONE_FOR_DAY"
    SUSPENDED = "SUSPENDED"
    STOPPED = "STOPPED"
    TRIGGERED = "TRIGGERED"
    RESTATED = "RESTATED"
    TRADE_CORRECT = "TRADE_CORRECT"
    TRADE_CANCEL = "TRADE_CANCEL"
    ORDER_STATUS = "ORDER_STATUS"


class OrdRejReason(StrEnum):
    """Why an order is REJECTED (FIX tag 103, words of our own where FIX has only numbers)."""

    RISK = "RISK"
    VENUE = "VENUE"
    NOT_RECEIVED = "NOT_RECEIVED"
    NOT_SENT = "NOT_SENT"
    NO_LIQUIDITY = "NO_LIQUIDITY"
    WOULD_TAKE = "WOULD_TAKE"
    SELF_MATCH = "SELF_MATCH"
    UNKNOWN_SYMBOL = "UNKNOWN_SYMBOL"
    EXCHANGE_CLOSED = "EXCHANGE_CLOSED"
    INSUFFICIENT_FUNDS = "INSUFFICIENT_FUNDS"
    DUPLICATE = "DUPLICATE"
    OTHER = "OTHER"


class CxlRejReason(StrEnum):
    """Why a venue refused a cancel or replace (FIX tag 102)."""

    TOO_LATE = "TOO_LATE"
    UNKNOWN_ORDER = "UNKNOWN_ORDER"
    ALREADY_PENDING = "ALREADY_PENDING"
    DUPLICATE_CL_ORD_ID = "DUPLICATE_CL_ORD_ID"
    OTHER = "OTHER"


class ReportSource(StrEnum):
    """Ours: who says so. LOCAL is this system, RECON a reconciliation, PERSON a named operator."""

    VENUE = "VENUE"
    LOCAL = "LOCAL"
    RECON = "RECON"
    PERSON = "PERSON"


class CommandKind(StrEnum):
    """Ours: one request we want a venue to carry out."""

    NEW = "NEW"
    CANCEL = "CANCEL"
    REPLACE = "REPLACE"


class CommandState(StrEnum):
    """Ours: how far a command has come (docs/architecture.md, command protocol)."""

    QUEUED = "QUEUED"
    SENDING = "SENDING"
    ACKED = "ACKED"
    REFUSED = "REFUSED"
    UNKNOWN = "UNKNOWN"


class Mode(StrEnum):
    """Ours: whether money is real. A fixed column of every broker account."""

    BACKTEST = "BACKTEST"
    PAPER = "PAPER"
    LIVE = "LIVE"
