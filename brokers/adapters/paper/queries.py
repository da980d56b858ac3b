"""What the paper venue answers when asked: read from its committed books, for one account.

While its switch ``silent`` is on, every page is empty and incomplete: no evidence of anything,
whatever the books say.
"""

from datetime import datetime
from decimal import Decimal

from django.db.models import QuerySet, Sum

from brokers.adapters.base import (
    BalancesPage,
    ExecutionsPage,
    FeeQuote,
    Lookup,
    OrdersPage,
    PositionsPage,
    VenueOrder,
)
from brokers.adapters.paper.faults import Aim, Faults
from brokers.adapters.paper.fees import schedule_of
from brokers.adapters.paper.messages import leaves_qty
from brokers.models import (
    FILLS_AND_CORRECTIONS,
    FaultSwitch,
    PaperAccount,
    PaperClientId,
    PaperExecution,
    PaperFault,
    PaperOrder,
)
from common.numbers import dec_str
from tenants.binding import tenant_bound
from trading.fees import Charged, Execution, fee_of
from trading.vocabulary import OrdStatus, OrdType, Side, TimeInForce


def lookup(schema: str, connection_id: int, account: str, venue_cl_ord_id: str) -> Lookup:
    """Find an order by any client id of its chain."""
    with tenant_bound(schema):
        owner = _account(connection_id, account)
        if owner is None:
            return Lookup(None, complete=False)
        known = PaperClientId.objects.filter(
            account_id=owner.account_id, venue_cl_ord_id=venue_cl_ord_id
        )
        order_pk = known.values_list("order_id", flat=True).first()
        if order_pk is None or _claim(connection_id, FaultSwitch.NOT_FOUND_FIRST, account):
            return Lookup(None, complete=True)
        return Lookup(_shown(account, PaperOrder.objects.get(pk=order_pk)), complete=True)


def open_orders(schema: str, connection_id: int, account: str) -> OrdersPage:
    """All working orders, oldest first."""
    with tenant_bound(schema):
        owner = _account(connection_id, account)
        if owner is None:
            return OrdersPage((), complete=False)
        rows = PaperOrder.objects.filter(
            venue_id=connection_id, account_id=owner.account_id, is_working=True
        )
        orders = tuple(_shown(account, order) for order in rows.order_by("id"))
        if orders and _claim(connection_id, FaultSwitch.PARTIAL_PAGE, account):
            return OrdersPage(orders[:-1], complete=False)
        return OrdersPage(orders, complete=True)


def executions(schema: str, connection_id: int, account: str, since: datetime) -> ExecutionsPage:
    """The trade messages from an instant on, as they were sent, in their order."""
    with tenant_bound(schema):
        owner = _account(connection_id, account)
        if owner is None:
            return ExecutionsPage((), complete=False)
        rows = _trades(owner).filter(transact_time__gte=since).order_by("venue_seq")
        messages = tuple(raw.encode() for raw in rows.values_list("raw", flat=True))
        if messages and _claim(connection_id, FaultSwitch.PARTIAL_PAGE, account):
            return ExecutionsPage(messages[:-1], complete=False)
        if _claim(connection_id, FaultSwitch.DUPLICATE_ROWS, account):
            messages = tuple(message for message in messages for _ in range(2))
        return ExecutionsPage(messages, complete=True)


def positions(schema: str, connection_id: int, account: str) -> PositionsPage:
    """Signed quantities by symbol, zero ones left out."""
    with tenant_bound(schema):
        owner = _account(connection_id, account)
        if owner is None:
            return PositionsPage({}, complete=False)
        sums = _trades(owner).values("symbol").annotate(held=Sum("qty_delta")).order_by()
        held = {(account, row["symbol"]): row["held"] for row in sums if row["held"]}
        return PositionsPage(held, complete=True)


def balances(schema: str, connection_id: int, account: str) -> BalancesPage:
    """Cash by currency: what the account opened with, and what trades moved, fees taken."""
    with tenant_bound(schema):
        owner = _account(connection_id, account)
        if owner is None:
            return BalancesPage({}, complete=False)
        sums = _trades(owner).values("currency").annotate(moved=Sum("cash_delta")).order_by()
        cash = {(account, row["currency"]): Decimal(row["moved"]) for row in sums}
        key = (account, owner.currency)
        cash[key] = cash.get(key, Decimal(0)) + owner.opening_cash
        return BalancesPage(cash, complete=True)


def quoted_fee(
    account_id: int, *, qty: Decimal, px: Decimal, multiplier: Decimal, maker: bool
) -> FeeQuote | None:
    """What one execution would cost, by the formula that charges executions."""
    owner = PaperAccount.objects.filter(pk=account_id).first()
    if owner is None:
        return None
    whole = Execution(qty, px, multiplier, is_maker=maker, ends_order=True)
    amount, _ = fee_of(schedule_of(owner), whole, Charged())
    bps = owner.maker_bps if maker else owner.taker_bps
    word = "maker" if maker else "taker"
    basis = f"{word}, {dec_str(bps)} basis points of the amount traded"
    if owner.per_unit:
        basis += f" and {dec_str(owner.per_unit)} per unit"
    if owner.minimum_fee:
        basis += f", at least {dec_str(owner.minimum_fee)} per order"
    return FeeQuote(amount, basis)


def _account(connection_id: int, code: str) -> PaperAccount | None:
    """The account; where the venue has none, or is silent, its answers are incomplete, hence no
    evidence.
    """
    if _is_silent(connection_id):
        return None
    rows = PaperAccount.objects.select_related("account")
    return rows.filter(venue_id=connection_id, account__code=code).first()


def _is_silent(connection_id: int) -> bool:
    """Whether the venue was told to answer no question, until it is told otherwise."""
    switches = (FaultSwitch.SILENT, FaultSwitch.OUTAGE)
    return PaperFault.on(connection_id, switch__in=switches).exists()


def _claim(connection_id: int, switch: FaultSwitch, account: str) -> bool:
    return Faults(connection_id).claim(switch, Aim(account)) is not None


def _trades(owner: PaperAccount) -> QuerySet[PaperExecution]:
    """Fills, and what was made of them afterwards."""
    return PaperExecution.objects.filter(
        account_id=owner.account_id, exec_type__in=FILLS_AND_CORRECTIONS
    )


def _shown(account: str, order: PaperOrder) -> VenueOrder:
    return VenueOrder(
        account=account,
        venue_cl_ord_id=order.venue_cl_ord_id,
        order_id=order.order_id,
        symbol=order.symbol,
        side=Side(order.side),
        ord_type=OrdType(order.ord_type),
        ord_status=OrdStatus(order.ord_status),
        order_qty=order.order_qty,
        cum_qty=order.cum_qty,
        leaves_qty=leaves_qty(order),
        price=order.price,
        time_in_force=TimeInForce(order.time_in_force),
        text=order.text,
        stop_px=order.stop_px,
        working_indicator=_is_in_the_market(order),
    )


def _is_in_the_market(order: PaperOrder) -> bool:
    """False while a working order waits for the price that sends it into the market."""
    return order.working is None or order.working["trigger"] is None
