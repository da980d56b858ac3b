"""Writes of the books: fills, deposits, snapshots.

``book_fill`` and ``deposit`` join the caller's tenant-bound transaction, so that a fill and its
books are one commit; ``take_pnl_snapshots`` owns its own.
"""

import logging
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import connection

from brokers.models import BrokerAccount
from common.errors import FieldError, Invalid
from common.ids import new_ulid
from common.instants import instant_str
from common.numbers import dec_str
from events.services import publish
from marketdata.models import Instrument
from portfolio import selectors, statements
from portfolio.models import JournalEntry, JournalLine, Lot, LotClosure, PnlSnapshot, Position
from portfolio.shapes import Held, Mark, mark_of, position_json
from tenants.binding import require_bound, tenant_bound
from trading import exact, journal
from trading.journal import Entry, Fill, Ledger, Reason
from trading.lots import Lot as LotValue
from trading.lots import LotChange, TaxLotMethod, apply_fill, total_cost, total_qty
from trading.market import Quote

__all__ = [
    "BookedFill",
    "DepositRefReused",
    "Fill",
    "book_fill",
    "deposit",
    "take_pnl_snapshots",
]

LOTS_AT_ONCE = 16
_log = logging.getLogger(__name__)


class DepositRefReused(Invalid):
    """The reference names another amount that was paid in."""

    code = "deposit_ref_reused"
    title = "The reference of the deposit is taken"


@dataclass(frozen=True, slots=True)
class BookedFill:
    """What a fill did to the books. ``replayed`` says that it had been booked before.

    ``position`` is the locked row as it now stands, ``realized`` the fill's profit before fees.
    """

    position: Position
    entry_id: str
    realized: Decimal
    replayed: bool


def book_fill(
    *,
    account: BrokerAccount,
    instrument: Instrument,
    fill: Fill,
    actor_label: str,
    now: datetime,
    quote: Quote | None = None,
    correlation_id: str = "",
) -> BookedFill:
    """Book one fill into lots, journal, balances and position; publish ``position.changed``.

    Idempotent by ``fill.execution_id``. Takes seven statements where the fill opens, three more
    where it closes, and holds the account's balances and the position until the caller commits.
    ``quote`` is the mark the event shows; the latest one is read where the caller knows none.

    :raises TenantNotBound: outside a tenant-bound transaction.
    :raises ValueError: if the quantity is not positive.
    """
    require_bound()
    position = statements.lock_position(
        account_id=account.pk,
        symbol=instrument.symbol,
        currency=instrument.currency,
        multiplier=instrument.multiplier,
        now=now,
    )
    # A venue whose clock runs ahead must not put entries where "as of now" does not see them.
    at = min(fill.transact_time, now)
    entry_id = new_ulid(now)
    claimed = statements.claim_entry(
        entry_id=entry_id,
        account_id=account.pk,
        at=at,
        reason=Reason.FILL,
        ref=fill.execution_id,
        order_id=fill.order_id,
        actor=actor_label,
        now=now,
    )
    if not claimed:
        return _booked_before(position, fill)
    change = _change_of(position, fill, at)
    entry = journal.entry_for_fill(
        fill,
        change,
        account=account.code,
        symbol=position.symbol,
        currency=position.currency,
        at=at,
    )
    _write_lots(position, change, fill, at)
    write_lines(entry, entry_id, account.pk, now)
    move_position(
        position,
        qty=change.signed_qty,
        cost=change.cost_delta,
        realized=change.realized,
        now=now,
    )
    tell_position(position, account.code, quote, actor_label, correlation_id, now)
    return BookedFill(position, entry_id, change.realized, replayed=False)


def _booked_before(position: Position, fill: Fill) -> BookedFill:
    entry = JournalEntry.objects.get(
        account_id=position.account_id, reason=Reason.FILL, ref=fill.execution_id
    )
    lines = JournalLine.objects.filter(entry=entry, ledger=Ledger.REALIZED_PNL)
    realized = exact.negate(exact.total(line.amount for line in lines))
    return BookedFill(position, entry.id, realized, replayed=True)


