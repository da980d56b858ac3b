"""An exchange behind the port, through the library ccxt: orders by REST, news by its streams.

The library's exceptions are read by ``errors``; its orders and trades are only transport: state is
made of the reports they become. A stream that fails ends the session, and the next one asks for
everything that happened meanwhile.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar

from brokers.adapters.base import (
    Accepted,
    BalancesPage,
    CancelOrder,
    ExecutionsPage,
    FeeQuote,
    Lookup,
    MessageHandler,
    NewOrder,
    NotConnected,
    OrdersPage,
    Outcome,
    PositionsPage,
    QuoteSource,
    Rejected,
    ReplaceOrder,
    RunDb,
    SignedOut,
    Unknown,
)
from brokers.adapters.capabilities import Capabilities
from brokers.adapters.ccxt import errors, lib, parse, terms
from brokers.adapters.ccxt.parse import Envelope, Kind
from brokers.adapters.ccxt.queries import Queries
from brokers.adapters.ccxt.refs import Refs
from brokers.adapters.ccxt.setup import Setup, read_setup
from brokers.adapters.ccxt.venues import Venue
from brokers.adapters.outbox import Outbox
from trading.orders.reports import ExecutionReport
from trading.vocabulary import CxlRejReason, OrdRejReason

log = logging.getLogger("brokers.ccxt")


class Told:
    """One message for one account."""

    __slots__ = ("account", "raw")

    def __init__(self, account: str, raw: bytes) -> None:
        self.account = account
        self.raw = raw


class CcxtBroker:
    """One session at one exchange. Subclasses name the exchange; see ``exchanges``."""

    capabilities: ClassVar[Capabilities]
    venue: ClassVar[Venue]

    def __init__(
        self, *, schema: str, connection_id: int, quote_source: QuoteSource, run_db: RunDb
    ) -> None:
        self.on_message: MessageHandler | None = None
        self.frozen: str | None = None
        self._schema = schema
        self._connection_id = connection_id
        self._run_db = run_db
        self._setup: Setup | None = None
        self._exchange: Any = None
        self._refs = Refs(self._fetched)
        self._outbox: Outbox[Told] | None = None
        self._ended: asyncio.Future[str] | None = None
        self._watching: list[asyncio.Task[None]] = []
        self._replacing: dict[str, list[Told]] = {}

    # --- session ----------------------------------------------------------------------------------

    async def connect(self) -> None:
        """Load the markets, prove the credentials, listen to the streams."""
        if self._exchange is not None:
            raise RuntimeError("the session stands already")
        setup = await self._run_db(partial(read_setup, self._schema, self._connection_id))
        self._ended = asyncio.get_running_loop().create_future()
        self._outbox = Outbox(self._hand_over, self._end)
        exchange = lib.make_exchange(self.venue, setup)
        try:
            await exchange.load_markets()
            await exchange.fetch_balance()
        except Exception as failure:
            await exchange.close()
            refused = errors.is_signed_out(failure, self.venue.signed_out)
            kind = SignedOut if refused else NotConnected
            raise kind(f"{self.venue.name}: {failure}") from failure
        self._setup, self._exchange = setup, exchange
        self._watch(self._watch_orders)
        self._watch(self._watch_trades)

    async def close(self) -> None:
        """End the session; requests in flight end as Unknown by themselves."""
        self._end("closed by us")
        watching, self._watching = self._watching, []
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            await exchange.close()
        if self._outbox is not None:
            await self._outbox.close()

    async def wait_disconnected(self) -> str:
        """Return the reason when the session has ended."""
        if self._ended is None:
            return "never connected"
        return await asyncio.shield(self._ended)

    def _end(self, reason: str) -> None:
        if self._ended is not None and not self._ended.done():
            log.info("session at %s of %s ends: %s", self.venue.name, self._schema, reason)
            self._ended.set_result(reason)

    # --- commands ---------------------------------------------------------------------------------

    async def submit(self, order: NewOrder) -> Outcome:
        """Send an order, and check that the exchange took the one that was meant."""
        exchange = self._standing()
        refusal = self._off_the_grid(order)
        if refusal is not None:
            return refusal
        if order.valid_until is not None and datetime.now(UTC) > order.valid_until:
            raise NotConnected("the order's time was over before it could be written")
        call = terms.call_of(order, self.venue)
        try:
            said = await exchange.create_order(*call.arguments)
        except Exception as failure:  # noqa: BLE001 - what it means is decided by its class
            self._end_if_signed_out(failure)
            return errors.of_new_order(failure, self.venue.duplicate, _headers(exchange))
        order_id = str(said["id"])
        self._refs.learn(order_id, order.venue_cl_ord_id)
        difference = terms.echo_differs(order, said)
        if difference is not None:
            # The order lives and is not the one that was asked for: it must not stay.
            log.error("%s took another order: %s", self.venue.name, difference)
            await self._take_back(order_id, order.symbol)
            return Unknown(f"{self.venue.name} took another order: {difference}")
        return Accepted(order_id)

    async def cancel(self, request: CancelOrder) -> Outcome:
        """Take an order back, by the exchange's id where it is known, else by ours."""
        exchange = self._standing()
        order_id = request.order_id or self._refs.order_id_of(request.venue_cl_ord_id)
        params = {}
        if order_id is None:
            if self.venue.cancel_by is None:
                text = f"{self.venue.name} cancels by its own id, which is not known yet"
                return Rejected(CxlRejReason.UNKNOWN_ORDER, text)
            params[self.venue.cancel_by] = self.venue.id_prefix + request.venue_cl_ord_id
        try:
            await exchange.cancel_order(order_id or "", request.symbol, params)
        except Exception as failure:  # noqa: BLE001 - as for a new order
            self._end_if_signed_out(failure)
            return errors.of_request(failure, _headers(exchange))
        return Accepted(order_id or "")

    async def replace(self, request: ReplaceOrder) -> Outcome:
        """Give an order new terms; where that makes a new order, the old one's end is held back
        until the answer says which of the two it was.
        """
        exchange = self._standing()
        order_id = request.order_id or self._refs.order_id_of(request.orig_venue_cl_ord_id)
        if order_id is None:
            text = f"{self.venue.name} amends by its own id, which is not known yet"
            return Rejected(CxlRejReason.UNKNOWN_ORDER, text)
        self._replacing[order_id] = []
        try:
            return await self._amend(exchange, order_id, request)
        finally:
            for held in self._replacing.pop(order_id):
                self._put(held)

    async def _amend(self, exchange: Any, order_id: str, request: ReplaceOrder) -> Outcome:
        try:
            before = await exchange.fetch_order(order_id, request.symbol)
            rest = request.order_qty - (terms.decimal(before.get("filled")) or Decimal(0))
            if rest <= 0:
                return Rejected(CxlRejReason.TOO_LATE, "nothing of the order would be left")
            said = await exchange.edit_order(
                order_id,
                request.symbol,
                before["type"],
                before["side"],
                terms.text(rest if self.venue.atomic_replace else request.order_qty),
                None if request.price is None else terms.text(request.price),
                {self.venue.client_id: self.venue.id_prefix + request.venue_cl_ord_id},
            )
        except Exception as failure:  # noqa: BLE001 - as for a new order
            self._end_if_signed_out(failure)
            return errors.of_request(failure, _headers(exchange))
        self._refs.learn(str(said["id"]), request.venue_cl_ord_id)
        self._put(self._replaced(said, request))
        return Accepted(str(said["id"]))

    def _replaced(self, said: dict[str, Any], request: ReplaceOrder) -> Told:
        """The amendment's success; the new order's own quantity is only what was left."""
        terms_now = {
            "id": said["id"],
            "amount": terms.text(request.order_qty),
            "price": None if request.price is None else terms.text(request.price),
        }
        envelope = Envelope(
            Kind.REPLACED,
            datetime.now(UTC),
            terms_now,
            ref=request.venue_cl_ord_id,
            request_id=request.request_id,
            info=said.get("info"),
        )
        return Told(self._account(), parse.sealed(envelope))

    def _off_the_grid(self, order: NewOrder) -> Rejected | None:
        """The library would cut a quantity or round a price to the market's steps in silence."""
        exchange = self._standing()
        if order.symbol not in exchange.markets:
            return Rejected(
                OrdRejReason.UNKNOWN_SYMBOL, f"{self.venue.name} has no market {order.symbol}"
            )
        wanted = [("quantity", order.order_qty, exchange.amount_to_precision)]
        wanted += [
            (name, value, exchange.price_to_precision)
            for name, value in (("price", order.price), ("stop price", order.stop_px))
            if value is not None
        ]
        for name, value, to_precision in wanted:
            sent = Decimal(to_precision(order.symbol, terms.text(value)))
            if sent != value:
                text = f"the {name} {value} is between two steps of {order.symbol}; {sent} is one"
                return Rejected(OrdRejReason.VENUE, text)
        return None

    async def _take_back(self, order_id: str, symbol: str) -> None:
        try:
            await self._standing().cancel_order(order_id, symbol)
        except Exception:
            log.exception("%s of %s could not be taken back", order_id, self.venue.name)

    # --- queries ----------------------------------------------------------------------------------

    async def lookup(
        self,
        account: str,
        venue_cl_ord_id: str,
        symbol: str,
    ) -> Lookup:
        """Find one order by its id."""
        return await self._queries().lookup(venue_cl_ord_id, symbol)

    async def open_orders(self, account: str) -> OrdersPage:
        """All working orders of the account."""
        return await self._queries().open_orders()

    async def executions(
        self,
        account: str,
        since: datetime,
        symbols: Collection[str],
    ) -> ExecutionsPage:
        """Trades of these instruments since an instant."""
        return await self._queries().executions(since, symbols)

    async def positions(self, account: str) -> PositionsPage:
        """A spot account holds assets, not positions: see ``balances``."""
        return PositionsPage({}, complete=False)

    async def balances(self, account: str) -> BalancesPage:
        """The account's cash; what it has of other assets are positions."""
        return await self._queries().balances()

    @staticmethod
    def quoted_fee(
        account_id: int,  # noqa: ARG004 - as the port has it
        *,
        qty: Decimal,  # noqa: ARG004
        px: Decimal,  # noqa: ARG004
        multiplier: Decimal,  # noqa: ARG004
        maker: bool,  # noqa: ARG004
    ) -> FeeQuote | None:
        """The rates of an account are known to its exchange alone."""
        return None

    @staticmethod
    def parse(raw: bytes) -> list[ExecutionReport]:
        """Read one kept message."""
        return parse.parse(raw)

    # --- streams ----------------------------------------------------------------------------------

    def _watch(self, stream: Callable[[], Awaitable[None]]) -> None:
        async def until_it_fails() -> None:
            try:
                while True:
                    await stream()
            except Exception as failure:  # noqa: BLE001 - any end of a stream ends the session
                self._end_if_signed_out(failure)
                self._end(f"a stream failed: {failure!r}"[:200])

        self._watching.append(asyncio.get_running_loop().create_task(until_it_fails()))

    async def _watch_orders(self) -> None:
        for said in await self._standing().watch_orders():
            order_id, ref = str(said["id"]), terms.ref_of(said, self.venue)
            self._refs.learn(order_id, ref)
            fields = {name: said.get(name) for name in parse.ORDER_FIELDS}
            envelope = Envelope(
                Kind.ORDER, datetime.now(UTC), fields, ref=ref, info=said.get("info")
            )
            told = Told(self._account(), parse.sealed(envelope))
            if order_id in self._replacing and said.get("status") != "open":
                self._replacing[order_id].append(told)
            else:
                self._put(told)

    async def _watch_trades(self) -> None:
        for trade in await self._standing().watch_my_trades():
            raw = await self._queries().trade_message(trade)
            self._put(Told(self._account(), raw))

    async def _fetched(self, order_id: str, symbol: str) -> dict[str, Any] | None:
        """An order this session has not heard of; a client id tells whether it is ours."""
        try:
            return dict(await self._standing().fetch_order(order_id, symbol))
        except Exception as failure:
            if errors.is_absent(failure):
                return None
            raise

    def _put(self, told: Told) -> None:
        if self._outbox is not None:
            self._outbox.put(told)

    async def _hand_over(self, told: Told) -> None:
        assert self.on_message is not None, "set on_message before connect"
        await self.on_message(told.account, told.raw)

    # --- what the session stands on ---------------------------------------------------------------

    def _standing(self) -> Any:
        """:raises NotConnected: without a session."""
        if self._exchange is None or self._ended is None or self._ended.done():
            raise NotConnected(f"no session at {self.venue.name}")
        return self._exchange

    def _account(self) -> str:
        assert self._setup is not None, "a session that stands has its setup"
        return self._setup.account

    def _queries(self) -> Queries:
        exchange = self._standing()
        assert self._setup is not None, "a session that stands has its setup"
        return Queries(exchange, self.venue, self._setup.account, self._setup.currency, self._refs)

    def _end_if_signed_out(self, failure: BaseException) -> None:
        if errors.is_signed_out(failure, self.venue.signed_out):
            self._end(f"{self.venue.name} no longer takes the credentials: {failure}"[:200])


def _headers(exchange: Any) -> dict[str, str]:
    return {str(k): str(v) for k, v in (exchange.last_response_headers or {}).items()}
