"""Whether what was queued may still go out: asked once more in the instant before it does."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from brokers.models import BrokerAccount
from marketdata import quotes
from marketdata.calendars import session_at
from oms.models import Command, Order
from oms.services import outbox
from portfolio.selectors import position_qty
from risk.selectors import covering_halt, reference_price
from risk.services import lock_accounts
from trading.keeping.reduce_only import reducible
from trading.orders import wire
from trading.orders.placement import REDUCE_ONLY
from trading.risk import HaltState
from trading.vocabulary import CommandKind, OrdType, Side, TimeInForce

RECHECK_AFTER = timedelta(seconds=5)


def why_not_sent(command: Command, order: Order, now: datetime) -> str | None:
    """The reason a queued command must not go out any more; None where it may."""
    if command.kind != CommandKind.NEW:
        return None  # cancels and decreases are never held up; a venue refuses what is too late
    if now >= command.expires_at:
        return "queue_expired"
    account = order.account
    if account.state != BrokerAccount.State.ACTIVE:
        return "account_disabled"
    halt = covering_halt(
        account_code=account.code,
        symbol=order.symbol,
        strategy=order.strategy,
        venue=account.connection.name,
    )
    if halt is not None and (halt.state == HaltState.HALTED or not _only_reduces(order)):
        return "trading_halted"
    waited = was_kept(order) or now - command.created_at > RECHECK_AFTER
    if waited and not _protects(order):
        return _no_longer_fits(command, order, now)
    return None


def must_wait(command: Command, order: Order, reason: str | None) -> bool:
    """Whether what stands against it now is about to pass, so that it stays in the queue.

    The first price after the open is a moment away; so is the keeper, who shrinks a reduce-only
    order with its position.
    """
    if reason is not None:
        return reason == "no_reference_price" and was_kept(order)
    return command.kind == CommandKind.NEW and _exceeds_position(command, order)


def _exceeds_position(command: Command, order: Order) -> bool:
    """Whether a reduce-only order, which its venue does not know to be one, is too large."""
    told = command.payload.get("exec_inst", ())
    if REDUCE_ONLY not in order.exec_inst or REDUCE_ONLY in told or order.list_id is not None:
        return False
    held = position_qty(account_id=order.account_id, symbol=order.symbol)
    return bool(order.order_qty > reducible(Side(order.side), held))


def _protects(order: Order) -> bool:
    """Whether a list sends the order to close what it opened: its list was judged at its worst."""
    return order.list_id is not None and _only_reduces(order)


def was_kept(order: Order) -> bool:
    """Whether the order waited here, for its price or the open, and no venue has seen it yet."""
    return bool(order.facts.get("unseen", False))


def _only_reduces(order: Order) -> bool:
    """Whether the order, itself counted among what is open, can only shrink the position."""
    return lock_accounts([order.account_id]).only_reduces(
        account_id=order.account_id,
        symbol=order.symbol,
        side=Side(order.side),
        qty=Decimal(0),
        position_qty=position_qty(account_id=order.account_id, symbol=order.symbol),
    )


def _no_longer_fits(command: Command, order: Order, now: datetime) -> str | None:
    """An order that waited, for its price or in an outage, meets another market: judged anew."""
    before_open = order.time_in_force == TimeInForce.OPG
    if session_at(order.instrument, now) is None and not before_open:
        return "market_closed"
    quote = quotes.latest([order.symbol]).get(order.symbol)
    if quote is None or reference_price(quote, now=now) is None:
        return "no_reference_price"
    breaches = lock_accounts([order.account_id]).judge(
        account=order.account,
        intent=JudgedOrder.of(order, command.payload),
        instrument=order.instrument,
        quote=quote,
        now=now,
        amends=outbox.reserved_notional(order),
    )
    return str(breaches[0].code) if breaches else None


@dataclass(frozen=True, slots=True)
class JudgedOrder:
    """The part of a stored order the risk rules read."""

    symbol: str
    side: Side
    ord_type: OrdType
    order_qty: Decimal
    price: Decimal | None

    @classmethod
    def of(cls, order: Order, payload: Mapping[str, Any]) -> "JudgedOrder":
        """The order as its venue is told it."""
        told = wire.read(payload, ("ord_type", "price"))
        return cls(
            symbol=order.symbol,
            side=Side(order.side),
            ord_type=told["ord_type"],
            order_qty=order.order_qty,
            price=told.get("price"),
        )
