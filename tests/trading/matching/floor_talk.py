"""Short words for the engine's events, so that a test reads like a trading day."""

from trading.matching import Engine, NewOrder, Policy, QuoteTick, TradeTick
from trading.vocabulary import ExecType, OrdType, Side, TimeInForce


def quote(bid=100, ask=101, bid_size=10, ask_size=10, at=1, last=None):
    """The market shows its best prices."""
    return QuoteTick(at, bid, ask, bid_size, ask_size, last=last)


def trade(price, qty=0, at=1, *, eligible=True):
    """Somebody trades."""
    return TradeTick(at, price, qty, eligible)


def order(name, side, qty, price=None, tif=TimeInForce.DAY, account="A", at=1, **more):
    """An order: MARKET without a price, LIMIT with one."""
    ord_type = OrdType.MARKET if price is None else OrdType.LIMIT
    return NewOrder(at, name, account, side, ord_type, tif, qty, price, **more)


def buy(name, qty, price=None, **more):
    """A purchase."""
    return order(name, Side.BUY, qty, price, **more)


def sell(name, qty, price=None, **more):
    """A sale."""
    return order(name, Side.SELL, qty, price, **more)


def engine(*events, **policy):
    """An engine that has seen these events."""
    made = Engine(Policy(**policy))
    for event in events:
        made.apply(event)
    return made


def told(reports):
    """Each report as (order, what, lots, price)."""
    return [(r.order_id, r.exec_type, r.last_qty, r.last_px) for r in reports]


def said(reports):
    """Each report as (order, what)."""
    return [(r.order_id, r.exec_type) for r in reports]


def trades(reports):
    """Each fill as (order, lots, price)."""
    return [(r.order_id, r.last_qty, r.last_px) for r in reports if r.exec_type is ExecType.TRADE]
