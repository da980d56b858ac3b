"""Plays order state change matrices through the order core, as the side that answers.

Requests go in as they are. Of an answer the core is told only what happened outside it: that the
market traded so much, that somebody accepted or refused. Status and quantities are never told;
they must come out. What ExecType an answer deserves is read off the facts that changed.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from trading.orders.canonical import EXACT, ZERO, opt_dec_str
from trading.orders.fold import Applied, Verdict, apply, ask_replace
from trading.orders.ledger import EntryKind
from trading.orders.matrix_file import MalformedMatrix, Message, Scenario, Step
from trading.orders.reports import ExecutionReport
from trading.orders.state import OrderState, Terms, VersionState, new_state
from trading.vocabulary import ExecType, OrdStatus, ReportSource

_START = datetime(2000, 1, 3, 14, 30, tzinfo=UTC)
_PX = Decimal(100)
_BUSTS = frozenset({ExecType.TRADE_CORRECT, ExecType.TRADE_CANCEL})
_BY_KIND = {
    EntryKind.TRADE: ExecType.TRADE,
    EntryKind.TRADE_CORRECT: ExecType.TRADE_CORRECT,
    EntryKind.TRADE_CANCEL: ExecType.TRADE_CANCEL,
    EntryKind.ADJUST: ExecType.RESTATED,
}


@dataclass(frozen=True, slots=True)
class Figure:
    """One field of a row: what the table publishes and what the core says. None = no order."""

    name: str
    published: str
    ours: str

    @property
    def agrees(self) -> bool:
        """Whether the two are the same."""
        return self.published == self.ours


@dataclass(frozen=True, slots=True)
class Compared:
    """One answer of a table with what the core makes of it. ``note`` says why beyond figures."""

    scenario: str
    step: Step
    figures: tuple[Figure, ...]
    note: str = ""

    @property
    def passed(self) -> bool:
        """Every figure agrees and the core took the answer."""
        return not self.note and all(figure.agrees for figure in self.figures)


@dataclass(slots=True)
class _Run:
    """Orders of one scenario by id of their chain, and what the requests decide by themselves.

    ``builds_on``: which id each replace would change.
    """

    scenario: Scenario
    orders: list[OrderState] = field(default_factory=list)
    requests: dict[str, int] = field(default_factory=dict)
    duplicates: dict[str, list[ExecType]] = field(default_factory=dict)
    builds_on: dict[str, str] = field(default_factory=dict)
    asked_status: int = 0

    def find(self, *ids: str | None) -> int | None:
        """Index of the order one of the ids names; an answer without ids is about the only one."""
        named = [item for item in ids if item is not None]
        for item in named:
            for index in range(len(self.orders) - 1, -1, -1):
                state = self.orders[index]
                if state.version_for(item) is not None:
                    return index
            if item in self.requests:
                return self.requests[item]
        return 0 if not named and len(self.orders) == 1 else None


def play(scenarios: Iterable[Scenario]) -> Iterator[Compared]:
    """Yield every answer compared. :raises MalformedMatrix: where a row cannot be played."""
    for scenario in scenarios:
        yield from _play(scenario)


def _play(scenario: Scenario) -> Iterator[Compared]:
    run = _Run(scenario)
    for step in scenario.steps:
        if step.message is Message.NEW_ORDER:
            _receive_order(run, step)
        elif step.message is Message.REPLACE:
            _receive_replace(run, step)
        elif step.message is Message.CANCEL:
            index = run.find(step.orig_cl_ord_id)
            if index is not None and step.cl_ord_id is not None:
                run.requests.setdefault(step.cl_ord_id, index)
        elif step.message is Message.STATUS_REQUEST:
            run.asked_status += 1
        elif step.message in {Message.REPORT, Message.REFUSAL}:
            yield _answer(run, step)


def _place(run: _Run, step: Step) -> str:
    return f"scenario {run.scenario.id} step {step.number} (t {step.t})"


def _receive_order(run: _Run, step: Step) -> None:
    if step.cl_ord_id is None:
        raise MalformedMatrix(f"{_place(run, step)}: a NewOrderSingle needs ClOrdID")
    if run.find(step.cl_ord_id) is not None:
        # Known already: a possible resend is answered with the state, anything else refused.
        answer = ExecType.ORDER_STATUS if step.poss_resend else ExecType.REJECTED
        run.duplicates.setdefault(step.cl_ord_id, []).append(answer)
        return
    _open(run, step, step.cl_ord_id)


def _open(run: _Run, step: Step, cl_ord_id: str) -> None:
    """An order as it comes; one without a quantity (cash) gets what the first answer fixes."""
    qty = step.order_qty
    if qty is None:
        stated = (item.order_qty for item in run.scenario.steps[step.number - 1 :])
        qty = next((item for item in stated if item), None)
    if qty is None or qty <= ZERO:
        raise MalformedMatrix(f"{_place(run, step)}: no OrderQty says how much the order is for")
    tif = step.time_in_force or run.scenario.time_in_force
    terms = Terms(qty, price=step.price, time_in_force=tif)
    run.orders.append(new_state(f"order-{len(run.orders)}", cl_ord_id, terms))


def _receive_replace(run: _Run, step: Step) -> None:
    index = run.find(step.orig_cl_ord_id)
    if index is None or step.cl_ord_id is None or run.find(step.cl_ord_id) is not None:
        return  # unknown order or used id: the answer can only be a refusal
    state = run.orders[index]
    base = state.terms
    newest = state.version_for(step.orig_cl_ord_id)
    terms = Terms(
        order_qty=step.order_qty or (base if newest is None else newest.terms).order_qty,
        price=base.price if step.price is None else step.price,
        time_in_force=step.time_in_force or base.time_in_force,
    )
    run.builds_on[step.cl_ord_id] = step.orig_cl_ord_id or ""
    venue_id = f"{state.id}-{state.next_version}"
    run.orders[index] = ask_replace(state, step.cl_ord_id, venue_id, terms)


def _answer(run: _Run, step: Step) -> Compared:
    if not run.orders and _tells_of_unasked_order(step):
        _open(run, step, step.cl_ord_id or "unasked")  # a telephoned order has no request
    index = run.find(step.cl_ord_id, step.orig_cl_ord_id)
    decided = _decided(run, step, index)
    if index is None:
        return _compare_unknown(run, step, decided)
    before = run.orders[index]
    if decided is not None:
        if decided is ExecType.ORDER_STATUS and step.exec_type is decided:
            run.asked_status = max(0, run.asked_status - 1)
        return _compare(run, step, before, decided, "")
    applied = apply(before, _report(run, step, before))
    note = ""
    if applied.verdict in {Verdict.PARKED, Verdict.HELD}:
        note = f"the core does not take it: {applied.verdict} {applied.alarm or ''}".rstrip()
    compared = _compare(run, step, applied.state, _deserved(before, applied, step), note)
    if not step.branch:
        run.orders[index] = applied.state
    return compared


def _tells_of_unasked_order(step: Step) -> bool:
    return step.message is Message.REPORT and step.exec_type is ExecType.NEW


def _decided(run: _Run, step: Step, index: int | None) -> ExecType | None:
    """The answer that a request decides without anybody's judgement."""
    if step.message is not Message.REPORT:
        return None
    waiting = run.duplicates.get(step.cl_ord_id or "")
    if waiting and step.exec_type in {ExecType.REJECTED, ExecType.ORDER_STATUS}:
        return waiting[0] if step.branch else waiting.pop(0)
    if step.exec_type is ExecType.ORDER_STATUS or (index is None and run.asked_status):
        return ExecType.ORDER_STATUS
    return None


