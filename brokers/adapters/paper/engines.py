"""The paper venue's engines, one per instrument and scale, and the rows of the orders in them.

They are a cache of the rows, rebuilt from them at log-on. Every event goes through ``apply``, so
that whoever listens there has the whole run: what an engine saw is all it decides by.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from brokers.adapters.paper.books import Books
from brokers.adapters.paper.fees import charged, schedule_of
from brokers.adapters.paper.messages import CLOSED, Message, scale_of
from brokers.adapters.paper.terms import engine_time, working_order
from brokers.models import PaperAccount, PaperOrder
from trading import exact
from trading.market import Quote
from trading.matching import (
    Engine,
    EngineState,
    Event,
    MarketLost,
    QuoteTick,
    Report,
    Timer,
    WorkingOrder,
    order_to_json,
)
from trading.matching.recording import OrderTerms, Recording
from trading.matching.scale import Scale, instant_of, nanoseconds
from trading.vocabulary import ExecType, OrdStatus

QUOTE_MAX_AGE = timedelta(seconds=5)


class Engines:
    """All engines of one session. Not thread-safe."""

    def __init__(self, rows: Iterable[PaperOrder] = (), recording: Recording | None = None) -> None:
        self._recording = recording
        self._engines: dict[Scale, Engine] = {}
        self._shown: dict[Scale, datetime] = {}
        self._orders = {order.order_id: order for order in rows}
        resting: dict[Scale, list[WorkingOrder]] = {}
        for order in self._orders.values():
            resting.setdefault(scale_of(order), []).append(working_order(order))
        for scale, orders in resting.items():
            last = max(order.priority for order in orders)
            self._begin(scale, EngineState(orders=tuple(orders), last_priority=last))

    def engine(self, scale: Scale) -> Engine:
        """The engine of an instrument, begun if there is none."""
        if scale not in self._engines:
            self._begin(scale, EngineState())
        return self._engines[scale]

    def apply(self, scale: Scale, event: Event) -> list[Report]:
        """Let an engine see an event; the reports are still to be recorded."""
        engine = self.engine(scale)
        if self._recording is not None:
            self._recording.event(scale, event)
        return engine.apply(event)

    def _begin(self, scale: Scale, state: EngineState) -> None:
        engine = self._engines[scale] = Engine.resume(state)
        if self._recording is not None:
            self._recording.engine(scale, engine)

    # --- time and prices ------------------------------------------------------------------------

    def next_due(self) -> datetime | None:
        """When the next order ends of itself, or a trailed stop is to be told."""
        timers = [engine.next_timer for engine in self._engines.values()]
        due = min((at for at in timers if at is not None), default=None)
        return None if due is None else instant_of(due)

    def pass_time(self, now: datetime) -> Iterator[list[Report]]:
        """End what is due; yield the reports of each engine that had something to do."""
        for scale, engine in self._engines.items():
            due = engine.next_timer
            if due is not None and due <= nanoseconds(now):
                yield self.apply(scale, Timer(engine_time(engine, now)))

    def wants(self, quote: Quote, now: datetime) -> bool:
        """Whether this quote would be told of by any order."""
        for scale, engine in self._of(quote.symbol):
            news = self._news(scale, engine, quote, now)
            if news is not None and engine.would_change(news):
                return True
        return False

    def show(self, quote: Quote, now: datetime) -> list[Report]:
        """Let the engines of its symbol see a quote, once."""
        return [
            report
            for scale, _ in self._of(quote.symbol)
            for report in self.show_one(scale, quote, now)
        ]

    def show_one(self, scale: Scale, quote: Quote, now: datetime) -> list[Report]:
        """Let one engine see a quote, once; what is older than ``QUOTE_MAX_AGE`` is no market."""
        news = self._news(scale, self.engine(scale), quote, now)
        if news is None:
            return []
        if isinstance(news, MarketLost):
            self._shown.pop(scale, None)
        else:
            self._shown[scale] = quote.at
        return self.apply(scale, news)

    def _of(self, symbol: str) -> list[tuple[Scale, Engine]]:
        return [
            (scale, engine) for scale, engine in self._engines.items() if scale.symbol == symbol
        ]

    def _news(
        self, scale: Scale, engine: Engine, quote: Quote, now: datetime
    ) -> QuoteTick | MarketLost | None:
        """What a quote is to an engine, None where it has seen it."""
        at = engine_time(engine, now)
        shown = self._shown.get(scale)
        if now - quote.at > QUOTE_MAX_AGE:
            return None if shown is None else MarketLost(at)
        if shown is not None and quote.at <= shown:
            return None
        return scale.tick_of(quote, at)

    # --- reports to rows ------------------------------------------------------------------------

    def enter(self, order: PaperOrder, account: PaperAccount) -> None:
        """Know the row of an order before its first report."""
        self._orders[order.order_id] = order
        self.note(order, account)

    def note(self, order: PaperOrder, account: PaperAccount) -> None:
        """Have it recorded what an order pays."""
        if self._recording is not None:
            terms = OrderTerms(order.multiplier, schedule_of(account), charged(order))
            self._recording.order(scale_of(order), order.order_id, terms)

    def works(self, order_id: str) -> bool:
        """Whether an order of this number works."""
        return order_id in self._orders

    def row(self, order: PaperOrder) -> PaperOrder:
        """The row the engines work on, if the order works; else the one given."""
        return self._orders.get(order.order_id, order)

    def record(
        self, books: Books, reports: Sequence[Report], *, told_as: OrdStatus | None = None
    ) -> list[Message]:
        """Bring the rows of the orders to where each report leaves them, and journal it; endings
        are told as another one where that is given.
        """
        messages = [self._say(books, report, told_as) for report in reports]
        for order_id in {report.order_id: None for report in reports}:
            self._settle(order_id)
        return messages

    def _say(self, books: Books, report: Report, told_as: OrdStatus | None) -> Message:
        order = self._orders[report.order_id]
        before = order.fee_amount
        told = report
        if told_as is not None:
            told = replace(report, exec_type=ExecType(told_as.value), ord_status=told_as)
        message = books.record(order, told)
        if self._recording is not None:
            fee = exact.subtract(order.fee_amount, before)
            self._recording.said(scale_of(order), report, fee)
        return message

    def _settle(self, order_id: str) -> None:
        """After an event: whether the order still works, and how."""
        order = self._orders[order_id]
        working = self._engines[scale_of(order)].find(order_id)
        order.is_working = working is not None
        order.working = None if working is None else order_to_json(working)
        if working is None:
            done = OrdStatus(order.ord_status) in CLOSED | {OrdStatus.FILLED}
            assert done, f"{order_id} left the book as {order.ord_status}"
            del self._orders[order_id]
        else:
            order.priority = working.priority
