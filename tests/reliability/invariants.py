"""What must hold after every step, and at the end against the venue's own ledger.

Written anew from the formulas, not from the core: an error there must not excuse itself.
"""

from decimal import Decimal
from typing import TYPE_CHECKING

from trading.journal import balance
from trading.orders.fold import Applied, Verdict, apply
from trading.orders.ledger import EntryKind
from trading.orders.reports import ExecutionReport, from_json, to_json
from trading.orders.state import OrderState, facts_json, new_state, state_from
from trading.orders.table import is_allowed
from trading.vocabulary import CommandKind, CommandState, ExecType, OrdStatus, TimeInForce

if TYPE_CHECKING:
    from tests.reliability.desk import Desk, Order
    from tests.reliability.venue import VenueOrder
    from trading.rebooking import PositionBook

ZERO = Decimal(0)
DAY_LIKE = (TimeInForce.DAY, TimeInForce.IOC, TimeInForce.FOK)
ENDED = (OrdStatus.FILLED, OrdStatus.CANCELED, OrdStatus.EXPIRED, OrdStatus.REJECTED)
OPEN = (CommandState.QUEUED, CommandState.SENDING, CommandState.UNKNOWN)


class Violated(AssertionError):
    """An invariant does not hold."""


def must(holds: bool, *what: object) -> None:
    if not holds:
        raise Violated(" ".join(str(part) for part in what))


def executed(state: OrderState) -> tuple[Decimal, Decimal]:
    """Quantity and amount of the trades that stand, by following every reference."""
    entries = state.ledger.entries
    counts: dict[str, tuple[Decimal, Decimal]] = {}
    root: dict[str, str] = {}
    order: dict[str, tuple] = {}
    gone = set()
    for exec_id, entry in entries.items():
        if entry.kind is EntryKind.TRADE:
            root[exec_id] = exec_id
            counts[exec_id] = (entry.qty, entry.px)
        elif entry.kind in (EntryKind.TRADE_CORRECT, EntryKind.TRADE_CANCEL):
            first = root[exec_id] = root[entry.exec_ref_id or ""]
            when = (entry.venue_seq or 0, entry.transact_time)
            if entry.kind is EntryKind.TRADE_CANCEL:
                gone.add(first)
            elif first not in order or when >= order[first]:
                order[first] = when
                counts[first] = (entry.qty, entry.px)
    cum = gross = ZERO
    for exec_id, (qty, px) in counts.items():
        if exec_id not in gone:
            cum += qty
            gross += qty * px
    return cum, gross


def check_report(
    order: "Order", before: OrderState, applied: Applied, report: ExecutionReport
) -> None:
    """What a report must have done, by its kind."""
    state, verdict = applied.state, applied.verdict
    word = report.exec_type
    if word is ExecType.ORDER_STATUS and (report.cum_qty or ZERO) > before.cum_qty:
        must(state == before, order.id, "concludes from a count it cannot explain")
    if word in (ExecType.CANCELED, ExecType.EXPIRED):
        named = state.version_for(None, report.venue_cl_ord_id)
        must(state.closing is not None or named is not state.current, order.id, "forgot its end")
    if applied.entries:
        late = before.ord_status in (OrdStatus.CANCELED, OrdStatus.EXPIRED, OrdStatus.REJECTED)
        told = (Verdict.LATE, Verdict.OVERFILL) if late else (Verdict.APPLIED, Verdict.OVERFILL)
        must(verdict in told, order.id, "booked as", verdict, "late" if late else "in time")
        for entry in applied.entries:
            bust = entry.kind is EntryKind.TRADE_CANCEL
            must(bust is (entry.qty == 0), order.id, entry.kind, "of", entry.qty)


def check_order(
    order: "Order", before: OrderState, applied: Applied, report: ExecutionReport
) -> None:
    """After one report: the formulas of the row, the change of status, the ledger."""
    check_report(order, before, applied, report)
    state = applied.state
    if state is before:  # as it was, so what held still holds
        must(not applied.entries, order.id, "entries that are not in the ledger")
        return
    status, was = state.ord_status, before.ord_status
    must(is_allowed(was, status), order.id, "went from", was, "to", status)
    if applied.verdict is Verdict.PARKED:
        must(state == before, order.id, "parked and changed")
    cum, total, leaves = state.cum_qty, state.order_qty, state.leaves_qty
    if state.ledger is not before.ledger:
        wanted = executed(state)
        must(wanted == (cum, state.gross_trade_amt), order.id, "ledger", wanted, "row", cum)
        must(
            len(state.ledger.entries) == len(before.ledger.entries) + len(applied.entries),
            order.id,
            "the ledger grew otherwise than told",
        )
    else:
        must(not applied.entries, order.id, "entries that are not in the ledger")
    closed = status in ENDED or (
        status is OrdStatus.DONE_FOR_DAY and state.time_in_force in DAY_LIKE
    )
    must(state.is_closed is closed, order.id, "is_closed of", status)
    rest = total - cum if total > cum else ZERO
    base = state.base_status
    ended = base in ENDED or (base is OrdStatus.DONE_FOR_DAY and state.time_in_force in DAY_LIKE)
    must(leaves == (ZERO if closed else rest), order.id, status, "leaves", leaves, "rest", rest)
    must(state.overfill_qty == (cum - total if cum > total else ZERO), order.id, "overfill")
    reserved = state.reserved_qty(new_unresolved=order.commands[0].state in OPEN)
    must(reserved >= leaves or ended, order.id, "reserves", reserved, "of", leaves)
    if base is OrdStatus.FILLED:
        must(cum >= total, order.id, "FILLED at", cum, "of", total)
    elif base is OrdStatus.PARTIALLY_FILLED:
        must(ZERO < cum < total, order.id, "PARTIALLY_FILLED at", cum)
    elif base in (OrdStatus.NEW, OrdStatus.PENDING_NEW, OrdStatus.REJECTED):
        must(cum == 0, order.id, base, "at", cum)
    elif base in (OrdStatus.CANCELED, OrdStatus.EXPIRED):
        must(not ZERO < total <= cum, order.id, base, "though complete")
    waits = bool(state.pending_cancels or state.pending_replaces)
    must(not (waits and state.closing is not None), order.id, "ended and still waits")
    must(waits == (status is not base), order.id, "pending", waits, status)
    if applied.verdict is not Verdict.PARKED and state.is_closed:
        left = [one for one in order.commands if one.state in OPEN]
        must(not left, order.id, "closed with an open", left and left[0].kind)


