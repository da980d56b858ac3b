"""``manage.py bench lifecycle``: whole lives of orders, from the request to the booked fill.

Market orders go in by HTTP, the gateway sends them to the paper venue, fills come back and are
booked, the dispatcher tells. A life counts when its order is FILLED. The rate of lives is compared
with the rate at which the same orders were accepted in the same turn.
"""

import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from statistics import median
from typing import Any

import psycopg

from bench.http_load import drive
from bench.lanes import CLIENTS, Door, LaneFailed, Round, per_order, taken
from bench.processes import cpu_seconds, running
from bench.stage import Stage, stage
from config.supervisor.processes import processes

LARGEST_QTY = 50
PATIENCE_S = 120.0
BESIDE_WEB = ("gateway", "dispatcher")


def measure(*, rounds: int, seconds: float, say: Callable[[str], None]) -> dict[str, Any]:
    """Run so many turns; return the lane ``lifecycle`` and its ratio to accepting alone.

    :raises LaneFailed: if an order was refused, or is not FILLED in two minutes.
    """
    with stage(with_prices=False) as on, ExitStack() as stack:
        pids = [on.door.pid]
        for process in processes(on.servers.state_dir):
            if process.name in BESIDE_WEB:
                log = on.servers.state_dir / f"{process.name}.log"
                started = running(process.command, on.servers.environment, log=log)
                pids.append(stack.enter_context(started).pid)
        _wait(on, "SELECT count(*) FROM t_bench.broker_connection WHERE state <> 'UP'")
        turns, loads = [], []
        for number in range(rounds + 1):
            loads.append(os.getloadavg()[0])
            turns.append(_turn(on, pids, seconds, number))
            last, accepted = turns[-1]
            say(f"turn {number} (load {loads[-1]:.1f}): {last.rate:.1f} lives/s,"
                f" {accepted:.1f} accepted/s")  # fmt: skip
        turns = turns[1:]  # the first warms up
    lives = [one for one, _ in turns]
    return {
        "subject": "lifecycle",
        "lanes": {
            "lifecycle": {
                "orders_per_s": median(one.rate for one in lives),
                "p50_ms": None,  # the answer comes long before the fill; see the demo's receipt
                "p99_ms": None,
                "cpu_us_server": per_order([(one.cpu_server_s, one.orders) for one in lives]),
                "cpu_us_postgres": per_order([(one.cpu_postgres_s, one.orders) for one in lives]),
            }
        },
        "ratios": {"lifecycle_vs_single": median(one.rate / rate for one, rate in turns)},
        "load": loads[1:],
    }


def table(result: dict[str, Any]) -> str:
    """Return the figures for people."""
    lane, ratio = result["lanes"]["lifecycle"], result["ratios"]["lifecycle_vs_single"]
    lines = [
        f"{name:<20}{'-' if value is None else f'{value:.1f}':>12}" for name, value in lane.items()
    ]
    return "\n".join([*lines, f"{'lifecycle_vs_single':<20}{ratio:>12.3f}"])


def _turn(on: Stage, pids: list[int], seconds: float, number: int) -> tuple[Round, float]:
    """Send orders for so long, wait for the last fill; returns the lives and the accepting rate."""
    before = _cpu(pids), cpu_seconds(on.door.postgres_pid)
    begun = time.perf_counter()
    load = drive(
        on.door.socket, lambda one: _market(on.door, one), key=on.door.key, clients=CLIENTS,
        seconds=seconds, first=number * 1_000_000,
    )  # fmt: skip
    orders = taken(load)
    _wait(on, "SELECT count(*) FROM t_bench.oms_order WHERE ord_status <> 'FILLED'")
    took = time.perf_counter() - begun
    after = _cpu(pids), cpu_seconds(on.door.postgres_pid)
    server, postgres = (
        None if was is None or now is None else now - was
        for was, now in zip(before, after, strict=True)
    )
    return Round(orders, took, load.latencies, server, postgres), orders / load.seconds


def _market(door: Door, number: int) -> tuple[str, Any]:
    path, body = door.single(number)
    terms = {"ord_type": "MARKET", "order_qty": str(1 + number % LARGEST_QTY)}
    gone = {"price", "time_in_force"}
    return path, {name: value for name, value in body.items() if name not in gone} | terms


def _cpu(pids: list[int]) -> float | None:
    found = [cpu_seconds(pid) for pid in pids]
    known = [one for one in found if one is not None]
    return sum(known) if len(known) == len(found) else None


def _wait(on: Stage, query: str) -> None:
    """Look until the count is zero.

    :raises LaneFailed: if it is not in two minutes, with the ends of the logs.
    """
    deadline = time.monotonic() + PATIENCE_S
    while left := _count(on.database, query):
        if time.monotonic() > deadline:
            logs = "\n".join(
                (on.servers.state_dir / f"{name}.log").read_text()[-800:] for name in BESIDE_WEB
            )
            raise LaneFailed(f"{left} left after {PATIENCE_S:.0f} s of {query}\n{logs}")
        time.sleep(0.02)


def _count(database: "psycopg.Connection[Any]", query: str) -> int:
    row = database.execute(query).fetchone()
    assert row is not None
    return int(row[0])
