"""Compare our books with a venue's pages: missing reports, questions, breaks. Pure.

An incomplete page is no evidence of anything, absence from a page proves no ending, and a
difference no order explains is a break for people: nothing is overwritten.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from trading.orders.canonical import EXACT, ZERO, dec_str
from trading.orders.ids import fingerprint
from trading.orders.ledger import EntryKind
from trading.orders.outcome import Query
from trading.orders.reports import ExecutionReport
from trading.orders.state import OrderState
from trading.orders.status import missing_reports
from trading.vocabulary import ExecType, OrdStatus, ReportSource

YOUNG_ORDER = timedelta(seconds=5)
"""The venue's pages may lag: orders sent less than this ago are left alone."""

_BOOKING = frozenset({ExecType.TRADE, ExecType.TRADE_CORRECT, ExecType.TRADE_CANCEL})


class VenueOrderLike(Protocol):
    """One order as a venue lists it. Quantities are totals, ids as text."""

    @property
    def venue_cl_ord_id(self) -> str | None:
        """Our id as the venue carries it, if any."""

    @property
    def order_id(self) -> str | None:
        """The venue's id."""

    @property
    def symbol(self) -> str:
        """The instrument, in our spelling."""

    @property
    def ord_status(self) -> OrdStatus:
        """Status by the venue."""

    @property
    def order_qty(self) -> Decimal:
        """Total in force."""

    @property
    def cum_qty(self) -> Decimal:
        """Executed by the venue's count."""

    @property
    def leaves_qty(self) -> Decimal:
        """What may still trade."""

    @property
    def price(self) -> Decimal | None:
        """Limit price in force."""


@dataclass(frozen=True, slots=True)
class OurOrder:
    """One order of the account that is open for us, with when its latest command was sent."""

    state: OrderState
    symbol: str
    sent_at: datetime | None

    def is_young(self, now: datetime) -> bool:
        """Whether the venue's page may not know the last word yet, or nothing was sent."""
        return self.sent_at is None or now - self.sent_at < YOUNG_ORDER


class BreakKind(StrEnum):
    """Differences only a person can settle."""

    EXTERNAL_ORDER = "EXTERNAL_ORDER"
    EXTERNAL_EXECUTION = "EXTERNAL_EXECUTION"
    EXECUTION_NOT_AT_VENUE = "EXECUTION_NOT_AT_VENUE"
    POSITION = "POSITION"
    CASH = "CASH"


@dataclass(frozen=True, slots=True)
class Break:
    """A difference: ``key`` names it (id, symbol or currency), ``id`` is the same each time the
    same difference is seen. ``ours`` and ``theirs`` in the unit of the thing compared.
    """

    id: str
    kind: BreakKind
    account: str
    key: str
    ours: Decimal
    theirs: Decimal
    text: str


@dataclass(frozen=True, slots=True)
class Findings:
    """What a comparison gives: reports to fold by order ULID, orders to look up one by one,
    orders whose executions to fetch, and breaks. Empty when the page proves nothing.
    """

    reports: tuple[tuple[str, ExecutionReport], ...] = ()
    lookups: tuple[str, ...] = ()
    executions_of: tuple[str, ...] = ()
    breaks: tuple[Break, ...] = ()

    def __add__(self, other: "Findings") -> "Findings":
        return Findings(
            self.reports + other.reports,
            self.lookups + other.lookups,
            self.executions_of + other.executions_of,
            self.breaks + other.breaks,
        )


NOTHING = Findings()


def diff_open_orders(
    *,
    account: str,
    ours: Sequence[OurOrder],
    theirs: Sequence[VenueOrderLike],
    complete: bool,
    now: datetime,
) -> Findings:
    """Compare open orders. One of ours that the venue does not list is looked up, not ended."""
    if not complete:
        return NOTHING
    unmatched = list(theirs)
    findings = NOTHING
    for order in ours:
        listed = next((item for item in unmatched if _is_same(order.state, item)), None)
        if listed is not None:
            unmatched.remove(listed)
        if order.is_young(now):
            continue
        if listed is None:
            findings += Findings(lookups=(order.state.id,))
        else:
            findings += _compare(account, order.state, listed, now)
    for item in unmatched:
        key = item.order_id or item.venue_cl_ord_id or ""
        text = f"the venue works an order in {item.symbol} that is none of our open ones"
        findings += Findings(
            breaks=(_break(BreakKind.EXTERNAL_ORDER, account, key, ZERO, item.order_qty, text),)
        )
    return findings


