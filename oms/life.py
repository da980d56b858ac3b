"""The whole life of one order, read together: what every page and file about it is made of."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from brokers.models import BrokerMessage
from common.actor import Actor
from common.numbers import dec_str
from events.selectors import ChainLink, links_about
from oms import selectors
from oms.models import Command, Execution, Order, OrderEvent, OrderVersion, ParkedReport
from oms.present import order_json
from oms.totals import uncounted
from portfolio import selectors as books
from portfolio.models import JournalEntry, JournalLine, Lot, LotClosure
from risk.selectors import breaches_of
from trading.risk import Breach

RAW_SCOPE = "orders:write"
"""Who may see the venue's messages as they came: the same as at the API."""
BOOKS_SCOPE = "positions:read"


@dataclass(frozen=True, slots=True)
class Postings:
    """What an order's executions did to the books."""

    entries: Sequence[tuple[JournalEntry, Sequence[JournalLine]]]
    opened: Sequence[Lot]
    closures: Sequence[LotClosure]


@dataclass(frozen=True, slots=True)
class OrderLife:
    """One order as one reader may see it.

    ``shown`` is the order object of the API, ``overtaken`` the ids of executions that count
    for nothing now. The messages of ``events`` and ``messages`` itself
    are None without ``RAW_SCOPE``, ``postings`` without ``BOOKS_SCOPE``.
    """

    order: Order
    shown: dict[str, Any]
    events: Sequence[tuple[OrderEvent, str | None]]
    commands: Sequence[Command]
    versions: Sequence[OrderVersion]
    executions: Sequence[Execution]
    overtaken: frozenset[str]
    parked: Sequence[ParkedReport]
    breaches: Sequence[Breach]
    messages: Sequence[BrokerMessage] | None
    postings: Postings | None
    chain: Sequence[ChainLink]

    @property
    def places(self) -> int:
        """How many decimals the instrument's prices have."""
        return len(dec_str(self.order.instrument.tick_size).partition(".")[2])


def life_of(*, actor: Actor, order_id: str) -> OrderLife:
    """Read the order with all that tells about it.

    Commands are read before the order's row and events after it, so that an outcome committed in
    between shows as an event more, never as terms that are no longer in force.

    :raises NotFound: absent or not the actor's to see; both look the same.
    """
    pending = selectors.open_commands_of([order_id])[order_id]
    order = selectors.access_order(actor=actor, order_id=order_id)
    sees_raw, sees_books = actor.may(RAW_SCOPE), actor.may(BOOKS_SCOPE)
    executions = list(selectors.list_executions(actor=actor, order_id=order.id).order_by("id"))
    return OrderLife(
        order=order,
        shown=order_json(order, pending, account_code=order.account.code),
        events=[(event, raw if sees_raw else None) for event, raw in selectors.events_of(order)],
        commands=selectors.commands_of(order),
        versions=selectors.versions_of(order),
        executions=executions,
        overtaken=uncounted(executions),
        parked=selectors.parked_of(order),
        breaches=breaches_of(order.id),
        messages=selectors.messages_of(order) if sees_raw else None,
        postings=_postings(order, [row.id for row in executions]) if sees_books else None,
        chain=links_about(actor=actor, subject=order.id),
    )


def _postings(order: Order, execution_ids: Sequence[str]) -> Postings:
    entries = books.entries_of_fills(order.account_id, execution_ids)
    lines = books.lines_of(entries)
    return Postings(
        entries=[(entry, lines[entry.id]) for entry in entries],
        opened=list(books.lots_opened_by(execution_ids)),
        closures=books.closures_by(execution_ids),
    )
