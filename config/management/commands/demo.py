"""``manage.py demo``: a trading day over HTTP against a running or a freshly started system."""

import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config.demo_day import books
from config.demo_day.client import Client
from config.demo_day.day import LATENCY_ORDERS, Firm, TradingDay
from config.demo_day.receipt import Receipt

START_PATIENCE_S = 120
P95_GOAL_S = 0.3


class Command(BaseCommand):
    """Runs the day, prints the receipt; the exit status tells whether everything held."""

    help = "A trading day over HTTP: orders, fills, a halt, a lost answer, and the books checked."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """:raises CommandError: if an expectation did not hold or nothing answers."""
        running = _running(settings.OMS_STATE_DIR)
        process = None
        if running is None:
            self.stdout.write("Nothing is running here: starting the system for the demo.")
            process, running = _start(settings.OMS_STATE_DIR)
        try:
            failures = _trade(running)
        finally:
            if process is not None:
                process.terminate()
                process.wait(timeout=15)
        if failures:
            raise CommandError(f"{len(failures)} expectations did not hold: " + "; ".join(failures))
        self.stdout.write("\nEverything held.")


def _trade(running: dict[str, Any]) -> list[str]:
    receipt = Receipt()
    run = f"demo-{int(time.time())}"
    acme, globex = (_firm(running, slug, run) for slug in ("acme", "globex"))
    receipt.title("A trading day of two firms")
    day = TradingDay(acme, globex, receipt)
    day.run()
    _show_latency(day.latencies(), receipt)
    for firm in (acme, globex):
        books.show(firm, receipt)
    receipt.title("Checks")
    for firm in (acme, globex):
        books.check(firm, receipt)
    books.check_isolation(acme, globex, receipt)
    books.check_isolation(globex, acme, receipt)
    return receipt.failures


def _show_latency(seconds: list[float], receipt: Receipt) -> None:
    receipt.title(f"From order to FILLED, {LATENCY_ORDERS} market orders over HTTP")
    if not seconds:
        receipt.expect(False, "latency could not be measured")
        return
    ordered = sorted(seconds)
    p95 = ordered[int(len(ordered) * 0.95) - 1]
    receipt.note(
        f"  median {median(ordered) * 1000:.0f} ms, p95 {p95 * 1000:.0f} ms,"
        f" worst {ordered[-1] * 1000:.0f} ms"
        f" (goal: p95 under {P95_GOAL_S * 1000:.0f} ms on an idle two-core machine)"
    )


def _firm(running: dict[str, Any], slug: str, run: str) -> Firm:
    row = next(row for row in running["tenants"] if row["slug"] == slug)
    client = Client(row["connect_url"], row["api_key"])
    return Firm(name=slug, client=client, account=row["accounts"][0], run=run)


def _running(state_dir: Path) -> dict[str, Any] | None:
    """What run.json says, if the system it describes answers."""
    try:
        described: dict[str, Any] = json.loads((state_dir / "run.json").read_text())
        tenant = described["tenants"][0]
        answer = Client(tenant["connect_url"], tenant["api_key"]).get("/auth/me")
    except (OSError, ValueError, LookupError):
        return None
    return described if described["ready"] and answer.status == 200 else None


def _start(state_dir: Path) -> tuple[subprocess.Popen[bytes], dict[str, Any]]:
    process = subprocess.Popen(
        [sys.executable, "manage.py", "up"], cwd=settings.BASE_DIR, stdout=subprocess.DEVNULL
    )
    deadline = time.monotonic() + START_PATIENCE_S
    while time.monotonic() < deadline and process.poll() is None:
        if described := _running(state_dir):
            return process, described
        time.sleep(0.2)
    process.terminate()
    raise CommandError("the system did not come up; `make run` shows why")
