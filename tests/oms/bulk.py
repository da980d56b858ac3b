"""Many orders of one account at once: folded by the core, written by the thousand.

The rows are those the services would write; only the way there is short.
"""

from datetime import datetime, timedelta
from decimal import Decimal

from common.ids import new_ulid
from oms.models import Execution, Order, OrderEvent, OrderVersion
from oms.services import outbox
from portfolio.models import Balance, JournalEntry, JournalLine, Lot, LotClosure, Position
from trading import exact
from trading.journal import Fill, Ledger, Reason, entry_for_fill
from trading.lots import total_cost
from trading.orders.fold import apply
from trading.orders.reports import ExecutionReport, to_json
from trading.orders.state import OrderState, Terms, facts_json, new_state
from trading.rebooking import Book, OpenLots
from trading.vocabulary import ExecType, OrdType, ReportSource, Side, TimeInForce

D = Decimal
AT_ONCE = 2_000


class Bulk:
    """Rows of many orders and the books they make, kept until ``write``."""

    def __init__(self, account, instrument, now: datetime) -> None:
        self.account, self.instrument, self.now = account, instrument, now
        self.rows: dict[type, list] = {
            model: []
            for model in (
                Order, OrderVersion, OrderEvent, Execution, JournalEntry, JournalLine, LotClosure,
            )
        }  # fmt: skip
        self.lots = OpenLots(Book(account.code, instrument.symbol, instrument.currency))
        self.openings, self.realized, self.sums = [], D(0), dict.fromkeys(Ledger, D(0))

    def make(self, count: int) -> None:
        """Half of them filled, half part filled and canceled, bought and sold in turn."""
        for n in range(count):
            at = self.now + timedelta(milliseconds=n)
            side = Side.BUY if n % 3 else Side.SELL
            self._order(n, side, at)

    def _order(self, n: int, side: Side, at: datetime) -> None:
        order_id = new_ulid(at)
        terms = Terms(D(10), price=D(100), time_in_force=TimeInForce.GTC)
        state = new_state(order_id, order_id, terms)
        words = [(ExecType.PENDING_NEW, {"source": ReportSource.LOCAL})]
        words.append((ExecType.NEW, {"order_id": f"V{n}"}))
        qty = D(10) if n % 2 else D(4)
        words.append((ExecType.TRADE, {"last_qty": qty, "last_px": D(100 + n % 7)}))
        if qty < 10:
            words.append((ExecType.CANCELED, {}))
        for seq, (exec_type, fields) in enumerate(words, 1):
            report = ExecutionReport(
                exec_type=exec_type,
                source=fields.pop("source", ReportSource.VENUE),
                exec_id=f"{order_id}-{seq}",
                transact_time=at,
                **fields,
            )
            applied = apply(state, report)
            self._event(order_id, seq, state, applied, report, at)
            for entry in applied.entries:
                self._execution(order_id, side, entry, at)
            state = applied.state
        self._row(state, side, len(words), at)

    def _event(self, order_id, seq, before: OrderState, applied, report, at) -> None:
        self.rows[OrderEvent].append(
            OrderEvent(
                order_id=order_id,
                seq=seq,
                at=at,
                exec_type=report.exec_type,
                exec_id=report.exec_id,
                source=report.source,
                verdict=applied.verdict,
                before=before.ord_status,
                after=applied.state.ord_status,
                report=to_json(report),
                actor="system:test",
            )
        )

    def _execution(self, order_id, side, entry, at) -> None:
        row = Execution(
            id=new_ulid(at),
            order_id=order_id,
            account=self.account,
            symbol=self.instrument.symbol,
            side=side,
            exec_id=entry.exec_id,
            exec_type=entry.kind,
            last_qty=entry.qty,
            last_px=entry.px,
            fee=D(0),
            fee_currency=self.instrument.currency,
            source=entry.source,
            transact_time=at,
            received_at=at,
        )
        self.rows[Execution].append(row)
        fill = Fill(
            row.id, order_id, row.exec_id, side, entry.qty, entry.px, D(0), row.fee_currency, at
        )
        change = self.lots.book(fill, at).change
        booked = entry_for_fill(
            fill,
            change,
            account=self.account.code,
            symbol=row.symbol,
            currency=row.fee_currency,
            at=at,
        )
        self.realized = exact.add(self.realized, change.realized)
        for line in booked.lines:
            self.sums[line.ledger] = exact.add(self.sums[line.ledger], line.amount)
        head = JournalEntry(
            id=new_ulid(at),
            account=self.account,
            at=at,
            booked_at=at,
            reason=Reason.FILL,
            ref=row.id,
            order_id=order_id,
            actor="system:test",
        )
        self.rows[JournalEntry].append(head)
        self.rows[JournalLine] += [
            JournalLine(
                entry=head,
                account=self.account,
                ledger=line.ledger,
                currency=line.currency,
                amount=line.amount,
                symbol=line.symbol,
                qty=line.qty,
            )
            for line in booked.lines
        ]
        self.openings += [] if change.opened is None else [change.opened]
        self.rows[LotClosure] += [
            LotClosure(
                lot_id=one.lot_id,
                execution_id=row.id,
                at=at,
                qty=one.qty,
                cost=one.cost,
                proceeds=one.proceeds,
            )
            for one in change.closures
        ]

    def _row(self, state: OrderState, side: Side, version: int, at: datetime) -> None:
        order = Order(
            id=state.id,
            account=self.account,
            instrument=self.instrument,
            symbol=self.instrument.symbol,
            mode=self.account.mode,
            cl_ord_id=state.cl_ord_id,
            order_id=state.order_id,
            side=side,
            ord_type=OrdType.LIMIT,
            order_qty=state.order_qty,
            price=state.price,
            time_in_force=state.time_in_force,
            source="api",
            ord_status=state.ord_status,
            is_closed=state.is_closed,
            cum_qty=state.cum_qty,
            leaves_qty=state.leaves_qty,
            overfill_qty=state.overfill_qty,
            gross_trade_amt=state.gross_trade_amt,
            intent_hash="0" * 64,
            facts=facts_json(state),
            created_by="system:test",
            version=version,
            created_at=at,
            updated_at=at,
            reserve_px=state.price,
        )
        order.reserved_qty, order.reserve_px = outbox.reservation(order, state, ())
        self.rows[Order].append(order)
        self.rows[OrderVersion].append(
            OrderVersion(
                order_id=state.id,
                account=self.account,
                number=0,
                cl_ord_id=state.cl_ord_id,
                venue_cl_ord_id=state.venue_cl_ord_id,
                order_qty=D(10),
                price=D(100),
                time_in_force=TimeInForce.GTC,
                state=OrderVersion.ACCEPTED,
                created_at=at,
            )
        )

    def write(self) -> list[str]:
        """Insert everything; return the ids of the orders."""
        for model, rows in self.rows.items():
            if model is LotClosure:
                self._write_position()
            model.objects.bulk_create(rows, batch_size=AT_ONCE)
        return [order.id for order in self.rows[Order]]

    def _write_position(self) -> None:
        lots, instrument = self.lots, self.instrument
        position = Position.objects.create(
            account=self.account,
            symbol=instrument.symbol,
            currency=instrument.currency,
            multiplier=instrument.multiplier,
            qty=lots.qty,
            cost=total_cost(lots.lots),
            realized_pnl=self.realized,
            version=len(self.rows[Execution]),
            updated_at=self.now,
        )
        left = {lot.lot_id: lot for lot in lots.lots}
        Lot.objects.bulk_create(
            [
                Lot(
                    id=lot.lot_id,
                    position=position,
                    opened_at=lot.opened_at,
                    opened_qty=lot.qty,
                    opened_cost=lot.cost,
                    qty=left[lot.lot_id].qty if lot.lot_id in left else 0,
                    cost=left[lot.lot_id].cost if lot.lot_id in left else 0,
                )
                for lot in self.openings
            ],
            batch_size=AT_ONCE,
        )
        balance = Balance.objects.get(account=self.account, currency=instrument.currency)
        for ledger, amount in self.sums.items():
            setattr(balance, ledger.value, exact.add(getattr(balance, ledger.value), amount))
        balance.save()
