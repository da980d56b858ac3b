"""The paper venue itself: engines in memory, books in Postgres, one transaction per batch.

The engines are a cache of the rows: they are rebuilt from them at log-on, and whoever sees a batch
fail must throw the ``Venue`` away. Not thread-safe; the adapter runs one batch at a time.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from brokers.adapters.base import (
    Accepted,
    CancelOrder,
    NewOrder,
    NotExecuted,
    Outcome,
    Rejected,
    ReplaceOrder,
    Unknown,
)
from brokers.adapters.capabilities import Capabilities
from brokers.adapters.paper.books import Books
from brokers.adapters.paper.capabilities import PAPER
from brokers.adapters.paper.days import DayEnd, day_end
from brokers.adapters.paper.engines import Engines
from brokers.adapters.paper.faults import Aim
from brokers.adapters.paper.messages import Message, rejection_of, scale_of
from brokers.adapters.paper.terms import Arrival, engine_time, entry_of, new_terms, why_unfit
from brokers.adapters.paper.wire import fill_after_cancel, tell, tell_of_command
from brokers.models import FaultSwitch, PaperAccount, PaperFault, PaperOrder, PaperVenue
from tenants.binding import tenant_bound
from trading.market import Quote
from trading.matching import Cancel, Replace
from trading.matching import NewOrder as Entry
from trading.matching.recording import Recording
from trading.matching.scale import Scale, opt_nanoseconds
from trading.vocabulary import (
    CommandKind,
    CxlRejReason,
    ExecType,
    OrdRejReason,
    OrdStatus,
    TimeInForce,
)

Command = NewOrder | CancelOrder | ReplaceOrder
Recorder = Callable[[Sequence[str]], None]
Claim = Callable[[FaultSwitch], PaperFault | None]
BUSY_FOR = timedelta(seconds=1)
LINES_KEPT = 1000
"""How much of a recorded run waits for a commit while quotes have no effect."""
NOBODY = ""
"""The request id of what nobody asked for: messages leave it out."""
ENDINGS = {
    FaultSwitch.UNSOLICITED_CANCEL: OrdStatus.CANCELED,
    FaultSwitch.EXPIRE_EARLY: OrdStatus.EXPIRED,
    FaultSwitch.REJECT_AFTER_NEW: OrdStatus.REJECTED,
}
"""How the venue ends an order by itself, and what it says then."""
_KINDS = {
    NewOrder: CommandKind.NEW,
    CancelOrder: CommandKind.CANCEL,
    ReplaceOrder: CommandKind.REPLACE,
}


class VenueAway(Exception):
    """There is no line to the venue: nothing was read."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one command came to: its outcome, the messages made at once, and how late both are.

    Where the line drops with it, the venue has read none of the commands after it.
    """

    outcome: Outcome
    messages: tuple[Message, ...] = ()
    delay: timedelta = timedelta(0)
    line_drops: bool = False


@dataclass(slots=True)
class BatchResult:
    """Answers in the order of the commands (fewer where the line dropped), and the messages no
    command caused.
    """

    answers: list[Answer] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)


class Venue:
    """All instruments and accounts of one paper connection. ``recorder`` takes the lines of the
    run (``trading.matching.recording``) in order, those of a batch once it is committed.
    """

    def __init__(
        self,
        *,
        schema: str,
        connection_id: int,
        able: Capabilities = PAPER,
        day_end: DayEnd = day_end,
        recorder: Recorder | None = None,
    ) -> None:
        self.schema = schema
        self.connection_id = connection_id
        self._able = able
        self._day_end = day_end
        self._recorder = recorder
        self._lines: list[str] = []
        self._session = 0
        self._engines = Engines()

    # --- what the adapter asks between batches ------------------------------------------------

    def wants(self, quote: Quote, now: datetime) -> bool:
        """Whether this quote would be told of; if not, ``show`` it without a transaction."""
        return self._engines.wants(quote, now)

    def show(self, quote: Quote, now: datetime) -> None:
        """Let the engines see a quote that ``wants`` said nobody is told of."""
        reports = self._engines.show(quote, now)
        assert not reports, "a quote without effect had one"
        if len(self._lines) >= LINES_KEPT:
            self._hand_over()

    def next_due(self) -> datetime | None:
        """When time alone will change something: an order ends, a trailed stop is told."""
        return self._engines.next_due()

    # --- transactions -------------------------------------------------------------------------

    def log_on(self, now: datetime) -> BatchResult:
        """Begin a session: the older one is shut out, working orders are read from the rows, and
        those whose time ended meanwhile expire before any price is seen.
        """
        with tenant_bound(self.schema):
            venue = PaperVenue.objects.select_for_update().get(pk=self.connection_id)
            venue.session += 1
            venue.save(update_fields=["session"])
            self._session = venue.session
            self._read_orders()
            result = self._run((), {}, now)
        self._hand_over()
        return result

    def process(
        self, commands: Sequence[Command], quotes: Mapping[str, Quote], now: datetime
    ) -> BatchResult:
        """End what is due, show the quotes, carry out the commands; commit; then return.

        :raises SessionReplaced: if another session has logged on.
        :raises VenueAway: if there is no line; nothing has happened then.
        """
        with tenant_bound(self.schema):
            result = self._run(commands, quotes, now)
        self._hand_over()
        return result

    def _hand_over(self) -> None:
        """Give the recorder what has been written down since the last commit."""
        if self._recorder is not None:
            lines, self._lines[:] = tuple(self._lines), []
            self._recorder(lines)

    def _read_orders(self) -> None:
        recording = None if self._recorder is None else Recording(self._lines.append)
        rows = PaperOrder.objects.filter(venue_id=self.connection_id, is_working=True)
        orders = list(rows.order_by("priority", "id"))
        self._engines = Engines(orders, recording)
        if recording is not None:
            accounts = PaperAccount.objects.filter(venue_id=self.connection_id).in_bulk()
            for order in orders:
                self._engines.note(order, accounts[order.account_id])

    def _run(
        self, commands: Sequence[Command], quotes: Mapping[str, Quote], now: datetime
    ) -> BatchResult:
        books = Books.open(self.connection_id, self._session, now)
        if books.faults.holds(FaultSwitch.OUTAGE):
            raise VenueAway("the venue is down for maintenance")
        books.preload([named for command in commands for named in _names(command)])
        result = BatchResult()
        for reports in self._engines.pass_time(now):
            self._engines.record(books, reports)
        for quote in quotes.values():
            self._engines.record(books, self._engines.show(quote, now))
        result.messages = tell(books, tuple(books.messages))
        for command in commands:
            result.answers.append(self._answer(books, command, quotes))
            if result.answers[-1].line_drops:
                break
        books.save()
        return result

    # --- commands -------------------------------------------------------------------------------

    def _answer(self, books: Books, command: Command, quotes: Mapping[str, Quote]) -> Answer:
        kind = _KINDS[type(command)]
        aim = Aim(command.account, command.symbol, kind)
        claim = partial(books.faults.claim, aim=aim)
        unread = _unread(claim)
        if unread is not None:
            return Answer(unread)
        before = len(books.messages)
        outcome = self._carry_out(books, command, quotes, claim)
        messages = tell_of_command(books, books.messages[before:], aim)
        if claim(FaultSwitch.DISCONNECT):
            text = "the line dropped before the venue's answer arrived"
            return Answer(Unknown(text), line_drops=True)
        if claim(FaultSwitch.LOSE_ACK):
            return Answer(Unknown("the venue's answer was lost"))
        if claim(FaultSwitch.ERROR_AFTER_ACCEPT):
            return Answer(Unknown("the venue answered: 503 service unavailable"), tuple(messages))
        late = claim(FaultSwitch.DELAY_ACK)
        delay = timedelta(milliseconds=late.delay_ms if late else 0)
        return Answer(outcome, tuple(messages), delay)

    def _carry_out(
        self, books: Books, command: Command, quotes: Mapping[str, Quote], claim: Claim
    ) -> Outcome:
        account = books.account(command.account)
        if account is None:
            text = f"the venue has no account {command.account}"
            if isinstance(command, NewOrder):
                return Rejected(OrdRejReason.OTHER, text)
            return Rejected(CxlRejReason.UNKNOWN_ORDER, text)
        if isinstance(command, NewOrder):
            return self._submit(books, command, account, quotes, claim)
        if isinstance(command, CancelOrder):
            return self._cancel(books, command, account, claim)
        return self._replace(books, command, account)

    def _submit(
        self,
        books: Books,
        command: NewOrder,
        account: PaperAccount,
        quotes: Mapping[str, Quote],
        claim: Claim,
    ) -> Outcome:
        if books.knows(account, command.venue_cl_ord_id):
            return Rejected(
                OrdRejReason.DUPLICATE, f"DUPLICATE: {command.venue_cl_ord_id} was used before"
            )
        refused = why_unfit(command, self._able, books.now)
        if refused is not None:
            return refused
        scale = Scale(command.symbol, command.rules.tick_size, command.rules.lot_size)
        is_day = command.time_in_force is TimeInForce.DAY
        day_end = self._day_end(command.symbol, books.now) if is_day else None
        if claim(FaultSwitch.ID_RESET):
            books.venue.last_order_no = 0
        arrival = Arrival(
            order_id=books.next_order_id(self._engines.works),
            account_id=account.account_id,
            at=engine_time(self._engines.engine(scale), books.now),
            ends_at=opt_nanoseconds(day_end or command.expire_time),
        )
        try:
            entry = entry_of(command, scale, arrival)
        except ValueError as failure:
            return Rejected(OrdRejReason.OTHER, str(failure))
        if command.symbol in quotes:
            shown = self._engines.show_one(scale, quotes[command.symbol], books.now)
            self._engines.record(books, shown)
        order = books.enter(command, account, arrival.order_id, day_end)
        self._engines.enter(order, account)
        reports = self._engines.apply(scale, entry)
        first = self._engines.record(books, reports)[0]
        refusal = rejection_of(reports[0])
        if refusal is not None:
            return Rejected(refusal, order.text, first.raw)
        if order.is_working:
            self._turn_on(books, entry, scale, claim)
        return Accepted(order.order_id, first.raw)

    def _turn_on(self, books: Books, entry: Entry, scale: Scale, claim: Claim) -> None:
        """What the venue does by itself to an order it has just taken."""
        for switch, ended in ENDINGS.items():
            if claim(switch):
                gone = self._engines.apply(scale, Cancel(entry.at, entry.order_id, NOBODY))
                self._engines.record(books, gone, told_as=ended)
                return
        if entry.qty > 1 and claim(FaultSwitch.UNSOLICITED_RESTATE):
            half = entry.qty // 2
            fewer = Replace(
                at=entry.at,
                order_id=entry.order_id,
                request_id=NOBODY,
                qty=half,
                price=entry.price,
                time_in_force=entry.time_in_force,
                display_qty=None if entry.display_qty is None else min(half, entry.display_qty),
            )
            self._engines.record(books, self._engines.apply(scale, fewer))

    def _cancel(
        self, books: Books, command: CancelOrder, account: PaperAccount, claim: Claim
    ) -> Outcome:
        order = self._known(books, account, command.venue_cl_ord_id)
        if order is None:
            return Rejected(CxlRejReason.UNKNOWN_ORDER, "the venue does not know this order")
        if not order.is_working:
            return self._too_late(books, order, command.request_id)
        if claim(FaultSwitch.CANCEL_REFUSED_BUT_LIVE):
            return Rejected(CxlRejReason.UNKNOWN_ORDER, "the venue does not know this order")
        scale = scale_of(order)
        at = engine_time(self._engines.engine(scale), books.now)
        reports = self._engines.apply(scale, Cancel(at, order.order_id, command.request_id))
        messages = self._engines.record(books, reports)
        if claim(FaultSwitch.FILL_AFTER_CANCEL):
            fill_after_cancel(books, order, reports[0])
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
        return self._amend(books, command, order)

    def _amend(self, books: Books, command: ReplaceOrder, order: PaperOrder) -> Outcome:
        scale = scale_of(order)
        day_end = self._new_day_end(order, command.time_in_force, books.now)
        try:
            request = new_terms(
                command,
                order,
                engine_time(self._engines.engine(scale), books.now),
                able=self._able,
                ends_at=opt_nanoseconds(day_end or command.expire_time),
            )
        except ValueError as failure:
            return self._refuse(books, order, command.request_id, str(failure))
        reports = self._engines.apply(scale, request)
        if reports[0].exec_type is ExecType.REQUEST_REFUSED:
            return self._refuse(books, order, command.request_id, reports[0].text)
        books.name(order, command.venue_cl_ord_id)
        order.day_ends_at, order.expire_time = day_end, command.expire_time
        order.stop_px, order.display_qty = command.stop_px, command.display_qty
        order.trail_offset, order.limit_offset = command.trail_offset, command.limit_offset
        if order.peg_price_type is not None and command.price is not None:
            order.price = command.price
        messages = self._engines.record(books, reports)
        return Accepted(order.order_id, messages[0].raw)

    def _refuse(self, books: Books, order: PaperOrder, request_id: str, text: str) -> Rejected:
        message = books.refuse(order, request_id, CxlRejReason.OTHER, text)
        return Rejected(CxlRejReason.OTHER, text, message.raw)

    def _too_late(self, books: Books, order: PaperOrder, request_id: str) -> Rejected:
        text = f"too late: the order is {order.ord_status}"
        message = books.refuse(order, request_id, CxlRejReason.TOO_LATE, text)
        return Rejected(CxlRejReason.TOO_LATE, text, message.raw)

    def _known(
        self, books: Books, account: PaperAccount, venue_cl_ord_id: str
    ) -> PaperOrder | None:
        """The order by a client id of its chain: the object the engines work on, if it works."""
        order = books.order_of(account, venue_cl_ord_id)
        return None if order is None else self._engines.row(order)

    def _new_day_end(
        self, order: PaperOrder, time_in_force: TimeInForce, now: datetime
    ) -> datetime | None:
        if time_in_force is not TimeInForce.DAY:
            return None
        return order.day_ends_at or self._day_end(order.symbol, now)


def _unread(claim: Claim) -> Outcome | None:
    """Why the venue never reads a command, None where it does."""
    if claim(FaultSwitch.DROP_BEFORE_READ):
        return Unknown("the line dropped before the venue had read the command")
    if claim(FaultSwitch.CANCEL_LOST):
        return Unknown("the line dropped while the cancel was sent")
    busy = claim(FaultSwitch.THROTTLE)
    if busy is None:
        return None
    return NotExecuted("429: too many requests", timedelta(milliseconds=busy.delay_ms) or BUSY_FOR)


def _names(command: Command) -> list[tuple[str, str]]:
    """The (account code, client id) pairs a command speaks of."""
    names = [(command.account, command.venue_cl_ord_id)]
    if isinstance(command, ReplaceOrder):
        names.append((command.account, command.orig_venue_cl_ord_id))
    return names
