"""One instrument's engine: price-time priority, the market's liquidity outside.

An arriving order is planned first (what it would take, at which prices, and why it would stop)
and carried out afterwards, so that fill-or-kill and self-match are decided before anything moves.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from trading.matching import actions, amendments, passive, waiting
from trading.matching.aggressive import arrive, would_take
from trading.matching.events import (
    AUCTIONS,
    Auction,
    BookDelta,
    BookSnapshot,
    Cancel,
    Delisting,
    Event,
    MarketLost,
    NewOrder,
    PathTick,
    Phase,
    QuoteTick,
    Replace,
    SessionPhase,
    Split,
    Timer,
    TradeTick,
)
from trading.matching.floor import Floor
from trading.matching.market import Depth, Pool
from trading.matching.reporter import Reporter
from trading.matching.state import EngineState, SideState, WorkingOrder
from trading.matching.triggers import Prices
from trading.matching.values import EndReason, Policy, Report
from trading.vocabulary import CxlRejReason, ExecType


class Engine:
    """Matches the orders of one instrument against its market. Every call returns its reports."""

    def __init__(self, policy: Policy | None = None) -> None:
        self._floor = Floor(policy or Policy())
        self._handlers: dict[type[Any], Callable[[Any], None]] = {
            SessionPhase: self._session,
            Auction: lambda event: actions.uncross(self._floor, event),
            Split: lambda event: actions.split(self._floor, event),
            Delisting: lambda _: actions.delist(self._floor),
            QuoteTick: self._quote,
            MarketLost: self._market_lost,
            BookSnapshot: self._snapshot,
            BookDelta: self._delta,
            TradeTick: self._trade,
            PathTick: self._path,
            NewOrder: self._new,
            Cancel: self._cancel,
            Replace: lambda event: amendments.amend(self._floor, event),
            Timer: self._timer,
        }

    def apply(self, event: Event) -> list[Report]:
        """Process one event and return what it led to.

        :raises TimeReversed: if it is older than the last one.
        :raises ValueError: if it contradicts itself (a negative size, an order id that works).
        """
        self._floor.said.begin(event.at)
        waiting.expire_due(self._floor, event.at)
        self._handlers[type(event)](event)
        return self._floor.said.end()

    def pause(self) -> None:
        """Let every resting order meet the next price as if it came then; nothing is reported."""
        waiting.park_all(self._floor)

    # --- reads ------------------------------------------------------------------------------

    @property
    def policy(self) -> Policy:
        """How this instrument is matched."""
        return self._floor.policy

    @property
    def working(self) -> tuple[WorkingOrder, ...]:
        """The working orders, oldest first."""
        return tuple(self._floor.by_priority())

    def find(self, order_id: str) -> WorkingOrder | None:
        """The working order of this id."""
        return self._floor.orders.get(order_id)

    @property
    def last_at(self) -> int:
        """The instant of the last event."""
        return self._floor.said.last_at

    @property
    def next_timer(self) -> int | None:
        """When a ``Timer`` is due (ns): an order ends, or a stop that moved is to be told."""
        floor = self._floor
        due = [order.expire_at for order in floor.timed.values() if order.expire_at is not None]
        due += [
            order.told_at + waiting.TELL_EVERY_NS
            for order in floor.watching.values()
            if order.untold
        ]
        return min(due, default=None)

    def would_change(self, tick: QuoteTick | MarketLost) -> bool:
        """Whether this news might be told of any order: fill, fire, reprice or report it.

        Where it is not, ``apply`` returns no report (unless an order's time is over) and only
        trails may follow. Nothing changes.
        """
        if waiting.would_move(self._floor, self._prices_after(tick), tick.at):
            return True
        if isinstance(tick, MarketLost):
            return False
        best_buy = next(iter(self._floor.sides[True]), None)
        best_sell = next(iter(self._floor.sides[False]), None)
        buys = best_buy is not None and tick.ask_size > 0 and tick.ask <= (best_buy.price or 0)
        sells = best_sell is not None and tick.bid_size > 0 and tick.bid >= (best_sell.price or 0)
        return buys or sells

    def _prices_after(self, tick: QuoteTick | MarketLost) -> Prices:
        if isinstance(tick, MarketLost):
            return Prices()
        return Prices(
            last=self._floor.market.last if tick.last is None else tick.last,
            bid=tick.bid if tick.bid_size > 0 else None,
            ask=tick.ask if tick.ask_size > 0 else None,
        )

    def dump(self) -> EngineState:
        """The whole state between two events."""
        floor = self._floor
        return EngineState(
            policy=floor.policy,
            bids=_side_state(floor.market.bids),
            offers=_side_state(floor.market.asks),
            last=floor.market.last,
            sequence=floor.market.sequence,
            pool=None if floor.market.bids.pool is None else floor.market.bids.pool.left,
            phase=floor.phase,
            carry=floor.carry,
            orders=self.working,
            last_at=floor.said.last_at,
            last_seq=floor.said.last_seq,
            last_priority=floor.last_priority,
        )

    @classmethod
    def resume(cls, state: EngineState) -> "Engine":
        """An engine that goes on as if it had never stopped."""
        engine = cls(state.policy)
        floor = engine._floor
        pool = None if state.pool is None else Pool(state.pool)
        for depth, side in ((floor.market.bids, state.bids), (floor.market.asks, state.offers)):
            depth.levels, depth.is_book, depth.taken = side.levels, side.is_book, dict(side.taken)
            depth.margin, depth.pool = side.margin, pool
        floor.market.last, floor.market.sequence = state.last, state.sequence
        floor.phase, floor.carry = state.phase, state.carry
        for order in state.orders:
            floor.add(order)
        floor.said = Reporter(last_at=state.last_at, last_seq=state.last_seq)
        floor.last_priority = state.last_priority
        return engine

    # --- events -----------------------------------------------------------------------------

    def _session(self, event: SessionPhase) -> None:
        self._floor.phase = event.phase
        if event.phase is Phase.CLOSED:
            waiting.close_session(self._floor)
        elif event.phase is Phase.HALTED:
            waiting.park_all(self._floor)

    def _quote(self, tick: QuoteTick) -> None:
        if min(tick.bid_size, tick.ask_size) < 0:
            raise ValueError("a displayed size is negative")
        before = passive.displayed_sizes(self._floor)
        market = self._floor.market
        market.bids.show(((tick.bid, tick.bid_size),), is_book=False)
        market.asks.show(((tick.ask, tick.ask_size),), is_book=False)
        market.sequence = None
        if tick.last is not None:
            market.last = tick.last
        self._shown(before)

    def _market_lost(self, _event: MarketLost) -> None:
        self._floor.market.forget_book()
        self._floor.market.last = None
        self._shown({})

    def _timer(self, event: Timer) -> None:
        waiting.expire_due(self._floor, event.at + 1)
        waiting.tell_trails(self._floor)

    def _snapshot(self, book: BookSnapshot) -> None:
        if any(size < 0 for _, size in (*book.bids, *book.asks)):
            raise ValueError("a displayed size is negative")
        before = passive.displayed_sizes(self._floor)
        self._floor.market.bids.show(book.bids, is_book=True)
        self._floor.market.asks.show(book.asks, is_book=True)
        self._floor.market.sequence = 0
        self._shown(before)

    def _path(self, tick: PathTick) -> None:
        """A bar's path: nobody's queue, both sides from one pool."""
        market = self._floor.market
        pool = Pool(tick.size)
        for depth in (market.bids, market.asks):
            depth.show(((tick.price + depth.step * tick.slippage, tick.size),), is_book=True)
            depth.margin, depth.pool = max(0, tick.through - tick.slippage), pool
        market.last, market.sequence = tick.price, None
        self._shown({})

    def _delta(self, delta: BookDelta) -> None:
        if delta.size < 0:
            raise ValueError("a displayed size is negative")
        market = self._floor.market
        if market.sequence is None or delta.sequence <= market.sequence:
            return  # before the snapshot, or without one: the next snapshot tells
        if delta.sequence != market.sequence + 1:
            market.forget_book()
            return
        before = passive.displayed_sizes(self._floor)
        market.own(buy=delta.bid_side).change(delta.price, delta.size)
        market.sequence = delta.sequence
        self._shown(before)

    def _shown(self, before: dict[str, int | None]) -> None:
        """The market has shown new prices."""
        passive.move_queues(self._floor, before)
        if self._floor.is_open:
            waiting.release_parked(self._floor)
            waiting.reprice_pegs(self._floor)
            passive.fill_crossed(self._floor)
            waiting.fire_triggers(self._floor)

    def _trade(self, trade: TradeTick) -> None:
        if trade.qty < 0:
            raise ValueError("a traded quantity is negative")
        if not trade.eligible:
            return
        self._floor.market.last = trade.price
        if self._floor.is_open:
            passive.fill_by_trade(self._floor, trade)
            waiting.fire_triggers(self._floor)

    def _new(self, command: NewOrder) -> None:
        floor = self._floor
        if command.order_id in floor.orders:
            raise ValueError(f"order {command.order_id} works already")
        order = self._order_of(command)
        if order.trigger is not None:
            trigger = waiting.armed(order.trigger, floor.market.prices(), buy=order.buy)
            if isinstance(trigger, EndReason):
                floor.say_end(order, ExecType.REJECTED, trigger)
                return
            order = replace(order, trigger=trigger)
        refusal = self._refusal(order)
        if refusal is not None:
            floor.say_end(order, ExecType.REJECTED, refusal)
            return
        floor.said.order(order, ExecType.NEW)
        if order.trigger != command.trigger:  # a trail has begun
            order = replace(order, told_at=command.at)
            floor.said.order(order, ExecType.RESTATED, reason=EndReason.TRAILED)
        if order.trigger is not None or order.time_in_force in AUCTIONS:
            floor.add(order)
        elif not floor.is_open:
            floor.add(replace(order, parked=True))
        else:
            arrive(floor, order)

    def _order_of(self, command: NewOrder) -> WorkingOrder:
        return WorkingOrder(
            order_id=command.order_id,
            account=command.account,
            side=command.side,
            time_in_force=command.time_in_force,
            qty=command.qty,
            price=command.price,
            cum_qty=0,
            priority=self._floor.next_priority(),
            ord_type=command.ord_type,
            trigger=command.trigger,
            peg=command.peg,
            to_limit=command.to_limit,
            cap=None if command.peg is None else command.price,
            display_qty=command.display_qty,
            min_qty=command.min_qty,
            post_only=command.post_only,
            all_or_none=command.all_or_none,
            expire_at=command.expire_at,
        )

    def _refusal(self, order: WorkingOrder) -> EndReason | None:
        """Why an order is not taken at all, None if it is."""
        floor = self._floor
        if order.trigger is not None or order.time_in_force in AUCTIONS:
            return None
        if not floor.is_open:
            return None if waiting.may_wait_for_opening(order) else EndReason.NOT_TRADING
        if order.post_only and order.peg is None and would_take(floor, order):
            return EndReason.WOULD_TAKE
        if order.price is None and not floor.policy.market_rest_waits:
            return None if would_take(floor, order) else EndReason.NO_LIQUIDITY
        return None

    def _cancel(self, request: Cancel) -> None:
        """Take an order out; one that does not work here is refused as unknown (who keeps records
        of orders that are done turns that into too late).
        """
        order = self._floor.orders.get(request.order_id)
        if order is None:
            self._floor.said.refusal(request, CxlRejReason.UNKNOWN_ORDER, "no such working order")
        else:
            self._floor.end(order, ExecType.CANCELED, EndReason.REQUESTED, request.request_id)


def _side_state(depth: Depth) -> SideState:
    return SideState(depth.levels, depth.is_book, tuple(sorted(depth.taken.items())), depth.margin)
