"""Proves the orders of the bound tenant: every row against the events and executions it sums up.

Runs as the last step of every journey test; a command and beat may run it over a whole firm. Its
cost grows with the number of order events. ``portfolio.audit`` proves the books below it.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from django.db.models import Exists, OuterRef, QuerySet, Sum

from brokers.models import BrokerAccount
from oms.models import Command, Execution, Order, OrderEvent, OrderList, OrderVersion
from oms.services import outbox
from oms.services.fold import terms_of_row
from oms.services.lists.alternatives import Largest, is_alternative, kinds_of
from risk.selectors import ExposureRow, exposure_differences
from trading.contingency import ListOrderStatus
from trading.orders import wire
from trading.orders.fold import apply
from trading.orders.ledger import EntryKind, LedgerEntry
from trading.orders.reports import from_json
from trading.orders.state import OrderState, facts_json, new_state
from trading.vocabulary import CommandKind, OrdStatus, Side

REREADS = 5
AT_ONCE = 500
"""Orders read together: what the check holds in memory does not grow with the firm."""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """One row that is not what its history says. ``account`` is a code, empty for the whole firm;
    ``subject`` names the row.
    """

    account: str
    subject: str
    text: str

    def __str__(self) -> str:
        where = f" of {self.account}" if self.account else ""
        return f"{self.subject}{where}: {self.text}"


def order_problems(accounts: Collection[str] | None = None) -> list[str]:
    """Return ``order_contradictions`` as lines; none means they hold."""
    return [str(item) for item in order_contradictions(accounts)]


def order_contradictions(accounts: Collection[str] | None = None) -> Iterator[Contradiction]:
    """Yield every contradiction in the bound tenant's orders.

    Checked for each order: its events have no gap and fold to its row (status, quantities, terms,
    facts), its executions are the ledger of that fold, its version rows are the amend chain, it
    keeps free what its open commands may still execute, and a closed order has no open command.
    Then lists against their legs, and the exposures risk holds against what the open orders
    reserve. ``accounts`` narrows the check to accounts of these codes.
    """
    found = BrokerAccount.objects.all()
    if accounts is not None:
        found = found.filter(code__in=list(accounts))
    codes = dict(found.values_list("pk", "code"))
    reserved = _Reserved()
    open_orders = dict.fromkeys(codes, 0)
    for orders in _chunks(codes):
        for evidence in _evidence(orders):
            order = evidence.order
            for text in _problems_of(evidence):
                yield Contradiction(codes[order.account_id], f"order {order.id}", text)
            open_orders[order.account_id] += not order.is_closed
            reserved.add(order)
    yield from _lists_out_of_step(codes)
    for text in exposure_differences(rows=reserved.rows(), open_orders=open_orders):
        yield Contradiction("", "risk", text)


@dataclass(frozen=True, slots=True)
class Replay:
    """One order folded anew: how many events, and every difference to what is stored."""

    events: int
    differences: Sequence[str]

    @property
    def equal(self) -> bool:
        """Whether the stored order is what its events say."""
        return not self.differences


def replay(order_id: str) -> Replay:
    """Fold the order's stored events again and compare: row, ledger, amend chain, reservation.

    An order that moves while it is read is read once more: a commit in between is no difference.

    :raises Order.DoesNotExist: if there is no such order.
    """
    for _ in range(REREADS):
        order = Order.objects.select_related("instrument").get(pk=order_id)
        (evidence,) = _evidence([order])
        if Order.objects.values_list("version", flat=True).get(pk=order_id) == order.version:
            break
    return Replay(len(evidence.events), list(_problems_of(evidence)))


def _chunks(accounts: Collection[int]) -> Iterator[list[Order]]:
    """All orders of these accounts, oldest first, some at a time."""
    last = ""
    while True:
        rows = Order.objects.filter(account_id__in=accounts, id__gt=last)
        orders = list(rows.select_related("instrument").order_by("id")[:AT_ONCE])
        if not orders:
            return
        yield orders
        last = orders[-1].id


def executed_quantities() -> dict[tuple[str, str], Decimal]:
    """Return the signed executed quantity by (account code, symbol), from the order rows.

    ``portfolio.audit.check_books`` compares positions with it; that the rows say what their
    executions say is proved by ``order_problems``.
    """
    rows = (
        Order.objects.filter(cum_qty__gt=0)
        .values_list("account__code", "symbol", "side")
        .annotate(total=Sum("cum_qty"))
        .order_by()
    )
    totals: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for code, symbol, side, total in rows:
        totals[code, symbol] += Side(side).sign * total
    # What a split added to an order was executed by nobody: the corporate action moves positions.
    adjusted = (
        Execution.objects.filter(exec_type=EntryKind.ADJUST)
        .values_list("account__code", "symbol", "side")
        .annotate(total=Sum("last_qty"))
        .order_by()
    )
    for code, symbol, side, total in adjusted:
        totals[code, symbol] -= Side(side).sign * total
    return dict(totals)


def _lists_out_of_step(codes: Mapping[int, str]) -> Iterator[Contradiction]:
    """Lists that are not what their legs say; one that is due has not been followed yet."""
    open_legs = Order.objects.filter(list_id=OuterRef("pk"), is_closed=False)
    rows = OrderList.objects.filter(account_id__in=codes, is_due=False)
    for row in rows.annotate(is_open=Exists(open_legs)).order_by("id"):
        if row.is_open != (row.list_order_status == ListOrderStatus.EXECUTING):
            text = f"it is {row.list_order_status}, a leg is {'' if row.is_open else 'not '}open"
            yield Contradiction(codes[row.account_id], f"list {row.id}", text)


class _Reserved:
    """What orders reserve, by account and symbol; those that exclude each other count once."""

    def __init__(self) -> None:
        self._sums: dict[tuple[int, str], list[Decimal]] = defaultdict(lambda: [Decimal(0)] * 4)
        self._largest: dict[tuple[int, str, str, str], Largest] = defaultdict(Largest)
        self._kinds: dict[str, str] = {}

    def add(self, order: Order) -> None:
        """Count one order."""
        qty, notional = order.reserved_qty, outbox.reserved_notional(order)
        if order.list_id is None or not self._excludes(order):
            self._count(order.account_id, order.symbol, order.side, qty, notional)
            return
        key = (order.account_id, order.symbol, order.side, order.list_id)
        self._largest[key] = self._largest[key].with_(qty, notional)

    def rows(self) -> list[ExposureRow]:
        """The sums of everything counted."""
        for (account_id, symbol, side, _), most in self._largest.items():
            self._count(account_id, symbol, side, most.qty, most.notional)
        self._largest.clear()
        return [ExposureRow(*key, *row) for key, row in self._sums.items()]

    def _excludes(self, order: Order) -> bool:
        list_id = order.list_id or ""
        if list_id not in self._kinds:
            self._kinds |= kinds_of([order])
        return is_alternative(self._kinds[list_id], order.serves_leg)

    def _count(
        self, account_id: int, symbol: str, side: str, qty: Decimal, notional: Decimal
    ) -> None:
        at = 0 if side == Side.BUY else 1
        row = self._sums[account_id, symbol]
        row[at] += qty
        row[at + 2] += notional


_Row = TypeVar("_Row", OrderEvent, Execution, OrderVersion, Command)


@dataclass(frozen=True, slots=True)
class _Evidence:
    """One order with every row that tells about it, oldest first."""

    order: Order
    events: Sequence[OrderEvent]
    executions: Sequence[Execution]
    versions: Sequence[OrderVersion]
    pending: Sequence[Command]


def _evidence(orders: Sequence[Order]) -> Iterator[_Evidence]:
    """Four queries for all orders together."""
    ids = [order.id for order in orders]
    events = _grouped(OrderEvent.objects.filter(order_id__in=ids).order_by("seq"))
    executions = _grouped(Execution.objects.filter(order_id__in=ids).order_by("id"))
    versions = _grouped(OrderVersion.objects.filter(order_id__in=ids).order_by("number"))
    pending = _grouped(
        Command.objects.filter(order_id__in=ids, state__in=Command.OPEN_STATES).order_by("id")
    )
    for order in orders:
        yield _Evidence(
            order,
            events.get(order.id, ()),
            executions.get(order.id, ()),
            versions.get(order.id, ()),
            pending.get(order.id, ()),
        )


def _grouped(rows: QuerySet[_Row]) -> Mapping[str, list[_Row]]:
    groups: dict[str, list[_Row]] = defaultdict(list)
    for row in rows:
        groups[row.order_id].append(row)
    return groups


def _problems_of(evidence: _Evidence) -> Iterator[str]:
    order, first = evidence.order, next(iter(evidence.versions), None)
    if first is None or first.number != 0:
        yield "its version 0 is missing"
        return
    seqs = [event.seq for event in evidence.events]
    if seqs != list(range(1, order.version + 1)):
        yield f"its events are numbered {seqs}, the row is at version {order.version}"
    state = _submitted(order, first)
    for event in evidence.events:
        before, state = state, apply(state, from_json(event.report)).state
        if (event.before, event.after) != (before.ord_status, state.ord_status):
            yield (
                f"event {event.seq} says {event.before} to {event.after},"
                f" the fold {before.ord_status} to {state.ord_status}"
            )
    yield from _row_differences(order, state)
    yield from _ledger_differences(evidence.executions, state.ledger.entries.values())
    yield from _chain_differences(evidence.versions, state)
    held = (order.reserved_qty, order.reserve_px)
    needed = outbox.reservation(order, state, evidence.pending)
    if held != needed:
        yield f"it reserves {held}, its open commands and leaves need {needed}"
    if order.is_closed and evidence.pending:
        yield f"it is closed and {evidence.pending[0]} is open"
    yield from _keeping_differences(evidence, state)


def _keeping_differences(evidence: _Evidence, state: OrderState) -> Iterator[str]:
    """What nobody but us acknowledged is held here or on its way; what a venue has is not ours."""
    order = evidence.order
    waits = state.unseen or state.base_status is OrdStatus.SUSPENDED
    if order.held_by is not None and (order.is_closed or not waits):
        yield f"it is held by {order.held_by} and {order.ord_status} at its venue"
    is_going = any(command.kind == CommandKind.NEW for command in evidence.pending)
    if state.unseen and not order.is_closed and order.held_by is None and not is_going:
        yield "no venue has it, nobody holds it and nothing is on its way"


def _submitted(order: Order, first: OrderVersion) -> OrderState:
    """The order as it came: version 0."""
    return new_state(order.id, first.cl_ord_id, terms_of_row(first))


def _row_differences(order: Order, state: OrderState) -> Iterator[str]:
    folded: dict[str, object] = {
        "cl_ord_id": state.cl_ord_id,
        "order_id": state.order_id,
        **wire.values(state, wire.TERMS),
        "ord_status": state.ord_status,
        "is_closed": state.is_closed,
        "cum_qty": state.cum_qty,
        "leaves_qty": state.leaves_qty,
        "overfill_qty": state.overfill_qty,
        "gross_trade_amt": state.gross_trade_amt,
        "facts": facts_json(state),
    }
    for name, value in folded.items():
        if getattr(order, name) != value:
            yield f"{name} is {getattr(order, name)}, its events fold to {value}"


def _ledger_differences(
    executions: Iterable[Execution], entries: Iterable[LedgerEntry]
) -> Iterator[str]:
    """Every row of the ledger came by an event, and every trade of an event is a row."""
    stored = {row.exec_id: (row.exec_type, row.last_qty, row.last_px) for row in executions}
    folded = {entry.exec_id: (str(entry.kind), entry.qty, entry.px) for entry in entries}
    for exec_id in sorted(stored.keys() | folded.keys()):
        if stored.get(exec_id) != folded.get(exec_id):
            yield (
                f"execution {exec_id} is {stored.get(exec_id)},"
                f" its events say {folded.get(exec_id)}"
            )


def _chain_differences(rows: Iterable[OrderVersion], state: OrderState) -> Iterator[str]:
    """Rows of requests not sent yet are no fact of the order; all others are its chain."""
    shown = {row.venue_cl_ord_id: row for row in rows}
    for version in state.versions:
        row = shown.get(version.venue_cl_ord_id or "")
        if row is None:
            if version.venue_cl_ord_id is not None:
                yield f"version {version.venue_cl_ord_id} has no row"
        elif row.state != state.version_state(version):
            yield f"version {row.number} is {row.state}, the fold {state.version_state(version)}"
