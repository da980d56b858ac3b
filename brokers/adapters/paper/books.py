"""One transaction of the paper venue's books: what it reads, collects and writes at the end.

The venue's row is locked first, so that batches of two processes never mix, and the session
number in it tells whether this process is still the one that is logged on.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from brokers.adapters.base import NewOrder
from brokers.adapters.paper.faults import Faults
from brokers.adapters.paper.messages import (
    Correction,
    Message,
    Stamp,
    correction_row,
    refusal_row,
    report_row,
    scale_of,
)
from brokers.models import (
    PaperAccount,
    PaperClientId,
    PaperExecution,
    PaperOrder,
    PaperVenue,
)
from trading.matching import Report
from trading.vocabulary import CxlRejReason, ExecType, OrdStatus

ENDED = frozenset({ExecType.CANCELED, ExecType.EXPIRED, ExecType.REJECTED})


class SessionReplaced(Exception):
    """A newer session is logged on at this venue; this one must not write any more."""


@dataclass
class Books:
    """The unit of work of one batch. ``messages`` are in the order they were made."""

    venue: PaperVenue
    now: datetime
    faults: Faults
    messages: list[Message] = field(default_factory=list)
    _accounts: dict[str, PaperAccount] = field(default_factory=dict)
    _accounts_by_id: dict[int, PaperAccount] = field(default_factory=dict)
    _known_ids: dict[tuple[int, str], int | None] = field(default_factory=dict)
    _new_ids: dict[tuple[int, str], PaperOrder] = field(default_factory=dict)
    _new_orders: list[PaperOrder] = field(default_factory=list)
    _changed: dict[int, PaperOrder] = field(default_factory=dict)
    _rows: list[PaperExecution] = field(default_factory=list)
    _first_order_no: int = 0

    @classmethod
    def open(cls, connection_id: int, session: int, now: datetime) -> "Books":
        """Lock the venue. :raises SessionReplaced: if ``session`` is not the one logged on."""
        venue = PaperVenue.objects.select_for_update().get(pk=connection_id)
        if venue.session != session:
            raise SessionReplaced(f"session {venue.session} is logged on, this is {session}")
        return cls(venue, now, Faults(connection_id), _first_order_no=venue.last_order_no)

    # --- reading ----------------------------------------------------------------------------

    def preload(self, named: Sequence[tuple[str, str]]) -> None:
        """Read in two statements the accounts and client ids a batch names (code, client id).

        Comes before anything is journaled: the message counters live in the rows read here.
        """
        assert not self._rows, "preload before the first journal entry"
        if not named:
            return
        codes = {code for code, _ in named}
        rows = PaperAccount.objects.select_related("account")
        for found in rows.filter(venue=self.venue, account__code__in=codes):
            self._accounts[found.account.code] = found
            self._accounts_by_id[found.account_id] = found
        keys = {
            (account.account_id, name)
            for code, name in named
            if (account := self._accounts.get(code)) is not None
        }
        known = PaperClientId.objects.filter(
            account_id__in={account_id for account_id, _ in keys},
            venue_cl_ord_id__in={name for _, name in keys},
        ).values_list("account_id", "venue_cl_ord_id", "order_id")
        self._known_ids = dict.fromkeys(keys)
        self._known_ids.update({(account, name): order for account, name, order in known})

    def account(self, code: str) -> PaperAccount | None:
        """The venue's account of a preloaded code, None where it has none."""
        return self._accounts.get(code)

    def account_of(self, order: PaperOrder) -> PaperAccount:
        """The account an order belongs to."""
        if order.account_id not in self._accounts_by_id:
            rows = PaperAccount.objects.select_related("account")
            found = rows.get(pk=order.account_id)
            self._accounts[found.account.code] = found
            self._accounts_by_id[order.account_id] = found
        return self._accounts_by_id[order.account_id]

    def knows(self, account: PaperAccount, venue_cl_ord_id: str) -> bool:
        """Whether the account ever used this client id."""
        return self.order_of(account, venue_cl_ord_id) is not None

    def order_of(self, account: PaperAccount, venue_cl_ord_id: str) -> PaperOrder | None:
        """The order that carries, or once carried, this client id (a preloaded one)."""
        key = (account.account_id, venue_cl_ord_id)
        if key in self._new_ids:
            return self._new_ids[key]
        known = self._known_ids[key]
        if known is None:
            return None
        order = PaperOrder.objects.get(pk=known)
        return self._changed.get(order.pk, order)

    def first_fill_of(self, order: PaperOrder) -> str | None:
        """The id of the first fill the order's account was ever told of before this batch."""
        fills = PaperExecution.objects.filter(
            account_id=order.account_id, exec_type=ExecType.TRADE.value
        )
        return fills.order_by("venue_seq").values_list("exec_id", flat=True).first()

    # --- writing ----------------------------------------------------------------------------

    def next_order_id(self, works: Callable[[str], bool]) -> str:
        """The next number of an order that none which works has."""
        while True:
            self.venue.last_order_no += 1
            order_id = f"P{self.venue.connection_id}-{self.venue.last_order_no}"
            if not works(order_id):
                return order_id

    def enter(
        self, command: NewOrder, account: PaperAccount, order_id: str, day_ends_at: datetime | None
    ) -> PaperOrder:
        """Give an arriving order its row."""
        order = PaperOrder(
            account_id=account.account_id,
            venue=self.venue,
            order_id=order_id,
            venue_cl_ord_id=command.venue_cl_ord_id,
            symbol=command.symbol,
            currency=command.rules.currency,
            tick_size=command.rules.tick_size,
            lot_size=command.rules.lot_size,
            multiplier=command.rules.multiplier,
            side=command.side.value,
            ord_type=command.ord_type.value,
            time_in_force=command.time_in_force.value,
            expire_time=command.expire_time,
            order_qty=command.order_qty,
            price=command.price,
            stop_px=command.stop_px,
            display_qty=command.display_qty,
            min_qty=command.min_qty,
            trigger_price_type=command.trigger_price_type,
            trail_offset=command.trail_offset,
            trail_type=command.trail_type,
            activation_px=command.activation_px,
            limit_offset=command.limit_offset,
            peg_price_type=command.peg_price_type,
            peg_offset=command.peg_offset,
            cum_qty=command.order_qty * 0,
            ord_status=OrdStatus.NEW.value,
            is_working=True,
            priority=0,
            day_ends_at=day_ends_at,
            created_at=self.now,
            updated_at=self.now,
        )
        self._new_orders.append(order)
        self.name(order, command.venue_cl_ord_id)
        return order

    def name(self, order: PaperOrder, venue_cl_ord_id: str) -> None:
        """Let an order carry a client id from now on."""
        order.venue_cl_ord_id = venue_cl_ord_id
        self._new_ids[(order.account_id, venue_cl_ord_id)] = order

    def record(self, order: PaperOrder, report: Report) -> Message:
        """Bring the row of an order to where a report leaves it, and journal it."""
        _follow(order, report)
        self._touch(order)
        return self._journal(report_row(order, report, self._stamp(order)), order, report)

    def correct(self, fill: Message, correction: Correction) -> Message:
        """Take back or correct the fill that completed an order. What it then lacks is cancelled:
        the order is out of the book.
        """
        order = fill.order
        kept = 0 if correction.exec_type is ExecType.TRADE_CANCEL else correction.qty
        order.cum_qty += kept - Decimal(json.loads(fill.row.raw)["last_qty"])
        if order.cum_qty < order.order_qty:
            order.ord_status = OrdStatus.CANCELED.value
        self._touch(order)
        row = correction_row(order, fill.row, correction, self._stamp(order))
        return self._journal(row, order)

    def refuse(
        self, order: PaperOrder, request_id: str, reason: CxlRejReason, text: str
    ) -> Message:
        """Journal that a cancel or replace of ``order`` is refused."""
        row = refusal_row(
            order, request_id=request_id, reason=reason, text=text, stamp=self._stamp(order)
        )
        return self._journal(row, order)

    def _touch(self, order: PaperOrder) -> None:
        """Have the row of an order written; that of a new one is in any case."""
        order.updated_at = self.now
        if order.pk is not None:
            self._changed[order.pk] = order

    def save(self) -> None:
        """Write everything collected, in five statements or fewer for one order."""
        PaperOrder.objects.bulk_create(self._new_orders)
        for order in self._changed.values():
            order.save()
        PaperClientId.objects.bulk_create(
            PaperClientId(account_id=account_id, venue_cl_ord_id=name, order_id=order.pk)
            for (account_id, name), order in self._new_ids.items()
        )
        for row in self._rows:
            assert row.order is not None, "every message is about an order"
            row.order_id = row.order.pk
        PaperExecution.objects.bulk_create(self._rows)
        touched = {row.account_id for row in self._rows}
        for account_id in touched:
            self._accounts_by_id[account_id].save(update_fields=["last_seq"])
        if self.venue.last_order_no != self._first_order_no:
            self.venue.save(update_fields=["last_order_no"])

    def _stamp(self, order: PaperOrder) -> Stamp:
        account = self.account_of(order)
        account.last_seq += 1
        return Stamp(account, account.last_seq, self.now)

    def _journal(
        self, row: PaperExecution, order: PaperOrder, report: Report | None = None
    ) -> Message:
        self._rows.append(row)
        code = self.account_of(order).account.code
        message = Message(code, row.raw.encode(), ExecType(row.exec_type), order, row, report)
        self.messages.append(message)
        return message


def _follow(order: PaperOrder, report: Report) -> None:
    """Give a row the figures of a report. The price of a peg is its cap, the stop of a trail the
    one asked for: both move without anybody's asking.
    """
    scale = scale_of(order)
    order.order_qty = scale.quantity(report.order_qty)
    order.cum_qty = scale.quantity(report.cum_qty)
    order.time_in_force = report.time_in_force.value
    order.ord_status = report.ord_status.value
    if order.peg_price_type is None:
        order.price = None if report.price is None else scale.price(report.price)
    if order.trail_offset is None and report.stop_px is not None:
        order.stop_px = scale.price(report.stop_px)
    if report.exec_type in ENDED:
        order.text = str(report.reason)
