"""TWS's own books, asked for: orders open and done, executions, positions, cash."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from brokers.adapters.base import VenueOrder
from brokers.adapters.ib import parse, terms, wire
from brokers.adapters.ib.contracts import Contracts
from brokers.adapters.ib.line import Line
from brokers.adapters.ib.orders import Heard, Orders
from trading.vocabulary import OrdStatus, OrdType, Side

Fields = tuple[str, ...]
ZERO = Decimal(0)
_ORDER_ROWS = frozenset({wire.OPEN_ORDER, wire.ORDER_STATUS})
_CASH = "TotalCashBalance"


class Unclear(Exception):
    """What TWS lists contradicts itself: nothing follows from it."""


async def open_rows(line: Line) -> list[tuple[wire.WireOrder, wire.WireStatus | None]]:
    """Every working order of every client, each with its status."""
    rows = await line.ask(
        lambda client, _: client.reqAllOpenOrders(), rows=_ORDER_ROWS, end=wire.OPEN_ORDERS_END
    )
    statuses = {
        (status.client_id, status.number): status
        for status in (wire.order_status(row) for row in rows if int(row[0]) == wire.ORDER_STATUS)
    }
    orders = {
        order.perm_id: order
        for order in (
            wire.open_order(row, line.version) for row in rows if int(row[0]) == wire.OPEN_ORDER
        )
    }
    return [
        (order, statuses.get((order.client_id, order.number)))
        for order in orders.values()
        if not order.what_if
    ]


async def completed_rows(line: Line) -> list[wire.WireOrder]:
    """Every order that is done since the day began at TWS."""
    rows = await line.ask(
        lambda client, _: client.reqCompletedOrders(False),
        rows=frozenset({wire.COMPLETED_ORDER}),
        end=wire.COMPLETED_ORDERS_END,
    )
    return [wire.completed_order(row, line.version) for row in rows]


async def execution_rows(line: Line, orders: Orders, since: datetime | None) -> list[Heard]:
    """Executions of today with their commissions, as messages; ``since`` leaves out older ones."""
    rows = await line.ask(
        lambda client, number: client.reqExecutions(number, line.any_execution()),
        rows=frozenset({wire.EXECUTION, wire.COMMISSION}),
        end=wire.EXECUTIONS_END,
        numbered=True,
    )
    now = datetime.now(UTC)
    found = [
        orders.executed(row, now) if int(row[0]) == wire.EXECUTION else orders.charged(row, now)
        for row in rows
    ]
    return [
        heard for heard in found if heard is not None and (since is None or _at(heard) >= since)
    ]


async def refuse_if_traded(line: Line, orders: Orders, ids: set[str]) -> None:
    """:raises Unclear: if an order of these ids has executions although no list has it."""
    for heard in await execution_rows(line, orders, None):
        if heard.envelope.ref in ids:
            raise Unclear(f"{heard.envelope.ref} has executions and is in no list")


def _at(heard: Heard) -> datetime:
    """When the execution took place; whole seconds, so a second is added in its favour."""
    execution = heard.envelope.execution or heard.envelope.fields
    return wire.execution(execution).at + timedelta(seconds=1)


async def position_rows(line: Line) -> list[tuple[str, int, str, Decimal]]:
    """(account, contract id, symbol, quantity) of everything held."""
    rows = await line.ask(
        lambda client, _: client.reqPositions(),
        rows=frozenset({wire.POSITION}),
        end=wire.POSITIONS_END,
    )
    return [wire.position(row) for row in rows]


async def cash_rows(line: Line, venue_account: str) -> dict[str, Decimal]:
    """Cash of one account by currency."""
    rows = await line.ask(
        lambda client, number: client.reqAccountUpdatesMulti(number, venue_account, "", False),
        rows=frozenset({wire.VALUE_MULTI}),
        end=wire.VALUES_MULTI_END,
        numbered=True,
    )
    values = [wire.value_multi(row) for row in rows]
    return {
        currency: Decimal(value)
        for key, value, currency in values
        if key == _CASH and currency != "BASE"
    }


def day_begun(time_zone: str, now: datetime) -> datetime:
    """When the day began at TWS: what ended before is no longer listed."""
    local = now.astimezone(ZoneInfo(time_zone))
    return local.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)


def venue_order(
    order: wire.WireOrder,
    *,
    account: str,
    ref: str,
    cum_qty: Decimal,
    contracts: Contracts,
    done: bool,
) -> VenueOrder:
    """An order of TWS's books in the words of the port; ``ref`` is our id of its version."""
    status = _status_of(order.status, cum_qty, order.order_qty, done=done)
    closed = status in (OrdStatus.FILLED, OrdStatus.CANCELED, OrdStatus.REJECTED)
    return VenueOrder(
        account=account,
        venue_cl_ord_id=ref,
        order_id=str(order.perm_id),
        symbol=contracts.symbol_of(order.con_id, order.symbol),
        side=Side.BUY if order.action == "BUY" else Side.SELL,
        ord_type=terms.ord_type_of(order) or OrdType.MARKET,
        ord_status=status,
        order_qty=order.order_qty,
        cum_qty=cum_qty,
        leaves_qty=ZERO if closed else max(order.order_qty - cum_qty, ZERO),
        price=terms.price_of(order),
        time_in_force=terms.time_in_force_of(order),
        text=order.warning,
        stop_px=terms.stop_px_of(order),
        working_indicator=order.status != "PreSubmitted",
    )


def _status_of(status: str, cum_qty: Decimal, order_qty: Decimal, *, done: bool) -> OrdStatus:
    """A status by what was executed, not by the word alone: a fill is never overlooked."""
    if order_qty > 0 and cum_qty >= order_qty:
        return OrdStatus.FILLED
    if status in parse.ENDED:
        return OrdStatus.CANCELED
    if status == "Inactive":
        if not done:
            return OrdStatus.SUSPENDED
        return OrdStatus.CANCELED if cum_qty else OrdStatus.REJECTED
    return OrdStatus.PARTIALLY_FILLED if cum_qty else OrdStatus.NEW
