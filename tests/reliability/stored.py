"""Plays what a schedule committed through the real services on Postgres, and compares the outcome.

The schedule runs over the pure core first and keeps its commits. Here every one of them is made
again by the service that makes it in production, with the ids and prices of this database.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from brokers.adapters.base import Accepted, Outcome, Rejected, Unknown
from brokers.adapters.paper.adapter import PaperBroker
from common.actor import Actor
from oms.gateway import outcomes
from oms.models import Command as CommandRow
from oms.models import Execution, OrderEvent, OrderVersion, ParkedReport
from oms.models import Order as OrderRow
from oms.services import evidence, protocol
from oms.services.accept import Acceptance, accept_orders
from oms.services.cancel import request_cancel
from oms.services.fold import load_state
from oms.services.protocol import Claimed
from oms.services.replace import ReplaceTerms, request_replace
from oms.services.reports import Incoming, apply_reports
from tests.reliability.desk import Command, Desk, Order
from tests.reliability.venue import at
from trading.orders.fold import apply
from trading.orders.intent import OrderIntent
from trading.orders.ledger import LedgerEntry
from trading.orders.reports import ExecutionReport
from trading.orders.state import OrderState, VersionState, new_state
from trading.protocol import OPEN_STATES, Answer, Look
from trading.vocabulary import CommandKind, CxlRejReason, OrdRejReason, OrdType, Side

BASE_PX = Decimal(1000)
MILLISECOND = timedelta(milliseconds=1)
Show = Callable[[datetime], None]


@dataclass(slots=True)
class Stored:
    """``show`` quotes the market at an instant; ids of the schedule are keys, ours the values."""

    actor: Actor
    account: str
    account_id: int
    epoch: int
    show: Show
    orders: dict[str, str] = field(default_factory=dict)
    cl_ord_ids: dict[str, str] = field(default_factory=dict)
    venue_ids: dict[str, str] = field(default_factory=dict)
    commands: dict[int, str] = field(default_factory=dict)
    claimed: dict[int, Claimed] = field(default_factory=dict)

    def play(self, desk: Desk) -> None:
        """Make every commit of the schedule again."""
        for ms, what, about in desk.commits or ():
            getattr(self, f"_{what}")(at(ms), *about)

    @property
    def schema(self) -> str:
        return self.actor.schema

    # --- the order door -------------------------------------------------------------------------

    def _accept(self, now: datetime, order: Order) -> None:
        self.show(now)
        intent = OrderIntent(
            account=self.account,
            symbol="SPX",
            side=Side.BUY if order.buy else Side.SELL,
            ord_type=OrdType.LIMIT,
            order_qty=order.terms.order_qty,
            price=BASE_PX + (order.terms.price or 0),
            time_in_force=order.terms.time_in_force,
            allow_duplicate=True,
        )
        (answer,) = accept_orders(schema=self.schema, intents=[intent], actor=self.actor, now=now)
        assert isinstance(answer, Acceptance), answer
        assert not answer.breaches, answer.breaches
        (command,) = answer.pending
        self.orders[order.id] = answer.order.id
        self.cl_ord_ids[order.id] = answer.order.cl_ord_id
        self.venue_ids[order.id] = answer.order.id
        self.commands[id(order.commands[0])] = command.id

    def _cancel(self, now: datetime, order: Order, command: Command | None) -> None:
        order_id = self.orders[order.id]
        request_cancel(schema=self.schema, order_id=order_id, actor=self.actor, now=now)
        if command is not None:
            self._requested(command)

    def _replace(self, now: datetime, order: Order, command: Command) -> None:
        self.show(now)
        request_replace(
            schema=self.schema,
            order_id=self.orders[order.id],
            actor=self.actor,
            terms=ReplaceTerms(Decimal(command.qty), BASE_PX + command.price),
            now=now,
        )
        self._requested(command)

    def _requested(self, command: Command) -> None:
        """Which row the request became."""
        rows = CommandRow.objects.filter(order_id=self.orders[command.order.id], kind=command.kind)
        row = rows.order_by("-id").exclude(id__in=self.commands.values()).get()
        self.commands[id(command)] = row.id
        self.cl_ord_ids[command.cl_ord_id] = row.cl_ord_id
        self.venue_ids.setdefault(command.venue_id, row.venue_cl_ord_id)

    # --- the command protocol -------------------------------------------------------------------

    def _claim(self, now: datetime, command: Command) -> None:
        row, order = protocol.locked_command(self.commands[id(command)])
        self.claimed[id(command)] = protocol.claim(row, order, self.epoch, now)

    def _settle(
        self, now: datetime, command: Command, answer: Answer, reason: CxlRejReason | None
    ) -> None:
        sent = self.claimed[id(command)]
        if answer is Answer.NOT_EXECUTED:
            protocol.put_back(
                schema=self.schema, command_id=sent.id, delay=timedelta(0), reason="busy", now=now
            )
            return
        said: Outcome = Accepted("")
        if answer is Answer.UNKNOWN:
            said = Unknown("silence")
        elif answer is Answer.REFUSED:
            now += MILLISECOND
            said = Rejected(reason or OrdRejReason.VENUE, "refused")
            if command.kind is CommandKind.NEW and reason is CxlRejReason.DUPLICATE_CL_ORD_ID:
                said = Rejected(OrdRejReason.DUPLICATE, "known")
        outcomes.settle(schema=self.schema, command=sent, outcome=said, broker=PaperBroker, now=now)

    def _unknown(self, now: datetime, command: Command) -> None:
        self._about(protocol.record_unknown, command, now, text="silence")

    def _look(self, now: datetime, command: Command, look: Look) -> None:
        seen = {"found": look.found, "complete": look.complete}
        self._about(evidence.record_lookup, command, now, text="looked up", **seen)

    def _overtaken(self, now: datetime, command: Command) -> None:
        self._about(evidence.refuse_as_overtaken, command, now)

    def _absent(self, now: datetime, command: Command) -> None:
        self._about(evidence.refuse_as_absent, command, now)

    def _about(self, service: Callable[..., Any], command: Command, now: datetime, **more: Any):
        service(schema=self.schema, command_id=self.commands[id(command)], now=now, **more)

    # --- reports --------------------------------------------------------------------------------

    def _report(self, now: datetime, _order: Order, report: ExecutionReport) -> None:
        (folded,) = apply_reports(
            schema=self.schema,
            account_id=self.account_id,
            incoming=[Incoming(self.ours(report), None)],
            actor="system:gateway",
            now=now,
        )
        assert folded is not None, f"no order for {report}"

    def ours(self, report: ExecutionReport) -> ExecutionReport:
        """The report with this database's ids and prices."""
        return replace(
            report,
            cl_ord_id=_known(self.cl_ord_ids, report.cl_ord_id),
            orig_cl_ord_id=_known(self.cl_ord_ids, report.orig_cl_ord_id),
            venue_cl_ord_id=_known(self.venue_ids, report.venue_cl_ord_id),
            price=None if report.price is None else BASE_PX + report.price,
            last_px=None if report.last_px is None else BASE_PX + report.last_px,
        )

    # --- the comparison -------------------------------------------------------------------------

    def differences(self, desk: Desk) -> list[str]:
        """What is not the same in the database as in the pure core."""
        found = []
        for order in desk.orders:
            row = OrderRow.objects.get(pk=self.orders[order.id])
            for name, pure, stored in (
                ("order", self._shown(order.state), _row_shown(row)),
                ("state", self._facts(order.state), _facts(load_state(row))),
                ("versions", self._chain(order), _rows_of_chain(row)),
                ("events", _events(order), _rows_of_events(row)),
                ("executions", self._booked(order.state), _rows_of_executions(row)),
                ("commands", _commands(order), _rows_of_commands(row)),
                ("parked", len(order.parked), ParkedReport.objects.filter(order=row).count()),
            ):
                if pure != stored:
                    found.append(f"{name} of {order.id}:\n  pure   {pure}\n  stored {stored}")
        return found

    def _shown(self, state: OrderState) -> tuple[Any, ...]:
        gross = state.gross_trade_amt + BASE_PX * state.cum_qty
        return (
            state.ord_status, state.is_closed, state.order_qty, state.cum_qty, state.leaves_qty,
            state.overfill_qty, gross, BASE_PX + (state.price or 0),
            self.cl_ord_ids[state.cl_ord_id], state.order_id,
        )  # fmt: skip

    def _facts(self, state: OrderState) -> tuple[Any, ...]:
        ids = self.cl_ord_ids
        pending = {ids[name] for name in state.pending_cancels | state.pending_replaces}
        return (*_facts(state)[:-1], pending)

    def _chain(self, order: Order) -> list[tuple[Any, ...]]:
        """Versions in the state, and those whose request has not left or never did."""
        state = order.state
        chain = {
            item.venue_cl_ord_id: state.version_state(item)
            for item in state.versions
            if item.venue_cl_ord_id is not None
        }
        for command in order.commands:
            if command.kind is CommandKind.REPLACE:
                is_open = command.state in OPEN_STATES
                unsent = VersionState.PENDING if is_open else VersionState.REJECTED
                chain.setdefault(command.venue_id, unsent)
        return sorted((self.venue_ids[name], shown) for name, shown in chain.items())

    def _booked(self, state: OrderState) -> list[tuple[Any, ...]]:
        def px(entry: LedgerEntry) -> Decimal:
            return BASE_PX + entry.px if entry.qty else entry.px

        return [
            (item.exec_id, item.kind, item.qty, px(item), item.exec_ref_id)
            for item in state.ledger.entries.values()
        ]


