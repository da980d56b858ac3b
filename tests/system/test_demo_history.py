"""A first start with the demo's past days: shown, traded on, started again, killed while made."""

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from config.embedded import layout
from tests.system.running import System, within

pytestmark = pytest.mark.timeout(400)  # a system of its own comes up, twice
FIRMS = ("acme", "globex")


@pytest.fixture(scope="module")
def with_past() -> Iterator[System]:
    """Started as `make run` does it, the past days included."""
    parent = Path(tempfile.mkdtemp(prefix="blotter-h-"))
    parent.chmod(0o755)  # as root the servers run as nobody, and would move elsewhere
    made = System(parent / "state", history=True)
    try:
        print(f"first start with a past: {made.start():.1f} s")
        yield made
    finally:
        made.end()
        place = layout.at(made.state)
        shutil.rmtree(place.server_dir, ignore_errors=True)
        if place.sockets.parent != place.server_dir:
            shutil.rmtree(place.sockets, ignore_errors=True)
        shutil.rmtree(parent, ignore_errors=True)


def past_orders(system: System, slug: str) -> list[str]:
    rows = system.client(slug).everything("/orders")
    return sorted(row["id"] for row in rows if row["tags"].get("demo") == "history")


def unknown_order(system: System) -> dict[str, Any]:
    rows = system.client("acme").everything("/orders", account="PAPER-3")
    (found,) = (row for row in rows if row["pending"])
    return found


def test_a_first_start_shows_orders_of_every_kind_and_days_of_profit(with_past):
    acme = Counter(row["ord_status"] for row in with_past.client("acme").everything("/orders"))
    assert acme.keys() >= {"NEW", "PARTIALLY_FILLED", "FILLED", "CANCELED", "REJECTED"}
    assert acme["PENDING_NEW"] == 1
    rows = with_past.client("globex").everything("/pnl/snapshots")
    assert len({row["as_of"][:10] for row in rows}) >= 10


def test_a_day_over_http_holds_on_top_of_it(with_past):
    done = with_past.command("demo")
    assert done.returncode == 0, done.stdout
    assert "Everything held." in done.stdout
    proven = with_past.command("replay", "--verify")
    assert proven.returncode == 0, proven.stdout


def test_a_second_start_adds_nothing_and_the_unknown_order_stays_so_until_its_venue_speaks(
    with_past,
):
    before = {slug: past_orders(with_past, slug) for slug in FIRMS}
    with_past.stop()
    print(f"second start: {with_past.start():.1f} s")
    assert {slug: past_orders(with_past, slug) for slug in FIRMS} == before
    order = unknown_order(with_past)
    assert (order["ord_status"], order["cum_qty"]) == ("PENDING_NEW", "0")
    client = with_past.client("acme")
    answer = client.post("/connections/flaky/faults", {"switch": "silent", "times": 0})
    assert answer.status == 200, answer.body
    path = f"/orders/{order['id']}"
    assert within(90, lambda: client.get(path).body["ord_status"] == "FILLED")
