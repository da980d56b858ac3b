"""The port between the order management system and a broker or exchange.

The gateway talks to every venue through ``Broker``. Values here are frozen; quantities and prices
are ``Decimal`` in the instrument's own units, instants are aware UTC.

An order command has four outcomes and never a fifth: ``Accepted``, ``Rejected`` and
``NotExecuted`` are the word of the venue, ``Unknown`` is everything else (a timeout, a dropped
line, an answer nobody can read). The only exception a command raises is ``NotConnected``, and it
proves that no byte left.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import ClassVar, Protocol, TypeVar

from brokers.adapters.capabilities import Capabilities
from trading.market import InstrumentRules, Quote
from trading.orders.reports import ExecutionReport
from trading.vocabulary import (
    CxlRejReason,
    OrdRejReason,
    OrdStatus,
    OrdType,
    PegPriceType,
    Side,
    TimeInForce,
    TrailType,
    TriggerPriceType,
)

T = TypeVar("T")


class NotConnected(Exception):
    """There is no session with the venue: nothing was written, so the command may be queued."""


class SignedOut(NotConnected):
    """The venue does not take the credentials: asking again changes nothing until they do."""


# --- commands -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NewOrder:
    """An order for the venue. ``valid_until`` is the last instant it may still take it.

    The fields below ``valid_until`` are None or empty where the order's type has no use for
    them; they mean what they mean in ``trading.orders.intent.OrderIntent``.
    """

    account: str
    venue_cl_ord_id: str
    symbol: str
    side: Side
    ord_type: OrdType
    order_qty: Decimal
    price: Decimal | None
    time_in_force: TimeInForce
    rules: InstrumentRules
    valid_until: datetime | None = None
    stop_px: Decimal | None = None
    display_qty: Decimal | None = None
    expire_time: datetime | None = None
    exec_inst: tuple[str, ...] = ()
    min_qty: Decimal | None = None
    trigger_price_type: TriggerPriceType | None = None
    trail_offset: Decimal | None = None
    trail_type: TrailType | None = None
    activation_px: Decimal | None = None
    limit_offset: Decimal | None = None
    peg_price_type: PegPriceType | None = None
    peg_offset: int | None = None
    extended_hours: bool = False


@dataclass(frozen=True, slots=True)
class CancelOrder:
    """Take an order back. ``request_id`` is the cancel's own cl_ord_id, echoed in reports."""

    account: str
    venue_cl_ord_id: str
    order_id: str | None
    request_id: str
    symbol: str


@dataclass(frozen=True, slots=True)
class ReplaceOrder:
    """Give an order new terms; ``order_qty`` is the new total, what is filled included.

    All terms are stated, those that stay too; None is a term the order does not have.
    """

    account: str
    venue_cl_ord_id: str
    orig_venue_cl_ord_id: str
    order_id: str | None
    request_id: str
    symbol: str
    order_qty: Decimal
    price: Decimal | None
    time_in_force: TimeInForce
    stop_px: Decimal | None = None
    display_qty: Decimal | None = None
    expire_time: datetime | None = None
    trail_offset: Decimal | None = None
    limit_offset: Decimal | None = None


# --- outcomes -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Accepted:
    """The venue took the command. ``raw``, where not empty, is a message ``parse`` understands."""

    order_id: str
    raw: bytes = b""


@dataclass(frozen=True, slots=True)
class Rejected:
    """The venue refused the command, for certain.

    ``DUPLICATE`` and ``DUPLICATE_CL_ORD_ID`` prove the opposite for ids that are ours: an earlier
    attempt of the same command exists there.
    """

    reason: OrdRejReason | CxlRejReason
    text: str
    raw: bytes = b""

    @property
    def proves_existence(self) -> bool:
        """Whether this refusal shows that the id is already at the venue."""
        return self.reason in {OrdRejReason.DUPLICATE, CxlRejReason.DUPLICATE_CL_ORD_ID}


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may have happened or not; only a look-up tells."""

    text: str


@dataclass(frozen=True, slots=True)
class NotExecuted:
    """The venue said that it carried nothing out; it may be asked again after ``retry_after``."""

    text: str
    retry_after: timedelta


Outcome = Accepted | Rejected | Unknown | NotExecuted


# --- what the venue says when asked -----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class VenueOrder:
    """An order as the venue's books have it now. ``venue_cl_ord_id`` is its current id."""

    account: str
    venue_cl_ord_id: str
    order_id: str
    symbol: str
    side: Side
    ord_type: OrdType
    ord_status: OrdStatus
    order_qty: Decimal
    cum_qty: Decimal
    leaves_qty: Decimal
    price: Decimal | None
    time_in_force: TimeInForce
    text: str = ""
    raw: bytes = b""
    stop_px: Decimal | None = None
    working_indicator: bool = True


