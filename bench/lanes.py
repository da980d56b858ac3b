"""The lanes of a run over orders: the same order, taken in different ways."""

import json
import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import Any

from bench.http_load import Load, Make, drive
from bench.limit import BATCH
from bench.processes import cpu_seconds

CLIENTS = 16
BATCH_CLIENTS = 4
PRICE = "990"
LARGEST_QTY = 4000
_RATE = re.compile(r"tps = ([0-9.]+)")


class LaneFailed(RuntimeError):
    """A lane did not do what it measures."""


@dataclass(slots=True)
class Round:
    """One turn of one lane. CPU in seconds; None where nobody could measure it."""

    orders: int
    seconds: float
    latencies_s: list[float]
    cpu_server_s: float | None
    cpu_postgres_s: float | None

    @property
    def rate(self) -> float:
        """Orders per second."""
        return self.orders / self.seconds


@dataclass(slots=True)
class Lane:
    """A way to take orders: ``turn(seconds, number)`` runs it once."""

    name: str
    turn: Callable[[float, int], Round]
    rounds: list[Round] = field(default_factory=list)
    taken: int = 0
    """Orders taken so far, warming up included."""

    def run(self, seconds: float, number: int, *, counts: bool = True) -> None:
        """Take orders for so long; ``number`` keeps the ids of two turns apart."""
        done = self.turn(seconds, number)
        self.taken += done.orders
        if counts:
            self.rounds.append(done)

    def figures(self) -> dict[str, float | None]:
        """Return the medians over the rounds; times of an answer, whatever it carries."""
        cuts = [quantiles(one.latencies_s, n=100) for one in self.rounds if one.latencies_s[1:]]
        return {
            "orders_per_s": median(one.rate for one in self.rounds),
            "p50_ms": median(cut[49] for cut in cuts) * 1000 if cuts else None,
            "p99_ms": median(cut[98] for cut in cuts) * 1000 if cuts else None,
            "cpu_us_server": per_order([(r.cpu_server_s, r.orders) for r in self.rounds]),
            "cpu_us_postgres": per_order([(r.cpu_postgres_s, r.orders) for r in self.rounds]),
        }


def per_order(rounds: list[tuple[float | None, int]]) -> float | None:
    """Return the median over rounds of CPU seconds and orders, in microseconds per order."""
    known = [cpu / orders * 1e6 for cpu, orders in rounds if cpu is not None and orders]
    return median(known) if known else None


@dataclass(frozen=True, slots=True)
class Door:
    """An HTTP endpoint under load: where it listens and whose CPU counts."""

    socket: Path
    pid: int
    postgres_pid: int
    key: str
    accounts: tuple[str, ...]

    def order(self, number: int, account: str) -> dict[str, str]:
        """Return an order no other equals within a second."""
        return {
            "account": account,
            "symbol": "SPX",
            "side": "BUY",
            "ord_type": "LIMIT",
            "order_qty": str(1 + number % LARGEST_QTY),
            "price": PRICE,
            "time_in_force": "GTC",
            "cl_ord_id": f"bench-{number}",
        }

    def single(self, number: int) -> tuple[str, Any]:
        """One order, the accounts in turns."""
        return "/api/v1/orders", self.order(number, self.accounts[number % len(self.accounts)])

    def hot(self, number: int) -> tuple[str, Any]:
        """One order, always of the same account."""
        return "/api/v1/orders", self.order(number, self.accounts[0])

    def batch(self, number: int) -> tuple[str, Any]:
        """Many orders of one account in one request."""
        account = self.accounts[number % len(self.accounts)]
        orders = [self.order(number * BATCH + one, account) for one in range(BATCH)]
        return "/api/v1/orders/batch", {"orders": orders}


def http_lane(name: str, door: Door, make: Make, *, clients: int = CLIENTS) -> Lane:
    """Return a lane through a door; every answer has to be that all its orders are stored."""
    is_batch = make == door.batch

    def turn(seconds: float, number: int) -> Round:
        before = cpu_seconds(door.pid), cpu_seconds(door.postgres_pid)
        load = drive(
            door.socket, make, key=door.key, clients=clients, seconds=seconds,
            first=number * 1_000_000, keep=is_batch,
        )  # fmt: skip
        after = cpu_seconds(door.pid), cpu_seconds(door.postgres_pid)
        server, postgres = (
            None if was is None or now is None else now - was
            for was, now in zip(before, after, strict=True)
        )
        orders = _taken_in_batches(load) if is_batch else taken(load)
        return Round(orders, load.seconds, load.latencies, server, postgres)

    return Lane(name, turn)


def taken(load: Load) -> int:
    """Return how many orders were taken one by one.

    :raises LaneFailed: if an answer was anything but 201, or never came.
    """
    if load.lost or set(load.statuses) != {201}:
        raise LaneFailed(f"answers {dict(load.statuses)}, {load.lost} lost: {load.bodies[:1]}")
    return load.statuses[201]


def _taken_in_batches(load: Load) -> int:
    rows = [row for body in load.bodies for row in json.loads(body).get("items", [{}])]
    bad = [row for row in rows if row.get("status") != 201]
    if load.lost or bad or set(load.statuses) != {200}:
        raise LaneFailed(f"answers {dict(load.statuses)}, {load.lost} lost: {bad[:1]}")
    return len(rows)


@dataclass(frozen=True, slots=True)
class Pgbench:
    """The program, its server, and between which account ids it may choose."""

    program: Path
    database_url: str
    postgres_pid: int
    accounts: tuple[int, int]

    def lane(self, name: str, script: str, *, orders: int = 1, clients: int = CLIENTS) -> Lane:
        """Return a lane of one script, whose transaction takes so many orders."""

        def turn(seconds: float, number: int) -> Round:
            before = cpu_seconds(self.postgres_pid)
            with TemporaryDirectory() as directory:
                times, took = self._run(Path(directory), script, seconds, number, clients)
            after = cpu_seconds(self.postgres_pid)
            used = None if before is None or after is None else after - before
            return Round(len(times) * orders, took, times, 0.0, used)

        return Lane(name, turn)

    def _run(
        self, directory: Path, script: str, seconds: float, number: int, clients: int
    ) -> tuple[list[float], float]:
        """Return how long each transaction took, and all of them together."""
        (directory / "script.sql").write_text(script)
        variables: Mapping[str, int] = {
            "k": 0,
            "base": number * 10_000_000_000,
            "first_account": self.accounts[0],
            "last_account": self.accounts[1],
        }
        options = [part for name, value in variables.items() for part in ("-D", f"{name}={value}")]
        done = subprocess.run(  # noqa: S603 - our own program
            [
                *(str(self.program), "-n", "-M", "prepared", "-f", "script.sql", "-l"),
                *("-T", str(max(1, round(seconds))), "-c", str(clients), "-j", "1"),
                *options,
                self.database_url,
            ],
            cwd=directory, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode or "aborted" in done.stderr:
            raise LaneFailed(f"pgbench failed: {done.stderr[-2000:]}")
        lines = [line for path in directory.glob("pgbench_log.*") for line in path.open()]
        times = [int(line.split()[2]) / 1e6 for line in lines]
        rate = _RATE.search(done.stdout)
        if rate is None or not times:
            raise LaneFailed(f"pgbench did nothing: {done.stdout[-2000:]}")
        return times, len(times) / float(rate[1])
