"""Interactive Brokers behind the port: one session with one TWS or IB Gateway.

The session writes through the client library and reads the wire itself. Its memory is only what
it heard since it connected; order numbers, which must never be used twice, are rows.
"""

import asyncio
import logging
from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
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
    NotExecuted,
    OrdersPage,
    Outcome,
    PositionsPage,
    QuoteSource,
    Rejected,
    ReplaceOrder,
    RunDb,
    Unknown,
)
from brokers.adapters.capabilities import Capabilities
from brokers.adapters.ib import parse, terms, wire
from brokers.adapters.ib.capabilities import IB
from brokers.adapters.ib.contracts import Contracts, UnknownSymbol
from brokers.adapters.ib.line import ANSWER_S, Line
from brokers.adapters.ib.numbers import OrderNumbers
from brokers.adapters.ib.orders import Heard, Orders, Waiting
from brokers.adapters.ib.queries import Queries
from brokers.adapters.ib.setup import Setup, check_accounts, first_number, read_setup
from brokers.adapters.outbox import Outbox
from trading.orders.reports import ExecutionReport
from trading.vocabulary import CommandKind, CxlRejReason, OrdRejReason

log = logging.getLogger("brokers.ib")
HEARTBEAT_S = 10.0
FROZEN_RETRY = timedelta(seconds=1)


