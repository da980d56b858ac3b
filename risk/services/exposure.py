"""Writes of what is reserved: locked, judged and moved in one lock order.

AccountExposure rows come first, by account id, then their InstrumentExposure rows. Whoever
touches an instrument row holds its account row, so two transactions cannot wait in a circle.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from django.db import IntegrityError, connection, transaction
from django.db.models import F

from brokers.models import BrokerAccount
from risk import book, selectors
from risk.book import RiskBook
from risk.models import AccountExposure, Breach, InstrumentExposure
from risk.selectors import ExposureRow
from trading.risk import Breach as BreachValue
from trading.vocabulary import Side

_ENSURE_ROWS = """
INSERT INTO risk_accountexposure (account_id, open_orders, version)
SELECT account_id, 0, 0 FROM unnest(%s::bigint[]) AS wanted(account_id)
 ORDER BY account_id
ON CONFLICT (account_id) DO NOTHING
"""
# The account row comes first and the instrument row hangs on what it returns, so that the locks
# are taken in the order everyone else takes them.
_MOVE = """
WITH held AS (
    UPDATE risk_accountexposure
       SET open_orders = open_orders + %(orders)s, version = version + 1
     WHERE account_id = %(account)s
 RETURNING account_id
), moved AS (
    UPDATE risk_instrumentexposure AS row
       SET open_buy_qty = row.open_buy_qty + %(buy_qty)s,
           open_sell_qty = row.open_sell_qty + %(sell_qty)s,
           open_buy_notional = row.open_buy_notional + %(buy_notional)s,
           open_sell_notional = row.open_sell_notional + %(sell_notional)s
      FROM held
     WHERE row.account_id = held.account_id AND row.symbol = %(symbol)s
 RETURNING row.account_id
)
SELECT EXISTS (SELECT FROM held), EXISTS (SELECT FROM moved)
"""
_FIRST_ACCOUNT = """
INSERT INTO risk_accountexposure AS held (account_id, open_orders, version)
VALUES (%(account)s, %(orders)s, 1)
ON CONFLICT (account_id) DO UPDATE
   SET open_orders = held.open_orders + EXCLUDED.open_orders, version = held.version + 1
"""


class ExposureUnderflowError(RuntimeError):
    """More was freed than was reserved: the books of orders and risk disagree, which is a bug."""


def lock_accounts(account_ids: Iterable[int]) -> RiskBook:
    """Lock the accounts' exposure rows for this transaction and return their book.

    Rows are made where missing and locked by ascending id; limits and open amounts are read
    after the locks are held.
    """
    ids = sorted(set(account_ids))
    lock_rows(ids)
    return book.load(ids)


def read_accounts(account_ids: Iterable[int]) -> RiskBook:
    """Return the book of these accounts as it is at this moment; nothing is locked or written."""
    return book.load(account_ids)


def lock_rows(ids: Sequence[int]) -> None:
    """Make missing rows of these account ids and lock all, in order, until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(_ENSURE_ROWS, [list(ids)])
    list(AccountExposure.objects.select_for_update().filter(pk__in=ids).order_by("pk"))


def move_reserved(
    *,
    account_id: int,
    symbol: str,
    side: Side,
    qty_delta: Decimal,
    notional_delta: Decimal,
    orders_delta: int,
) -> None:
    """Free (negative) or add (positive) what an order holds reserved, in one statement.

    Quantity in units, notional in the instrument's currency. No limit is checked: a fill or a
    venue's word has already happened.

    :raises ExposureUnderflowError: if less is reserved than would be freed; nothing is changed.
    """
    if not (qty_delta or notional_delta or orders_delta):
        return
    if side is Side.BUY:
        change = book.Added(buy_qty=qty_delta, buy_notional=notional_delta)
    else:
        change = book.Added(sell_qty=qty_delta, sell_notional=notional_delta)
    values: dict[str, int | str | Decimal] = {
        "account": account_id,
        "symbol": symbol,
        "orders": orders_delta,
        "buy_qty": change.buy_qty,
        "sell_qty": change.sell_qty,
        "buy_notional": change.buy_notional,
        "sell_notional": change.sell_notional,
    }
    try:
        with connection.cursor() as cursor:
            cursor.execute(_MOVE, values)
            account_known, instrument_known = cursor.fetchone()
            if not account_known:
                cursor.execute(_FIRST_ACCOUNT, values)
            if not instrument_known:
                book.add_rows({(account_id, symbol): change})
    except IntegrityError as error:
        raise ExposureUnderflowError(
            f"Account {account_id} has less of {symbol} {side} reserved than should be moved:"
            f" {qty_delta} units, {notional_delta} notional, {orders_delta} orders."
        ) from error


def record_breaches(
    *, order_id: str, account: BrokerAccount, breaches: Iterable[BreachValue], now: datetime
) -> list[Breach]:
    """Keep why an order was refused. ``order_id`` is the kept REJECTED order's id."""
    return Breach.objects.bulk_create(
        Breach(
            order_id=order_id,
            account=account,
            code=breach.code,
            rule=breach.rule,
            value=breach.value,
            limit=breach.limit,
            unit=breach.unit,
            message=breach.message,
            at=now,
        )
        for breach in breaches
    )


def recompute_exposure(*, rows: Iterable[ExposureRow], open_orders: Mapping[int, int]) -> list[str]:
    """Set what is reserved to what the orders say; return what was wrong, one line each.

    ``rows`` and ``open_orders`` (by account id) come from the orders themselves and are read by
    the caller after ``lock_accounts`` in the same transaction. Accounts not named are left alone.
    """
    truth = {(row.account_id, row.symbol): row for row in rows}
    accounts = sorted(set(open_orders) | {account_id for account_id, _ in truth})
    with transaction.atomic():
        lock_rows(accounts)
        wrong = selectors.exposure_differences(rows=truth.values(), open_orders=open_orders)
        InstrumentExposure.objects.filter(account_id__in=accounts).delete()
        InstrumentExposure.objects.bulk_create(
            InstrumentExposure(
                account_id=row.account_id,
                symbol=row.symbol,
                open_buy_qty=row.open_buy_qty,
                open_sell_qty=row.open_sell_qty,
                open_buy_notional=row.open_buy_notional,
                open_sell_notional=row.open_sell_notional,
            )
            for row in truth.values()
            if not row.is_zero
        )
        for account_id in accounts:
            AccountExposure.objects.filter(pk=account_id).update(
                open_orders=open_orders.get(account_id, 0), version=F("version") + 1
            )
    return wrong