def check_end(desk: "Desk", *, replay: bool) -> None:
    """After the healing: our orders are the venue's, our books are what they executed."""
    book = desk.books.position
    at_venues = [one for venue in desk.venues for one in venue.orders]
    position = cash = 0
    for theirs in at_venues:
        sign = 1 if theirs.buy else -1
        position += sign * theirs.cum
        cash -= sign * theirs.gross
    sums = {key[1].value: amount for key, amount in book.sums().items()}
    must(book.qty == position, "position", book.qty, "the venues'", position)
    must(sums.get("cash", ZERO) == cash, "cash", sums.get("cash"), "the venues'", cash)
    must(sum(sums.values()) == 0, "the journal does not sum to zero", sums)
    for entry in book.entries:
        must(not any(balance(entry.lines).values()), "an entry does not balance", entry.ref)
    if replay and desk.books.rewritten:
        _check_as_if_booked_so(book)
    for order in desk.orders:
        mine = [one for one in at_venues if one.client_id == order.id]
        must(len(mine) <= 1, order.id, "is", len(mine), "orders at the venue")
        _check_truth(order, mine[0] if mine else None)
        if replay:
            _check_replay(order)


def _check_as_if_booked_so(book: "PositionBook") -> None:
    """After corrections the books are those the surviving executions alone would have made."""
    fresh = type(book)(book.where)
    for item in book.history:
        fresh.fill(item.fill, item.at)
    must(fresh.lots == book.lots, "lots are not those of the surviving executions")
    must(fresh.realized == book.realized, "profit is not that of the surviving executions")
    must(fresh.sums() == book.sums(), "the journal is not that of the surviving executions")


def _check_truth(order: "Order", theirs: "VenueOrder | None") -> None:
    state = order.state
    left = [one for one in order.commands if one.state in OPEN]
    must(not left, order.id, "is left with", left and (left[0].kind, left[0].state))
    if theirs is None:
        gone = (OrdStatus.REJECTED, OrdStatus.CANCELED)
        must(state.base_status in gone, order.id, state.ord_status, "and no order at the venue")
        return
    new = order.command(CommandKind.NEW)
    must(new is not None and new.state is not CommandState.QUEUED, order.id, "never left")
    must((state.cum_qty, state.gross_trade_amt) == (theirs.cum, theirs.gross), order.id, "executed",
         state.cum_qty, state.gross_trade_amt, "the venue", theirs.cum, theirs.gross)  # fmt: skip
    must(not state.held, order.id, "still holds a correction")
    status = state.ord_status
    must(status not in (OrdStatus.PENDING_CANCEL, OrdStatus.PENDING_REPLACE), order.id, status)
    flags = (OrdStatus.SUSPENDED, OrdStatus.STOPPED, OrdStatus.DONE_FOR_DAY)
    # A correction may complete an order whose day was done: which of the two shows is taste. And
    # who hides an ended order's total cannot be asked whether what was executed completed it.
    hidden = theirs.venue.ways.trims and status in ENDED and theirs.status in ENDED
    if not theirs.done and not hidden and (status not in flags or theirs.status in ENDED):
        must(status is theirs.status, order.id, "is", status, "the venue says", theirs.status)
    if not state.is_closed:
        must((state.order_qty, state.price) == (theirs.qty, theirs.price), order.id, "terms",
             state.order_qty, state.price, "the venue", theirs.qty, theirs.price)  # fmt: skip
        must(state.order_id == theirs.order_id, order.id, "order_id", state.order_id)


def _check_replay(order: "Order") -> None:
    """The log alone makes the same state, also through JSON."""
    state = new_state(order.id, order.id, order.terms)
    for report in order.log:
        state = apply(state, from_json(to_json(report))).state
    must(state == order.state, order.id, "its log folds to another state")
    stored = state_from(facts_json(state), state.ledger.entries.values())
    must(stored == state, order.id, "its state does not survive storage")
