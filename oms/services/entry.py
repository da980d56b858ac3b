"""What an order meets at entry besides its own fields: venue, position, session and market."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from django.conf import settings

from brokers.adapters.registry import capabilities_of
from brokers.models import BrokerAccount
from common.errors import FieldError
from common.instants import instant_str
from common.numbers import dec_str
from marketdata.calendars import Session, next_auctions, next_open, session_at
from marketdata.models import Instrument
from oms import errors
from oms.models import Order
from oms.selectors import open_reducing_qty
from portfolio.selectors import position_qty
from trading.keeping.triggers import Fired, Moved, judge, kept, reference_px
from trading.market import Quote
from trading.orders.entry import (
    best_opposite,
    expire_time_error,
    limit_beyond_stop,
    reduce_only_error,
    units_for,
    when_closed,
    worst_px,
)
from trading.orders.intent import OrderIntent, field_errors
from trading.orders.numbers import OrderFieldError
from trading.orders.placement import NOT_AT_THE_VENUE, REDUCE_ONLY, Placement, place
from trading.orders.validity import TRIGGERED_TYPES, notional_errors
from trading.vocabulary import Side, TimeInForce, WhenClosed

AUCTIONS = frozenset({TimeInForce.OPG, TimeInForce.CLS})


@dataclass(frozen=True, slots=True)
class Sized:
    """An order in units. ``unspent`` is what a conversion of money left over and ``reserve_px``
    what a unit then counts at, ``worst_px`` the price a protected MARKET may trade at.
    """

    intent: OrderIntent
    unspent: Decimal | None = None
    reserve_px: Decimal | None = None
    worst_px: Decimal | None = None


def check_fields(
    account: BrokerAccount, intent: OrderIntent, instrument: Instrument, now: datetime
) -> Placement:
    """Return how the order reaches the account's venue, and what of it we keep.

    :raises FieldRefused: by the rules of the fields, or if the venue does not take it in any form.
    """
    refuse(field_errors(intent, instrument.rules))
    broker = account.connection.broker
    able = capabilities_of(broker)
    if able is None:
        message = f"This installation has no adapter for {broker}; choose another account."
        raise errors.FieldRefused([FieldError("account", "unsupported_by_venue", message)])
    late = expire_time_error(intent.expire_time, now, max_days=able.gtc_max_days)
    refuse([late] if late else [])
    placed = place(intent, able)
    if isinstance(placed, Placement):
        return placed
    message = f"{broker} takes no {intent.ord_type} like this"
    if not intent.allow_synthetic:
        message += " by itself, and with allow_synthetic false nothing here stands in"
    raise errors.FieldRefused(
        [FieldError(name, "unsupported_by_venue", f"{message} ({name}).") for name in placed]
    )


def size(intent: OrderIntent, placed: Placement, instrument: Instrument, quote: Quote) -> Sized:
    """Turn money into units, see that they are worth an order, and bound a protected MARKET.

    :raises FieldRefused: :raises NoReferencePrice: while nobody is on the other side to ask.
    """
    best = best_opposite(intent.side, quote)
    sized = Sized(intent)
    if intent.cash_order_qty is not None:
        sized = _in_units(intent, intent.cash_order_qty, instrument, best)
    refuse(notional_errors(sized.intent, instrument.rules, best))
    bps = intent.max_slippage_bps
    if bps is None:
        return sized
    if best is None:
        raise errors.NoReferencePrice(intent.symbol)
    if placed.protects:
        bound = worst_px(intent.side, best, bps=bps, tick_size=instrument.tick_size)
        return replace(sized, worst_px=bound)
    shown = quote.ask_size if intent.side is Side.BUY else quote.bid_size
    if sized.intent.order_qty > shown:
        text = (
            f"The book shows {dec_str(shown)} units at {dec_str(best)} and not what the rest would "
            "cost; the venue bounds no market order, so the order has to be that small."
        )
        refuse([OrderFieldError("max_slippage_bps", "slippage_exceeds_limit", text, (shown,))])
    return sized


def _in_units(
    intent: OrderIntent, cash: Decimal, instrument: Instrument, best: Decimal | None
) -> Sized:
    if best is None:
        raise errors.NoReferencePrice(intent.symbol)
    room = intent.max_slippage_bps
    if room is None:
        room = Decimal(settings.OMS_SLIPPAGE_EQUITY_BPS)
    found = units_for(cash, best, protection_bps=room, rules=instrument.rules)
    if isinstance(found, OrderFieldError):
        raise errors.FieldRefused([FieldError(found.field, found.code, found.message)])
    sized = replace(intent, order_qty=found.order_qty)
    return Sized(sized, unspent=found.unspent, reserve_px=found.reserve_px)


def check_reduce_only(
    account: BrokerAccount, intent: OrderIntent, *, but: str | None = None
) -> None:
    """Hold a reduce-only order against the position; ``but`` is the order it takes the place of.

    :raises FieldRefused: if it could do more than reduce it.
    """
    if REDUCE_ONLY not in intent.exec_inst:
        return
    found = reduce_only_error(
        intent.side,
        intent.order_qty,
        position_qty=position_qty(account_id=account.pk, symbol=intent.symbol),
        others=open_reducing_qty(account.pk, intent.symbol, intent.side, but=but),
    )
    refuse([found] if found else [])


def session_waited_for(
    account: BrokerAccount, intent: OrderIntent, instrument: Instrument, now: datetime
) -> Session | None:
    """Return the session the order waits for here, None where it may go at once.

    :raises MarketClosed: if it does not wait, or nobody knows when the market opens.
    """
    assert intent.time_in_force is not None, "defaults are filled in first"
    if intent.time_in_force in AUCTIONS:
        check_auction(intent, instrument, now)
    if session_at(instrument, now) is not None:
        return None
    opens = next_open(instrument, now)
    if when_closed(intent.when_closed, intent.time_in_force) is WhenClosed.REJECT:
        raise errors.MarketClosed(intent.symbol, opens)
    able = capabilities_of(account.connection.broker)
    if intent.time_in_force is TimeInForce.OPG or (able is not None and able.queues_when_closed):
        return None  # what trades in the opening auction has to be there before the open
    session = None if opens is None else session_at(instrument, opens)
    if session is None:
        raise errors.MarketClosed(intent.symbol, opens)
    return session


def check_auction(intent: OrderIntent, instrument: Instrument, now: datetime) -> None:
    """:raises AuctionCutoff: if it is too late. :raises FieldRefused: where no auction is held."""
    held = next_auctions(instrument, now, at_open=intent.time_in_force is TimeInForce.OPG)
    if not held:
        text = f"{intent.symbol} has no auction that {intent.time_in_force} orders could trade in."
        refuse([OrderFieldError("time_in_force", "unsupported_by_venue", text)])
    if now >= held[0].entry_cutoff:
        following = held[1].at if len(held) > 1 else None
        raise errors.AuctionCutoff(str(intent.time_in_force), held[0].entry_cutoff, following)


def warnings_of_cancel(order: Order, now: datetime) -> Iterator[tuple[str, str]]:
    """What has to be known of a cancel, which is sent all the same."""
    if order.time_in_force not in AUCTIONS or order.is_closed:
        return
    at_open = order.time_in_force == TimeInForce.OPG
    held = next_auctions(order.instrument, now, at_open=at_open)
    if held and now >= held[0].cancel_cutoff:
        late = instant_str(held[0].cancel_cutoff)
        yield "likely_refused", f"The auction gives back no orders since {late}; it was asked."


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


def warnings_of(
    intent: OrderIntent, placed: Placement, waits_for: Session | None
) -> Iterator[tuple[str, str]]:
    """Codes and words of what is no reason against the order, and has to be known of it."""
    if placed.keeps_trigger:
        yield "held_here", NOT_AT_THE_VENUE
    if placed.keeps_end:
        yield "ended_here", "The venue keeps it until cancelled; this system ends it at its time."
    if placed.keeps_reduce_only:
        yield "watched_here", "This system, not the venue, sees to it that it only reduces."
    if waits_for is not None:
        yield "waits_for_open", f"It is sent at the open, {instant_str(waits_for.open_at)}."
    if limit_beyond_stop(intent):
        yield "limit_beyond_stop", "The limit lies beyond the stop: once fired it rests unfilled."


def refuse(found: Iterable[OrderFieldError]) -> None:
    """:raises FieldRefused: with all of them, if there is one."""
    rows = [FieldError(row.field, row.code, row.message) for row in found]
    if rows:
        raise errors.FieldRefused(rows)
