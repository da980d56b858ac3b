"""Corrections and busts in the books of the bound tenant: one transaction with the report.

The fills of the position from the corrected one on are worked out anew (``trading.rebooking``);
lots and closures that differ are stated again, what they overtake stays readable.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from brokers.models import BrokerAccount
from common.ids import new_ulid
from marketdata.models import Instrument
from portfolio import services, statements
from portfolio.models import JournalEntry, JournalLine, Lot, LotClosure, Position
from tenants.binding import require_bound
from trading import exact
from trading.exact import ZERO
from trading.journal import Entry, Fill, Ledger, Reason
from trading.lots import Closure, LotChange, total_cost, total_qty
from trading.lots import Lot as LotValue
from trading.market import Quote
from trading.rebooking import Book, Booked, Rebooking, lots_before, rebook

FillsOf = Callable[[Collection[str]], Mapping[str, Fill]]
"""Gives the fills that executions of these ids count for now; a busted one is left out."""


class NotInTheBooks(LookupError):
    """The execution a correction names was never booked: the books contradict the orders."""


@dataclass(frozen=True, slots=True)
class BookedCorrection:
    """What a correction did. ``position`` is the locked row as it now stands; None in
    ``rebooking`` says that it had been booked before.
    """

    position: Position
    rebooking: Rebooking | None


def book_correction(
    *,
    account: BrokerAccount,
    instrument: Instrument,
    correction_id: str,
    before: Fill,
    after: Fill | None,
    fills_of: FillsOf,
    transact_time: datetime,
    actor_label: str,
    now: datetime,
    quote: Quote | None = None,
) -> BookedCorrection:
    """Book that an execution counted for ``before`` and now counts for ``after`` (None: busted).

    Idempotent by ``correction_id``, the id of the correction's own execution row. Its cost grows
    with the fills booked since in the same account and instrument. Publishes ``position.changed``.

    :raises NotInTheBooks: if the execution was never booked.
    :raises TenantNotBound: outside a tenant-bound transaction.
    """
    require_bound()
    position = statements.lock_position(
        account_id=account.pk,
        symbol=instrument.symbol,
        currency=instrument.currency,
        multiplier=instrument.multiplier,
        now=now,
    )
    at = min(transact_time, now)
    head = _Head(account.pk, at, correction_id, before.order_id, actor_label, now)
    reversal_id = head.claim(Reason.REVERSAL)
    if reversal_id is None:
        return BookedCorrection(position, None)
    standing = _standing(position, before, fills_of)
    where = Book(account.code, position.symbol, position.currency, position.multiplier)
    result = rebook(standing.lots, standing.history, after, ref=correction_id, at=at, where=where)
    _restate(position, standing.history, result, correction_id)
    services.write_lines(result.reversal, reversal_id, account.pk, now)
    if result.rebooking is not None:
        head.book(result.rebooking)
    services.move_position(
        position,
        qty=result.qty_delta,
        cost=result.cost_delta,
        realized=result.realized_delta,
        now=now,
    )
    if (total_qty(result.lots), total_cost(result.lots)) != (position.qty, position.cost):
        raise AssertionError(f"the corrected lots of position {position.pk} are not the position")
    services.tell_position(position, account.code, quote, actor_label, "", now)
    return BookedCorrection(position, result)


@dataclass(frozen=True, slots=True)
class _Head:
    """What both journal entries of a correction share."""

    account_id: int
    at: datetime
    ref: str
    order_id: str
    actor: str
    now: datetime

    def claim(self, reason: Reason) -> str | None:
        """Insert the head of an entry; None where it is booked already."""
        entry_id = new_ulid(self.now)
        claimed = statements.claim_entry(
            entry_id=entry_id,
            account_id=self.account_id,
            at=self.at,
            reason=reason,
            ref=self.ref,
            order_id=self.order_id,
            actor=self.actor,
            now=self.now,
        )
        return entry_id if claimed else None

    def book(self, entry: Entry) -> None:
        """Insert an entry whose like cannot be there yet."""
        entry_id = self.claim(entry.reason)
        assert entry_id is not None, "the two entries of a correction are booked together"
        services.write_lines(entry, entry_id, self.account_id, self.now)


@dataclass(frozen=True, slots=True)
class _Standing:
    """The position's fills from the corrected one on, and the lots open just before it."""

    lots: tuple[LotValue, ...]
    history: tuple[Booked, ...]


