"""``python -m bench.stream_steps STEP``: events of the bench's firm, written and relayed."""

import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import django

SCHEMA = "t_bench"
BATCH = 500
DATA = {"account": "BENCH-0", "order_qty": "100", "price": "990", "ord_status": "NEW"}


def relay(events: int) -> dict[str, Any]:
    """Write so many events, then time what gives them positions, hashes and a place in Redis."""
    from django.db import connection

    from events.relay import relay_once

    for start in range(0, events, BATCH):
        _write(min(BATCH, events - start))
    with connection.cursor() as cursor:
        before = _wal(cursor)
        begun, cpu = time.perf_counter(), time.process_time()
        given = relay_once(SCHEMA)
        took, used = time.perf_counter() - begun, time.process_time() - cpu
        written = _wal(cursor) - before
    return {"events": given, "seconds": took, "cpu_s": used, "wal_bytes": written}


def tell(seconds: int, per_second: int) -> dict[str, Any]:
    """Write events at an even pace, each relayed at once."""
    from events.relay import relay_once

    begun = time.perf_counter()
    for number in range(seconds * per_second):
        time.sleep(max(0.0, begun + number / per_second - time.perf_counter()))
        _write(1)
        relay_once(SCHEMA)
    return {"events": seconds * per_second, "seconds": time.perf_counter() - begun}


def keys(count: int) -> dict[str, Any]:
    """Make so many keys, because one may have only some streams open."""
    from accounts.models import Membership
    from accounts.roles import SCOPES_OF_ROLE, Role
    from accounts.services import create_api_key

    member = Membership.objects.get(tenant__schema_name=SCHEMA)
    made = [
        create_api_key(
            membership=member, name=f"stream {number}", accounts=None, expires_at=None,
            scopes=sorted(SCOPES_OF_ROLE[Role.OWNER]), ip_allowlist=[], now=datetime.now(UTC),
        )
        for number in range(count)
    ]  # fmt: skip
    return {"keys": [bearer for _, bearer in made]}


def _write(count: int) -> None:
    from events.services import Draft, publish_many
    from tenants.binding import tenant_bound

    with tenant_bound(SCHEMA):
        publish_many(
            drafts=[Draft("order.accepted", "bench", DATA) for _ in range(count)],
            actor="system:bench",
            now=datetime.now(UTC),
        )


def _wal(cursor: Any) -> int:
    cursor.execute("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn")
    return int(cursor.fetchone()[0])


STEPS: dict[str, Callable[..., dict[str, Any]]] = {
    step.__name__: step for step in (relay, tell, keys)
}


if __name__ == "__main__":
    django.setup()
    print(json.dumps(STEPS[sys.argv[1]](*map(int, sys.argv[2:]))))
