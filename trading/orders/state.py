"""The facts known about one order, and everything that is read off them.

Nothing here is assigned a status: reports add facts (``trading.orders.fold``), the properties
compute. A DAY-like order is one whose time in force cannot outlive the day.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Context, Decimal
from typing import Any

from trading.orders.canonical import EXACT, ZERO
from trading.orders.chain import clamped_total, find_version, put_in_force_before
from trading.orders.facts import (
    CLOSED_STATUSES,
    DAY_LIKE,
    Closing,
    Json,
    Mark,
    Terms,
    Trailed,
    Version,
    VersionState,
    read_closing,
    read_mark,
    read_trailed,
    read_version,
    terms_of,
    without_none,
    write_closing,
    write_mark,
    write_trailed,
    write_version,
)
from trading.orders.ids import MAX_AMENDS
from trading.orders.ledger import EMPTY, Ledger, LedgerEntry, ledger_of, precedes
from trading.orders.once import once
from trading.orders.reports import ExecutionReport, from_json, to_json
from trading.vocabulary import OrdStatus, TimeInForce

__all__ = [
    "Closing",
    "LedgerEntry",
    "Mark",
    "OrderState",
    "Terms",
    "Version",
    "VersionState",
    "facts_json",
    "new_state",
    "state_from",
    "terms_of",
]

_AVERAGE = Context(prec=28)


@dataclass(frozen=True)
class OrderState:
    """All facts about one order. ``id`` is its ULID; requests are sets of ``cl_ord_id``.

    ``acked``: somebody who can hold the order has said it exists; ``unseen``: that was this
    system alone (it keeps the order, or has just released it), no venue. ``resolved`` keeps the
    requests already answered, so that a late "pending" says nothing new. ``held`` are
    corrections whose trade has not come yet.
    """

    id: str
    versions: tuple[Version, ...]
    ledger: Ledger = EMPTY
    acked: bool = False
    closing: Closing | None = None
    done: Mark | None = None
    stop: Mark | None = None
    suspend: Mark | None = None
    pending_cancels: frozenset[str] = frozenset()
    pending_replaces: frozenset[str] = frozenset()
    resolved: frozenset[str] = frozenset()
    held: tuple[ExecutionReport, ...] = ()
    triggered: bool = False
    unseen: bool = False
    trailed: Trailed | None = None

    def with_(self, **facts: object) -> "OrderState":
        """Return a copy with some facts changed, faster than ``dataclasses.replace``."""
        copy = object.__new__(OrderState)
        known, content = self.__dict__, copy.__dict__
        for name in _FACTS:  # and not what was worked out from them
            content[name] = known[name]
        content.update(facts)
        return copy

    # --- terms in force ------------------------------------------------------------------

    @once
    def accepted(self) -> tuple[Version, ...]:
        """Versions that are or were in force, oldest first by the venue's order."""
        chain: list[Version] = []
        for version in self.versions:
            if version.state is VersionState.ACCEPTED:
                at = len(chain)
                while at and put_in_force_before(version, chain[at - 1]):
                    at -= 1
                chain.insert(at, version)
        return tuple(chain)

    @property
    def current(self) -> Version:
        """The version in force."""
        versions = self.versions
        return versions[0] if len(versions) == 1 else self.accepted[-1]

    @property
    def terms(self) -> Terms:
        """Terms in force as agreed; ``order_qty`` of the order itself may be clamped above."""
        return self.current.terms

    @property
    def cl_ord_id(self) -> str:
        """Id of the last request that was accepted; changes by others carry it on."""
        if len(self.versions) > 1:
            for version in reversed(self.accepted):
                if version.cl_ord_id is not None:
                    return version.cl_ord_id
        return self.versions[0].cl_ord_id or ""

    @property
    def venue_cl_ord_id(self) -> str:
        """Id under which the venue knows the version in force."""
        if len(self.versions) > 1:
            for version in reversed(self.accepted):
                if version.venue_cl_ord_id is not None:
                    return version.venue_cl_ord_id
        return self.versions[0].venue_cl_ord_id or self.id

    @property
    def order_id(self) -> str | None:
        """The venue's own id of the version in force, or of the last one that had any."""
        if len(self.versions) > 1:
            for version in reversed(self.accepted):
                if version.order_id is not None:
                    return version.order_id
        return self.versions[0].order_id

    @once
    def order_qty(self) -> Decimal:
        """Total in force: as agreed, but never below what earlier versions had executed.

        A decrease that comes after the fills cancels the balance and is no overfill; what an
        earlier version executed beyond its own total stays one.
        """
        versions = self.versions
        if len(versions) == 1:
            return versions[0].terms.order_qty
        chain = self.accepted
        agreed = chain[-1].terms.order_qty
        if agreed >= self.ledger.cum_qty or len(chain) == 1:
            # No earlier version can have executed more than all of them together.
            return agreed
        return clamped_total(chain, self.versions, self.ledger)

    @property
    def price(self) -> Decimal | None:
        """Limit price in force."""
        return self.current.terms.price

    @property
    def stop_px(self) -> Decimal | None:
        """Trigger price in force: as agreed, or where its trail has taken it."""
        if self.trailed is not None and self.trailed.stop_px is not None:
            return self.trailed.stop_px
        return self.current.terms.stop_px

    @property
    def display_qty(self) -> Decimal | None:
        """Shown quantity in force."""
        return self.current.terms.display_qty

    @property
    def trail_offset(self) -> Decimal | None:
        """Distance of the trail in force."""
        return self.current.terms.trail_offset

    @property
    def limit_offset(self) -> Decimal | None:
        """Distance of the limit from the trail's stop in force."""
        return self.current.terms.limit_offset

    @property
    def time_in_force(self) -> TimeInForce:
        """How long the version in force lives."""
        return self.current.terms.time_in_force

    @property
    def expire_time(self) -> datetime | None:
        """When the version in force ends, if at an instant."""
        return self.current.terms.expire_time

    # --- figures ---------------------------------------------------------------------------

    @property
    def cum_qty(self) -> Decimal:
        """Executed so far."""
        return self.ledger.cum_qty

    @property
    def gross_trade_amt(self) -> Decimal:
        """Sum of quantity times price, without the instrument's multiplier."""
        return self.ledger.gross_trade_amt

    @property
    def avg_px(self) -> Decimal | None:
        """Average price; None while nothing is executed."""
        cum_qty = self.ledger.cum_qty
        return _AVERAGE.divide(self.ledger.gross_trade_amt, cum_qty) if cum_qty else None

    @property
    def overfill_qty(self) -> Decimal:
        """Executed beyond the total that was in force."""
        excess = EXACT.subtract(self.ledger.cum_qty, self.order_qty)
        return excess if excess > 0 else ZERO

    @property
    def leaves_qty(self) -> Decimal:
        """Quantity that may still trade."""
        status = self.ord_status
        if status is OrdStatus.DONE_FOR_DAY and self.time_in_force in DAY_LIKE:
            return ZERO
        if status in CLOSED_STATUSES:
            return ZERO
        rest = EXACT.subtract(self.order_qty, self.ledger.cum_qty)
        return rest if rest > 0 else ZERO

    def reserved_qty(self, *, new_unresolved: bool = False) -> Decimal:
        """Quantity risk must keep free: the most that any outcome still open could execute.

        ``new_unresolved``: the NEW command is QUEUED, SENDING or UNKNOWN.
        """
        asked = [v.terms.order_qty for v in self.versions if v.state is VersionState.PENDING]
        if not asked and not new_unresolved:
            return self.leaves_qty
        if self.closing is not None:
            return ZERO
        rest = EXACT.subtract(max(self.order_qty, *asked, ZERO), self.ledger.cum_qty)
        return rest if rest > 0 else ZERO

    # --- status ----------------------------------------------------------------------------

    @once
    def base_status(self) -> OrdStatus:
        """Status without the requests that wait for an answer."""
        closing = self.closing
        cum_qty = self.ledger.cum_qty
        if closing is None and self.done is not None and self.done.on and self._is_done():
            return OrdStatus.DONE_FOR_DAY
        if cum_qty and cum_qty >= self.order_qty:
            return OrdStatus.FILLED
        if closing is None:
            if self.stop is not None and self.stop.on:
                return OrdStatus.STOPPED
            if self.suspend is not None and self.suspend.on:
                return OrdStatus.SUSPENDED
        elif closing.closed_as is not OrdStatus.REJECTED:
            return closing.closed_as
        if cum_qty:
            return OrdStatus.PARTIALLY_FILLED
        if closing is not None:
            return OrdStatus.REJECTED
        return OrdStatus.NEW if self.acked else OrdStatus.PENDING_NEW

    @property
    def ord_status(self) -> OrdStatus:
        """The applicable status of highest precedence."""
        if self.pending_cancels:
            return OrdStatus.PENDING_CANCEL
        if self.pending_replaces:
            return OrdStatus.PENDING_REPLACE
        return self.base_status

    @property
    def is_closed(self) -> bool:
        """Nothing can trade any more, as far as the evidence goes."""
        status = self.ord_status
        return status in CLOSED_STATUSES or (
            status is OrdStatus.DONE_FOR_DAY and self.time_in_force in DAY_LIKE
        )

    @property
    def closed_as(self) -> OrdStatus | None:
        """CANCELED, EXPIRED or REJECTED once the venue (or we) ended the order."""
        return None if self.closing is None else self.closing.closed_as

    @property
    def chain_head(self) -> str:
        """Last id of the chain that was not refused: what the next request must name."""
        for version in reversed(self.versions):
            if version.state is VersionState.PENDING and version.cl_ord_id is not None:
                return version.cl_ord_id
        return self.cl_ord_id

    @property
    def next_version(self) -> int:
        """Number the next version gets. The caller refuses past ``ids.MAX_AMENDS``."""
        return max(version.number for version in self.versions) + 1

    @property
    def may_amend(self) -> bool:
        """Whether the chain has room for one more version."""
        return self.next_version <= MAX_AMENDS

    def version_state(self, version: Version) -> VersionState:
        """Return a version's state as shown: accepted ones before the current are SUPERSEDED."""
        if version.state is VersionState.ACCEPTED and version.number != self.current.number:
            return VersionState.SUPERSEDED
        return version.state

    def version_for(
        self, cl_ord_id: str | None, venue_cl_ord_id: str | None = None
    ) -> Version | None:
        """Find the version one of the ids names; the venue's copy of our id goes first."""
        return find_version(self.versions, cl_ord_id, venue_cl_ord_id)

    def _is_done(self) -> bool:
        """Done for day counts unless the order was complete before the venue said so."""
        mark = self.done
        if mark is None or self.ledger.cum_qty < self.order_qty:
            return True
        before = ZERO
        for item in self.ledger.effective():
            root = item.root
            if not precedes(mark.venue_seq, mark.transact_time, root.venue_seq, root.transact_time):
                before = EXACT.add(before, item.qty)
        return before < self.order_qty