def _known(ids: dict[str, str], name: str | None) -> str | None:
    return None if name is None else ids.get(name, name)


def _row_shown(row: OrderRow) -> tuple[Any, ...]:
    return (
        row.ord_status, row.is_closed, row.order_qty, row.cum_qty, row.leaves_qty,
        row.overfill_qty, row.gross_trade_amt, row.price, row.cl_ord_id, row.order_id,
    )  # fmt: skip


def _facts(state: OrderState) -> tuple[Any, ...]:
    return (
        state.acked, state.closing and (state.closing.closed_as, state.closing.transact_time),
        state.done, state.stop and state.stop[:3], state.suspend, len(state.resolved),
        len(state.held), set(state.pending_cancels | state.pending_replaces),
    )  # fmt: skip


def _rows_of_chain(row: OrderRow) -> list[tuple[Any, ...]]:
    chain = OrderVersion.objects.filter(order=row, venue_cl_ord_id__isnull=False)
    return sorted(chain.values_list("venue_cl_ord_id", "state"))


def _events(order: Order) -> list[tuple[Any, ...]]:
    state, events = new_state(order.id, order.id, order.terms), []
    for report in order.log:
        applied = apply(state, report)
        after = applied.state
        events.append(
            (report.exec_type, report.source, applied.verdict, state.ord_status, after.ord_status)
        )
        state = after
    return events


def _rows_of_events(row: OrderRow) -> list[tuple[Any, ...]]:
    events = OrderEvent.objects.filter(order=row, seq__gt=1).order_by("seq")
    return list(events.values_list("exec_type", "source", "verdict", "before", "after"))


def _rows_of_executions(row: OrderRow) -> list[tuple[Any, ...]]:
    rows = Execution.objects.filter(order=row).order_by("id")
    return list(rows.values_list("exec_id", "exec_type", "last_qty", "last_px", "exec_ref_id"))


def _commands(order: Order) -> list[tuple[Any, ...]]:
    return [(one.kind, one.state, one.attempt) for one in order.commands]


def _rows_of_commands(row: OrderRow) -> list[tuple[Any, ...]]:
    rows = CommandRow.objects.filter(order=row).order_by("created_at", "id")
    return list(rows.values_list("kind", "state", "attempt"))