def _change_of(position: Position, fill: Fill, at: datetime) -> LotChange:
    """What the fill does to the lots; they are read only where it closes some."""
    closes = position.qty < 0 if fill.side.sign > 0 else position.qty > 0
    return apply_fill(
        _oldest_lots(position, fill.last_qty) if closes else (),
        lot_id=fill.execution_id,
        side=fill.side,
        last_qty=fill.last_qty,
        last_px=fill.last_px,
        at=at,
        multiplier=position.multiplier,
        method=TaxLotMethod.FIFO,
    )


def _oldest_lots(position: Position, qty: Decimal) -> list[LotValue]:
    """The open lots that ``qty`` units close first in, first out: a few, or all there are.

    A position built of thousands of lots is closed from its old end without reading the rest.
    """
    rows = Lot.objects.filter(position=position).exclude(qty=0).order_by("opened_at", "id")
    lots = [row.value for row in rows[:LOTS_AT_ONCE]]
    if len(lots) == LOTS_AT_ONCE:
        if total_qty(lots).copy_abs() >= qty:
            return lots
        lots = [row.value for row in rows]
    if (total_qty(lots), total_cost(lots)) != (position.qty, position.cost):
        raise AssertionError(f"the open lots of position {position.pk} are not the position")
    return lots


def _write_lots(position: Position, change: LotChange, fill: Fill, at: datetime) -> None:
    if change.closures:
        LotClosure.objects.bulk_create(
            LotClosure(
                lot_id=closure.lot_id,
                execution_id=fill.execution_id,
                at=at,
                qty=closure.qty,
                cost=closure.cost,
                proceeds=closure.proceeds,
            )
            for closure in change.closures
        )
        left = {lot.lot_id: lot for lot in change.touched}
        emptied = [one.lot_id for one in change.closures if one.lot_id not in left]
        if emptied:
            Lot.objects.filter(pk__in=emptied).update(qty=0, cost=0)
        for lot in left.values():
            Lot.objects.filter(pk=lot.lot_id).update(qty=lot.qty, cost=lot.cost)
    if change.opened is not None:
        lot = change.opened
        Lot.objects.bulk_create(
            [
                Lot(
                    id=lot.lot_id,
                    position=position,
                    opened_at=at,
                    opened_qty=lot.qty,
                    opened_cost=lot.cost,
                    qty=lot.qty,
                    cost=lot.cost,
                )
            ]
        )


def write_lines(entry: Entry, entry_id: str, account_id: int, now: datetime) -> None:
    """Insert the lines of an entry and add them to the account's balances."""
    JournalLine.objects.bulk_create(
        JournalLine(
            entry_id=entry_id,
            account_id=account_id,
            ledger=line.ledger,
            currency=line.currency,
            amount=line.amount,
            symbol=line.symbol,
            qty=line.qty,
        )
        for line in entry.lines
    )
    statements.add_to_balances(
        account_id=account_id, sums=journal.sums_by_ledger(entry.lines), now=now
    )


def move_position(
    position: Position, *, qty: Decimal, cost: Decimal, realized: Decimal, now: datetime
) -> None:
    """Add to the locked position's totals."""
    position.qty = exact.add(position.qty, qty)
    position.cost = exact.add(position.cost, cost)
    position.realized_pnl = exact.add(position.realized_pnl, realized)
    position.version += 1
    position.updated_at = now
    position.save(
        force_update=True,
        update_fields=["qty", "cost", "realized_pnl", "version", "updated_at"],
    )


def tell_position(
    position: Position,
    code: str,
    quote: Quote | None,
    actor_label: str,
    correlation_id: str,
    now: datetime,
) -> None:
    """Publish ``position.changed`` with the position as it now stands."""
    held = Held(
        account=code,
        symbol=position.symbol,
        currency=position.currency,
        multiplier=position.multiplier,
        qty=position.qty,
        cost=position.cost,
        realized_pnl=position.realized_pnl,
        updated_at=position.updated_at,
    )
    publish(
        type="position.changed",
        subject=f"{code}:{position.symbol}"[:64],
        data=position_json(
            held, mark_of(quote) if quote is not None else _latest_mark(position.symbol)
        ),
        actor=actor_label,
        correlation_id=correlation_id,
        now=now,
    )


