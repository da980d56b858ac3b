"""Proves the books of the bound tenant: every running total against what it totals.

``check_books`` runs in the journey tests, in ``make demo`` and by beat. It recomputes everything
in SQL from the append-only rows, so its cost grows with the journal.
"""

from collections.abc import Mapping
from decimal import Decimal

from django.db import connection

from portfolio.models import Position

# Each query returns only what is wrong; the message is filled with its columns.
_PROOFS: tuple[tuple[str, str], ...] = (
    (
        "entry {} does not balance: {} {}",
        """
        SELECT entry_id, sum(amount), currency FROM portfolio_journalline
        GROUP BY entry_id, currency HAVING sum(amount) <> 0
        """,
    ),
    (
        "entry {} ({} {}) has no lines",
        """
        SELECT e.id, e.reason, e.ref FROM portfolio_journalentry e
        WHERE NOT EXISTS (SELECT 1 FROM portfolio_journalline l WHERE l.entry_id = e.id)
        """,
    ),
    (
        "line {} names entry {} and account {}, which do not belong together",
        """
        SELECT l.id, l.entry_id, l.account_id FROM portfolio_journalline l
        LEFT JOIN portfolio_journalentry e ON e.id = l.entry_id
        LEFT JOIN broker_account a ON a.id = l.account_id
        WHERE e.id IS NULL OR a.id IS NULL OR e.account_id <> l.account_id
        """,
    ),
    (
        "balance of account {} in {}: ledger {} shows {}, its lines sum to {}",
        """
        WITH shown AS (
            SELECT account_id, currency, v.ledger, v.amount FROM portfolio_balance b
            CROSS JOIN LATERAL (VALUES ('cash', b.cash), ('position_cost', b.position_cost),
                ('fees', b.fees), ('realized_pnl', b.realized_pnl), ('capital', b.capital)
            ) AS v (ledger, amount)
        ), booked AS (
            SELECT account_id, currency, ledger, sum(amount) AS amount
            FROM portfolio_journalline GROUP BY account_id, currency, ledger
        )
        SELECT coalesce(s.account_id, b.account_id), coalesce(s.currency, b.currency),
            coalesce(s.ledger, b.ledger), s.amount, b.amount
        FROM shown s FULL JOIN booked b
            ON b.account_id = s.account_id AND b.currency = s.currency AND b.ledger = s.ledger
        WHERE coalesce(s.amount, 0) <> coalesce(b.amount, 0)
        """,
    ),
    (
        "position of account {} in {} shows qty {}, cost {}, gain {}; its lines {}, {}, {}",
        """
        WITH booked AS (
            SELECT account_id, symbol, coalesce(sum(qty), 0) AS qty,
                coalesce(sum(amount) FILTER (WHERE ledger = 'position_cost'), 0) AS cost,
                coalesce(-sum(amount) FILTER (WHERE ledger = 'realized_pnl'), 0) AS gain
            FROM portfolio_journalline WHERE symbol IS NOT NULL GROUP BY account_id, symbol
        )
        SELECT coalesce(p.account_id, b.account_id), coalesce(p.symbol, b.symbol),
            p.qty, p.cost, p.realized_pnl, b.qty, b.cost, b.gain
        FROM portfolio_position p FULL JOIN booked b
            ON b.account_id = p.account_id AND b.symbol = p.symbol
        WHERE (coalesce(p.qty, 0), coalesce(p.cost, 0), coalesce(p.realized_pnl, 0))
            IS DISTINCT FROM (coalesce(b.qty, 0), coalesce(b.cost, 0), coalesce(b.gain, 0))
        """,
    ),
    (
        "position {} shows {} units at cost {}; its lots hold {} at {}",
        """
        WITH lots AS (
            SELECT position_id, sum(qty) AS qty, sum(cost) AS cost
            FROM portfolio_lot GROUP BY position_id
        )
        SELECT coalesce(p.id, l.position_id), p.qty, p.cost, l.qty, l.cost
        FROM portfolio_position p FULL JOIN lots l ON l.position_id = p.id
        WHERE p.id IS NULL OR (p.qty, p.cost)
            IS DISTINCT FROM (coalesce(l.qty, 0), coalesce(l.cost, 0))
        """,
    ),
    (
        "lot {} has {} units at cost {} open; opened less closed is {} at {}",
        """
        WITH closed AS (
            SELECT lot_id, sum(qty) AS qty, sum(cost) AS cost
            FROM portfolio_lotclosure WHERE superseded_by IS NULL GROUP BY lot_id
        )
        SELECT coalesce(l.id, c.lot_id), l.qty, l.cost,
            l.opened_qty - coalesce(c.qty, 0), l.opened_cost - coalesce(c.cost, 0)
        FROM portfolio_lot l FULL JOIN closed c ON c.lot_id = l.id
        WHERE l.id IS NULL OR (l.qty, l.cost) IS DISTINCT FROM
            (l.opened_qty - coalesce(c.qty, 0), l.opened_cost - coalesce(c.cost, 0))
        """,
    ),
    (
        "position {} shows a gain of {}; its lots' closures brought {}",
        """
        WITH brought AS (
            SELECT l.position_id, sum(c.proceeds - c.cost) AS gain
            FROM portfolio_lotclosure c JOIN portfolio_lot l ON l.id = c.lot_id
            WHERE c.superseded_by IS NULL
            GROUP BY l.position_id
        )
        SELECT p.id, p.realized_pnl, coalesce(b.gain, 0) FROM portfolio_position p
        LEFT JOIN brought b ON b.position_id = p.id
        WHERE p.realized_pnl <> coalesce(b.gain, 0)
        """,
    ),
)


def check_books(fills: Mapping[tuple[str, str], Decimal] | None = None) -> list[str]:
    """Return one line per contradiction in the bound tenant's books; none means they hold.

    ``fills`` is the signed quantity of effective executions by (account code, symbol), where the
    caller (a layer above) knows it: positions are then compared with it too.
    """
    problems: list[str] = []
    with connection.cursor() as cursor:
        for message, query in _PROOFS:
            cursor.execute(query)
            problems.extend(message.format(*row) for row in cursor.fetchall())
    if fills is not None:
        problems.extend(_differences(fills))
    return problems


def _differences(fills: Mapping[tuple[str, str], Decimal]) -> list[str]:
    rows = Position.objects.values_list("account__code", "symbol", "qty")
    shown = {(code, symbol): qty for code, symbol, qty in rows}
    return [
        f"position of {code} in {symbol} is {shown.get((code, symbol), 0)};"
        f" its fills sum to {fills.get((code, symbol), 0)}"
        for code, symbol in sorted(shown.keys() | fills.keys())
        if shown.get((code, symbol), 0) != fills.get((code, symbol), 0)
    ]
