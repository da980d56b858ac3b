"""A venue whose own ledger is the truth a schedule is judged by. It shares no code with the core.

It works orders, remembers what it said, and can be made to misbehave in every way that its
messages, its answers and its look-ups allow; what it says is always true, if late, twice or lost.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from trading.orders.reports import ExecutionReport
from trading.vocabulary import CxlRejReason, ExecType, OrdStatus, ReportSource

START = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
NUMBERS = [Decimal(n) for n in range(400)]
DAY_LIKE = {"DAY", "IOC", "FOK"}


def at(ms: int) -> datetime:
    return START + ms * MILLISECOND


@dataclass(slots=True)
class Execution:
    """What one trade counts for; ``last`` is the id the next correction must name."""

    qty: int
    px: int
    last: str
    live: bool = True


@dataclass(slots=True)
class Clock:
    """The one time of a world, in milliseconds since its start."""

    now: int = 0


@dataclass(frozen=True, slots=True)
class Personality:
    """``dedup`` FULL, OPEN_ONLY, NONE or ASCENDING: which ids a second order may not carry.

    ``sequenced``: its reports are numbered. ``lag``: how many ms its look-ups are behind.
    ``echoes``: it says that a request is pending before it answers it. ``budget``: how many
    requests it takes in a second, 0 for any number. ``trims``: it shows an ended order's total as
    what was executed.
    """

    dedup: str
    sequenced: bool
    lag: int
    echoes: bool = False
    budget: int = 0
    trims: bool = False


@dataclass(slots=True)
class VenueOrder:
    venue: "Venue"
    client_id: str
    order_id: str
    buy: bool
    qty: int
    price: int
    tif: str
    created: int
    head: str = ""
    ids: set[str] = field(default_factory=set)
    trades: dict[str, Execution] = field(default_factory=dict)
    closed: str = ""
    done: bool = False
    cum: int = 0
    gross: int = 0

    def add_up(self) -> None:
        """What the trades that stand come to, after one of them is new or other."""
        live = [one for one in self.trades.values() if one.live]
        self.cum = sum([one.qty for one in live])
        self.gross = sum([one.qty * one.px for one in live])

    @property
    def works(self) -> bool:
        return not self.closed and self.cum < self.qty and not (self.done and self.tif in DAY_LIKE)

    @property
    def status(self) -> OrdStatus:
        cum = self.cum
        if self.closed:
            return OrdStatus.FILLED if cum and cum >= self.qty else OrdStatus(self.closed)
        if self.done:
            return OrdStatus.DONE_FOR_DAY
        if cum >= self.qty:
            return OrdStatus.FILLED
        return OrdStatus.PARTIALLY_FILLED if cum else OrdStatus.NEW


@dataclass(slots=True)
class Venue:
    """``is_up``: whether anything passes between it and us. ``highest``: the last rising number."""

    name: str
    ways: Personality
    clock: Clock
    is_up: bool = True
    seq: int = 0
    highest: int = 0
    taken_at: list[int] = field(default_factory=list)
    orders: list[VenueOrder] = field(default_factory=list)
    by_id: dict[str, VenueOrder] = field(default_factory=dict)
    by_number: dict[int, VenueOrder] = field(default_factory=dict)
    out: list[ExecutionReport] = field(default_factory=list)
    executions: list[ExecutionReport] = field(default_factory=list)

    def say(self, order: VenueOrder, exec_type: ExecType, **more: object) -> ExecutionReport:
        """Tell of something that has just happened; every event has an instant of its own."""
        self.seq += 1
        self.clock.now += 1
        more.setdefault("venue_cl_ord_id", order.head)
        report = ExecutionReport(
            exec_type=exec_type,
            source=ReportSource.VENUE,
            exec_id=more.pop("exec_id", None) or f"{self.name}v{self.seq}",
            transact_time=at(self.clock.now),
            order_id=order.order_id,
            venue_seq=self.seq if self.ways.sequenced else None,
            **more,
        )
        self.out.append(report)
        return report

    # --- requests -------------------------------------------------------------------------------

    def has_room(self) -> bool:
        """Whether one more request fits into this second; if so it is counted."""
        if self.ways.budget:
            since = self.clock.now - 1_000
            self.taken_at = [when for when in self.taken_at if when > since]
            if len(self.taken_at) >= self.ways.budget:
                return False
            self.taken_at.append(self.clock.now)
        return True

    def new(
        self, client_id: str, buy: bool, qty: int, price: int, tif: str, number: int = 0
    ) -> str:
        """Return "" if taken, else DUPLICATE. A rising number that is known amends its order."""
        dedup = self.ways.dedup
        there = self.by_id.get(client_id)
        if there is not None and (dedup == "FULL" or (dedup == "OPEN_ONLY" and there.works)):
            return "DUPLICATE"
        if dedup == "ASCENDING":
            if number <= self.highest:
                return "DUPLICATE"
            self.highest = number
            known = self.by_number.get(number)
            if known is not None and known.works:
                self.restate(known, qty, price)
                return ""
        order = self._order(client_id, buy, qty, price, tif)
        self.by_number[number] = order
        self.say(order, ExecType.NEW, cl_ord_id=None)
        return ""

    def refuse_new(
        self, client_id: str, buy: bool, qty: int, price: int, tif: str, number: int = 0
    ) -> None:
        """Definitely refused: an order that never works."""
        self.highest = max(self.highest, number)
        order = self._order(client_id, buy, qty, price, tif)
        order.closed = "REJECTED"
        self.say(order, ExecType.REJECTED)

    def _order(self, client_id: str, buy: bool, qty: int, price: int, tif: str) -> VenueOrder:
        order_id = f"{self.name}V{len(self.orders)}"
        order = VenueOrder(self, client_id, order_id, buy, qty, price, tif, self.clock.now)
        order.head = client_id
        order.ids.add(client_id)
        self.orders.append(order)
        self.by_id[client_id] = order
        return order

    def cancel(self, venue_id: str, request: str) -> CxlRejReason | None:
        order = self.by_id.get(venue_id)
        if order is None:
            return CxlRejReason.UNKNOWN_ORDER
        if self.ways.echoes:
            self.say(order, ExecType.PENDING_CANCEL, cl_ord_id=request)
        if not order.works:
            return CxlRejReason.TOO_LATE
        order.closed = "CANCELED"
        self.say(order, ExecType.CANCELED, cl_ord_id=request)
        return None

    def replace(
        self, venue_id: str, request: str, new_id: str, orig: str, qty: int, price: int
    ) -> CxlRejReason | None:
        order = self.by_id.get(venue_id)
        if order is None:
            return CxlRejReason.UNKNOWN_ORDER
        if new_id in order.ids:
            return CxlRejReason.DUPLICATE_CL_ORD_ID
        if self.ways.echoes:
            self.say(order, ExecType.PENDING_REPLACE, cl_ord_id=request)
        if not order.works:
            return CxlRejReason.TOO_LATE
        order.qty, order.price, order.head = qty, price, new_id
        order.ids.add(new_id)
        self.by_id[new_id] = order
        self.say(
            order,
            ExecType.REPLACED,
            cl_ord_id=request,
            orig_cl_ord_id=orig,
            order_qty=NUMBERS[qty],
            price=NUMBERS[price],
        )
        return None

    # --- what the market and the venue do -------------------------------------------------------

    def trade(self, order: VenueOrder, qty: int, px: int) -> None:
        """Execute; also more than is left, and after the end, as venues do."""
        exec_id = f"{self.name}x{self.seq + 1}"
        order.trades[exec_id] = Execution(qty, px, exec_id)
        order.add_up()
        if order.closed == "REJECTED":
            order.closed = ""  # whatever it said: it worked
        if order.tif not in DAY_LIKE:
            order.done = False
        report = self.say(
            order, ExecType.TRADE, exec_id=exec_id, last_qty=NUMBERS[qty], last_px=NUMBERS[px]
        )
        self.executions.append(report)

    def correct(self, order: VenueOrder, pick: int, qty: int, px: int) -> None:
        """Correct one trade, or with qty 0 bust it."""
        live = [one for one in order.trades.values() if one.live]
        if not live:
            return
        one = live[pick % len(live)]
        exec_id, ref = f"{self.name}x{self.seq + 1}", one.last
        one.last = exec_id
        if qty:
            one.qty, one.px = qty, px
            words = {"last_qty": NUMBERS[qty], "last_px": NUMBERS[px]}
            exec_type = ExecType.TRADE_CORRECT
        else:
            words = {"last_qty": NUMBERS[one.qty], "last_px": NUMBERS[one.px]}
            one.live, exec_type = False, ExecType.TRADE_CANCEL
        order.add_up()
        self.executions.append(
            self.say(order, exec_type, exec_id=exec_id, exec_ref_id=ref, **words)
        )

    def end(self, order: VenueOrder, word: str) -> None:
        """Cancel, expire or reject on its own account."""
        if not order.works or (word == "REJECTED" and order.trades):
            return
        if word == "EXPIRED" and order.tif in {"IOC", "FOK"}:
            word = "CANCELED"
        order.closed = word
        self.say(order, ExecType(word))

    def restate(self, order: VenueOrder, qty: int, price: int) -> None:
        if order.works and qty > order.cum:
            order.qty, order.price = qty, price
            if order.tif not in DAY_LIKE:
                order.done = False
            figures = {"order_qty": NUMBERS[qty], "price": NUMBERS[price]}
            self.say(order, ExecType.RESTATED, **figures)

    def day_is_done(self, order: VenueOrder) -> None:
        if order.works and not order.done:
            order.done = True
            self.say(order, ExecType.DONE_FOR_DAY)

    def remark(self, order: VenueOrder, word: str, qty: int) -> None:
        """Suspended, triggered or stopped: words that move no quantity."""
        if order.works and not order.done:
            more = {"last_qty": NUMBERS[qty], "last_px": NUMBERS[1]} if word == "STOPPED" else {}
            self.say(order, ExecType(word), **more)

    # --- questions ------------------------------------------------------------------------------

    def look_up(self, venue_id: str) -> VenueOrder | None:
        """The order, once the look-up's copy has caught up with it."""
        order = self.by_id.get(venue_id)
        return None if order is None or order.created + self.ways.lag > self.clock.now else order

    def answer_for(self, order: VenueOrder) -> ExecutionReport:
        """The order as a status answer shows it."""
        cum, status = order.cum, order.status
        qty = cum if self.ways.trims and cum and (order.closed or not order.works) else order.qty
        return ExecutionReport(
            exec_type=ExecType.ORDER_STATUS,
            source=ReportSource.RECON,
            exec_id=f"s:{order.order_id}:{status}:{qty}:{order.price}:{cum}",
            transact_time=at(self.clock.now),
            venue_cl_ord_id=order.head,
            order_id=order.order_id,
            ord_status=status,
            order_qty=NUMBERS[qty],
            price=NUMBERS[order.price],
            cum_qty=NUMBERS[cum],
            leaves_qty=NUMBERS[max(order.qty - cum, 0) if order.works else 0],
        )