def _latest_mark(symbol: str) -> Mark | None:
    """The mark to show; a fill is booked whatever lies in Redis."""
    try:
        return selectors.marks([symbol]).get(symbol)
    except ValueError:
        _log.exception("the stored quote of %s cannot be read", symbol)
        return None


def deposit(
    *,
    account: BrokerAccount,
    currency: str,
    amount: Decimal,
    ref: str,
    actor_label: str,
    now: datetime,
) -> JournalEntry:
    """Book money paid into an account; publish ``balance.changed``. Idempotent by ``ref``.

    :raises Invalid: if the amount is not positive or has more than 18 decimals.
    :raises DepositRefReused: if the reference stands for another amount or currency.
    :raises TenantNotBound: outside a tenant-bound transaction.
    """
    require_bound()
    if not amount.is_finite() or amount <= 0 or amount != exact.money(amount):
        raise Invalid(
            "A deposit is a positive amount with at most 18 decimals.",
            errors=[FieldError("amount", "not_positive", "Send an amount above 0.")],
        )
    entry_id = new_ulid(now)
    claimed = statements.claim_entry(
        entry_id=entry_id,
        account_id=account.pk,
        at=now,
        reason=Reason.DEPOSIT,
        ref=ref,
        order_id=None,
        actor=actor_label,
        now=now,
    )
    if not claimed:
        return _deposited_before(account, currency, amount, ref)
    entry = journal.entry_for_deposit(
        account=account.code, currency=currency, amount=amount, ref=ref, at=now
    )
    write_lines(entry, entry_id, account.pk, now)
    publish(
        type="balance.changed",
        subject=f"{account.code}:{currency}",
        data={
            "account": account.code,
            "currency": currency,
            "cash": dec_str(selectors.cash(account.pk, currency)),
            "reason": Reason.DEPOSIT.value,
            "ref": ref,
            "amount": dec_str(amount),
            "at": instant_str(now),
        },
        actor=actor_label,
        now=now,
    )
    return JournalEntry.objects.get(pk=entry_id)


def _deposited_before(
    account: BrokerAccount, currency: str, amount: Decimal, ref: str
) -> JournalEntry:
    entry = JournalEntry.objects.get(account=account, reason=Reason.DEPOSIT, ref=ref)
    cash = JournalLine.objects.get(entry=entry, ledger=Ledger.CASH)
    if (cash.currency, cash.amount) != (currency, amount):
        raise DepositRefReused(
            f"{ref} already stands for a deposit of {dec_str(cash.amount)} {cash.currency}."
        )
    return entry


def take_pnl_snapshots(*, schema: str, now: datetime) -> int:
    """Record what every account of one tenant is worth; return the number of snapshots taken.

    None are taken while another process takes them, or for an instant already recorded.
    """
    with tenant_bound(schema):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))",
                [f"portfolio.pnl_snapshots:{schema}"],
            )
            row = cursor.fetchone()
        if row is None or not row[0]:
            return 0
        before = PnlSnapshot.objects.filter(at=now).exists()
        if before:
            return 0
        books = selectors.books(as_of=None)
        rows = [
            PnlSnapshot(
                account_id=book.account_id,
                currency=book.currency,
                at=now,
                cash=book.valuation.cash,
                realized=book.valuation.realized,
                fees=book.valuation.fees,
                unrealized=book.valuation.unrealized,
                equity=book.valuation.equity,
                marks={
                    symbol: {
                        "px": dec_str(mark.px),
                        "at": instant_str(mark.at),
                        "simulated": mark.simulated,
                    }
                    for symbol, mark in book.marks.items()
                },
                simulated=book.simulated,
            )
            for book in books
        ]
        PnlSnapshot.objects.bulk_create(rows)
        return len(rows)