class IbBroker:
    """One session at TWS. See ``brokers.adapters.base.Broker`` for the verbs."""

    capabilities: ClassVar[Capabilities] = IB

    def __init__(
        self, *, schema: str, connection_id: int, quote_source: QuoteSource, run_db: RunDb
    ) -> None:
        self.on_message: MessageHandler | None = None
        self.frozen: str | None = None
        self._schema = schema
        self._connection_id = connection_id
        self._run_db = run_db
        self._setup: Setup | None = None
        self._first_number = 0
        self._line: Line | None = None
        self._orders: Orders | None = None
        self._contracts: Contracts | None = None
        self._outbox: Outbox[Heard] | None = None
        self._ended: asyncio.Future[str] | None = None
        self._heartbeat: asyncio.Task[None] | None = None

    # --- session ----------------------------------------------------------------------------------

    async def connect(self) -> None:
        """Log on under the connection's client id and check that TWS is the one that was meant."""
        if self._line is not None:
            raise RuntimeError("the session stands already")
        setup = await self._run_db(partial(read_setup, self._schema, self._connection_id))
        self._ended = asyncio.get_running_loop().create_future()
        self._outbox = Outbox(self._hand_over, self._end)
        line = Line(self._arrived, self._end)
        try:
            await line.open(setup.host, setup.port, setup.client_number)
            check_accounts(setup, line.accounts)
        except NotConnected:
            line.close()
            raise
        self._setup, self._line = setup, line
        self._compare_numbers(setup, line)
        self._orders = Orders(line.version, setup.accounts)
        self._contracts = Contracts(line, setup.symbols)
        self._heartbeat = asyncio.get_running_loop().create_task(self._beat(line))

    async def close(self) -> None:
        """End the session; what is in flight becomes Unknown to those who wait for it."""
        self._end("closed by us")
        if self._heartbeat is not None:
            self._heartbeat.cancel()
            await asyncio.gather(self._heartbeat, return_exceptions=True)
        if self._outbox is not None:
            await self._outbox.close()

    async def wait_disconnected(self) -> str:
        """Return the reason when the session has ended."""
        if self._ended is None:
            return "never connected"
        return await asyncio.shield(self._ended)

    def _end(self, reason: str) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.close()
        if self._orders is not None:
            self._orders.give_up(Unknown(f"the line to TWS was lost: {reason}"))
        if self._ended is not None and not self._ended.done():
            log.info("session at TWS of %s ends: %s", self._schema, reason)
            self._ended.set_result(reason)

    async def _beat(self, line: Line) -> None:
        """A line that no longer answers is dead, whatever its socket says."""
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            try:
                await line.ask(
                    lambda client, _: client.reqCurrentTime(),
                    rows=frozenset(),
                    end=wire.CURRENT_TIME,
                )
            except (NotConnected, TimeoutError) as silence:
                self._end(f"no heartbeat: {silence}")
                return

    def _compare_numbers(self, setup: Setup, line: Line) -> None:
        """Freeze new orders where TWS would give a number that was an order of ours before."""
        first = first_number(setup, line.next_valid_id)
        self._first_number = first or 0
        self.frozen = None
        if first is None:
            shown, offered = setup.numbers.shown, line.next_valid_id
            self.frozen = f"TWS has shown order number {shown} and now begins again at {offered}"
            log.error("%s; new orders wait for a person", self.frozen)

    async def _still_frozen(self, line: Line) -> bool:
        """A person may have decided meanwhile where to go on."""
        if self.frozen is not None:
            setup = await self._run_db(partial(read_setup, self._schema, self._connection_id))
            self._compare_numbers(setup, line)
        return self.frozen is not None

    # --- commands ---------------------------------------------------------------------------------

    async def submit(self, order: NewOrder) -> Outcome:
        """Send an order under a number of its own."""
        line, setup = self._reachable()
        if await self._still_frozen(line):
            return NotExecuted(str(self.frozen), FROZEN_RETRY)
        try:
            contract = await self._known_contracts().of(order.symbol, order.rules.currency)
        except UnknownSymbol as unknown:
            return Rejected(OrdRejReason.UNKNOWN_SYMBOL, str(unknown))
        except TimeoutError as silence:
            raise NotConnected("TWS does not say what the symbol is") from silence
        number = await self._numbers().allocate(self._first_number, order.venue_cl_ord_id)
        wanted = line.order(
            orderId=number, **terms.order_fields(order, setup.accounts[order.account])
        )
        waiting = self._waiting(CommandKind.NEW, order.venue_cl_ord_id, order.venue_cl_ord_id)
        outcome = await self._command(
            number,
            order.account,
            waiting,
            lambda client: client.placeOrder(number, contract, wanted),
            not_after=order.valid_until,
        )
        if isinstance(outcome, Accepted):
            await self._numbers().shown(number)
        return outcome

    async def cancel(self, request: CancelOrder) -> Outcome:
        """Take an order back by its number."""
        self._reachable()
        version = await self._numbers().of(request.venue_cl_ord_id)
        if version is None:
            text = "the order was not placed through this connection"
            return Rejected(CxlRejReason.UNKNOWN_ORDER, text)
        waiting = self._waiting(CommandKind.CANCEL, request.request_id, request.venue_cl_ord_id)
        return await self._command(
            version.number,
            request.account,
            waiting,
            lambda client: client.cancelOrder(version.number),
        )

    async def replace(self, request: ReplaceOrder) -> Outcome:
        """Give an order new terms: it is placed again, whole, under its number."""
        line, _ = self._reachable()
        working = await self._queries().working(request.orig_venue_cl_ord_id)
        if working is None:
            text = "TWS does not list the order as working"
            return Rejected(CxlRejReason.UNKNOWN_ORDER, text)
        version = await self._numbers().amend(request)
        contract = line.contract(conId=working.con_id, exchange="SMART")
        wanted = line.order(
            orderId=version.number,
            **terms.standing_fields(working) | terms.amended_fields(working, request),
        )
        waiting = self._waiting(
            CommandKind.REPLACE, request.request_id, request.venue_cl_ord_id, request
        )
        return await self._command(
            version.number,
            request.account,
            waiting,
            lambda client: client.placeOrder(version.number, contract, wanted),
        )

    async def _command(
        self,
        number: int,
        account: str,
        waiting: Waiting,
        send: Callable[[Any], None],
        *,
        not_after: datetime | None = None,
    ) -> Outcome:
        """Write a command and wait for what TWS says of it; silence is Unknown."""
        line, _ = self._reachable()
        assert self._orders is not None, "a session that stands has its orders"
        self._orders.expect(number, account, waiting)
        try:
            await line.write(send, not_after=not_after)
        except NotConnected:
            self._orders.forget(number, waiting)
            raise
        try:
            return await asyncio.wait_for(asyncio.shield(waiting.answer), ANSWER_S)
        except TimeoutError:
            return Unknown(f"TWS did not answer within {ANSWER_S:.0f} s")

    def _numbers(self) -> OrderNumbers:
        _, setup = self._reachable()
        return OrderNumbers(self._run_db, self._schema, self._connection_id, setup.client_number)

    def _waiting(
        self, kind: CommandKind, request_id: str, ref: str, asked: ReplaceOrder | None = None
    ) -> Waiting:
        return Waiting(kind, request_id, ref, asyncio.get_running_loop().create_future(), asked)

    def _reachable(self) -> tuple[Line, Setup]:
        """:raises NotConnected: without a line, or while TWS itself has lost the brokerage."""
        if self._line is None or self._setup is None:
            raise NotConnected("no session at TWS")
        if not self._line.is_reachable:
            raise NotConnected("TWS has lost its connection to Interactive Brokers")
        return self._line, self._setup

    # --- queries ----------------------------------------------------------------------------------

    async def lookup(
        self,
        account: str,
        venue_cl_ord_id: str,
        symbol: str,
    ) -> Lookup:
        """Find an order among those that work, those that are done today, and executions."""
        return await self._queries().lookup(account, venue_cl_ord_id)

    async def open_orders(self, account: str) -> OrdersPage:
        """All working orders of the account, those of other clients and people too."""
        return await self._queries().open_orders(account)

    async def executions(
        self,
        account: str,
        since: datetime,
        symbols: Collection[str],
    ) -> ExecutionsPage:
        """Trades since an instant. TWS lists those of today: an older instant is not covered."""
        return await self._queries().executions(account, since)

    async def positions(self, account: str) -> PositionsPage:
        """What TWS has the account hold."""
        return await self._queries().positions(account)

    async def balances(self, account: str) -> BalancesPage:
        """The account's cash by currency."""
        return await self._queries().balances(account)

    def _queries(self) -> Queries:
        line, setup = self._reachable()
        return Queries(
            line=line,
            setup=setup,
            orders=self._known_orders(),
            contracts=self._known_contracts(),
            numbers=self._numbers(),
        )

    @staticmethod
    def quoted_fee(
        account_id: int,  # noqa: ARG004 - as the port has it
        *,
        qty: Decimal,  # noqa: ARG004
        px: Decimal,  # noqa: ARG004
        multiplier: Decimal,  # noqa: ARG004
        maker: bool,  # noqa: ARG004
    ) -> FeeQuote | None:
        """Nobody here knows what Interactive Brokers would charge."""
        return None

    @staticmethod
    def parse(raw: bytes) -> list[ExecutionReport]:
        """Read one kept message."""
        return parse.parse(raw)

    def _known_contracts(self) -> Contracts:
        assert self._contracts is not None, "a session that stands has its contracts"
        return self._contracts

    def _known_orders(self) -> Orders:
        assert self._orders is not None, "a session that stands has its orders"
        return self._orders

    # --- what comes in ----------------------------------------------------------------------------

    def _arrived(self, fields: tuple[str, ...]) -> None:
        """Hand on what a message says; one that cannot be read is handed on to be parked."""
        if self._orders is None or self._outbox is None or self._setup is None:
            return  # the handshake's own messages
        now = datetime.now(UTC)
        try:
            heard = self._orders.heard(fields, now)
        except ValueError as failure:
            log.error("a message of TWS cannot be read: %s", failure)
            account = self._orders.account_of(fields) or next(iter(self._setup.accounts))
            version = 0 if self._line is None else self._line.version
            heard = [Heard(account, parse.Envelope(at=now, version=version, fields=fields))]
        for item in heard:
            self._outbox.put(item)

    async def _hand_over(self, heard: Heard) -> None:
        assert self.on_message is not None, "set on_message before connect"
        await self.on_message(heard.account, parse.sealed(heard.envelope))
