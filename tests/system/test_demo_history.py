"""A first start with the demo's past days: shown, traded on, started again, killed while made."""

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.embedded import layout
from tests.system.running import System, within

READY_WITHIN_S = 300  # the machine may be busy with other tests; what is measured is printed


@pytest.fixture
def fresh_system(monkeypatch) -> Iterator[System]:
    monkeypatch.setattr("tests.system.running.READY_WITHIN_S", READY_WITHIN_S)
    parent = Path(tempfile.mkdtemp(prefix="blotter-h-"))
    parent.chmod(0o755)  # as root the servers run as nobody, and would move elsewhere
    made = System(parent / "state", history=True)
    try:
        yield made
    finally:
        made.end()
        place = layout.at(made.state)
        shutil.rmtree(place.server_dir, ignore_errors=True)
        if place.sockets.parent != place.server_dir:
            shutil.rmtree(place.sockets, ignore_errors=True)
        shutil.rmtree(parent, ignore_errors=True)


def orders_of(system: System, slug: str) -> list[tuple[str, ...]]:
    rows = system.client(slug).everything("/orders")
    return sorted((row["id"], row["ord_status"], row["cum_qty"]) for row in rows)


def test_the_past_is_there_at_the_first_start_and_once(fresh_system):
    system = fresh_system
    print(f"first start with a past: {system.start():.1f} s")
    acme = Counter(row["ord_status"] for row in system.client("acme").everything("/orders"))
    assert acme.keys() >= {"NEW", "PARTIALLY_FILLED", "FILLED", "CANCELED", "REJECTED"}
    assert acme["PENDING_NEW"] == 1
    before = {slug: [row[0] for row in orders_of(system, slug)] for slug in ("acme", "globex")}
    days = {row["as_of"][:10] for row in system.client("globex").everything("/pnl/snapshots")}
    assert len(days) >= 10
    done = system.command("demo")
    assert done.returncode == 0, done.stdout
    assert "Everything held." in done.stdout
    proven = system.command("replay", "--verify")
    assert proven.returncode == 0, proven.stdout
    system.stop()
    print(f"second start: {system.start():.1f} s")
    for slug, known in before.items():
        ids = [row[0] for row in orders_of(system, slug)]
        assert set(known) < set(ids)
        rows = system.client(slug).everything("/orders")
        history = [row["id"] for row in rows if row["tags"].get("demo") == "history"]
        assert sorted(history) == sorted(known)
    (unknown,) = (
        row for row in system.client("acme").everything("/orders", account="PAPER-3")
        if row["pending"]
    )  # fmt: skip
    assert unknown["ord_status"] == "PENDING_NEW"
    client = system.client("acme")
    answer = client.post("/connections/flaky/faults", {"switch": "silent", "times": 0})
    assert answer.status == 200, answer.body
    path = f"/orders/{unknown['id']}"
    assert within(90, lambda: client.get(path).body["ord_status"] == "FILLED")
