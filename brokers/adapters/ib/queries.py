"""The port's questions, answered from TWS's own books. Silence makes a page incomplete."""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from brokers.adapters.base import (
    BalancesPage,
    ExecutionsPage,
    Lookup,
    NotConnected,
    OrdersPage,
    PositionsPage,
    VenueOrder,
)
from brokers.adapters.ib import books, parse
from brokers.adapters.ib.contracts import Contracts
from brokers.adapters.ib.line import Line
from brokers.adapters.ib.numbers import OrderNumbers, current_ref
from brokers.adapters.ib.orders import Orders
from brokers.adapters.ib.setup import Setup
from brokers.adapters.ib.wire import WireOrder
from brokers.models import OrderNumber

log = logging.getLogger("brokers.ib")
ZERO = Decimal(0)

Versions = dict[int, list[OrderNumber]]


@dataclass(frozen=True, slots=True)
class Queries:
    """Questions of one session."""

    line: Line
    setup: Setup
    orders: Orders
    contracts: Contracts
    numbers: OrderNumbers

    async def lookup(self, account: str, venue_cl_ord_id: str) -> Lookup:
        """Find an order among those that work, those that are done today, and executions."""
        horizon = books.day_begun(self.setup.time_zone, datetime.now(UTC))
        try:
            found = await self._find(account, venue_cl_ord_id)
        except (TimeoutError, books.Unclear) as unclear:
            log.warning("a look-up of %s stays without an answer: %s", venue_cl_ord_id, unclear)
            return Lookup(None, complete=False, horizon=horizon)
        return Lookup(found, complete=True, horizon=horizon)

    async def open_orders(self, account: str) -> OrdersPage:
        """All working orders of the account."""
        try:
            rows = await books.open_rows(self.line)
        except TimeoutError:
            return OrdersPage((), complete=False)
        mine = [row for row in rows if row[0].account == self.setup.accounts[account]]
        versions = await self.numbers.versions(order.number for order, _ in mine)
        orders = (
            self._in_words(account, order, versions, ZERO if status is None else status.filled)
            for order, status in mine
        )
        return OrdersPage(tuple(orders), complete=True)

    async def executions(self, account: str, since: datetime) -> ExecutionsPage:
        """Trades since an instant, complete if TWS still lists that far back."""
        covered = since >= books.day_begun(self.setup.time_zone, datetime.now(UTC))
        try:
            heard = await books.execution_rows(self.line, self.orders, since)
        except TimeoutError:
            return ExecutionsPage((), complete=False)
        raws = tuple(parse.sealed(item.envelope) for item in heard if item.account == account)
        return ExecutionsPage(raws, complete=covered)

    async def positions(self, account: str) -> PositionsPage:
        """What the account holds."""
        try:
            rows = await books.position_rows(self.line)
        except TimeoutError:
            return PositionsPage({}, complete=False)
        held = {
            (account, self.contracts.symbol_of(con_id, symbol)): quantity
            for owner, con_id, symbol, quantity in rows
            if owner == self.setup.accounts[account] and quantity
        }
        return PositionsPage(held, complete=True)

    async def balances(self, account: str) -> BalancesPage:
        """The account's cash by currency."""
        try:
            cash = await books.cash_rows(self.line, self.setup.accounts[account])
        except TimeoutError:
            return BalancesPage({}, complete=False)
        return BalancesPage({(account, code): sum_ for code, sum_ in cash.items()}, complete=True)

    async def working(self, venue_cl_ord_id: str) -> WireOrder | None:
        """The order as TWS has it now, None if it works none under this id.

        :raises NotConnected: if TWS does not say.
        """
        try:
            rows = await books.open_rows(self.line)
        except TimeoutError as silence:
            raise NotConnected("TWS does not list its orders") from silence
        for order, _ in rows:
            if order.order_ref == venue_cl_ord_id:
                return order
        return None

    async def _find(self, account: str, venue_cl_ord_id: str) -> VenueOrder | None:
        version = await self.numbers.of(venue_cl_ord_id)
        versions = await self.numbers.versions(() if version is None else (version.number,))
        ids = {venue_cl_ord_id}
        ids |= {known.venue_cl_ord_id for chain in versions.values() for known in chain}
        for order, status in await books.open_rows(self.line):
            if order.order_ref in ids:
                filled = ZERO if status is None else status.filled
                return self._in_words(account, order, versions, filled)
        for order in await books.completed_rows(self.line):
            if order.order_ref in ids:
                filled = ZERO if order.filled is None else order.filled
                return self._in_words(account, order, versions, filled, done=True)
        await books.refuse_if_traded(self.line, self.orders, ids)
        return None

    def _in_words(
        self,
        account: str,
        order: WireOrder,
        versions: Versions,
        cum_qty: Decimal,
        *,
        done: bool = False,
    ) -> VenueOrder:
        return books.venue_order(
            order,
            account=account,
            ref=current_ref(order, versions.get(order.number, [])),
            cum_qty=cum_qty,
            contracts=self.contracts,
            done=done,
        )
