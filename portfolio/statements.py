"""The few statements of the hot path that the ORM cannot say: lock, claim, add up.

Each joins the caller's tenant-bound transaction. Bookings of one account are serialised by its
balance rows, which are always locked before a position: two transactions that book several fills
each can therefore wait for one another, but never in a circle.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from django.db import connection

from portfolio.models import Position
from trading.journal import Ledger

_LOCK = """
WITH held AS MATERIALIZED (
    SELECT currency FROM portfolio_balance
    WHERE account_id = %(account)s ORDER BY currency FOR UPDATE
)
SELECT p.* FROM portfolio_position p
CROSS JOIN (SELECT count(*) AS rows FROM held) AS locked
WHERE locked.rows > 0 AND p.account_id = %(account)s AND p.symbol = %(symbol)s
FOR UPDATE OF p
"""

_NEW_BALANCE = """
INSERT INTO portfolio_balance
    (account_id, currency, cash, position_cost, fees, realized_pnl, capital, updated_at)
VALUES (%(account)s, %(currency)s, 0, 0, 0, 0, 0, %(now)s)
ON CONFLICT (account_id, currency) DO NOTHING
"""

_NEW_POSITION = """
INSERT INTO portfolio_position
    (account_id, symbol, currency, multiplier, qty, cost, realized_pnl, version, updated_at)
VALUES (%(account)s, %(symbol)s, %(currency)s, %(multiplier)s, 0, 0, 0, 0, %(now)s)
ON CONFLICT (account_id, symbol) DO NOTHING
"""

_CLAIM = """
INSERT INTO portfolio_journalentry (id, account_id, at, booked_at, reason, ref, order_id, actor)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (account_id, reason, ref) DO NOTHING RETURNING id
"""

_ADD = """
INSERT INTO portfolio_balance AS b
    (account_id, currency, cash, position_cost, fees, realized_pnl, capital, updated_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (account_id, currency) DO UPDATE SET
    cash = b.cash + excluded.cash,
    position_cost = b.position_cost + excluded.position_cost,
    fees = b.fees + excluded.fees,
    realized_pnl = b.realized_pnl + excluded.realized_pnl,
    capital = b.capital + excluded.capital,
    updated_at = excluded.updated_at
"""
_LEDGER_ORDER = (
    Ledger.CASH,
    Ledger.POSITION_COST,
    Ledger.FEES,
    Ledger.REALIZED_PNL,
    Ledger.CAPITAL,
)


def lock_position(
    *, account_id: int, symbol: str, currency: str, multiplier: Decimal, now: datetime
) -> Position:
    """Return the position with its row and the account's balances locked, made where missing.

    One statement where the position exists.
    """
    names: dict[str, int | str | Decimal | datetime] = {"account": account_id, "symbol": symbol}
    found = list(Position.objects.raw(_LOCK, names))
    if found:
        return found[0]
    fresh = {**names, "currency": currency, "multiplier": multiplier, "now": now}
    with connection.cursor() as cursor:
        cursor.execute(_NEW_BALANCE, fresh)
        # Whoever makes the position holds the balance first, as everybody else does.
        cursor.execute(
            "SELECT 1 FROM portfolio_balance WHERE account_id = %(account)s"
            " ORDER BY currency FOR UPDATE",
            fresh,
        )
        cursor.execute(_NEW_POSITION, fresh)
    return next(iter(Position.objects.raw(_LOCK, names)))


def claim_entry(
    *,
    entry_id: str,
    account_id: int,
    at: datetime,
    reason: str,
    ref: str,
    order_id: str | None,
    actor: str,
    now: datetime,
) -> bool:
    """Insert the journal entry's head; False where this (account, reason, ref) is booked already.

    Waits for a transaction that is booking the same thing just now.
    """
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, [entry_id, account_id, at, now, reason, ref, order_id, actor])
        return cursor.fetchone() is not None


def add_to_balances(
    *, account_id: int, sums: Mapping[tuple[str, Ledger], Decimal], now: datetime
) -> None:
    """Add sums by (currency, ledger) to the account's balances, one statement per currency."""
    with connection.cursor() as cursor:
        for currency in sorted({code for code, _ in sums}):
            amounts = [sums.get((currency, ledger), Decimal(0)) for ledger in _LEDGER_ORDER]
            cursor.execute(_ADD, [account_id, currency, *amounts, now])