@dataclass(frozen=True, slots=True)
class Lookup:
    """Answer to "do you know this id". Absence counts only where ``complete`` is True and
    ``horizon`` (the oldest instant the venue still remembers, None = all) covers the sending.
    """

    found: VenueOrder | None
    complete: bool
    horizon: datetime | None = None


@dataclass(frozen=True, slots=True)
class OrdersPage:
    """The working orders of one account; not ``complete`` = no evidence about what is missing."""

    orders: tuple[VenueOrder, ...]
    complete: bool


@dataclass(frozen=True, slots=True)
class ExecutionsPage:
    """Trades since an instant as raw messages ``parse`` understands, oldest first."""

    messages: tuple[bytes, ...]
    complete: bool


@dataclass(frozen=True, slots=True)
class PositionsPage:
    """Signed quantities by (account, symbol); an absent key is zero where ``complete``."""

    positions: Mapping[tuple[str, str], Decimal]
    complete: bool


@dataclass(frozen=True, slots=True)
class BalancesPage:
    """Cash by (account, currency), fees already taken."""

    balances: Mapping[tuple[str, str], Decimal]
    complete: bool


# --- what an adapter is given -------------------------------------------------------------------


class QuoteSource(Protocol):
    """Where an adapter that simulates a market sees the real one."""

    def latest(self, symbol: str) -> Quote | None:
        """The newest quote, None where there is none."""

    def subscribe(self, callback: Callable[[Quote], None]) -> Callable[[], None]:
        """Call back with every quote, on the event loop; the answer ends the subscription."""


class RunDb(Protocol):
    """Runs a blocking function in a thread that may use the database."""

    async def __call__(self, work: Callable[[], T], /) -> T:
        """Return what ``work`` returns; raise what it raises, or that the database is away."""


MessageHandler = Callable[[str, bytes], Awaitable[None]]
"""Takes (account code, raw message); one at a time per account, in the venue's order. If it
raises, the session ends: what was not taken is found again by the next reconciliation."""


@dataclass(frozen=True, slots=True)
class FeeQuote:
    """What one execution would cost, in the instrument's currency, and by which rate."""

    amount: Decimal
    basis: str


class Broker(Protocol):
    """One session with one venue, for all accounts of one ``BrokerConnection``.

    The gateway sets ``on_message`` before ``connect``. ``connect`` may be called again after
    ``wait_disconnected`` has returned. Commands of different orders may overlap.
    """

    capabilities: ClassVar[Capabilities]
    on_message: MessageHandler | None
    frozen: str | None
    """Why no new order may go out until a person resumes; None while they may."""

    def __init__(
        self, *, schema: str, connection_id: int, quote_source: QuoteSource, run_db: RunDb
    ) -> None: ...

    async def connect(self) -> None:
        """:raises NotConnected: if the venue cannot be reached; try again later."""

    async def close(self) -> None:
        """End the session; safe to call at any time and twice."""

    async def wait_disconnected(self) -> str:
        """Return, with the reason, when the session has ended. Messages may have been lost."""

    async def submit(self, order: NewOrder) -> Outcome:
        """:raises NotConnected: if nothing was written."""

    async def cancel(self, request: CancelOrder) -> Outcome:
        """:raises NotConnected: if nothing was written."""

    async def replace(self, request: ReplaceOrder) -> Outcome:
        """:raises NotConnected: if nothing was written."""

    async def lookup(self, account: str, venue_cl_ord_id: str, symbol: str) -> Lookup:
        """Ask for one order by any client id of its amend chain."""

    async def open_orders(self, account: str) -> OrdersPage:
        """All working orders of the account."""

    async def executions(
        self, account: str, since: datetime, symbols: Collection[str]
    ) -> ExecutionsPage:
        """All trades of the account from ``since`` on; of these ``symbols`` at a venue that lists
        trades by instrument only.
        """

    async def positions(self, account: str) -> PositionsPage:
        """What the venue says the account holds."""

    async def balances(self, account: str) -> BalancesPage:
        """What cash the venue says the account has."""

    @staticmethod
    def quoted_fee(
        account_id: int, *, qty: Decimal, px: Decimal, multiplier: Decimal, maker: bool
    ) -> FeeQuote | None:
        """Return what one execution would cost; None where the rates are not known here."""

    @staticmethod
    def parse(raw: bytes) -> list[ExecutionReport]:
        """Read one raw message; pure. :raises UnreadableMessage: if it is not understood."""


class UnreadableMessage(ValueError):
    """A message of the venue that ``parse`` does not understand: keep it, park it, tell ops."""
