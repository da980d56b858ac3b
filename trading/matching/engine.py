"""One instrument's engine: price-time priority, the market's liquidity outside.

An arriving order is planned first (what it would take, at which prices, and why it would stop)
and carried out afterwards, so that fill-or-kill and self-match are decided before anything moves.
"""

from collections.abc import Collection
from dataclasses import replace

from trading.matching.arrival import Arrival, Plan, plan_arrival
from trading.matching.book import RestingSide, Touch, is_buy
from trading.matching.reporter import Reporter
from trading.matching.state import EngineState, SideState, WorkingOrder
from trading.matching.values import (
    Cancel,
    EndReason,
    Event,
    Liquidity,
    NewOrder,
    Policy,
    QuoteTick,
    Replace,
    Report,
    SessionClose,
)
from trading.vocabulary import CxlRejReason, ExecType, OrdStatus, OrdType, TimeInForce

IMMEDIATE = (TimeInForce.IOC, TimeInForce.FOK)


class Engine:
    """Matches the orders of one instrument against its quotes. Every call returns its reports."""

    def __init__(self, policy: Policy | None = None) -> None:
        self.policy = policy or Policy()
        self._sides = {True: RestingSide(), False: RestingSide()}
        self._touch = {True: Touch(step=-1), False: Touch(step=1)}  # True: bids, False: offers
        self._orders: dict[str, WorkingOrder] = {}
        self._last_priority = 0
        self._said = Reporter()

    # --- events -----------------------------------------------------------------------------

    def apply(self, event: Event) -> list[Report]:
        """Process one event. :raises TimeReversed: if it is older than the last one."""
        if isinstance(event, QuoteTick):
            return self.on_quote(event)
        if isinstance(event, NewOrder):
            return self.new(event)
        if isinstance(event, Cancel):
            return self.cancel(event)
        if isinstance(event, Replace):
            return self.replace(event)
        return self.on_session_close(event)

    def on_quote(self, tick: QuoteTick) -> list[Report]:
        """Take the market's new best prices; resting orders they cross are filled at their own
        price, best and oldest first, up to the size shown.
        """
        if min(tick.bid_size, tick.ask_size) < 0:
            raise ValueError("a displayed size is negative")
        self._said.begin(tick.at)
        self._touch[True].show(tick.bid, tick.bid_size)
        self._touch[False].show(tick.ask, tick.ask_size)
        for buy in (True, False):
            self._fill_crossed(buy)
        return self._said.end()

    def on_session_close(self, close: SessionClose) -> list[Report]:
        """Expire every DAY order, in the order of their time."""
        due = [o.order_id for o in self._orders.values() if o.time_in_force is TimeInForce.DAY]
        return self.expire(close.at, due)

    def expire(self, at: int, order_ids: Collection[str]) -> list[Report]:
        """Expire these working orders; ids that do not rest here are passed over."""
        self._said.begin(at)
        due = [self._orders[order_id] for order_id in order_ids if order_id in self._orders]
        for order in sorted(due, key=lambda order: order.priority):
            self._drop(order)
            self._said.order(
                order, ExecType.EXPIRED, status=OrdStatus.EXPIRED, reason=EndReason.SESSION_CLOSE
            )
        return self._said.end()

    def new(self, command: NewOrder) -> list[Report]:
        """Take an order: acknowledge it, let it trade, then let its rest stand or end.

        :raises ValueError: if an order with this id rests already.
        """
        if command.order_id in self._orders:
            raise ValueError(f"order {command.order_id} rests already")
        self._said.begin(command.at)
        arrival = Arrival(
            command.order_id,
            command.account,
            command.side.sign > 0,
            command.ord_type,
            command.time_in_force,
            command.qty,
            command.price,
            0,
        )
        plan = self._plan(arrival)
        if arrival.ord_type is OrdType.MARKET and not plan.takes and not plan.self_match:
            self._said.order(
                arrival,
                ExecType.REJECTED,
                status=OrdStatus.REJECTED,
                reason=EndReason.NO_LIQUIDITY,
            )
            return self._said.end()
        self._said.order(arrival, ExecType.NEW)
        rest = self._trade(arrival, plan)
        if rest:
            assert arrival.price is not None, "only limit orders rest"
            self._rest(arrival, command)
        return self._said.end()

    def cancel(self, request: Cancel) -> list[Report]:
        """Take an order out; one that does not rest here is refused as unknown (who keeps records
        of orders that are done turns that into too late).
        """
        self._said.begin(request.at)
        order = self._orders.get(request.order_id)
        if order is None:
            self._said.refusal(request, CxlRejReason.UNKNOWN_ORDER, "no such working order")
        else:
            self._drop(order)
            self._said.order(
                order,
                ExecType.CANCELED,
                status=OrdStatus.CANCELED,
                reason=EndReason.REQUESTED,
                request_id=request.request_id,
            )
        return self._said.end()

    def replace(self, request: Replace) -> list[Report]:
        """Give an order new terms in place.

        A total below what is filled means: no more. Another price or a larger quantity loses the
        place in time and trades as if it had just come; a smaller quantity keeps the place.
        """
        if request.qty <= 0:
            raise ValueError(f"quantity {request.qty} of {request.order_id} is not positive")
        self._said.begin(request.at)
        order = self._orders.get(request.order_id)
        if order is None:
            self._said.refusal(request, CxlRejReason.UNKNOWN_ORDER, "no such working order")
        elif request.time_in_force in IMMEDIATE:
            self._said.refusal(
                request, CxlRejReason.OTHER, "a resting order cannot become immediate", order
            )
        else:
            self._amend(order, request)
        return self._said.end()

    # --- reads ------------------------------------------------------------------------------

    @property
    def working(self) -> tuple[WorkingOrder, ...]:
        """The resting orders, oldest first."""
        return tuple(sorted(self._orders.values(), key=lambda order: order.priority))

    def find(self, order_id: str) -> WorkingOrder | None:
        """The resting order of this id."""
        return self._orders.get(order_id)

    @property
    def last_at(self) -> int:
        """The instant of the last event."""
        return self._said.last_at

    def would_fill(self, tick: QuoteTick) -> bool:
        """Whether this quote would fill any resting order (nothing changes)."""
        best_buy = next(iter(self._sides[True]), None)
        best_sell = next(iter(self._sides[False]), None)
        buys = best_buy is not None and tick.ask_size > 0 and tick.ask <= best_buy.price
        sells = best_sell is not None and tick.bid_size > 0 and tick.bid >= best_sell.price
        return buys or sells

    def dump(self) -> EngineState:
        """The whole state between two events."""
        bids, offers = self._touch[True], self._touch[False]
        return EngineState(
            policy=self.policy,
            bids=SideState(bids.price, bids.size, bids.taken),
            offers=SideState(offers.price, offers.size, offers.taken),
            orders=self.working,
            last_at=self._said.last_at,
            last_seq=self._said.last_seq,
            last_priority=self._last_priority,
        )

    @classmethod
    def resume(cls, state: EngineState) -> "Engine":
        """An engine that goes on as if it had never stopped."""
        engine = cls(state.policy)
        for buy, side in ((True, state.bids), (False, state.offers)):
            touch = engine._touch[buy]
            touch.price, touch.size, touch.taken = side.price, side.size, side.taken
        for order in state.orders:
            engine._orders[order.order_id] = order
            engine._sides[is_buy(order)].add(order)
        engine._said = Reporter(last_at=state.last_at, last_seq=state.last_seq)
        engine._last_priority = state.last_priority
        return engine

    # --- doing ------------------------------------------------------------------------------

    def _plan(self, arrival: Arrival) -> Plan:
        opposite = not arrival.buy
        return plan_arrival(arrival, self._sides[opposite], self._touch[opposite], self.policy)

    def _trade(self, arrival: Arrival, plan: Plan) -> bool:
        """Carry out a plan and end what may not rest; whether a rest is to stay in the book."""
        whole = plan.qty == arrival.leaves_qty
        if arrival.time_in_force is TimeInForce.FOK and not whole:
            self._finish(arrival, EndReason.FILL_OR_KILL)
            return False
        for take in plan.takes:
            if take.maker is None:
                self._touch[not arrival.buy].taken += take.qty
            else:
                self._fill_resting(take.maker, take.qty)
            arrival.cum_qty += take.qty
            self._said.order(
                arrival,
                ExecType.TRADE,
                last_qty=take.qty,
                last_px=take.price,
                liquidity=Liquidity.TAKER,
            )
        if whole:
            return False
        if plan.self_match:
            self._finish(arrival, EndReason.SELF_MATCH)
        elif arrival.ord_type is OrdType.MARKET:
            self._finish(arrival, EndReason.NO_LIQUIDITY)
        elif arrival.time_in_force is TimeInForce.IOC:
            self._finish(arrival, EndReason.IMMEDIATE_REST)
        else:
            return True
        return False

    def _finish(self, arrival: Arrival, reason: EndReason) -> None:
        self._said.order(arrival, ExecType.CANCELED, status=OrdStatus.CANCELED, reason=reason)

    def _rest(self, arrival: Arrival, command: NewOrder) -> None:
        assert arrival.price is not None, "only limit orders rest"
        self._last_priority += 1
        self._add(
            WorkingOrder(
                order_id=arrival.order_id,
                account=arrival.account,
                side=command.side,
                time_in_force=arrival.time_in_force,
                qty=arrival.qty,
                price=arrival.price,
                cum_qty=arrival.cum_qty,
                priority=self._last_priority,
            )
        )

    def _amend(self, order: WorkingOrder, request: Replace) -> None:
        qty = max(request.qty, order.cum_qty)
        changed = replace(order, qty=qty, price=request.price, time_in_force=request.time_in_force)
        self._drop(order)
        self._said.order(changed, ExecType.REPLACED, request_id=request.request_id)
        if changed.leaves_qty == 0:
            return
        if changed.price == order.price and qty <= order.qty:
            self._add(changed)
            return
        arrival = Arrival(
            changed.order_id,
            changed.account,
            is_buy(changed),
            OrdType.LIMIT,
            changed.time_in_force,
            changed.qty,
            changed.price,
            changed.cum_qty,
        )
        if self._trade(arrival, self._plan(arrival)):
            self._last_priority += 1
            self._add(replace(changed, cum_qty=arrival.cum_qty, priority=self._last_priority))

    def _fill_crossed(self, buy: bool) -> None:
        """Fill resting orders of one side that the opposite touch crosses."""
        touch = self._touch[not buy]
        step = 1 if buy else -1
        crossed = []
        for order in self._sides[buy]:
            if touch.price * step > order.price * step or touch.at_best == 0:
                break
            take = min(order.leaves_qty, touch.at_best)
            touch.taken += take
            crossed.append((order, take))
        for order, take in crossed:
            self._fill_resting(order, take)

    def _fill_resting(self, order: WorkingOrder, qty: int) -> None:
        """A resting order trades at its own price."""
        filled = replace(order, cum_qty=order.cum_qty + qty)
        if filled.leaves_qty:
            self._sides[is_buy(order)].swap(order, filled)
            self._orders[order.order_id] = filled
        else:
            self._drop(order)
        self._said.order(
            filled,
            ExecType.TRADE,
            last_qty=qty,
            last_px=order.price,
            liquidity=Liquidity.MAKER,
        )

    def _add(self, order: WorkingOrder) -> None:
        self._orders[order.order_id] = order
        self._sides[is_buy(order)].add(order)

    def _drop(self, order: WorkingOrder) -> None:
        del self._orders[order.order_id]
        self._sides[is_buy(order)].remove(order)