_FACTS = tuple(fact.name for fact in fields(OrderState))


def new_state(id: str, cl_ord_id: str, terms: Terms, venue_cl_ord_id: str = "") -> OrderState:  # noqa: A002
    """Return the state of an order nobody has sent yet. ``id`` is its ULID."""
    first = Version(0, cl_ord_id, venue_cl_ord_id or id, terms, VersionState.ACCEPTED)
    return OrderState(id=id, versions=(first,))


def facts_json(state: OrderState) -> Json:
    """Return every fact but the ledger as JSON values; equal states give equal bytes."""
    return without_none(
        id=state.id,
        versions=[write_version(version) for version in state.versions],
        acked=state.acked,
        closing=write_closing(state.closing),
        done=write_mark(state.done),
        stop=write_mark(state.stop),
        suspend=write_mark(state.suspend),
        pending_cancels=sorted(state.pending_cancels) or None,
        pending_replaces=sorted(state.pending_replaces) or None,
        resolved=sorted(state.resolved) or None,
        held=[to_json(report) for report in state.held] or None,
        triggered=state.triggered or None,
        unseen=state.unseen or None,
        trailed=write_trailed(state.trailed),
    )


def state_from(facts: Mapping[str, Any], ledger_entries: Iterable[LedgerEntry]) -> OrderState:
    """Rebuild a state from ``facts_json`` and its executions, oldest first.

    :raises KeyError, ValueError: when ``facts`` is not what ``facts_json`` writes.
    """
    return OrderState(
        id=facts["id"],
        versions=tuple(read_version(item) for item in facts["versions"]),
        ledger=ledger_of(ledger_entries),
        acked=facts["acked"],
        closing=read_closing(facts.get("closing")),
        done=read_mark(facts.get("done")),
        stop=read_mark(facts.get("stop")),
        suspend=read_mark(facts.get("suspend")),
        pending_cancels=frozenset(facts.get("pending_cancels", ())),
        pending_replaces=frozenset(facts.get("pending_replaces", ())),
        resolved=frozenset(facts.get("resolved", ())),
        held=tuple(from_json(item) for item in facts.get("held", ())),
        triggered=facts.get("triggered", False),
        unseen=facts.get("unseen", False),
        trailed=read_trailed(facts.get("trailed")),
    )