def _deserved(before: OrderState, applied: Applied, step: Step) -> ExecType:
    """The ExecType of what changed; an answer that says nothing new keeps its own."""
    after, own = applied.state, step.exec_type or ExecType.REQUEST_REFUSED
    told = _told(before, after, applied)
    if told is ExecType.RESTATED and own is ExecType.REPLACED:
        return own  # a replacement nobody asked for is a restatement by another name
    return own if told is None else told


def _told(before: OrderState, after: OrderState, applied: Applied) -> ExecType | None:
    if applied.entries:
        return _BY_KIND[applied.entries[0].kind]
    if after.closing is not None and before.closing is not after.closing:
        return ExecType(after.closing.closed_as.value)
    accepted = [v for v in after.accepted if v not in before.versions]
    for version in accepted:
        if version.number == 0:
            continue
        return ExecType.RESTATED if version.cl_ord_id is None else ExecType.REPLACED
    if after.pending_cancels - before.pending_cancels:
        return ExecType.PENDING_CANCEL
    if after.pending_replaces - before.pending_replaces:
        return ExecType.PENDING_REPLACE
    if after.resolved - before.resolved:
        return ExecType.REQUEST_REFUSED
    for mark, was, exec_type in (
        (after.done, before.done, ExecType.DONE_FOR_DAY),
        (after.stop, before.stop, ExecType.STOPPED),
        (after.suspend, before.suspend, ExecType.SUSPENDED),
    ):
        if mark is not None and mark.on and mark is not was:
            return exec_type
    if after.acked and not before.acked:
        return ExecType.NEW
    return None


