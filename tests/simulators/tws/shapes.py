"""What the simulated brokerage keeps: contracts, orders, executions."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Listing:
    """One contract the brokerage knows."""

    con_id: int
    symbol: str
    sec_type: str = "STK"
    exchange: str = "SMART"
    primary_exchange: str = "NASDAQ"
    currency: str = "USD"
    min_tick: Decimal = Decimal("0.01")
    size_increment: Decimal = Decimal(1)
    multiplier: str = ""
    expiry: str = ""
    strike: str = "0"
    right: str = ""

    @property
    def contract(self) -> list[object]:
        """The eleven fields that name a contract in most messages."""
        return [
            self.con_id,
            self.symbol,
            self.sec_type,
            self.expiry,
            self.strike,
            self.right,
            self.multiplier,
            self.exchange,
            self.currency,
            self.symbol,
            self.symbol,
        ]


@dataclass(slots=True)
class Ticket:
    """One order as the brokerage has it."""

    perm_id: int
    client_id: int
    order_id: int
    listing: Listing
    account: str
    action: str
    qty: Decimal
    order_type: str
    limit: Decimal | None
    aux: Decimal | None
    tif: str
    order_ref: str
    parent_id: int = 0
    oca_group: str = ""
    oca_type: int = 0
    outside_rth: bool = False
    good_till: str = ""
    display: Decimal | None = None
    all_or_none: bool = False
    min_qty: Decimal | None = None
    trail_stop: Decimal | None = None
    trail_percent: Decimal | None = None
    limit_offset: Decimal | None = None
    transmit: bool = True
    what_if: bool = False
    trigger_method: int = 0
    status: str = "PendingSubmit"
    filled: Decimal = ZERO
    amount: Decimal = ZERO
    last_px: Decimal = ZERO
    why_held: str = ""
    completed_at: str = ""

    @property
    def remaining(self) -> Decimal:
        """What is still to be filled."""
        return self.qty - self.filled

    @property
    def average(self) -> Decimal:
        """Average price, 0 before the first fill."""
        return self.amount / self.filled if self.filled else ZERO

    @property
    def is_live(self) -> bool:
        """Whether it may still trade."""
        return self.status not in ("Filled", "Cancelled", "Inactive")

    @property
    def buys(self) -> bool:
        """Whether it adds to a position."""
        return self.action == "BUY"


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution; a correction has the same id with a higher last part."""

    exec_id: str
    ticket: Ticket
    shares: Decimal
    price: Decimal
    at: datetime
    cum: Decimal
    average: Decimal
    maker: bool = False
    commission: Decimal | None = None
    side: str = field(default="")

    def __post_init__(self) -> None:
        if not self.side:
            object.__setattr__(self, "side", "BOT" if self.ticket.buys else "SLD")
