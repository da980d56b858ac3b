"""What a fold adds to the ledger of executions, and the books that follow from it.

The caller holds the order's row lock and the transaction: an execution, its lots, its journal
entries and the position are one commit with the report.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from decimal import Decimal

from common.ids import new_ulid
from oms.models import Execution, Order
from portfolio import services as portfolio_services
from portfolio.corrections import book_correction
from portfolio.services import Fill
from trading.orders.ledger import Effective, EntryKind, Ledger, LedgerEntry, ledger_of
from trading.orders.outcome import Applied, Verdict
from trading.vocabulary import ReportSource, Side

STORED = Decimal("1e-12")
"""The finest amount a column holds: what is booked is what is stored."""
CORRECTIONS = (EntryKind.TRADE_CORRECT, EntryKind.TRADE_CANCEL)


def ledger_entry(row: Execution) -> LedgerEntry:
    """An execution's row as the core reads it."""
    return LedgerEntry(
        exec_id=row.exec_id,
        kind=EntryKind(row.exec_type),
        qty=row.last_qty,
        px=row.last_px,
        transact_time=row.transact_time,
        source=ReportSource(row.source),
        exec_ref_id=row.exec_ref_id,
        venue_seq=row.venue_seq,
        cl_ord_id=row.cl_ord_id,
        venue_cl_ord_id=row.venue_cl_ord_id,
        fee=row.fee,
        fee_currency=row.fee_currency,
        liquidity=row.liquidity,
    )


def book(
    order: Order, ledger: Ledger, applied: Applied, *, actor: str, now: datetime
) -> list[Execution]:
    """Write the rows a fold added to ``ledger`` and take each into the books, oldest first."""
    executions = []
    for entry in applied.entries:
        grown = ledger.add(entry)
        fee = _fee_of(order, entry, ledger)
        row = _write(order, entry, fee, late=applied.verdict is Verdict.LATE, now=now)
        if entry.kind is EntryKind.TRADE:
            portfolio_services.book_fill(
                account=order.account,
                instrument=order.instrument,
                fill=_as_booked(row, order, row.last_qty, row.last_px, row.fee, row.fee_currency),
                actor_label=actor,
                now=now,
            )
        elif entry.kind in CORRECTIONS:
            _correct(order, row, ledger, grown, actor=actor, now=now)
        executions.append(row)
        ledger = grown
    return executions


def _fee_of(order: Order, entry: LedgerEntry, ledger: Ledger) -> tuple[Decimal, str]:
    """The fee a row is stored with: a correction that names none goes on with the trade's."""
    fee, currency = entry.fee, entry.fee_currency
    if fee is None and entry.kind is EntryKind.TRADE_CORRECT:
        item = ledger.effective_of(entry.exec_ref_id or "")
        if item is not None:
            fee, currency = item.fee, item.fee_currency
    return (fee or Decimal(0)).quantize(STORED), currency or order.instrument.currency


def _write(
    order: Order, entry: LedgerEntry, fee: tuple[Decimal, str], *, late: bool, now: datetime
) -> Execution:
    return Execution.objects.create(
        id=new_ulid(now),
        order=order,
        account_id=order.account_id,
        symbol=order.symbol,
        side=order.side,
        exec_id=entry.exec_id,
        exec_type=entry.kind,
        exec_ref_id=entry.exec_ref_id,
        last_qty=entry.qty,
        last_px=entry.px,
        fee=fee[0],
        fee_currency=fee[1],
        liquidity=entry.liquidity,
        late=late,
        venue_seq=entry.venue_seq,
        cl_ord_id=entry.cl_ord_id,
        venue_cl_ord_id=entry.venue_cl_ord_id,
        source=entry.source,
        transact_time=entry.transact_time,
        received_at=now,
    )


def _correct(
    order: Order, row: Execution, before: Ledger, after: Ledger, *, actor: str, now: datetime
) -> None:
    """Take a correction into the books, where it changes what its trade counts for.

    One that is overtaken already (busted, or corrected later by the venue's order) changes nothing.
    """
    was, is_now = before.effective_of(row.exec_ref_id or ""), after.effective_of(row.exec_id)
    if was is None:
        return
    trade = Execution.objects.get(account_id=order.account_id, exec_id=was.root.exec_id)
    old = _as_counted(trade, order, was)
    new = None if is_now is None else _as_counted(trade, order, is_now)
    if old == new:
        return
    book_correction(
        account=order.account,
        instrument=order.instrument,
        correction_id=row.id,
        before=old,
        after=new,
        fills_of=fills_of,
        transact_time=row.transact_time,
        actor_label=actor,
        now=now,
    )


def fills_of(execution_ids: Collection[str]) -> Mapping[str, Fill]:
    """What trades of these ids (of our rows) count for now; the busted are left out."""
    trades = {
        row.exec_id: row
        for row in Execution.objects.filter(pk__in=execution_ids).select_related(
            "order__instrument"
        )
    }
    rows: dict[str, list[LedgerEntry]] = {}
    of_orders = {row.order_id for row in trades.values()}
    for row in Execution.objects.filter(order_id__in=of_orders).order_by("id"):
        rows.setdefault(row.order_id, []).append(ledger_entry(row))
    fills = {}
    for entries in rows.values():
        for item in ledger_of(entries).effective():
            trade = trades.get(item.root.exec_id)
            if trade is not None:
                fills[trade.id] = _as_counted(trade, trade.order, item)
    return fills


def _as_counted(trade: Execution, order: Order, item: Effective) -> Fill:
    return _as_booked(trade, order, item.qty, item.px, item.fee, item.fee_currency)


def _as_booked(
    trade: Execution,
    order: Order,
    qty: Decimal,
    px: Decimal,
    fee: Decimal | None,
    fee_currency: str | None,
) -> Fill:
    return Fill(
        execution_id=trade.id,
        order_id=trade.order_id,
        exec_id=trade.exec_id,
        side=Side(trade.side),
        last_qty=qty,
        last_px=px,
        fee=(fee or Decimal(0)).quantize(STORED),
        fee_currency=fee_currency or order.instrument.currency,
        transact_time=trade.transact_time,
    )
