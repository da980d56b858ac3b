"""``manage.py bench counts``: what one order costs in statements, commits and bytes of WAL.

These do not depend on how fast or how busy a machine is, so they are kept in ``counts.json`` and
compared: statements and commits exactly, bytes with some slack. Pages are not written whole while
bytes are counted, because that depends on when the last checkpoint was.
"""

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from bench.http_load import Make, drive
from bench.limit import BATCH
from bench.stage import Stage, stage

EXPECTED = Path(__file__).with_name("counts.json")
WAL_SLACK = 0.2
GROUPS = 3
Counts = dict[str, dict[str, float]]
_LINE = re.compile(r"\[(\d+)\] LOG:  (?:statement|execute [^:]*): (.*)")
# A key's last use is written now and then by the clock, not by order; so are the empty statements
# by which a connection that was idle is tried.
_BY_THE_CLOCK = 'UPDATE "accounts_apikey" SET "last_used_at"'
_PATIENCE_S = 10.0


def measure(*, say: Callable[[str], None]) -> dict[str, Any]:
    """Count on servers of our own; ``problems`` says what is not as it is kept."""
    with stage() as on:
        counts = counts_per_order(on)
    expected = json.loads(EXPECTED.read_text()) if EXPECTED.exists() else {}
    found = problems(counts, expected)
    for line in found:
        say(line)
    return {"subject": "counts", "counts": counts, "problems": found}


def problems(counts: Counts, expected: Counts) -> list[str]:
    """Return a line for each figure that is not what is kept."""
    lines = []
    for door, figures in counts.items():
        for name, value in figures.items():
            kept = expected.get(door, {}).get(name)
            slack = WAL_SLACK * kept if name == "wal_bytes" and kept is not None else 1e-9
            if kept is None or abs(value - kept) > slack:
                lines.append(f"{door}: {value:g} {name} per order, but {EXPECTED.name} says {kept}")
    return lines


def table(result: dict[str, Any]) -> str:
    """Return the figures for people, a door to a line."""
    return "\n".join(
        f"per order, {door}: " + ", ".join(f"{value:g} {name}" for name, value in figures.items())
        for door, figures in result["counts"].items()
    )


def counts_per_order(on: Stage) -> Counts:
    """Return statements (without BEGIN and COMMIT), commits and WAL bytes per order, by door.

    Nothing else runs meanwhile. Bytes are the median of some groups.
    """
    _set(on, "full_page_writes", "off")
    # Two batches touch as many pages as many single orders do.
    doors = {"single": (on.door.single, 10, 1), "batch": (on.door.batch, 2, BATCH)}
    found = {}
    for place, (name, (make, requests, size)) in enumerate(doors.items()):
        first = (700 + 10 * place) * 1_000_000
        orders = requests * size
        _send(on, make, first, requests)
        wal = []
        for group in range(GROUPS):
            before = _wal(on)
            _send(on, make, first + (group + 1) * 1000, requests)
            wal.append((_wal(on) - before) / orders)
        statements, commits = _logged(on, make, first + 100_000, requests)
        found[name] = {
            "statements": statements / orders,
            "commits": commits / orders,
            "wal_bytes": round(median(wal)),
        }
    _set(on, "full_page_writes", "on")
    return found


def _send(on: Stage, make: Make, first: int, requests: int) -> None:
    for number in range(requests):
        drive(
            on.door.socket, make, key=on.door.key, clients=1, seconds=0, first=first + number,
            least=1,
        )  # fmt: skip


def _wal(on: Stage) -> int:
    row = on.database.execute("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn").fetchone()
    assert row is not None
    return int(row[0])


def _logged(on: Stage, make: Make, first: int, requests: int) -> tuple[int, int]:
    """Have Postgres log every statement for some requests; return statements and commits."""
    log = on.servers.hold.layout.logs / "postgres.log"
    _set(on, "log_statement", "all")
    begin = log.stat().st_size
    _send(on, make, first, requests)
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        texts = _statements(log.read_bytes()[begin:].decode(errors="replace"), on)
        commits = sum(text.startswith("COMMIT") for text in texts)
        if commits >= requests or time.monotonic() > deadline:
            break
        time.sleep(0.05)
    _set(on, "log_statement", "none")
    return sum(not text.startswith(("BEGIN", "COMMIT")) for text in texts), commits


def _statements(text: str, on: Stage) -> list[str]:
    ours = str(on.database.info.backend_pid)
    return [
        statement
        for pid, statement in _LINE.findall(text)
        if pid != ours and statement.strip() and not statement.startswith(_BY_THE_CLOCK)
    ]


def _set(on: Stage, name: str, value: str) -> None:
    """Change a setting of the server; other sessions read it when their next statement comes."""
    on.database.execute(f"ALTER SYSTEM SET {name} = '{value}'")
    on.database.execute("SELECT pg_reload_conf()")
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        row: Any = on.database.execute(f"SHOW {name}").fetchone()
        if row[0] == value:
            break
    time.sleep(0.2)
