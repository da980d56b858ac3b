"""What an order meets at entry besides its own fields: venue, position, session and market."""

from datetime import datetime

from brokers.adapters.registry import capabilities_of
from brokers.models import BrokerAccount
from common.errors import FieldError
from common.numbers import dec_str
from marketdata.calendars import Session, next_open, session_at
from marketdata.models import Instrument
from oms import errors
from oms.selectors import open_reducing_qty
from portfolio.selectors import position_qty
from trading.keeping.triggers import Fired, Moved, judge, kept, reference_px
from trading.market import Quote
from trading.orders.entry import reduce_only_error, when_closed
from trading.orders.intent import OrderIntent
from trading.orders.placement import REDUCE_ONLY, Placement, place
from trading.orders.validity import TRIGGERED_TYPES
from trading.vocabulary import WhenClosed


def placed_at(account: BrokerAccount, intent: OrderIntent) -> Placement:
    """Return how the order reaches the account's venue, and what of it we keep.

    :raises FieldRefused: if the venue does not take it in any form.
    """
    broker = account.connection.broker
    able = capabilities_of(broker)
    if able is None:
        message = f"This installation has no adapter for {broker}; choose another account."
        raise errors.FieldRefused([FieldError("account", "unsupported_by_venue", message)])
    placed = place(intent, able)
    if isinstance(placed, Placement):
        return placed
    message = f"{broker} takes no {intent.ord_type} like this."
    raise errors.FieldRefused(
        [FieldError(name, "unsupported_by_venue", message) for name in placed]
    )


def check_reduce_only(account: BrokerAccount, intent: OrderIntent) -> None:
    """:raises FieldRefused: for a reduce-only order that could do more than reduce the position."""
    if REDUCE_ONLY not in intent.exec_inst:
        return
    found = reduce_only_error(
        intent.side,
        intent.order_qty,
        position_qty=position_qty(account_id=account.pk, symbol=intent.symbol),
        others=open_reducing_qty(account.pk, intent.symbol, intent.side),
    )
    if found is not None:
        raise errors.FieldRefused([FieldError(found.field, found.code, found.message)])


def session_waited_for(
    account: BrokerAccount, intent: OrderIntent, instrument: Instrument, now: datetime
) -> Session | None:
    """Return the session the order waits for here, None where it may go at once.

    :raises MarketClosed: if it does not wait, or nobody knows when the market opens.
    """
    if session_at(instrument, now) is not None:
        return None
    assert intent.time_in_force is not None, "defaults are filled in first"
    opens = next_open(instrument, now)
    if when_closed(intent.when_closed, intent.time_in_force) is WhenClosed.REJECT:
        raise errors.MarketClosed(intent.symbol, opens)
    able = capabilities_of(account.connection.broker)
    if able is not None and able.queues_when_closed:
        return None
    session = None if opens is None else session_at(instrument, opens)
    if session is None:
        raise errors.MarketClosed(intent.symbol, opens)
    return session


def check_trigger(intent: OrderIntent, instrument: Instrument, quote: Quote) -> Moved | None:
    """Return where a trail that is active at once begins.

    :raises FieldRefused: for a trigger the market has reached already.
    """
    if intent.ord_type not in TRIGGERED_TYPES:
        return None
    order = kept(intent, instrument.tick_size)
    price = reference_px(order, quote)
    if price is None:
        raise errors.NoReferencePrice(intent.symbol)
    found = judge(order, price)
    if isinstance(found, Fired):
        message = f"The market is at {dec_str(price)} already: this order would fire at once."
        raise errors.FieldRefused([FieldError("stop_px", "would_trigger_immediately", message)])
    return found
