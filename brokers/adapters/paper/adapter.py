"""The paper venue behind the port: an event loop's shell around ``Venue`` and ``queries``.

One worker takes all commands and quotes that have gathered and gives them to the venue as one
batch, in a database thread; answers and messages leave only after its commit. If a batch fails,
nobody knows whether it was committed: its commands are Unknown and the session ends.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar, Concatenate, ParamSpec, TypeVar

from django.conf import settings

from brokers.adapters.base import (
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
    ReplaceOrder,
    RunDb,
    Unknown,
)
from brokers.adapters.capabilities import Capabilities
from brokers.adapters.outbox import Outbox
from brokers.adapters.paper import queries
from brokers.adapters.paper.capabilities import PAPER, PAPER_PLAIN
from brokers.adapters.paper.days import DayEnd, day_end
from brokers.adapters.paper.messages import Message
from brokers.adapters.paper.parse import parse
from brokers.adapters.paper.tapes import kept_in
from brokers.adapters.paper.venue import Answer, Command, Recorder, Venue, VenueAway
from trading.market import Quote
from trading.orders.reports import ExecutionReport

log = logging.getLogger("brokers.paper")
BATCH = 200
LINE_DROPPED = "the line to the venue dropped"
P = ParamSpec("P")
Page = TypeVar("Page")

_Waiting = tuple[Command, "asyncio.Future[Outcome]"]


def _utcnow() -> datetime:
    return datetime.now(UTC)


class PaperBroker:
    """One session at the paper venue. See ``brokers.adapters.base.Broker`` for the verbs."""

    capabilities: ClassVar[Capabilities] = PAPER

    def __init__(
        self,
        *,
        schema: str,
        connection_id: int,
        quote_source: QuoteSource,
        run_db: RunDb,
        day_end: DayEnd = day_end,
        clock: Callable[[], datetime] = _utcnow,
        recorder: Recorder | None = None,
    ) -> None:
        self.on_message: MessageHandler | None = None
        self.frozen: str | None = None
        self._schema = schema
        self._connection_id = connection_id
        self._quotes = quote_source
        self._run_db = run_db
        self._day_end = day_end
        self._clock = clock
        self._recorder = recorder
        self._inbox: list[_Waiting] = []
        self._fresh: dict[str, Quote] = {}
        self._wake = asyncio.Event()
        self._ended: asyncio.Future[str] | None = None
        self._venue: Venue | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._outbox: Outbox[Message] | None = None
        self._unsubscribe: Callable[[], None] | None = None

    # --- session ------------------------------------------------------------------------------

    async def connect(self) -> None:
        """Log on: shut out an older session, read the books, expire what is overdue."""
        if self._venue is not None:
            raise RuntimeError("the session stands already")
        venue = Venue(
            schema=self._schema,
            connection_id=self._connection_id,
            able=self.capabilities,
            day_end=self._day_end,
            recorder=self._recorder or self._recorder_of_files(),
        )
        try:
            result = await self._run_db(partial(venue.log_on, self._clock()))
        except Exception as failure:
            raise NotConnected(f"the paper venue cannot be reached: {failure}") from failure
        self._ended = asyncio.get_running_loop().create_future()
        self._venue = venue
        self._outbox = Outbox(self._hand_over, self._end)
        self._post(result.messages)
        self._unsubscribe = self._quotes.subscribe(self._on_quote)
        self._wake.set()
        self._start(self._work(venue))

    def _recorder_of_files(self) -> Recorder | None:
        directory = settings.OMS_PAPER_TAPES
        if directory is None:
            return None
        return kept_in(directory, self._schema, self._connection_id, self._clock())

    async def close(self) -> None:
        """End the session; what is in flight becomes Unknown to those who wait for it."""
        self._end("closed by us")
        tasks, self._tasks = self._tasks, set()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._outbox is not None:
            await self._outbox.close()

    async def wait_disconnected(self) -> str:
        """Return the reason when the session has ended."""
        if self._ended is None:
            return "never connected"
        return await asyncio.shield(self._ended)

    def _end(self, reason: str) -> None:
        """Stop taking commands; those not yet given to the venue provably never reached it."""
        self._venue = None
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        waiting, self._inbox = self._inbox, []
        self._never_read(waiting, reason)
        if self._ended is not None and not self._ended.done():
            log.info("session at the paper venue of %s ends: %s", self._schema, reason)
            self._ended.set_result(reason)

    # --- commands -----------------------------------------------------------------------------

    async def submit(self, order: NewOrder) -> Outcome:
        """Send an order."""
        return await self._send(order)

    async def cancel(self, request: CancelOrder) -> Outcome:
        """Take an order back."""
        return await self._send(request)

    async def replace(self, request: ReplaceOrder) -> Outcome:
        """Amend an order in place."""
        return await self._send(request)

    async def _send(self, command: Command) -> Outcome:
        if self._venue is None:
            raise NotConnected("no session at the paper venue")
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._inbox.append((command, answer))
        self._wake.set()
        return await answer

    # --- queries ------------------------------------------------------------------------------

    async def lookup(
        self,
        account: str,
        venue_cl_ord_id: str,
        symbol: str,
    ) -> Lookup:
        """Find an order by any client id of its chain."""
        return await self._ask(queries.lookup, account, venue_cl_ord_id)

    async def open_orders(self, account: str) -> OrdersPage:
        """All working orders of the account."""
        return await self._ask(queries.open_orders, account)

    async def executions(
        self,
        account: str,
        since: datetime,
        symbols: Collection[str],
    ) -> ExecutionsPage:
        """All trades of the account from ``since`` on."""
        return await self._ask(queries.executions, account, since)

    async def positions(self, account: str) -> PositionsPage:
        """What the venue has the account hold."""
        return await self._ask(queries.positions, account)

    async def balances(self, account: str) -> BalancesPage:
        """The account's cash at the venue."""
        return await self._ask(queries.balances, account)

    async def _ask(
        self,
        query: Callable[Concatenate[str, int, P], Page],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Page:
        return await self._run_db(
            partial(query, self._schema, self._connection_id, *args, **kwargs)
        )

    @staticmethod
    def quoted_fee(
        account_id: int, *, qty: Decimal, px: Decimal, multiplier: Decimal, maker: bool
    ) -> FeeQuote | None:
        """What the venue would charge for one execution, None of an account it does not have."""
        return queries.quoted_fee(account_id, qty=qty, px=px, multiplier=multiplier, maker=maker)

    @staticmethod
    def parse(raw: bytes) -> list[ExecutionReport]:
        """Read one message of the venue."""
        return parse(raw)

    # --- the worker -----------------------------------------------------------------------------

    def _on_quote(self, quote: Quote) -> None:
        """Keep the newest quote of each symbol until the venue is free to see it."""
        self._fresh[quote.symbol] = quote
        self._wake.set()

    async def _work(self, venue: Venue) -> None:
        """Batch after batch, while this session stands."""
        while self._venue is venue:
            await self._wait(venue)
            commands, self._inbox = self._inbox[:BATCH], self._inbox[BATCH:]
            quotes, self._fresh = self._fresh, {}
            for command, _ in commands:
                if isinstance(command, NewOrder) and command.symbol not in quotes:
                    latest = self._quotes.latest(command.symbol)
                    if latest is not None:
                        quotes[command.symbol] = latest
            now = self._clock()
            if not commands and not self._due(venue, now):
                quotes = {s: q for s, q in quotes.items() if not self._shown(venue, q, now)}
                if not quotes:
                    continue
            await self._batch(venue, commands, quotes, now)

    async def _batch(
        self, venue: Venue, commands: list[_Waiting], quotes: dict[str, Quote], now: datetime
    ) -> None:
        try:
            batch = [command for command, _ in commands]
            result = await self._run_db(partial(venue.process, batch, quotes, now))
        except asyncio.CancelledError:
            self._unknown(commands, "the session was closed before the venue answered")
            raise
        except VenueAway as away:
            self._never_read(commands, str(away))
            self._end(str(away))
            return
        except Exception as failure:  # noqa: BLE001 - whatever it was, the commit is in doubt
            log.warning("a batch of the paper venue of %s failed: %r", self._schema, failure)
            self._unknown(commands, f"the venue went away before it answered: {failure}")
            self._end(f"the venue failed: {failure}")
            return
        self._post(result.messages)
        read = len(result.answers)
        for (_, waiting), answer in zip(commands[:read], result.answers, strict=True):
            if answer.delay:
                self._start(self._give_late(waiting, answer))
            else:
                self._give(waiting, answer)
        if result.answers and result.answers[-1].line_drops:
            self._never_read(commands[read:], LINE_DROPPED)
            self._end(LINE_DROPPED)

    async def _wait(self, venue: Venue) -> None:
        """Until a command or a quote comes, or time alone changes something."""
        if self._inbox:
            return
        due = venue.next_due()
        delay = None if due is None else max((due - self._clock()).total_seconds(), 0.0)
        try:
            async with asyncio.timeout(delay):
                await self._wake.wait()
        except TimeoutError:
            return
        self._wake.clear()

    @staticmethod
    def _due(venue: Venue, now: datetime) -> bool:
        due = venue.next_due()
        return due is not None and due <= now

    @staticmethod
    def _shown(venue: Venue, quote: Quote, now: datetime) -> bool:
        """Show a quote without a transaction if nobody is told of it; whether that was so."""
        if venue.wants(quote, now):
            return False
        venue.show(quote, now)
        return True

    # --- answers and messages -------------------------------------------------------------------

    async def _give_late(self, waiting: "asyncio.Future[Outcome]", answer: Answer) -> None:
        try:
            await asyncio.sleep(answer.delay.total_seconds())
        except asyncio.CancelledError:
            if not waiting.done():
                waiting.set_result(Unknown("the session was closed before the answer came"))
            raise
        self._give(waiting, answer)

    def _give(self, waiting: "asyncio.Future[Outcome]", answer: Answer) -> None:
        if not waiting.done():
            waiting.set_result(answer.outcome)
        self._post(answer.messages)

    def _post(self, messages: Sequence[Message]) -> None:
        if self._outbox is not None:
            for message in messages:
                self._outbox.put(message)

    async def _hand_over(self, message: Message) -> None:
        assert self.on_message is not None, "set on_message before connect"
        await self.on_message(message.account, message.raw)

    @staticmethod
    def _never_read(commands: list[_Waiting], reason: str) -> None:
        for _, answer in commands:
            if not answer.done():
                answer.set_exception(NotConnected(reason))

    @staticmethod
    def _unknown(commands: list[_Waiting], text: str) -> None:
        for _, waiting in commands:
            if not waiting.done():
                waiting.set_result(Unknown(text))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        """A task that failed of itself is a defect: the session must not stand as if it worked."""
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("the paper venue's adapter failed", exc_info=task.exception())
            self._end(f"the adapter failed: {task.exception()!r}")


class PlainPaperBroker(PaperBroker):
    """The same venue where it takes MARKET and LIMIT orders only, as the plainest real one."""

    capabilities: ClassVar[Capabilities] = PAPER_PLAIN
