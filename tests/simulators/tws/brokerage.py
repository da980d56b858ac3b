"""The brokerage behind the socket: one matching engine per contract, orders, executions, books.

It knows nothing of sockets: what it does it returns as messages to be said; the front writes them
to whoever should hear them.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count

from tests.simulators.tws import layouts
from tests.simulators.tws.shapes import ZERO, Fill, Listing, Ticket
from tests.simulators.tws.terms import Refusal, entry_of, is_marketable_type, new_terms, ticks
from trading.matching import Cancel, Engine, QuoteTick, Report
from trading.vocabulary import ExecType

COMMISSION = Decimal("1.00")
ENDED = {ExecType.CANCELED: "Cancelled", ExecType.EXPIRED: "Cancelled"}


@dataclass(frozen=True, slots=True)
class Said:
    """One message. ``client_id`` names the client whose order it is about, None who asked."""

    name: str
    row: layouts.Row
    client_id: int | None = None


class Brokerage:
    """Accounts, contracts and orders of one login. All times are real, all fills deterministic."""

    def __init__(
        self, *, accounts: Iterable[str] = ("DU1",), listings: Iterable[Listing] = ()
    ) -> None:
        self.accounts = list(accounts)
        self.listings = {listing.con_id: listing for listing in listings}
        self.tickets: dict[int, Ticket] = {}
        self.fills: list[Fill] = []
        self.cash = dict.fromkeys(self.accounts, Decimal(1_000_000))
        self._engines: dict[int, Engine] = {}
        self._perm_ids = count(1_000_001)
        self._at = count(1)

    # --- what a test does to the world --------------------------------------------------------

    def quote(self, symbol: str, bid: str, ask: str, size: int = 1_000) -> list[Said]:
        """Show a market; resting orders it reaches are filled. Returns what was said."""
        listing = self.listing(symbol)
        tick = QuoteTick(
            next(self._at),
            ticks(Decimal(bid), listing),
            ticks(Decimal(ask), listing),
            size,
            size,
            last=ticks(Decimal(ask), listing),
        )
        return self._happened(listing, self._engine(listing).apply(tick))

    def enter_by_hand(self, symbol: str, action: str, qty: str, limit: str) -> list[Said]:
        """Place an order from the brokerage's own screen: client 0, no reference."""
        listing = self.listing(symbol)
        ticket = Ticket(
            next(self._perm_ids), 0, 0, listing, self.accounts[0], action, Decimal(qty),
            "LMT", Decimal(limit), None, "DAY", "",
        )  # fmt: skip
        return self._enter(ticket)

    def correct(self, fill: Fill, *, shares: str, price: str) -> list[Said]:
        """Correct an execution: the same id with the last part one higher."""
        stem, _, revision = fill.exec_id.rpartition(".")
        corrected = replace(
            fill,
            exec_id=f"{stem}.{int(revision) + 1:02}",
            shares=Decimal(shares),
            price=Decimal(price),
        )
        ticket = fill.ticket
        ticket.filled += corrected.shares - fill.shares
        ticket.amount += corrected.shares * corrected.price - fill.shares * fill.price
        self.fills.append(corrected)
        return self._execution(corrected)

    def warning(self, ticket: Ticket, code: int, words: str) -> Said:
        """A notice about an order that changes nothing of it."""
        return self._refused(ticket, code, words)

    def listing(self, symbol: str) -> Listing:
        """:raises LookupError: if there is no such contract."""
        for listing in self.listings.values():
            if listing.symbol == symbol:
                return listing
        raise LookupError(symbol)

    def by_reference(self, order_ref: str) -> list[Ticket]:
        """Every order that carries this reference."""
        return [ticket for ticket in self.tickets.values() if ticket.order_ref == order_ref]

    # --- commands of clients ------------------------------------------------------------------

    def place(self, ticket: Ticket) -> list[Said]:
        """A new order, or new terms for one this client placed under the same number."""
        known = self.find(ticket.client_id, ticket.order_id)
        if known is not None:
            return self._modify(known, ticket)
        if not ticket.account and len(self.accounts) == 1:
            ticket.account = self.accounts[0]
        if ticket.account not in self.accounts:
            return [self._refused(ticket, 321, "Invalid account code")]
        if ticket.what_if:
            return [self._margin(ticket)]
        ticket.perm_id = next(self._perm_ids)
        if not ticket.transmit:
            self.tickets[ticket.perm_id] = ticket
            return []
        said: list[Said] = []
        for held in self._family(ticket):
            held.transmit = True
            said += self._enter(held)
        return said

    def cancel(self, client_id: int, order_id: int) -> list[Said]:
        """Take an order back; 10148 where it is done, 10147 where there is none."""
        ticket = self.find(client_id, order_id)
        if ticket is None:
            words = f"OrderId {order_id} that needs to be cancelled is not found."
            return [Said("error", layouts.error(order_id, 10147, words), client_id)]
        if not ticket.is_live:
            words = f"OrderId {order_id} cannot be cancelled, state: {ticket.status}."
            return [Said("error", layouts.error(order_id, 10148, words), client_id)]
        return self._take_out(ticket, "Order Canceled - reason:")

    def find(self, client_id: int, order_id: int) -> Ticket | None:
        """The order a client placed under a number."""
        for ticket in self.tickets.values():
            if (ticket.client_id, ticket.order_id) == (client_id, order_id):
                return ticket
        return None

    def open_tickets(self, client_id: int | None = None) -> list[Ticket]:
        """Orders that work, of one client or of all."""
        return [
            ticket
            for ticket in self.tickets.values()
            if ticket.is_live and ticket.transmit and client_id in (None, ticket.client_id)
        ]

    def completed_tickets(self) -> list[Ticket]:
        """Orders that are done."""
        return [ticket for ticket in self.tickets.values() if not ticket.is_live]

    def positions(self) -> dict[tuple[str, int], tuple[Decimal, Decimal]]:
        """Quantity and average price by account and contract."""
        held: dict[tuple[str, int], tuple[Decimal, Decimal]] = {}
        for fill in self.latest_fills():
            key = (fill.ticket.account, fill.ticket.listing.con_id)
            qty, amount = held.get(key, (ZERO, ZERO))
            signed = fill.shares if fill.side == "BOT" else -fill.shares
            held[key] = (qty + signed, amount + signed * fill.price)
        return {key: (qty, amount / qty if qty else ZERO) for key, (qty, amount) in held.items()}

    def latest_fills(self) -> list[Fill]:
        """Every execution in its last revision."""
        latest: dict[str, Fill] = {}
        for fill in self.fills:
            latest[fill.exec_id.rpartition(".")[0]] = fill
        return list(latest.values())

    # --- inside -------------------------------------------------------------------------------

    def _family(self, ticket: Ticket) -> list[Ticket]:
        """An order with the untransmitted ones it releases: its parent and its siblings."""
        waiting = [
            other
            for other in self.tickets.values()
            if not other.transmit
            and other.client_id == ticket.client_id
            and ticket.parent_id
            and ticket.parent_id in (other.order_id, other.parent_id)
        ]
        return [*waiting, ticket]

    def _enter(self, ticket: Ticket) -> list[Said]:
        self.tickets[ticket.perm_id] = ticket
        parent = self.find(ticket.client_id, ticket.parent_id) if ticket.parent_id else None
        if parent is not None and parent.is_live and parent.filled < parent.qty:
            ticket.status = "PreSubmitted"
            return [self._opened(ticket), self._status(ticket)]
        return self._work(ticket)

    def _work(self, ticket: Ticket) -> list[Said]:
        """The order goes to the market; one the brokerage does not take is Inactive."""
        try:
            entry = entry_of(ticket, next(self._at))
        except Refusal as refusal:
            return self._inactive(ticket, str(refusal))
        ticket.status = "Submitted" if is_marketable_type(ticket) else "PreSubmitted"
        said = [self._opened(ticket), self._status(ticket)]
        return said + self._happened(ticket.listing, self._engine(ticket.listing).apply(entry))

    def _inactive(self, ticket: Ticket, why: str) -> list[Said]:
        ticket.status = "Inactive"
        refused = self._refused(ticket, 201, f"Order rejected - reason:{why}")
        return [refused, self._opened(ticket), self._status(ticket)]

    def _modify(self, known: Ticket, wanted: Ticket) -> list[Said]:
        if not known.is_live:
            words = "Cannot modify a filled order."
            return [Said("error", layouts.error(known.order_id, 104, words), known.client_id)]
        known.qty, known.limit, known.aux = wanted.qty, wanted.limit, wanted.aux
        known.tif, known.good_till = wanted.tif, wanted.good_till
        known.order_ref, known.display = wanted.order_ref, wanted.display
        known.trail_stop, known.trail_percent = wanted.trail_stop, wanted.trail_percent
        said = [self._opened(known), self._status(known)]
        engine = self._engine(known.listing)
        if engine.find(str(known.perm_id)) is None:
            return said  # it waits for its parent
        try:
            request = new_terms(known, next(self._at))
        except Refusal as refusal:
            return [self._refused(known, 201, f"Order rejected - reason:{refusal}")]
        return said + self._happened(known.listing, engine.apply(request))

    def _take_out(self, ticket: Ticket, words: str) -> list[Said]:
        engine = self._engine(ticket.listing)
        said: list[Said] = []
        if engine.find(str(ticket.perm_id)) is not None:
            request = Cancel(next(self._at), str(ticket.perm_id), "cancel")
            said = self._happened(ticket.listing, engine.apply(request))
        else:
            said = self._ended(ticket, "Cancelled")
        return [*said, Said("error", layouts.error(ticket.order_id, 202, words), ticket.client_id)]

    def _happened(self, listing: Listing, reports: list[Report]) -> list[Said]:
        said: list[Said] = []
        for report in reports:
            ticket = self.tickets[int(report.order_id)]
            if report.exec_type is ExecType.TRADE:
                said += self._filled(ticket, report, listing)
            elif report.exec_type in ENDED:
                said += self._ended(ticket, ENDED[report.exec_type])
            elif report.exec_type is ExecType.REJECTED:
                said += self._inactive(ticket, str(report.reason))
            elif report.exec_type is ExecType.TRIGGERED:
                ticket.status = "Submitted"
                said += [self._opened(ticket), self._status(ticket)]
        return said

    def _filled(self, ticket: Ticket, report: Report, listing: Listing) -> list[Said]:
        shares = report.last_qty * listing.size_increment
        price = report.last_px * listing.min_tick
        ticket.filled += shares
        ticket.amount += shares * price
        ticket.last_px = price
        ticket.status = "Filled" if ticket.remaining == 0 else "Submitted"
        fill = Fill(
            exec_id=f"0000e0d5.{ticket.perm_id:x}.{len(self.fills) + 1:04}.01",
            ticket=ticket,
            shares=shares,
            price=price,
            at=datetime.now(UTC),
            cum=ticket.filled,
            average=ticket.average,
            maker=str(report.liquidity) == "MAKER",
            commission=COMMISSION,
        )
        self.fills.append(fill)
        sign = 1 if ticket.buys else -1
        self.cash[ticket.account] -= sign * shares * price + COMMISSION
        said = [*self._execution(fill), self._opened(ticket), self._status(ticket)]
        if ticket.status == "Filled":
            ticket.completed_at = fill.at.strftime("%Y%m%d %H:%M:%S UTC")
        return said + self._linked(ticket, shares)

    def _linked(self, ticket: Ticket, shares: Decimal) -> list[Said]:
        """What a fill of so many shares does to the order's children and to its siblings."""
        said: list[Said] = []
        for other in list(self.tickets.values()):
            if other is ticket or not other.is_live or other.client_id != ticket.client_id:
                continue
            if other.parent_id == ticket.order_id:
                if ticket.remaining == 0 and other.transmit:
                    said += self._work(other)
            elif ticket.parent_id and other.parent_id == ticket.parent_id:
                said += self._reduced(other, shares)
            elif ticket.oca_group and other.oca_group == ticket.oca_group:
                whole = other.oca_type in (0, 1)
                said += self._reduced(other, other.remaining if whole else shares)
        return said

    def _reduced(self, ticket: Ticket, shares: Decimal) -> list[Said]:
        """Take so many shares off an order; one that has nothing left is cancelled."""
        if shares >= ticket.remaining:
            return self._take_out(ticket, "Order Canceled - reason:One cancels all")
        ticket.qty -= shares
        said = [self._opened(ticket), self._status(ticket)]
        engine = self._engine(ticket.listing)
        if engine.find(str(ticket.perm_id)) is None:
            return said
        return said + self._happened(
            ticket.listing, engine.apply(new_terms(ticket, next(self._at)))
        )

    def _ended(self, ticket: Ticket, status: str) -> list[Said]:
        ticket.status = status
        ticket.completed_at = datetime.now(UTC).strftime("%Y%m%d %H:%M:%S UTC")
        said = [self._opened(ticket), self._status(ticket)]
        for child in list(self.tickets.values()):
            is_child = child.client_id == ticket.client_id and child.parent_id == ticket.order_id
            if is_child and child.is_live and not ticket.filled:
                said += self._take_out(child, "Order Canceled - reason:parent cancelled")
        return said

    def _engine(self, listing: Listing) -> Engine:
        return self._engines.setdefault(listing.con_id, Engine())

    def _opened(self, ticket: Ticket) -> Said:
        return Said("openOrder", [replace(ticket)], ticket.client_id)

    def _status(self, ticket: Ticket) -> Said:
        return Said("orderStatus", layouts.order_status(ticket), ticket.client_id)

    def _refused(self, ticket: Ticket, code: int, words: str) -> Said:
        return Said("error", layouts.error(ticket.order_id, code, words), ticket.client_id)

    def _execution(self, fill: Fill) -> list[Said]:
        return [
            Said("execDetails", [fill], fill.ticket.client_id),
            Said("commissionReport", layouts.commission(fill), fill.ticket.client_id),
        ]

    def _margin(self, ticket: Ticket) -> Said:
        ticket.status = "PreSubmitted"
        return Said("openOrder", [replace(ticket)], ticket.client_id)
