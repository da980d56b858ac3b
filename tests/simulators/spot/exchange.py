"""The exchange behind every spot front: markets, balances, orders, trades; one engine per market.

It knows nothing of protocols. What happens is told to ``on_event``; refusals are exceptions with a
reason each front puts into its own words and codes.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from itertools import count

from trading.matching import Cancel, EndReason, Engine, NewOrder, QuoteTick, Report, Trigger
from trading.vocabulary import ExecType, OrdType, Side, TimeInForce, TriggerPriceType

ZERO = Decimal(0)
FEE_RATE = Decimal("0.001")


class Why(StrEnum):
    """Why the exchange refuses a request."""

    UNKNOWN_SYMBOL = "unknown symbol"
    FILTER = "filter failure"
    FUNDS = "insufficient balance"
    DUPLICATE = "duplicate client id"
    WOULD_TAKE = "would take"
    WOULD_TRIGGER = "would trigger immediately"
    UNKNOWN_ORDER = "unknown order"


class Refused(Exception):
    """A request that is not carried out."""

    def __init__(self, why: Why, text: str = "") -> None:
        super().__init__(text or why.value)
        self.why = why


@dataclass(frozen=True, slots=True)
class Market:
    """One pair. ``symbol`` is written BASE/QUOTE; fronts spell it their own way."""

    base: str
    quote: str
    tick: Decimal = Decimal("0.01")
    lot: Decimal = Decimal("0.00001")
    min_notional: Decimal = Decimal(5)

    @property
    def symbol(self) -> str:
        """The pair as this system spells it."""
        return f"{self.base}/{self.quote}"


@dataclass(slots=True)
class Trade:
    """One execution. ``fee`` is in ``fee_asset``."""

    id: int
    order: "SpotOrder"
    qty: Decimal
    price: Decimal
    maker: bool
    fee: Decimal
    fee_asset: str
    at_ms: int


@dataclass(slots=True)
class SpotOrder:
    """One order as the exchange has it. ``status`` is NEW, CANCELED, EXPIRED or FILLED, or
    PARTIALLY_FILLED while it works.
    """

    id: int
    client_id: str
    market: Market
    side: str
    kind: str
    tif: str
    qty: Decimal
    price: Decimal | None
    stop_px: Decimal | None
    at_ms: int
    post_only: bool = False
    status: str = "NEW"
    updated_ms: int = 0
    filled: Decimal = ZERO
    cost: Decimal = ZERO
    locked: Decimal = ZERO
    working: bool = True
    trades: list[Trade] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        """Whether it may still trade."""
        return self.status in ("NEW", "PARTIALLY_FILLED")


@dataclass(frozen=True, slots=True)
class Happened:
    """What became of an order: NEW, TRADE, CANCELED, EXPIRED or TRIGGERED."""

    kind: str
    order: SpotOrder
    trade: Trade | None = None


class SpotExchange:
    """One account at one exchange. Not thread-safe: everything happens on the front's loop."""

    def __init__(
        self, markets: list[Market], balances: dict[str, str], fee_asset: str = ""
    ) -> None:
        self.markets = {market.symbol: market for market in markets}
        self.free = {asset: Decimal(amount) for asset, amount in balances.items()}
        self.locked: dict[str, Decimal] = {}
        self.orders: dict[int, SpotOrder] = {}
        self.trades: list[Trade] = []
        self.quotes: dict[str, tuple[Decimal, Decimal, Decimal]] = {}
        self.on_event: Callable[[Happened], None] = lambda _: None
        self.fee_asset = fee_asset
        self._engines: dict[str, Engine] = {}
        self._order_ids = count(4_000_001)
        self._trade_ids = count(7_000_001)
        self._at = count(1)

    # --- the market -------------------------------------------------------------------------------

    def quote(self, symbol: str, bid: str, ask: str, size: str = "10") -> None:
        """Show a market; resting orders it reaches are filled."""
        market = self.markets[symbol]
        self.quotes[symbol] = (Decimal(bid), Decimal(ask), Decimal(size))
        lots = int(Decimal(size) / market.lot)
        tick = QuoteTick(
            next(self._at),
            int(Decimal(bid) / market.tick),
            int(Decimal(ask) / market.tick),
            lots,
            lots,
            last=int(Decimal(ask) / market.tick),
        )
        self._happened(self._engine(market).apply(tick))

    # --- requests ---------------------------------------------------------------------------------

    def place(
        self,
        *,
        symbol: str,
        side: str,
        kind: str,
        qty: Decimal | None,
        cost: Decimal | None = None,
        price: Decimal | None = None,
        stop_px: Decimal | None = None,
        tif: str = "GTC",
        client_id: str = "",
        post_only: bool = False,
    ) -> SpotOrder:
        """Take an order. :raises Refused:"""
        market = self.markets.get(symbol)
        if market is None:
            raise Refused(Why.UNKNOWN_SYMBOL)
        if qty is None:
            qty = self._qty_for(market, cost)
        self._check_filters(market, qty, price or stop_px)
        number = next(self._order_ids)
        client_id = client_id or f"web{number}"
        if any(o.client_id == client_id and o.is_open for o in self.orders.values()):
            raise Refused(Why.DUPLICATE, "Duplicate order sent.")
        now = now_ms()
        order = SpotOrder(
            number, client_id, market, side, kind, tif, qty, price, stop_px, now, post_only,
            updated_ms=now, working=stop_px is None,
        )  # fmt: skip
        if post_only and self._would_take(order):
            raise Refused(Why.WOULD_TAKE, "Order would immediately match and take.")
        self._lock(order)
        self.orders[number] = order
        self.on_event(Happened("NEW", order))
        self._happened(self._engine(market).apply(self._entry(order)))
        return order

    def cancel(self, order: SpotOrder) -> SpotOrder:
        """Take an order back. :raises Refused: if it is done."""
        if not order.is_open:
            raise Refused(Why.UNKNOWN_ORDER, "Unknown order sent.")
        request = Cancel(next(self._at), str(order.id), "cancel")
        self._happened(self._engine(order.market).apply(request))
        return order

    def find(self, order_id: int | None = None, client_id: str = "") -> SpotOrder:
        """The newest order of an id. :raises Refused: if there is none."""
        for order in reversed(self.orders.values()):
            if order.id == order_id or (client_id and order.client_id == client_id):
                return order
        raise Refused(Why.UNKNOWN_ORDER, "Order does not exist.")

    def open_orders(self) -> list[SpotOrder]:
        """Orders that work."""
        return [order for order in self.orders.values() if order.is_open]

    def by_client_id(self, client_id: str) -> list[SpotOrder]:
        """Every order that carries this id."""
        return [order for order in self.orders.values() if order.client_id == client_id]

    # --- inside -----------------------------------------------------------------------------------

    def _engine(self, market: Market) -> Engine:
        return self._engines.setdefault(market.symbol, Engine())

    def _qty_for(self, market: Market, cost: Decimal | None) -> Decimal:
        if cost is None or market.symbol not in self.quotes:
            raise Refused(Why.FILTER, "Mandatory parameter 'quantity' was not sent.")
        _, ask, _ = self.quotes[market.symbol]
        return (cost / ask // market.lot) * market.lot

    def _check_filters(self, market: Market, qty: Decimal, price: Decimal | None) -> None:
        if qty <= 0 or qty % market.lot:
            raise Refused(Why.FILTER, "Filter failure: LOT_SIZE")
        if price is not None and price % market.tick:
            raise Refused(Why.FILTER, "Filter failure: PRICE_FILTER")
        if price is not None and price * qty < market.min_notional:
            raise Refused(Why.FILTER, "Filter failure: NOTIONAL")

    def _would_take(self, order: SpotOrder) -> bool:
        quote = self.quotes.get(order.market.symbol)
        if quote is None or order.price is None:
            return False
        bid, ask, _ = quote
        return order.price >= ask if order.side == "buy" else order.price <= bid

    def _lock(self, order: SpotOrder) -> None:
        """Set aside what the order may cost. :raises Refused: without the funds."""
        if order.side == "buy":
            asset = order.market.quote
            _, ask, _ = self.quotes.get(order.market.symbol, (ZERO, order.price or ZERO, ZERO))
            amount = order.qty * (order.price or order.stop_px or ask)
        else:
            asset, amount = order.market.base, order.qty
        if self.free.get(asset, ZERO) < amount:
            raise Refused(Why.FUNDS, "Account has insufficient balance for requested action.")
        self.free[asset] -= amount
        self.locked[asset] = self.locked.get(asset, ZERO) + amount
        order.locked = amount

    def _release(self, order: SpotOrder) -> None:
        asset = order.market.quote if order.side == "buy" else order.market.base
        self.locked[asset] -= order.locked
        self.free[asset] = self.free.get(asset, ZERO) + order.locked
        order.locked = ZERO

    def _entry(self, order: SpotOrder) -> NewOrder:
        market = order.market
        trigger = None
        if order.stop_px is not None:
            touch = order.kind.startswith("take_profit")
            trigger = Trigger(
                int(order.stop_px / market.tick), touch=touch, price_type=TriggerPriceType.LAST
            )
        return NewOrder(
            at=next(self._at),
            order_id=str(order.id),
            account="spot",
            side=Side.BUY if order.side == "buy" else Side.SELL,
            ord_type=OrdType.MARKET if order.price is None else OrdType.LIMIT,
            time_in_force=TimeInForce(order.tif if order.price is not None else "IOC")
            if trigger is None
            else TimeInForce.GTC,
            qty=int(order.qty / market.lot),
            price=None if order.price is None else int(order.price / market.tick),
            trigger=trigger,
            post_only=order.post_only,
        )

    def _happened(self, reports: list[Report]) -> None:
        for report in reports:
            order = self.orders[int(report.order_id)]
            order.updated_ms = now_ms()
            if report.exec_type is ExecType.TRADE:
                self._filled(order, report)
            elif report.exec_type is ExecType.TRIGGERED:
                order.working = True
                self.on_event(Happened("TRIGGERED", order))
            elif report.exec_type in (ExecType.CANCELED, ExecType.EXPIRED, ExecType.REJECTED):
                by_request = report.reason is EndReason.REQUESTED
                order.status = "CANCELED" if by_request else "EXPIRED"
                self._release(order)
                self.on_event(Happened(order.status, order))

    def _filled(self, order: SpotOrder, report: Report) -> None:
        market = order.market
        qty, price = report.last_qty * market.lot, report.last_px * market.tick
        order.filled += qty
        order.cost += qty * price
        order.status = "FILLED" if order.filled == order.qty else "PARTIALLY_FILLED"
        bought, sold = (
            ((market.base, qty), (market.quote, qty * price))
            if order.side == "buy"
            else ((market.quote, qty * price), (market.base, qty))
        )
        set_aside = min(order.locked, sold[1])
        order.locked -= set_aside
        self.locked[sold[0]] -= set_aside
        self.free[sold[0]] -= sold[1] - set_aside
        fee_asset = self.fee_asset or bought[0]
        fee = qty * price * FEE_RATE if fee_asset != market.base else qty * FEE_RATE
        self.free[bought[0]] = self.free.get(bought[0], ZERO) + bought[1]
        self.free[fee_asset] = self.free.get(fee_asset, ZERO) - fee
        trade = Trade(
            next(self._trade_ids), order, qty, price, str(report.liquidity) == "MAKER", fee,
            fee_asset, now_ms(),
        )  # fmt: skip
        order.trades.append(trade)
        self.trades.append(trade)
        if order.status == "FILLED":
            self._release(order)
        self.on_event(Happened("TRADE", order, trade))


def now_ms() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000
