"""The port between the order management system and a broker or exchange.

The gateway talks to every venue through ``Broker``. Values here are frozen; quantities and prices
are ``Decimal`` in the instrument's own units, instants are aware UTC.

An order command has three outcomes and never a fourth: ``Accepted`` and ``Rejected`` are the
venue's own word, ``Unknown`` is everything else (a timeout, a dropped line, an answer nobody can
read). The only exception a command raises is ``NotConnected``, and it proves that no byte left.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar, Protocol, TypeVar

from trading.market import InstrumentRules, Quote
from trading.orders.reports import ExecutionReport
from trading.vocabulary import (
    CxlRejReason,
    OrdRejReason,
    OrdStatus,
    OrdType,
    Side,
    TimeInForce,
)

T = TypeVar("T")


class NotConnected(Exception):
    """There is no session with the venue: nothing was written, so the command may be queued."""


# --- commands -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NewOrder:
    """An order for the venue. ``valid_until`` is the last instant it may still take it."""

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


@dataclass(frozen=True, slots=True)
class CancelOrder:
    """Take an order back. ``request_id`` is the cancel's own cl_ord_id, echoed in reports."""

    account: str
    venue_cl_ord_id: str
    order_id: str | None
    request_id: str


@dataclass(frozen=True, slots=True)
class ReplaceOrder:
    """Give an order new terms; ``order_qty`` is the new total, what is filled included."""

    account: str
    venue_cl_ord_id: str
    orig_venue_cl_ord_id: str
    order_id: str | None
    request_id: str
    order_qty: Decimal
    price: Decimal | None
    time_in_force: TimeInForce


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


Outcome = Accepted | Rejected | Unknown


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


# --- what an adapter can do -------------------------------------------------------------------


class Dedup(StrEnum):
    """How long a venue refuses a client id it has seen."""

    FULL = "FULL"
    OPEN_ONLY = "OPEN_ONLY"
    NONE = "NONE"
    ASCENDING = "ASCENDING"


class Amend(StrEnum):
    """How an order gets new terms."""

    IN_PLACE = "IN_PLACE"
    ATOMIC = "ATOMIC"
    CANCEL_NEW = "CANCEL_NEW"
    NONE = "NONE"


class AmendSlots(StrEnum):
    """How many replace requests of one order may wait at once."""

    SINGLE = "SINGLE"
    PIPELINED = "PIPELINED"


class Contingencies(StrEnum):
    """Who holds the links between orders."""

    NATIVE = "NATIVE"
    NATIVE_CANCEL_ON_PARTIAL = "NATIVE_CANCEL_ON_PARTIAL"
    SYNTHETIC = "SYNTHETIC"
    NONE = "NONE"


class LookupChannel(StrEnum):
    """One way of asking a venue about an order."""

    BY_CLIENT_ID = "BY_CLIENT_ID"
    OPEN = "OPEN"
    CLOSED = "CLOSED"
    EXECUTIONS = "EXECUTIONS"


@dataclass(frozen=True, slots=True)
class ChannelReach:
    """How far back a look-up sees (None = for ever) and how late it may be behind the books."""

    horizon: timedelta | None
    lag: timedelta


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most ``count`` requests ``per`` span."""

    count: int
    per: timedelta


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a venue offers; what is not declared is refused before the wire.

    ``source`` and ``as_of`` say where the statement comes from and of which day it is.
    """

    time_in_force: Mapping[OrdType, frozenset[TimeInForce]]
    source: str
    as_of: str
    exec_inst: frozenset[str] = frozenset()
    qty_modes: frozenset[str] = frozenset({"base"})
    fractional: bool = False
    contingencies: Contingencies = Contingencies.NONE
    amend: Amend = Amend.NONE
    amend_slots: AmendSlots = AmendSlots.SINGLE
    cancel_during_replace: bool = False
    replace_filled: bool = False
    cancel_by_client_id: bool = False
    cancel_foreign: bool = False
    venue_id_pattern: str = r"[A-Z0-9]{1,28}"
    venue_id_max_len: int = 28
    dedup: Dedup = Dedup.NONE
    dedup_window: timedelta | None = None
    lookups: Mapping[LookupChannel, ChannelReach] = field(default_factory=dict)
    accept_delay_max: timedelta = timedelta(seconds=5)
    request_expiry: bool = False
    streams: frozenset[str] = frozenset()
    queues_when_closed: bool = False
    gtc_max_days: int | None = None
    protected_market: bool = False
    cancel_on_disconnect: bool = False
    rate_limit: RateLimit | None = None
    definite_refusals: frozenset[str] = frozenset()

    @property
    def ord_types(self) -> frozenset[OrdType]:
        """The order types it takes at all."""
        return frozenset(self.time_in_force)

    def takes(self, ord_type: OrdType, time_in_force: TimeInForce) -> bool:
        """Whether it takes this type with this time in force."""
        return time_in_force in self.time_in_force.get(ord_type, frozenset())

    @property
    def lookup_lag_max(self) -> timedelta:
        """The longest any of its look-ups may be behind its books."""
        return max((reach.lag for reach in self.lookups.values()), default=timedelta(0))


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

    async def lookup(self, account: str, venue_cl_ord_id: str) -> Lookup:
        """Ask for one order by any client id of its amend chain."""

    async def open_orders(self, account: str) -> OrdersPage:
        """All working orders of the account."""

    async def executions(self, account: str, since: datetime) -> ExecutionsPage:
        """All trades of the account from ``since`` on."""

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