def _report(run: _Run, step: Step, state: OrderState) -> ExecutionReport:
    """What happened outside the core: no status, no cum_qty, no leaves_qty."""
    refusal = step.message is Message.REFUSAL
    exec_type = ExecType.REQUEST_REFUSED if refusal else step.exec_type
    assert exec_type is not None, "the reader lets no report pass without one"
    books = exec_type is ExecType.TRADE or exec_type in _BUSTS
    states_terms = exec_type is ExecType.RESTATED or (
        exec_type is ExecType.REPLACED and not _was_asked(state, step)
    )
    last_px = step.last_px or _PX
    split = states_terms and "CORPORATE_ACTION" in (step.restatement_reason or "")
    return ExecutionReport(
        exec_type=exec_type,
        source=ReportSource.VENUE,
        exec_id=step.exec_id or f"row-{step.number}",
        transact_time=_START + timedelta(seconds=step.number),
        venue_seq=step.number,
        cl_ord_id=step.cl_ord_id,
        orig_cl_ord_id=step.orig_cl_ord_id,
        last_qty=step.last_qty if books or exec_type is ExecType.STOPPED else None,
        last_px=last_px if books else None,
        exec_ref_id=_reference(run, step, state) if exec_type in _BUSTS else None,
        order_qty=step.order_qty if states_terms else None,
        price=step.price if states_terms else None,
        cum_qty=step.cum_qty if split else None,
        cxl_rej_reason=step.cxl_rej_reason,
        restatement_reason=step.restatement_reason,
    )


def _was_asked(state: OrderState, step: Step) -> bool:
    version = state.version_for(step.cl_ord_id)
    return version is not None and version.state is VersionState.PENDING


def _reference(run: _Run, step: Step, state: OrderState) -> str:
    """The execution a correction or bust means: named, or the only one that explains CumQty."""
    if step.exec_ref_id is not None:
        return step.exec_ref_id
    new_qty = ZERO if step.exec_type is ExecType.TRADE_CANCEL else step.last_qty or ZERO
    fitting = [
        item.root.exec_id
        for item in state.ledger.effective()
        if EXACT.add(EXACT.subtract(state.cum_qty, item.qty), new_qty) == step.cum_qty
    ]
    if len(fitting) != 1:
        raise MalformedMatrix(
            f"{_place(run, step)}: no ExecRefID, and {len(fitting)} executions would explain"
            f" CumQty {opt_dec_str(step.cum_qty)}"
        )
    return fitting[0]


def _compare(run: _Run, step: Step, state: OrderState, exec_type: ExecType, note: str) -> Compared:
    order_qty, leaves = state.order_qty, state.leaves_qty
    published = step.leaves_qty
    asked = _asked_before(run, step, state)
    if asked is not None and asked == step.order_qty:
        order_qty, leaves = asked, EXACT.subtract(asked, state.cum_qty)
    rest = EXACT.subtract(order_qty, state.cum_qty)
    if step.either_leaves and published is not None and leaves == rest:
        published = leaves
    numbers = (
        ("OrderQty", step.order_qty, order_qty),
        ("CumQty", step.cum_qty, state.cum_qty),
        ("LeavesQty", published, leaves),
    )
    figures = [*_words(step, state.ord_status, exec_type)]
    for name, told, ours in numbers:
        if told is not None:
            figures.append(Figure(name, opt_dec_str(told) or "", opt_dec_str(ours) or ""))
    return Compared(run.scenario.id, step, tuple(figures), note)


def _asked_before(run: _Run, step: Step, state: OrderState) -> Decimal | None:
    """Total of the request, itself still pending, that a pending replace would change.

    With two replaces pending, the second may be told with the figures it builds on (D.2.b).
    """
    if step.exec_type is not ExecType.PENDING_REPLACE:
        return None
    base = state.version_for(run.builds_on.get(step.cl_ord_id or ""))
    return base.terms.order_qty if base and base.state is VersionState.PENDING else None


def _compare_unknown(run: _Run, step: Step, decided: ExecType | None) -> Compared:
    """An answer about an order nobody has: rejected, and every quantity is nothing."""
    figures = [*_words(step, OrdStatus.REJECTED, decided or step.exec_type)]
    for name, told in (
        ("OrderQty", step.order_qty),
        ("CumQty", step.cum_qty),
        ("LeavesQty", step.leaves_qty),
    ):
        if told is not None:
            figures.append(Figure(name, opt_dec_str(told) or "", "0"))
    run.asked_status = max(0, run.asked_status - 1)
    return Compared(run.scenario.id, step, tuple(figures))


def _words(step: Step, status: OrdStatus, exec_type: ExecType | None) -> Iterator[Figure]:
    yield Figure("OrdStatus", str(step.ord_status), str(status))
    if step.message is Message.REPORT:
        yield Figure("ExecType", str(step.exec_type), str(exec_type))
