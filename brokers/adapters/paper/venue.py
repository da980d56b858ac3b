"""The paper venue itself: engines in memory, books in Postgres, one transaction per batch.

The engines are a cache of the rows: they are rebuilt from them at log-on, and whoever sees a batch
fail must throw the ``Venue`` away. Not thread-safe; the adapter runs one batch at a time.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta

from brokers.adapters.base import (
    Accepted,
    CancelOrder,
    NewOrder,
    Outcome,
    Rejected,
    ReplaceOrder,
    Unknown,
)
from brokers.adapters.paper.books import Books
from brokers.adapters.paper.messages import CLOSED, Message, scale_of
from brokers.adapters.paper.scale import Scale
from brokers.adapters.paper.terms import engine_time, new_terms, why_unfit, working_order
from brokers.models import FaultSwitch, PaperAccount, PaperFault, PaperOrder, PaperVenue
from tenants.binding import tenant_bound
from trading.market import Quote
from trading.matching import (
    Cancel,
    Engine,
    EngineState,
    QuoteTick,
    Report,
    WorkingOrder,
)
from trading.matching import NewOrder as Entry
from trading.vocabulary import (
    CommandKind,
    CxlRejReason,
    ExecType,
    OrdRejReason,
    OrdStatus,
    TimeInForce,
)

Command = NewOrder | CancelOrder | ReplaceOrder
DayEnd = Callable[[str, datetime], datetime]
QUOTE_MAX_AGE = timedelta(seconds=5)
_KINDS = {
    NewOrder: CommandKind.NEW,
    CancelOrder: CommandKind.CANCEL,
    ReplaceOrder: CommandKind.REPLACE,
}


def next_midnight(symbol: str, now: datetime) -> datetime:  # noqa: ARG001 - one day for all
    """The end of a day that trades around the clock: 00:00 UTC."""
    return datetime.combine(now.astimezone(UTC).date() + timedelta(days=1), time(), UTC)


@dataclass(frozen=True, slots=True)
class Answer:
    """What one command came to: its outcome, the messages made at once, and how late both are."""

    outcome: Outcome
    messages: tuple[Message, ...] = ()
    delay: timedelta = timedelta(0)


@dataclass(slots=True)
class BatchResult:
    """Answers in the order of the commands, and the messages no command caused."""

    answers: list[Answer] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)


class Venue:
    """All instruments and accounts of one paper connection."""

    def __init__(self, *, schema: str, connection_id: int, day_end: DayEnd = next_midnight) -> None:
        self.schema = schema
        self.connection_id = connection_id
        self._day_end = day_end
        self._session = 0
        self._engines: dict[Scale, Engine] = {}
        self._shown: dict[Scale, datetime] = {}
        self._orders: dict[str, PaperOrder] = {}

    # --- what the adapter asks between batches ------------------------------------------------

    def wants(self, quote: Quote) -> bool:
        """Whether this quote would fill an order; if not, ``show`` it without a transaction."""
        return any(
            engine.would_change(scale.tick_of(quote, 0))
            for scale, engine in self._engines.items()
            if scale.symbol == quote.symbol
        )

    def show(self, quote: Quote, now: datetime) -> None:
        """Let the engines see a quote that ``wants`` said fills nothing."""
        for scale, engine in self._engines.items():
            if scale.symbol == quote.symbol:
                reports = self._show(scale, engine, quote, now)
                assert not reports, "a quote without effect had one"

    def next_day_end(self) -> datetime | None:
        """When the next DAY order is due to expire."""
        ends = [order.day_ends_at for order in self._orders.values() if order.day_ends_at]
        return min(ends, default=None)

    # --- transactions -------------------------------------------------------------------------

    def log_on(self, now: datetime) -> BatchResult:
        """Begin a session: the older one is shut out, working orders are read from the rows, and
        DAY orders whose day ended meanwhile expire before any price is seen.
        """
        with tenant_bound(self.schema):
            venue = PaperVenue.objects.select_for_update().get(pk=self.connection_id)
            venue.session += 1
            venue.save(update_fields=["session"])
            self._session = venue.session
            self._read_orders()
            return self._run((), {}, now)

    def process(
        self, commands: Sequence[Command], quotes: Mapping[str, Quote], now: datetime
    ) -> BatchResult:
        """Expire what is due, show the quotes, carry out the commands; commit; then return.

        :raises SessionReplaced: if another session has logged on.
        """
        with tenant_bound(self.schema):
            return self._run(commands, quotes, now)

    def _run(
        self, commands: Sequence[Command], quotes: Mapping[str, Quote], now: datetime
    ) -> BatchResult:
        books = Books.open(self.connection_id, self._session, now)
        books.preload([named for command in commands for named in _names(command)])
        result = BatchResult()
        self._expire_due(books)
        for scale, engine in list(self._engines.items()):
            if scale.symbol in quotes:
                self._record(books, self._show(scale, engine, quotes[scale.symbol], now))
        result.messages = self._with_duplicates(books, books.messages)
        for command in commands:
            result.answers.append(self._answer(books, command, quotes))
        books.save()
        return result

    def _read_orders(self) -> None:
        rows = PaperOrder.objects.filter(venue_id=self.connection_id, is_working=True)
        self._orders = {order.order_id: order for order in rows.order_by("priority", "id")}
        resting: dict[Scale, list[WorkingOrder]] = {}
        for order in self._orders.values():
            resting.setdefault(scale_of(order), []).append(working_order(order))
        self._shown = {}
        self._engines = {
            scale: Engine.resume(
                EngineState(orders=tuple(orders), last_priority=orders[-1].priority)
            )
            for scale, orders in resting.items()
        }

    # --- time and prices ------------------------------------------------------------------------

    def _expire_due(self, books: Books) -> None:
        due: dict[Scale, list[str]] = {}
        for order in self._orders.values():
            if order.day_ends_at is not None and order.day_ends_at <= books.now:
                due.setdefault(scale_of(order), []).append(order.order_id)
        for scale, order_ids in due.items():
            engine = self._engines[scale]
            self._record(books, engine.expire(engine_time(engine, books.now), order_ids))

    def _show(self, scale: Scale, engine: Engine, quote: Quote, now: datetime) -> list[Report]:
        """Show a quote once; what is older than ``QUOTE_MAX_AGE`` is no market at all."""
        at = engine_time(engine, now)
        if now - quote.at > QUOTE_MAX_AGE:
            self._shown.pop(scale, None)
            return engine.apply(QuoteTick(at, bid=0, ask=0, bid_size=0, ask_size=0))
        shown = self._shown.get(scale)
        if shown is not None and quote.at <= shown:
            return []
        self._shown[scale] = quote.at
        return engine.apply(scale.tick_of(quote, at))

    # --- commands -------------------------------------------------------------------------------

    def _answer(self, books: Books, command: Command, quotes: Mapping[str, Quote]) -> Answer:
        kind = _KINDS[type(command)]
        if books.claim_fault(FaultSwitch.DROP_BEFORE_READ, kind):
            return Answer(Unknown("the line dropped before the venue had read the command"))
        if kind is CommandKind.CANCEL and books.claim_fault(FaultSwitch.CANCEL_LOST, kind):
            return Answer(Unknown("the line dropped while the cancel was sent"))
        before = len(books.messages)
        outcome = self._carry_out(books, command, quotes)
        messages = self._with_duplicates(books, books.messages[before:])
        if books.claim_fault(FaultSwitch.LOSE_ACK, kind):
            return Answer(Unknown("the line dropped before the venue's answer arrived"))
        late: PaperFault | None = books.claim_fault(FaultSwitch.DELAY_ACK, kind)
        delay = timedelta(milliseconds=late.delay_ms if late else 0)
        return Answer(outcome, tuple(messages), delay)

    def _with_duplicates(self, books: Books, messages: Sequence[Message]) -> list[Message]:
        """The messages, a fill twice where that fault is on."""
        sent = []
        for message in messages:
            sent.append(message)
            if message.exec_type is ExecType.TRADE and books.claim_fault(
                FaultSwitch.DUPLICATE_FILL, CommandKind.NEW
            ):
                sent.append(message)
        return sent

    def _carry_out(self, books: Books, command: Command, quotes: Mapping[str, Quote]) -> Outcome:
        account = books.account(command.account)
        if account is None:
            text = f"the venue has no account {command.account}"
            if isinstance(command, NewOrder):
                return Rejected(OrdRejReason.OTHER, text)
            return Rejected(CxlRejReason.UNKNOWN_ORDER, text)
        if isinstance(command, NewOrder):
            return self._submit(books, command, account, quotes)
        if isinstance(command, CancelOrder):
            return self._cancel(books, command, account)
        return self._replace(books, command, account)

    def _submit(
        self, books: Books, command: NewOrder, account: PaperAccount, quotes: Mapping[str, Quote]
    ) -> Outcome:
        if books.knows(account, command.venue_cl_ord_id):
            return Rejected(
                OrdRejReason.DUPLICATE, f"DUPLICATE: {command.venue_cl_ord_id} was used before"
            )
        scale = Scale(command.symbol, command.rules.tick_size, command.rules.lot_size)
        refused = why_unfit(command, scale, books.now)
        if refused is not None:
            return refused
        is_day = command.time_in_force is TimeInForce.DAY
        day_end = self._day_end(command.symbol, books.now) if is_day else None
        engine = self._engines.setdefault(scale, Engine())
        if command.symbol in quotes:
            self._record(books, self._show(scale, engine, quotes[command.symbol], books.now))
        order = books.enter(command, account, day_end)
        self._orders[order.order_id] = order
        reports = engine.apply(
            Entry(
                at=engine_time(engine, books.now),
                order_id=order.order_id,
                account=str(account.account_id),
                side=command.side,
                ord_type=command.ord_type,
                time_in_force=command.time_in_force,
                qty=scale.lots(command.order_qty),
                price=None if command.price is None else scale.ticks(command.price),
            )
        )
        first = self._record(books, reports)[0]
        if reports[0].exec_type is ExecType.REJECTED:
            return Rejected(OrdRejReason.NO_LIQUIDITY, order.text, first.raw)
        return Accepted(order.order_id, first.raw)

    def _cancel(self, books: Books, command: CancelOrder, account: PaperAccount) -> Outcome:
        order = self._known(books, account, command.venue_cl_ord_id)
        if order is None:
            return Rejected(CxlRejReason.UNKNOWN_ORDER, "the venue does not know this order")
        if not order.is_working:
            return self._too_late(books, order, command.request_id)
        engine = self._engines[scale_of(order)]
        request = Cancel(engine_time(engine, books.now), order.order_id, command.request_id)
        messages = self._record(books, engine.apply(request))
        return Accepted(order.order_id, messages[0].raw)

    def _replace(self, books: Books, command: ReplaceOrder, account: PaperAccount) -> Outcome:
        if books.knows(account, command.venue_cl_ord_id):
            return Rejected(
                CxlRejReason.DUPLICATE_CL_ORD_ID,
                f"DUPLICATE: {command.venue_cl_ord_id} was used before",
            )
        order = self._known(books, account, command.orig_venue_cl_ord_id)
        if order is None:
            return Rejected(CxlRejReason.UNKNOWN_ORDER, "the venue does not know this order")
        if not order.is_working:
            return self._too_late(books, order, command.request_id)
        scale = scale_of(order)
        engine = self._engines[scale]
        try:
            request = new_terms(command, order, scale, engine_time(engine, books.now))
        except ValueError as failure:
            reason, text = CxlRejReason.OTHER, str(failure)
            message = books.refuse(order, command.request_id, reason, text)
            return Rejected(reason, text, message.raw)
        books.name(order, command.venue_cl_ord_id)
        self._set_day(order, command.time_in_force, books.now)
        messages = self._record(books, engine.apply(request))
        return Accepted(order.order_id, messages[0].raw)

    def _too_late(self, books: Books, order: PaperOrder, request_id: str) -> Rejected:
        text = f"too late: the order is {order.ord_status}"
        message = books.refuse(order, request_id, CxlRejReason.TOO_LATE, text)
        return Rejected(CxlRejReason.TOO_LATE, text, message.raw)

    def _known(
        self, books: Books, account: PaperAccount, venue_cl_ord_id: str
    ) -> PaperOrder | None:
        """The order by a client id of its chain: the object the engines work on, if it works."""
        order = books.order_of(account, venue_cl_ord_id)
        return None if order is None else self._orders.get(order.order_id, order)

    def _set_day(self, order: PaperOrder, time_in_force: TimeInForce, now: datetime) -> None:
        if time_in_force is not TimeInForce.DAY:
            order.day_ends_at = None
        elif order.day_ends_at is None:
            order.day_ends_at = self._day_end(order.symbol, now)

    # --- reports to rows ------------------------------------------------------------------------

    def _record(self, books: Books, reports: Sequence[Report]) -> list[Message]:
        """Bring the rows of the orders to where each report leaves them, and journal it."""
        messages = []
        for report in reports:
            order = self._orders[report.order_id]
            scale = scale_of(order)
            order.order_qty = scale.quantity(report.order_qty)
            order.cum_qty = scale.quantity(report.cum_qty)
            order.price = None if report.price is None else scale.price(report.price)
            order.time_in_force = report.time_in_force.value
            order.ord_status = report.ord_status.value
            if report.reason is not None:
                order.text = str(report.reason)
            messages.append(books.record(order, report))
        for order_id in {report.order_id for report in reports}:
            self._settle(order_id)
        return messages

    def _settle(self, order_id: str) -> None:
        """After an event: whether the order still works, and its place in time."""
        order = self._orders[order_id]
        resting = self._engines[scale_of(order)].find(order_id)
        order.is_working = resting is not None
        if resting is None:
            done = OrdStatus(order.ord_status) in CLOSED | {OrdStatus.FILLED}
            assert done, f"{order_id} left the book as {order.ord_status}"
            del self._orders[order_id]
        else:
            order.priority = resting.priority


def _names(command: Command) -> list[tuple[str, str]]:
    """The (account code, client id) pairs a command speaks of."""
    names = [(command.account, command.venue_cl_ord_id)]
    if isinstance(command, ReplaceOrder):
        names.append((command.account, command.orig_venue_cl_ord_id))
    return names
