"""The port's questions, answered from the exchange's books. Silence makes a page incomplete."""

import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from brokers.adapters.base import (
    BalancesPage,
    ExecutionsPage,
    Lookup,
    OrdersPage,
    VenueOrder,
)
from brokers.adapters.capabilities import LookupChannel
from brokers.adapters.ccxt import errors, parse, terms
from brokers.adapters.ccxt.parse import Envelope, Kind
from brokers.adapters.ccxt.refs import Refs
from brokers.adapters.ccxt.venues import Venue

log = logging.getLogger("brokers.ccxt")
PAGE = 500
"""Trades asked for at once; a page that is full may have left some out."""


@dataclass(frozen=True, slots=True)
class Queries:
    """Questions of one session. Failures of the exchange become incomplete answers."""

    exchange: Any
    venue: Venue
    account: str
    currency: str
    refs: Refs

    async def lookup(self, venue_cl_ord_id: str, symbol: str) -> Lookup:
        """Find an order by its id, then in the lists of open and closed orders."""
        horizon = self._horizon()
        try:
            said = await self._find(venue_cl_ord_id, symbol)
            found = None if said is None else self._in_words(said, venue_cl_ord_id, symbol)
        except Exception as failure:
            if errors.is_signed_out(failure, self.venue.signed_out):
                raise
            log.warning("a look-up of %s stays without an answer: %r", venue_cl_ord_id, failure)
            return Lookup(None, complete=False, horizon=horizon)
        return Lookup(found, complete=True, horizon=horizon)

    async def open_orders(self) -> OrdersPage:
        """All working orders of the account."""
        try:
            listed = await self.exchange.fetch_open_orders()
            orders = tuple(
                self._in_words(said, terms.ref_of(said, self.venue) or "", str(said["symbol"]))
                for said in listed
            )
        except Exception as failure:
            if errors.is_signed_out(failure, self.venue.signed_out):
                raise
            log.warning("the open orders of %s are not told: %r", self.account, failure)
            return OrdersPage((), complete=False)
        return OrdersPage(orders, complete=True)

    async def executions(self, since: datetime, symbols: Collection[str]) -> ExecutionsPage:
        """Trades since an instant, instrument by instrument."""
        messages: list[bytes] = []
        complete = True
        for symbol in sorted(set(symbols) & set(self.exchange.markets)):
            try:
                trades = await self.exchange.fetch_my_trades(
                    symbol, terms.milliseconds(since), PAGE
                )
                messages += [await self.trade_message(trade) for trade in trades]
                complete = complete and len(trades) < PAGE
            except Exception as failure:
                if errors.is_signed_out(failure, self.venue.signed_out):
                    raise
                log.warning("the trades of %s are not told: %r", symbol, failure)
                complete = False
        return ExecutionsPage(tuple(messages), complete=complete)

    async def balances(self) -> BalancesPage:
        """Cash in the account's currency, what orders hold included. Other assets are positions."""
        try:
            told = await self.exchange.fetch_balance()
        except Exception as failure:
            if errors.is_signed_out(failure, self.venue.signed_out):
                raise
            log.warning("the balances of %s are not told: %r", self.account, failure)
            return BalancesPage({}, complete=False)
        total = Decimal(str(told["total"].get(self.currency) or 0))
        return BalancesPage({(self.account, self.currency): total}, complete=True)

    async def trade_message(self, trade: dict[str, Any]) -> bytes:
        """A trade as it is kept, with our id of its order."""
        said = {name: trade.get(name) for name in parse.TRADE_FIELDS}
        ref = await self.refs.of(str(trade["order"]), str(trade["symbol"]))
        return parse.sealed(
            Envelope(Kind.TRADE, datetime.now(UTC), said, ref=ref, info=trade.get("info"))
        )

    async def _find(self, venue_cl_ord_id: str, symbol: str) -> dict[str, Any] | None:
        client_id = self.venue.id_prefix + venue_cl_ord_id
        known = self.refs.order_id_of(venue_cl_ord_id)
        try:
            if known is not None:
                return dict(await self.exchange.fetch_order(known, symbol))
            if self.venue.find_by is not None:
                params = {self.venue.find_by: client_id}
                return dict(await self.exchange.fetch_order("", symbol, params))
        except Exception as failure:
            if not errors.is_absent(failure):
                raise
        listed = await self.exchange.fetch_open_orders(symbol)
        if self.exchange.has.get("fetchClosedOrders"):
            listed += await self.exchange.fetch_closed_orders(symbol, None, PAGE)
        if self.exchange.has.get("fetchCanceledOrders"):
            listed += await self.exchange.fetch_canceled_orders(symbol, None, PAGE)
        return next((o for o in listed if o.get("clientOrderId") == client_id), None)

    def _in_words(self, said: dict[str, Any], ref: str, symbol: str) -> VenueOrder:
        self.refs.learn(str(said["id"]), ref)
        return terms.venue_order(said, account=self.account, ref=ref, symbol=symbol)

    def _horizon(self) -> datetime | None:
        reaches = self.venue.capabilities.lookups
        closed = reaches[LookupChannel.CLOSED].horizon
        return None if closed is None else datetime.now(UTC) - closed + timedelta(minutes=1)
