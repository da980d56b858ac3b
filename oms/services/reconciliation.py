"""Compares an account's books with its venue's pages and writes down what follows.

The comparison itself is pure (``trading.reconcile``). What is missing is folded as a report; what
no order explains opens a break; a break whose difference is gone closes by itself.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Max, Q

from brokers.adapters.base import VenueOrder
from brokers.models import BrokerAccount
from common.ids import new_ulid
from common.numbers import dec_str
from events.services import publish
from oms.models import Break, Command, Execution, Order, ReconciliationRun
from oms.present import break_json
from oms.services.cancel_new import filled_before
from oms.services.fold import load_state
from oms.services.reports import Incoming, apply_reports
from portfolio.selectors import cash, position_quantities
from tenants.binding import tenant_bound
from trading import reconcile
from trading.orders.reports import ExecutionReport

RECONCILE_CHANNEL = "blotter_reconcile"
ACTOR = "system:reconciliation"
LOOK_BACK = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Books:
    """Our side of one account: open orders, known executions, and how far back to ask about which
    instruments.
    """

    account_id: int
    account_code: str
    currency: str
    since: datetime
    ours: tuple[reconcile.OurOrder, ...]
    known_exec_ids: frozenset[str]
    symbols: frozenset[str]
    filled_before: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class VenueSide:
    """The venue's pages for the account, each with whether it is complete."""

    orders: Sequence[VenueOrder]
    orders_complete: bool
    executions: Sequence[ExecutionReport]
    executions_complete: bool
    positions: Mapping[str, Decimal]
    positions_complete: bool
    balances: Mapping[str, Decimal]
    balances_complete: bool

    @property
    def complete(self) -> bool:
        """Whether all four pages are evidence."""
        return (
            self.orders_complete
            and self.executions_complete
            and self.positions_complete
            and self.balances_complete
        )


def accounts_of(*, schema: str, connection_id: int) -> list[str]:
    """Codes of the accounts a connection carries."""
    with tenant_bound(schema):
        rows = BrokerAccount.objects.filter(connection_id=connection_id).order_by("code")
        return list(rows.values_list("code", flat=True))


def our_books(*, schema: str, account_code: str, now: datetime) -> Books:
    """Read our side. Executions are asked for from before the oldest open order was sent."""
    with tenant_bound(schema):
        account = BrokerAccount.objects.get(code=account_code)
        orders = list(
            Order.objects.filter(account=account, is_closed=False)
            .select_related("instrument")
            .order_by("id")
        )
        latest = Execution.objects.filter(account=account).aggregate(at=Max("received_at"))["at"]
        since = min([now, *(order.created_at for order in orders), *([latest] if latest else [])])
        since -= LOOK_BACK
        if latest is None:
            since = account.created_at
        known = Execution.objects.filter(account=account, transact_time__gte=since)
        ours = tuple(
            reconcile.OurOrder(load_state(order), order.symbol, _sent_at(order)) for order in orders
        )
        return Books(
            account_id=account.pk,
            account_code=account.code,
            currency=account.currency,
            since=since,
            ours=ours,
            known_exec_ids=frozenset(known.values_list("exec_id", flat=True)),
            symbols=_symbols(account.pk, since),
            filled_before=filled_before(
                [item.state.venue_cl_ord_id for item in ours if len(item.state.versions) > 1]
            ),
        )


def _symbols(account_id: int, since: datetime) -> frozenset[str]:
    """Instruments the account had an order of, or holds: where a fill may be that is missing."""
    ordered = Order.objects.filter(account_id=account_id).filter(
        Q(created_at__gte=since) | Q(is_closed=False)
    )
    return frozenset(ordered.values_list("symbol", flat=True)).union(
        position_quantities(account_id)
    )


def _sent_at(order: Order) -> datetime | None:
    sent: datetime | None = Command.objects.filter(order=order).aggregate(at=Max("sending_at"))[
        "at"
    ]
    return sent


