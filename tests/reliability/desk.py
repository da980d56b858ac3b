"""Our side of a schedule: the real fold, the real protocol decisions, the real books.

What Postgres keeps is modelled as attributes. Every change of it is one commit, which either
happens whole or, where a crash comes before it, not at all.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.reliability.books import Books
from tests.reliability.invariants import check_order
from tests.reliability.venue import NUMBERS, Clock, Venue, at
from trading import protocol
from trading.numbering import Numbers
from trading.orders import executions, fold, ids, requests
from trading.orders.reports import ExecutionReport
from trading.orders.state import OrderState, Terms, new_state
from trading.orders.status import asked_again
from trading.protocol import Answer, Look
from trading.vocabulary import (
    CommandKind,
    CommandState,
    CxlRejReason,
    ExecType,
    OrdRejReason,
    ReportSource,
    TimeInForce,
)

SEND_WINDOW = timedelta(seconds=5)
ANSWER_WITHIN_MS = 10_000
PENDING = {
    CommandKind.CANCEL: ExecType.PENDING_CANCEL,
    CommandKind.REPLACE: ExecType.PENDING_REPLACE,
}
BOOKS = frozenset({ExecType.TRADE, ExecType.TRADE_CORRECT, ExecType.TRADE_CANCEL})
PRIORITY = {CommandKind.CANCEL: 0, CommandKind.REPLACE: 1, CommandKind.NEW: 2}


class Crash(Exception):
    """The process died before this commit."""


@dataclass(slots=True)
class Command:
    kind: CommandKind
    order: "Order"
    cl_ord_id: str
    venue_id: str
    qty: int = 0
    price: int = 0
    orig_venue_id: str = ""
    orig_cl_ord_id: str = ""
    state: CommandState = CommandState.QUEUED
    attempt: int = 0
    was_unknown: bool = False
    number: int = 0
    sending_at: int = 0
    valid_until: datetime | None = None
    next_look: int = 0
    looks: list[Look] = field(default_factory=list)


@dataclass(slots=True)
class Order:
    id: str
    venue: Venue
    buy: bool
    terms: Terms
    state: OrderState
    commands: list[Command] = field(default_factory=list)
    log: list[ExecutionReport] = field(default_factory=list)
    seen: set[tuple[ExecType, str]] = field(default_factory=set)
    parked: list[str] = field(default_factory=list)
    requests: int = 0
    question: bool = False

    @property
    def open_commands(self) -> list[Command]:
        return [one for one in self.commands if one.state in protocol.OPEN_STATES]

    def command(self, kind: CommandKind) -> Command | None:
        return next((one for one in reversed(self.commands) if one.kind is kind), None)


@dataclass(slots=True)
class Desk:
    """``fuse``: the crash comes before so many more commits (0: none is near). ``commits``: what
    was committed when, where somebody wants to do the same elsewhere.
    """

    clock: Clock
    venues: list[Venue]
    orders: list[Order] = field(default_factory=list)
    by_venue_id: dict[str, Order] = field(default_factory=dict)
    numbers: dict[str, Numbers] = field(default_factory=dict)
    books: Books = field(default_factory=Books)
    fuse: int = 0
    commits: list[tuple[int, str, tuple[Any, ...]]] | None = None

    def commit(self, what: str, *about: Any) -> None:
        """Whatever is stored next is stored together, unless the process dies before it."""
        if self.fuse:
            self.fuse -= 1
            if not self.fuse:
                raise Crash(what)
        if self.commits is not None:
            self.commits.append((self.clock.now, what, about))

    def open_of(self, state: CommandState) -> list[Command]:
        """Commands in a state, in order of orders."""
        return [
            command for order in self.orders for command in order.commands if command.state is state
        ]

    # --- the order door -------------------------------------------------------------------------

    def accept(self, venue: Venue, buy: bool, qty: int, price: int, tif: str) -> None:
        order_id = f"{len(self.orders):026d}"
        terms = Terms(NUMBERS[qty], price=NUMBERS[price], time_in_force=TimeInForce(tif))
        order = Order(order_id, venue, buy, terms, new_state(order_id, order_id, terms))
        order.commands.append(Command(CommandKind.NEW, order, order_id, order_id, qty, price))
        self.commit("accept", order)
        self.orders.append(order)
        self.by_venue_id[order_id] = order

    def cancel(self, order: Order) -> None:
        new = order.commands[0]
        open_cancel = any(one.kind is CommandKind.CANCEL for one in order.open_commands)
        decision = requests.cancel_decision(order.state, new.state, cancel_open=open_cancel)
        if decision.action is requests.Action.WITHDRAW:
            self.commit("cancel", order, None)
            new.state = CommandState.REFUSED
            order.requests += 1
            name = ids.cancel_id(order.id, order.requests)
            self._fold(order, self._local(ExecType.CANCELED, f"withdrawn:{name}", cl_ord_id=name))
        elif decision.action in {requests.Action.QUEUE, requests.Action.WAIT}:
            name = ids.cancel_id(order.id, order.requests + 1)
            command = Command(CommandKind.CANCEL, order, name, order.state.venue_cl_ord_id)
            self.commit("cancel", order, command)
            order.requests += 1
            order.commands.append(command)

    def replace(self, order: Order, qty: int, price: int) -> None:
        kinds = {one.kind for one in order.open_commands}
        decision = requests.replace_decision(
            order.state,
            order.commands[0].state,
            cancel_open=CommandKind.CANCEL in kinds,
            replace_open=CommandKind.REPLACE in kinds,
        )
        wanted = Terms(
            NUMBERS[qty], price=NUMBERS[price], time_in_force=order.state.terms.time_in_force
        )
        if decision.action is not requests.Action.QUEUE:
            return
        if requests.replace_errors(order.state, wanted):
            return
        name = ids.replace_id(order.id, order.requests + 1)
        venue_id = ids.venue_cl_ord_id(order.id, order.requests + 1)
        command = Command(CommandKind.REPLACE, order, name, venue_id, qty, price)
        command.orig_venue_id = order.state.venue_cl_ord_id
        command.orig_cl_ord_id = order.state.chain_head
        self.commit("replace", order, command)
        order.requests += 1
        order.commands.append(command)
        self.by_venue_id[venue_id] = order

    def _local(self, exec_type: ExecType, exec_id: str, **more: object) -> ExecutionReport:
        return ExecutionReport(
            exec_type=exec_type,
            source=ReportSource.LOCAL,
            exec_id=exec_id,
            transact_time=at(self.clock.now),
            **more,
        )

    # --- sending --------------------------------------------------------------------------------

    def next_queued(self) -> Command | None:
        ready = [one for one in self.open_of(CommandState.QUEUED) if self._may_go(one)]
        return min(ready, key=lambda one: PRIORITY[one.kind], default=None)

    def _may_go(self, command: Command) -> bool:
        """A new order unless its venue's numbers are frozen, a request once its order has left."""
        if command.kind is CommandKind.NEW:
            return not self.numbers_of(command.order.venue).frozen
        return command.order.commands[0].state is not CommandState.SENDING

    def claim(self, command: Command) -> None:
        """Commit as SENDING: from here on bytes may have left."""
        self.commit("claim", command)
        venue = command.order.venue
        command.state = CommandState.SENDING
        command.attempt += 1
        command.sending_at = self.clock.now
        command.valid_until = at(self.clock.now) + SEND_WINDOW
        if command.kind is CommandKind.NEW:
            numbers = self.numbers[venue.name] = self.numbers_of(venue).take()
            command.number = numbers.taken
        exec_type = PENDING.get(command.kind)
        if exec_type is None or command.attempt > 1:
            return
        more: dict[str, object] = {}
        if command.kind is CommandKind.REPLACE:
            more = {"order_qty": NUMBERS[command.qty], "price": NUMBERS[command.price]}
        report = self._local(
            exec_type,
            f"sending:{command.cl_ord_id}",
            cl_ord_id=command.cl_ord_id,
            venue_cl_ord_id=command.venue_id,
            **more,
        )
        self._fold(command.order, report)

    def settle(self, command: Command, answer: Answer, reason: CxlRejReason | None) -> None:
        """The venue's answer, or its silence, as it is committed."""
        if command.state is not CommandState.SENDING:
            return
        meaning = protocol.settle(
            command.kind,
            answer,
            proves_existence=reason is CxlRejReason.DUPLICATE_CL_ORD_ID,
            reason=reason,
            new_is_open=command.order.commands[0].state in protocol.OPEN_STATES,
            was_unknown=command.was_unknown,
        )
        self.commit("settle", command, answer, reason)
        is_new = command.kind is CommandKind.NEW
        if meaning is Answer.UNKNOWN:
            self._mark_unknown(command)
        elif meaning is Answer.NOT_EXECUTED:
            command.state = CommandState.QUEUED
        elif meaning is Answer.ACCEPTED:
            if is_new:
                command.state = CommandState.ACKED
                self._shown(command)
        else:
            self.clock.now += 1
            report = ExecutionReport(
                exec_type=ExecType.REJECTED if is_new else ExecType.REQUEST_REFUSED,
                source=ReportSource.VENUE,
                exec_id=f"refused:{command.cl_ord_id}:{command.attempt}",
                transact_time=at(self.clock.now),
                cl_ord_id=command.cl_ord_id,
                venue_cl_ord_id=command.venue_id,
                cxl_rej_reason=reason,
            )
            self._fold(command.order, report)

    def _mark_unknown(self, command: Command) -> None:
        command.state, command.was_unknown = CommandState.UNKNOWN, True
        command.next_look = self.clock.now + 500

    def restart(self) -> None:
        """What was being sent when the process died is unknown; every venue is connected anew."""
        self.fuse = 0
        for command in self.open_of(CommandState.SENDING):
            self.commit("unknown", command)
            self._mark_unknown(command)
        for venue in self.venues:
            self.connect(venue)

    def give_up_waiting(self) -> None:
        limit = self.clock.now - ANSWER_WITHIN_MS
        for command in self.open_of(CommandState.SENDING):
            if command.sending_at < limit:
                self.commit("unknown", command)
                self._mark_unknown(command)

    # --- rising numbers -------------------------------------------------------------------------

    def numbers_of(self, venue: Venue) -> Numbers:
        return self.numbers.get(venue.name) or Numbers()

    def connect(self, venue: Venue) -> None:
        """A venue that numbers its orders says which it would take next."""
        if venue.ways.dedup == "ASCENDING" and venue.is_up:
            self.numbers[venue.name] = self.numbers_of(venue).connected(venue.highest + 1)

    def resume(self, venue: Venue) -> None:
        """A person lets new orders go again, well above every number there was."""
        numbers = self.numbers_of(venue)
        if numbers.frozen:
            self.numbers[venue.name] = numbers.resumed(numbers.taken + 100)

    def _shown(self, command: Command) -> None:
        venue = command.order.venue
        self.numbers[venue.name] = self.numbers_of(venue).seen(command.number)

    def refuse(
        self, command: Command, what: str, exec_id: str, why: CxlRejReason | None = None
    ) -> None:
        """Concluded from look-ups: the venue never received it, or it came too late."""
        self.commit(what, command)
        command.state = CommandState.REFUSED
        is_new = command.kind is CommandKind.NEW
        report = ExecutionReport(
            exec_type=ExecType.REJECTED if is_new else ExecType.REQUEST_REFUSED,
            source=ReportSource.RECON,
            exec_id=exec_id,
            transact_time=at(self.clock.now),
            cl_ord_id=command.cl_ord_id,
            ord_rej_reason=OrdRejReason.NOT_RECEIVED if is_new else None,
            cxl_rej_reason=why,
        )
        self._fold(command.order, report)

    # --- reports --------------------------------------------------------------------------------

    def deliver(self, report: ExecutionReport) -> None:
        order = self.by_venue_id.get(report.venue_cl_ord_id or "")
        assert order is not None, f"a report of an order we do not know: {report}"
        self.record(order, report)

    def record(self, order: Order, report: ExecutionReport) -> None:
        """Take one report in a commit of its own."""
        self.commit("report", order, report)
        self._fold(order, report)

    def _fold(self, order: Order, report: ExecutionReport) -> None:
        """Fold a report as the service does: once, parked if impossible, booked with its fills."""
        report = executions.with_own_id(report)
        key = (report.exec_type, report.exec_id)
        seen = key in order.seen
        again = seen and report.exec_type is ExecType.ORDER_STATUS
        if again:
            report, seen = asked_again(report, len(order.log)), False
            key = (report.exec_type, report.exec_id)
        if seen and report.exec_type not in BOOKS:
            return
        before = order.state
        applied = fold.apply(before, report)
        order.question = order.question or applied.query is not None
        if applied.verdict is fold.Verdict.PARKED:
            order.parked.append(f"{applied.alarm}: {report.exec_type} {report.exec_id}")
            check_order(order, before, applied, report)
            return
        if again and applied.state == before:
            return
        if seen:
            assert not applied.entries, "an execution is booked twice"
            return
        order.seen.add(key)
        order.log.append(report)
        order.state = applied.state
        for command in order.commands:
            if command.state in protocol.OPEN_STATES:
                outcome = protocol.outcome_by_state(
                    command.kind, command.state, command.cl_ord_id, order.state, report.exec_type
                )
                if outcome is not None:
                    command.state = outcome.state
                    if command.kind is CommandKind.NEW:
                        self._shown(command)
        if applied.entries:
            self.books.book(order, before, applied)
        check_order(order, before, applied, report)