def _standing(position: Position, before: Fill, fills_of: FillsOf) -> _Standing:
    order = booking_order(position)
    if before.execution_id not in order:
        raise NotInTheBooks(f"execution {before.execution_id} is in no journal entry")
    place = {execution_id: n for n, execution_id in enumerate(order)}
    start = place[before.execution_id]
    opened = {row.id: row for row in Lot.objects.filter(position=position)}
    earlier: list[Closure] = []
    since: dict[str, list[Closure]] = {}
    closures = LotClosure.objects.filter(lot__position=position, superseded_by=None)
    for row in closures.order_by("id"):
        closure = Closure(row.lot_id, row.qty, row.cost, row.proceeds)
        if place[row.execution_id] < start:
            earlier.append(closure)
        else:
            since.setdefault(row.execution_id, []).append(closure)
    lots = lots_before(
        [_opening(row) for row in opened.values() if row.opened_qty and place[row.id] < start],
        earlier,
    )
    fills = {**fills_of(order[start:]), before.execution_id: before}
    times = booking_times(position, order[start:])
    history = tuple(
        Booked(fills[name], times[name], _change(opened.get(name), since.get(name, [])))
        for name in order[start:]
        if name in fills
    )
    return _Standing(lots, history)


def booking_order(position: Position) -> list[str]:
    """Execution ids in the order in which they were booked, under the position's lock."""
    lines = JournalLine.objects.filter(
        account_id=position.account_id,
        symbol=position.symbol,
        ledger=Ledger.POSITION_COST,
        entry__reason=Reason.FILL,
    )
    return list(lines.order_by("id").values_list("entry__ref", flat=True))


def booking_times(position: Position, execution_ids: Sequence[str]) -> dict[str, datetime]:
    """When each execution counts as booked: its time of trade, never after the booking."""
    rows = JournalEntry.objects.filter(
        account_id=position.account_id, reason=Reason.FILL, ref__in=execution_ids
    )
    return dict(rows.values_list("ref", "at"))


def _opening(row: Lot) -> LotValue:
    return LotValue(row.id, row.opened_at, row.opened_qty, row.opened_cost)


def _change(lot: Lot | None, closures: list[Closure]) -> LotChange:
    """What an execution did to the lots, from the rows that say so."""
    opened = None if lot is None or not lot.opened_qty else _opening(lot)
    qty = exact.negate(exact.total(closure.qty for closure in closures))
    gross = exact.negate(exact.total(closure.proceeds for closure in closures))
    if opened is not None:
        qty, gross = exact.add(qty, opened.qty), exact.add(gross, opened.cost)
    return LotChange(qty, gross, tuple(closures), opened, (), ())


def _restate(
    position: Position, old: Sequence[Booked], result: Rebooking, correction_id: str
) -> None:
    """Bring closures and lots in step with the rebooking; what did not change is not touched."""
    moved = [item for item in result.history if item.fill.execution_id in result.moved]
    LotClosure.objects.filter(
        lot__position=position, execution_id__in=result.moved, superseded_by=None
    ).update(superseded_by=correction_id)
    LotClosure.objects.bulk_create(
        LotClosure(
            lot_id=closure.lot_id,
            execution_id=item.fill.execution_id,
            at=item.at,
            qty=closure.qty,
            cost=closure.cost,
            proceeds=closure.proceeds,
        )
        for item in moved
        for closure in item.change.closures
    )
    openings = {item.fill.execution_id: item.change.opened for item in moved}
    openings |= dict.fromkeys(result.moved - openings.keys())
    touched = {
        closure.lot_id
        for item in (*old, *moved)
        if item.fill.execution_id in result.moved
        for closure in item.change.closures
    }
    rows = Lot.objects.filter(position=position, pk__in=touched | openings.keys())
    existing = {row.id: row for row in rows}
    for name, opened in openings.items():
        if opened is not None and name not in existing:
            existing[name] = Lot(
                id=name,
                position=position,
                opened_at=opened.opened_at,
                opened_qty=opened.qty,
                opened_cost=opened.cost,
                qty=opened.qty,
                cost=opened.cost,
                revision=-1,
            )
    still_open = {lot.lot_id: lot for lot in result.lots}
    for row in existing.values():
        _state(row, openings, still_open.get(row.id))


def _state(row: Lot, openings: Mapping[str, LotValue | None], left: LotValue | None) -> None:
    """Write one lot as the rebooking leaves it."""
    opened = openings.get(row.id)
    if row.id in openings:
        row.opened_qty = ZERO if opened is None else opened.qty
        row.opened_cost = ZERO if opened is None else opened.cost
    row.qty = ZERO if left is None else left.qty
    row.cost = ZERO if left is None else left.cost
    row.revision += 1
    row.save(force_insert=row.revision == 0, force_update=row.revision > 0)
