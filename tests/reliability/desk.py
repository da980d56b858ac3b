"""Our side of a schedule: the real fold, the real protocol decisions, the real books.

What Postgres keeps is modelled as attributes that change at once: every method is one commit, and
a crash falls between two of them.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.reliability.invariants import check_order
from tests.reliability.venue import NUMBERS, Venue, VenueOrder, at
from trading import protocol, reconcile
from trading.journal import Fill
from trading.orders import executions, fold, ids, requests
from trading.orders.ledger import EntryKind
from trading.orders.reports import ExecutionReport
from trading.orders.state import OrderState, Terms, new_state
from trading.orders.status import asked_again
from trading.protocol import Answer, Look, Step
from trading.rebooking import Book, PositionBook
from trading.vocabulary import (
    CommandKind,
    CommandState,
    CxlRejReason,
    ExecType,
    OrdRejReason,
    ReportSource,
    Side,
    TimeInForce,
)

ACCEPT_DELAY_MS = 600
LAG_MS = 400
QUIET = timedelta(milliseconds=ACCEPT_DELAY_MS + LAG_MS)
SEND_WINDOW = timedelta(seconds=5)
ANSWER_WITHIN_MS = 10_000
PENDING = {
    CommandKind.CANCEL: ExecType.PENDING_CANCEL,
    CommandKind.REPLACE: ExecType.PENDING_REPLACE,
}
BOOKS = frozenset({ExecType.TRADE, ExecType.TRADE_CORRECT, ExecType.TRADE_CANCEL})
PRIORITY = {CommandKind.CANCEL: 0, CommandKind.REPLACE: 1, CommandKind.NEW: 2}


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
    sending_at: int = 0
    valid_until: datetime | None = None
    next_look: int = 0
    looks: list[Look] = field(default_factory=list)


@dataclass(slots=True)
class Order:
    id: str
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
    venue: Venue
    orders: list[Order] = field(default_factory=list)
    by_venue_id: dict[str, Order] = field(default_factory=dict)
    book: PositionBook = field(default_factory=lambda: PositionBook(Book("A", "SPX", "USD")))
    booked: dict[str, Order] = field(default_factory=dict)
    posted_ids: int = 0

    # --- the order door -------------------------------------------------------------------------

    def accept(self, buy: bool, qty: int, price: int, tif: str) -> None:
        order_id = f"{len(self.orders):026d}"
        terms = Terms(NUMBERS[qty], price=NUMBERS[price], time_in_force=TimeInForce(tif))
        order = Order(order_id, buy, terms, new_state(order_id, order_id, terms))
        order.commands.append(Command(CommandKind.NEW, order, order_id, order_id, qty, price))
        self.orders.append(order)
        self.by_venue_id[order_id] = order

    def cancel(self, order: Order) -> None:
        new = order.commands[0]
        open_cancel = any(one.kind is CommandKind.CANCEL for one in order.open_commands)
        decision = requests.cancel_decision(order.state, new.state, cancel_open=open_cancel)
        if decision.action is requests.Action.WITHDRAW:
            new.state = CommandState.REFUSED
            self.record(order, self._local(ExecType.CANCELED, f"withdrawn:{order.id}"))
        elif decision.action in {requests.Action.QUEUE, requests.Action.WAIT}:
            order.requests += 1
            name = ids.cancel_id(order.id, order.requests)
            command = Command(CommandKind.CANCEL, order, name, order.state.venue_cl_ord_id)
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
        order.requests += 1
        name = ids.replace_id(order.id, order.requests)
        venue_id = ids.venue_cl_ord_id(order.id, order.requests)
        command = Command(CommandKind.REPLACE, order, name, venue_id, qty, price)
        command.orig_venue_id = order.state.venue_cl_ord_id
        command.orig_cl_ord_id = order.state.chain_head
        order.commands.append(command)
        self.by_venue_id[venue_id] = order

    def _local(self, exec_type: ExecType, exec_id: str, **more: object) -> ExecutionReport:
        return ExecutionReport(
            exec_type=exec_type,
            source=ReportSource.LOCAL,
            exec_id=exec_id,
            transact_time=at(self.venue.now),
            **more,
        )

    # --- sending --------------------------------------------------------------------------------

    def next_queued(self) -> Command | None:
        best: Command | None = None
        for order in self.orders:
            new_leaves = order.commands[0].state is CommandState.SENDING
            for command in order.commands:
                if command.state is not CommandState.QUEUED:
                    continue
                if command.kind is not CommandKind.NEW and new_leaves:
                    continue
                if best is None or PRIORITY[command.kind] < PRIORITY[best.kind]:
                    best = command
        return best

    def claim(self, command: Command) -> None:
        """Commit as SENDING: from here on bytes may have left."""
        command.state = CommandState.SENDING
        command.attempt += 1
        command.sending_at = self.venue.now
        command.valid_until = at(self.venue.now) + SEND_WINDOW
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
        self.record(command.order, report)

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
        )
        if meaning is Answer.UNKNOWN:
            self.mark_unknown(command)
        elif meaning is Answer.NOT_EXECUTED:
            command.state = CommandState.QUEUED
        elif meaning is Answer.ACCEPTED:
            if command.kind is CommandKind.NEW:
                command.state = CommandState.ACKED
        else:
            is_new = command.kind is CommandKind.NEW
            self.venue.now += 1
            report = ExecutionReport(
                exec_type=ExecType.REJECTED if is_new else ExecType.REQUEST_REFUSED,
                source=ReportSource.VENUE,
                exec_id=f"refused:{command.cl_ord_id}:{command.attempt}",
                transact_time=at(self.venue.now),
                cl_ord_id=command.cl_ord_id,
                venue_cl_ord_id=command.venue_id,
                cxl_rej_reason=reason,
            )
            self.record(command.order, report)

    def mark_unknown(self, command: Command) -> None:
        command.state = CommandState.UNKNOWN
        command.next_look = self.venue.now + 500

    def restart(self) -> None:
        """What was being sent when the process died is unknown."""
        for order in self.orders:
            for command in order.commands:
                if command.state is CommandState.SENDING:
                    self.mark_unknown(command)

    def give_up_waiting(self) -> None:
        limit = self.venue.now - ANSWER_WITHIN_MS
        for order in self.orders:
            for command in order.commands:
                if command.state is CommandState.SENDING and command.sending_at < limit:
                    self.mark_unknown(command)

    # --- unknown outcomes -----------------------------------------------------------------------

    def look_up(self, command: Command, complete: bool) -> Command | None:
        """One look-up of an unknown command; returns the command if it is to be sent again."""
        venue, now = self.venue, at(self.venue.now)
        found = venue.look_up(command.venue_id) if complete else None
        if found is None and complete and command.kind is CommandKind.REPLACE:
            found = venue.look_up(command.orig_venue_id)
        leaves = NUMBERS[1]
        if found is not None:
            leaves = NUMBERS[max(found.qty - found.cum, 0) if found.works else 0]
        decided = found is not None and protocol.tells(
            command.kind, command.venue_id, found_as=found.head, leaves_qty=leaves
        )
        there = found is not None and protocol.took_effect(
            command.kind, command.venue_id, found_as=found.head
        )
        command.looks.append(Look(now, there, complete))
        wait = protocol.next_lookup(len(command.looks))
        command.next_look = venue.now + wait // timedelta(milliseconds=1)
        if found is not None:
            self.take_evidence(found, command.order)
        if command.state is not CommandState.UNKNOWN:
            return None
        assert command.valid_until is not None
        if decided:
            if protocol.overtaken(
                command.kind,
                leaves_qty=leaves,
                valid_until=command.valid_until,
                quiet=QUIET,
                now=now,
            ):
                self.refuse(command, f"too-late:{command.cl_ord_id}", CxlRejReason.TOO_LATE)
            return None
        step = protocol.next_step(
            command.kind,
            dedup_is_full=venue.dedup == "FULL",
            valid_until=command.valid_until,
            quiet=QUIET,
            now=now,
        )
        if step is Step.RESEND and protocol.may_resend(command.kind, command.attempt):
            return command
        if command.kind is CommandKind.CANCEL or step is Step.WAIT:
            return None
        if protocol.absence_proven(
            command.looks, valid_until=command.valid_until, quiet=QUIET, now=now
        ):
            self.refuse(command, f"absent:{command.cl_ord_id}")
        return None

    def refuse(self, command: Command, exec_id: str, why: CxlRejReason | None = None) -> None:
        """Concluded from look-ups: the venue never received it, or it came too late."""
        command.state = CommandState.REFUSED
        is_new = command.kind is CommandKind.NEW
        report = ExecutionReport(
            exec_type=ExecType.REJECTED if is_new else ExecType.REQUEST_REFUSED,
            source=ReportSource.RECON,
            exec_id=exec_id,
            transact_time=at(self.venue.now),
            cl_ord_id=command.cl_ord_id,
            ord_rej_reason=OrdRejReason.NOT_RECEIVED if is_new else None,
            cxl_rej_reason=why,
        )
        self.record(command.order, report)

    def take_evidence(self, found: VenueOrder, order: Order) -> None:
        """Executions first, so that the status never runs ahead of the ledger."""
        for report in self.venue.executions:
            if report.order_id == found.order_id:
                self.record(order, report)
        self.record(order, self.venue.answer_for(found))

    # --- reports --------------------------------------------------------------------------------

    def deliver(self, report: ExecutionReport) -> None:
        order = self.by_venue_id.get(report.venue_cl_ord_id or "")
        assert order is not None, f"a report of an order we do not know: {report}"
        self.record(order, report)

    def record(self, order: Order, report: ExecutionReport) -> None:
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
        if applied.entries:
            self._book(order, before, applied)
        check_order(order, before, applied, report)

    def _book(self, order: Order, before: OrderState, applied: fold.Applied) -> None:
        ledger = before.ledger
        for entry in applied.entries:
            grown = ledger.add(entry)
            when = entry.transact_time
            if entry.kind is EntryKind.TRADE:
                assert entry.exec_id not in self.booked, "one execution, one booking"
                self.booked[entry.exec_id] = order
                self.book.fill(self._fill(order, entry.exec_id, entry.qty, entry.px, when), when)
            elif entry.kind is not EntryKind.ADJUST:
                was = ledger.effective_of(entry.exec_ref_id or "")
                is_now = grown.effective_of(entry.exec_id)
                if was is not None and (
                    is_now is None or (was.qty, was.px) != (is_now.qty, is_now.px)
                ):
                    root = was.root.exec_id
                    fill = None
                    if is_now is not None:
                        fill = self._fill(order, root, is_now.qty, is_now.px, when)
                    self.book.correct(root, fill, ref=entry.exec_id, at=when)
            ledger = grown

    @staticmethod
    def _fill(order: Order, exec_id: str, qty, px, when: datetime) -> Fill:
        side = Side.BUY if order.buy else Side.SELL
        return Fill(exec_id, order.id, exec_id, side, qty, px, NUMBERS[0], "USD", when)

    def answer_questions(self) -> None:
        """What a report left open is asked: the order as the venue shows it, executions first."""
        for order in self.orders:
            if order.question:
                found = self.venue.look_up(order.state.venue_cl_ord_id)
                order.question = False
                if found is not None:
                    self.take_evidence(found, order)

    def reconcile(self, complete: bool, *, all_orders: bool = False) -> None:
        """Compare executions and open orders with the venue's pages; at a day's end all orders."""
        now = at(self.venue.now)
        ours = [
            reconcile.OurOrder(one.state, "SPX", at(max(c.sending_at for c in one.commands)))
            for one in self.orders
            if one.commands[0].attempt
        ]
        known = {exec_id for one in self.orders for exec_id in one.state.ledger.entries}
        found = reconcile.diff_executions(
            account="A",
            ours=ours,
            known_exec_ids=known,
            theirs=self.venue.executions,
            complete=complete,
            since=at(0),
            now=now,
        )
        by_id = {one.id: one for one in self.orders}
        for order_id, report in found.reports:
            self.record(by_id[order_id], report)
        for item in ours:
            order = by_id[item.state.id]
            listed = self.venue.look_up(order.state.venue_cl_ord_id)
            if listed is None or item.is_young(now):
                continue
            if all_orders or listed.works or not order.state.is_closed:
                self.record(order, self.venue.answer_for(listed))