def diff_executions(
    *,
    account: str,
    ours: Sequence[OurOrder],
    known_exec_ids: Collection[str],
    theirs: Iterable[ExecutionReport],
    complete: bool,
    since: datetime,
    now: datetime,
) -> Findings:
    """Compare executions from ``since`` on: missing ones are folded as the venue's own reports.

    ``known_exec_ids`` are all of the account's. Ours that a complete page lacks are breaks.
    """
    if not complete:
        return NOTHING
    findings = NOTHING
    listed: set[str] = set()
    for report in theirs:
        if report.exec_type not in _BOOKING or report.exec_id in listed:
            continue
        listed.add(report.exec_id)
        if report.exec_id in known_exec_ids:
            continue
        owner = next((order.state for order in ours if _names(order.state, report)), None)
        if owner is not None:
            findings += Findings(reports=((owner.id, report),))
            continue
        text = "the venue reports an execution of an order we do not know"
        key, qty = report.exec_id, report.last_qty or ZERO
        findings += Findings(
            breaks=(_break(BreakKind.EXTERNAL_EXECUTION, account, key, ZERO, qty, text),)
        )
    for order in ours:
        for entry in order.state.ledger.entries.values():
            if (
                entry.exec_id not in listed
                and entry.kind is not EntryKind.ADJUST
                and entry.source is ReportSource.VENUE
                and since <= entry.transact_time <= now - YOUNG_ORDER
            ):
                text = f"order {order.state.id} has an execution the venue does not list"
                kind = BreakKind.EXECUTION_NOT_AT_VENUE
                found = _break(kind, account, entry.exec_id, entry.qty, ZERO, text)
                findings += Findings(breaks=(found,))
    return findings


def diff_positions(
    *,
    account: str,
    ours: Mapping[str, Decimal],
    theirs: Mapping[str, Decimal],
    complete: bool,
) -> Findings:
    """Compare signed positions by symbol; what a side does not list is flat there."""
    if not complete:
        return NOTHING
    return _diff_amounts(BreakKind.POSITION, account, ours, theirs, ZERO)


def diff_cash(
    *,
    account: str,
    ours: Mapping[str, Decimal],
    theirs: Mapping[str, Decimal],
    complete: bool,
    tolerance: Decimal = ZERO,
) -> Findings:
    """Compare cash by currency; differences up to ``tolerance`` are the venue's rounding."""
    if not complete:
        return NOTHING
    return _diff_amounts(BreakKind.CASH, account, ours, theirs, tolerance)


def _compare(account: str, state: OrderState, listed: VenueOrderLike, now: datetime) -> Findings:
    answer = ExecutionReport(
        exec_type=ExecType.ORDER_STATUS,
        source=ReportSource.RECON,
        exec_id="",
        transact_time=now,
        venue_cl_ord_id=listed.venue_cl_ord_id,
        order_id=listed.order_id,
        ord_status=listed.ord_status,
        order_qty=listed.order_qty,
        price=listed.price,
        cum_qty=listed.cum_qty,
        leaves_qty=listed.leaves_qty,
    )
    missing, query, _stale = missing_reports(state, answer, account=account)
    if query is not None:
        wanted = query is Query.EXECUTIONS
        return Findings(
            lookups=() if wanted else (state.id,), executions_of=(state.id,) if wanted else ()
        )
    return Findings(reports=tuple((state.id, item) for item in missing))


def _is_same(state: OrderState, listed: VenueOrderLike) -> bool:
    """Our id decides where the venue carries it, else its own."""
    if listed.venue_cl_ord_id:
        return any(item.venue_cl_ord_id == listed.venue_cl_ord_id for item in state.versions)
    return listed.order_id is not None and any(
        item.order_id == listed.order_id for item in state.versions
    )


def _names(state: OrderState, report: ExecutionReport) -> bool:
    for version in state.versions:
        if report.venue_cl_ord_id and version.venue_cl_ord_id == report.venue_cl_ord_id:
            return True
        if report.order_id is not None and version.order_id == report.order_id:
            return True
    return report.exec_ref_id is not None and report.exec_ref_id in state.ledger.entries


def _diff_amounts(
    kind: BreakKind,
    account: str,
    ours: Mapping[str, Decimal],
    theirs: Mapping[str, Decimal],
    tolerance: Decimal,
) -> Findings:
    breaks = []
    for key in sorted({*ours, *theirs}):
        here, there = ours.get(key, ZERO), theirs.get(key, ZERO)
        gap = EXACT.subtract(there, here)
        if abs(gap) > tolerance:
            text = f"{key}: the venue has {dec_str(there)}, our books {dec_str(here)}"
            breaks.append(_break(kind, account, key, here, there, text))
    return Findings(breaks=tuple(breaks))


def _break(
    kind: BreakKind, account: str, key: str, ours: Decimal, theirs: Decimal, text: str
) -> Break:
    made = fingerprint(
        kind=kind.value, account=account, key=key, ours=dec_str(ours), theirs=dec_str(theirs)
    )
    return Break(made, kind, account, key, ours, theirs, text)
