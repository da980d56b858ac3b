"""The proof that a firm's rows are what their history makes: orders, executions, books, exposures.

Everything is folded anew from events and executions under one snapshot of the database, some
hundred orders at a time. Nothing is mended here: a contradiction becomes a break and an event.
"""

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime

from django.db import connection
from django.db.models import Exists, OuterRef

from brokers.models import BrokerAccount
from common.ids import new_ulid
from events.services import publish
from oms.audit import Contradiction, executed_quantities, order_contradictions
from oms.models import Break, Execution
from oms.present import break_json
from oms.services.bookings import fills_of
from portfolio.audit import check_books
from portfolio.replay import book_problems, fill_entries
from tenants.binding import tenant_bound

ACTOR = "system:proof"
KIND = "REPLAY"
BREAKS_AT_MOST = 100
_log = logging.getLogger("oms.proof")


def verify(*, schema: str) -> Iterator[Contradiction]:
    """Yield every contradiction of one firm, orders first; none means that all of it holds."""
    outermost = not connection.in_atomic_block
    with tenant_bound(schema):
        if outermost:
            # What is written meanwhile must not look like a contradiction.
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield from order_contradictions()
        yield from _unbooked()
        for problem in book_problems(fills_of):
            yield Contradiction(problem.account, problem.subject, problem.text)
        for text in check_books(executed_quantities()):
            yield Contradiction("", "books", text)


def _unbooked() -> Iterator[Contradiction]:
    """Trades that no journal entry books."""
    trades = Execution.objects.filter(~Exists(fill_entries(OuterRef("pk"))), exec_type="TRADE")
    rows = trades.order_by("id").values_list("id", "exec_id", "account__code")
    for pk, exec_id, code in rows.iterator():
        yield Contradiction(code, f"execution {pk}", f"{exec_id} is in no journal entry")


def verify_and_tell(*, schema: str, now: datetime) -> int:
    """Prove one firm; keep what contradicts as breaks and tell. Returns how many were found.

    0 also while another process proves the same firm.
    """
    if not _alone(schema):
        return 0
    try:
        found = list(verify(schema=schema))
    finally:
        _let_go(schema)
    with tenant_bound(schema):
        _keep_breaks(found, now)
        if found:
            _log.critical("%s: %s contradictions, first: %s", schema, len(found), found[0])
            publish(
                type="replay.contradicted",
                subject=schema,
                data={"found": len(found), "first": [str(item) for item in found[:10]]},
                actor=ACTOR,
                now=now,
            )
    return len(found)


def _alone(schema: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [_lock(schema)])
        row = cursor.fetchone()
    return bool(row and row[0])


def _let_go(schema: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [_lock(schema)])


def _lock(schema: str) -> str:
    return f"oms.proof:{schema}"


def _keep_breaks(found: Sequence[Contradiction], now: datetime) -> None:
    """Open a break per row that contradicts, and close those that no longer do."""
    accounts = {row.code: row for row in BrokerAccount.objects.all()}
    wanted: dict[tuple[str, str], Contradiction] = {}
    for item in found:
        if item.account in accounts:
            wanted.setdefault((item.account, item.subject[:64]), item)
    known = {
        (row.account.code, row.subject): row
        for row in Break.objects.select_for_update(of=("self",))
        .select_related("account")
        .filter(kind=KIND, closed_at=None)
    }
    for key, row in known.items():
        if key not in wanted:
            row.closed_at = now
            row.resolution = "the replay agrees again"
            row.save(update_fields=["closed_at", "resolution"])
    for key in [key for key in wanted if key not in known][:BREAKS_AT_MOST]:
        code, subject = key
        row = Break.objects.create(
            id=new_ulid(now),
            account=accounts[code],
            kind=KIND,
            subject=subject,
            ours="as stored",
            theirs="as replayed",
            detail=wanted[key].text[:500],
            opened_at=now,
        )
        publish(type="break.opened", subject=row.id, data=break_json(row), actor=ACTOR, now=now)