def compare_orders(*, books: Books, venue: VenueSide, now: datetime) -> reconcile.Findings:
    """What the order and execution pages say that we do not know yet."""
    return reconcile.diff_open_orders(
        account=books.account_code,
        ours=books.ours,
        theirs=[_as_of_the_whole(books, one) for one in venue.orders],
        complete=venue.orders_complete,
        now=now,
    ) + reconcile.diff_executions(
        account=books.account_code,
        ours=books.ours,
        known_exec_ids=books.known_exec_ids,
        theirs=venue.executions,
        complete=venue.executions_complete,
        since=books.since,
        now=now,
    )


def _as_of_the_whole(books: Books, shown: VenueOrder) -> VenueOrder:
    """An order of the venue that is the rest of one of ours, with the figures of the whole."""
    before = books.filled_before.get(shown.venue_cl_ord_id)
    if before is None:
        return shown
    return replace(shown, order_qty=before + shown.order_qty, cum_qty=before + shown.cum_qty)


def fold_findings(*, schema: str, books: Books, findings: reconcile.Findings, now: datetime) -> int:
    """Fold the reports the venue must have sent and we lack; return how many there were."""
    reports = [Incoming(report, None) for _, report in findings.reports]
    apply_reports(
        schema=schema, account_id=books.account_id, incoming=reports, actor=ACTOR, now=now
    )
    return len(reports)


def compare_holdings(*, schema: str, books: Books, venue: VenueSide) -> tuple[reconcile.Break, ...]:
    """Differences in positions and cash between the venue's pages and our books as they stand."""
    with tenant_bound(schema):
        found = reconcile.diff_positions(
            account=books.account_code,
            ours=position_quantities(books.account_id),
            theirs=venue.positions,
            complete=venue.positions_complete,
        ) + reconcile.diff_cash(
            account=books.account_code,
            ours={currency: cash(books.account_id, currency) for currency in venue.balances},
            theirs=venue.balances,
            complete=venue.balances_complete,
        )
        return found.breaks


def persisting(
    before: Iterable[reconcile.Break], after: Iterable[reconcile.Break]
) -> tuple[reconcile.Break, ...]:
    """The differences that are still the same size: a fill between two pages is not one."""
    gaps = {(item.kind, item.key): item.theirs - item.ours for item in before}
    return tuple(
        item for item in after if gaps.get((item.kind, item.key)) == item.theirs - item.ours
    )


def conclude(
    *,
    schema: str,
    books: Books,
    complete: bool,
    breaks: Sequence[reconcile.Break],
    reports_applied: int,
    now: datetime,
) -> ReconciliationRun:
    """Write down the comparison: open, keep and close breaks."""
    with tenant_bound(schema):
        account = BrokerAccount.objects.get(pk=books.account_id)
        return ReconciliationRun.objects.create(
            account=account,
            at=now,
            complete=complete,
            reports_applied=reports_applied,
            breaks_open=_keep_breaks(account, breaks, complete=complete, now=now),
        )


def _keep_breaks(
    account: BrokerAccount, found: Iterable[reconcile.Break], *, complete: bool, now: datetime
) -> int:
    seen = {(item.kind.value, item.key): item for item in found}
    known = {
        (row.kind, row.subject): row
        for row in Break.objects.select_for_update().filter(
            account=account, closed_at=None, kind__in=[kind.value for kind in reconcile.BreakKind]
        )
    }
    for key, item in seen.items():
        if key not in known:
            _open_break(account, item, now)
    if complete:
        for key, row in known.items():
            if key not in seen:
                row.closed_at = now
                row.resolution = "the difference is gone"
                row.save(update_fields=["closed_at", "resolution"])
    return len(seen)


def _open_break(account: BrokerAccount, item: reconcile.Break, now: datetime) -> None:
    row = Break.objects.create(
        id=new_ulid(now),
        account=account,
        kind=item.kind,
        subject=item.key,
        ours=dec_str(item.ours),
        theirs=dec_str(item.theirs),
        detail=item.text,
        opened_at=now,
    )
    publish(
        type="break.opened",
        subject=row.id,
        data=break_json(row),
        actor=ACTOR,
        now=now,
    )
