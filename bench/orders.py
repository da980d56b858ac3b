"""``manage.py bench orders``: what it costs to take an order, lane beside lane in one run.

Every round runs every lane once, so that a busy machine slows all of them alike, and ratios are
taken within a round. After the rounds the rows are counted against the answers, and Postgres is
killed under load: each order that was answered for must still be there.
"""

import json
import os
import signal
import threading
from collections.abc import Callable
from statistics import median
from typing import Any

from bench import lifecycle, limit
from bench.counts import counts_per_order
from bench.http_load import drive
from bench.lanes import BATCH_CLIENTS, CLIENTS, Lane, LaneFailed, Pgbench, http_lane
from bench.processes import step
from bench.stage import Stage, stage
from config.embedded import binaries
from config.embedded.account import servers_account

LIFECYCLE_ROUNDS = 3
WARM_UP_S = 1.0
KILLED_AFTER_S = 1.5
NOISY = 1.5
"""A run in which the limit varies more is noisy: then only counts and CPU mean something."""

RATIOS = {
    "single_vs_limit": ("single", "limit_one"),
    "hot_account_vs_limit": ("hot_account", "limit_hot"),
    "batch_vs_limit": ("batch", "limit_batch"),
    "single_vs_plain_orm": ("single", "plain_orm"),
    "single_vs_peer": ("single", "peer"),
}
"""The median over the rounds of one lane's rate over the other's in the same round."""

_AGREE = ("client_ids", "commands", "order_events", "stream_events", "exposure_orders")


def measure(*, rounds: int, seconds: float, say: Callable[[str], None]) -> dict[str, Any]:
    """Run everything; return lanes, ratios, counts, checks, and why what is missing is missing.

    :raises LaneFailed: if a lane failed, or the rows are not what was answered.
    """
    skipped = {"peer": "no door to another system is built yet"}
    with stage(with_plain=True) as on:
        say("one order, and what it leaves behind")
        found = limit.footprint(on.database, "t_bench", _placer(on))
        counts = counts_per_order(on)
        lanes, reason = _lanes(on, found)
        if reason:
            skipped |= dict.fromkeys(("limit_one", "limit_cte", "limit_hot", "limit_batch"), reason)
        before = on.totals()["orders"]
        loads = _run(lanes, rounds, seconds, say)
        truth = _truth(on, lanes, before)
        say("killing Postgres under load")
        durable = _survives_a_kill(on)
    say("whole lives of orders, on servers of their own")
    lives = lifecycle.measure(rounds=LIFECYCLE_ROUNDS, seconds=seconds, say=say)
    result = _result(lanes, loads, skipped, counts, {**truth, **durable})
    for part in ("lanes", "ratios"):
        result[part] |= lives[part]
    return result


def _placer(on: Stage) -> Callable[[str], None]:
    numbers = iter(range(100))
    return lambda cl_ord_id: on.place(cl_ord_id=cl_ord_id, number=next(numbers))


def _lanes(on: Stage, found: limit.Footprint) -> tuple[list[Lane], str]:
    """Return the lanes in their order, and why those of pgbench are missing if they are."""
    assert on.plain is not None
    lanes = [
        http_lane("plain_orm", on.plain, on.plain.single),
        http_lane("single", on.door, on.door.single),
        http_lane("single_1_client", on.door, on.door.single, clients=1),
        http_lane("hot_account", on.door, on.door.hot),
        http_lane("batch", on.door, on.door.batch, clients=BATCH_CLIENTS),
    ]
    layout = on.servers.hold.layout
    program = binaries.postgres_programs(layout, servers_account()).directory / "pgbench"
    if not program.exists():
        return lanes, "pgbench is not installed beside this Postgres"
    row = on.database.execute("SELECT min(id), max(id) FROM t_bench.broker_account").fetchone()
    assert row is not None
    bench = Pgbench(program, on.servers.hold.database_url, on.door.postgres_pid, row)
    made = limit.scripts(found)
    return [
        bench.lane("limit_one", made["one"]),
        bench.lane("limit_cte", made["cte"]),
        bench.lane("limit_hot", made["hot"]),
        bench.lane("limit_batch", made["batch"], orders=limit.BATCH, clients=BATCH_CLIENTS),
        *lanes,
    ], ""


def _run(lanes: list[Lane], rounds: int, seconds: float, say: Callable[[str], None]) -> list[float]:
    """Warm every lane up, then run them in turns; returns the load average before each round."""
    for place, lane in enumerate(lanes):
        lane.run(WARM_UP_S, 100 + place, counts=False)
    loads = []
    for number in range(rounds):
        loads.append(os.getloadavg()[0])
        for place, lane in enumerate(lanes):
            lane.run(seconds, 200 + number * len(lanes) + place)
        rates = ", ".join(f"{lane.name} {lane.rounds[-1].rate:.0f}" for lane in lanes)
        say(f"round {number + 1} of {rounds} (load {loads[-1]:.1f}), orders/s: {rates}")
    return loads


def _truth(on: Stage, lanes: list[Lane], before: int) -> dict[str, Any]:
    """Compare the rows with what was answered and with what is held reserved.

    :raises LaneFailed: if they differ.
    """
    found = on.totals()
    answered = sum(lane.taken for lane in lanes if lane.name != "plain_orm")
    wrong = [name for name in _AGREE if found[name] != found["orders"]]
    if wrong or found["orders"] - before != answered:
        raise LaneFailed(f"{answered} orders were answered for, but {found} (before: {before})")
    if found["order_qty"] != found["exposure_qty"]:
        raise LaneFailed(f"the quantity held is not the orders': {found}")
    return {"answered": answered, "rows": found}


def _survives_a_kill(on: Stage) -> dict[str, Any]:
    """Kill Postgres while orders are taken; all that were answered for must be there afterwards.

    :raises LaneFailed: if one is missing.
    """
    on.database.close()
    timer = threading.Timer(KILLED_AFTER_S, os.kill, [on.door.postgres_pid, signal.SIGKILL])
    timer.start()
    load = drive(
        on.door.socket, on.door.single, key=on.door.key, clients=CLIENTS,
        seconds=KILLED_AFTER_S * 2, first=800_000_000, keep=True,
    )  # fmt: skip
    timer.join()
    taken = [row["cl_ord_id"] for row in map(_json, load.bodies) if row and "ord_status" in row]
    if len(taken) != load.statuses[201]:
        raise LaneFailed(f"answers cannot be read: {dict(load.statuses)}")
    on.servers.hold.check_and_revive()
    answer = json.loads(
        step(
            "bench.order_steps",
            "missing",
            environment=on.servers.environment,
            stdin=json.dumps(taken),
        )
    )
    if answer["missing"]:
        raise LaneFailed(f"orders that were answered for are gone: {answer['missing'][:5]}")
    return {"answered_before_the_kill": answer["asked"], "lost": 0}


def _json(body: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(body)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _result(
    lanes: list[Lane],
    loads: list[float],
    skipped: dict[str, str],
    counts: dict[str, dict[str, float]],
    checks: dict[str, Any],
) -> dict[str, Any]:
    by_name = {lane.name: lane for lane in lanes}
    ratios = {name: _ratio(by_name, *pair) for name, pair in RATIOS.items()}
    limits = [one.rate for one in by_name["limit_one"].rounds] if "limit_one" in by_name else []
    return {
        "subject": "orders",
        "lanes": {lane.name: lane.figures() for lane in lanes} | dict.fromkeys(skipped),
        "ratios": {name: found[0] if found else None for name, found in ratios.items()},
        "ratio_range": {name: found[1:] if found else None for name, found in ratios.items()},
        "skipped": skipped,
        "counts": counts,
        "checks": checks,
        "load": loads,
        "noisy": bool(limits) and max(limits) > NOISY * min(limits),
    }


def _ratio(lanes: dict[str, Lane], one: str, other: str) -> tuple[float, float, float] | None:
    """Return median, smallest and largest of the rounds' own ratios."""
    if one not in lanes or other not in lanes:
        return None
    pairs = zip(lanes[one].rounds, lanes[other].rounds, strict=True)
    found = [mine.rate / theirs.rate for mine, theirs in pairs]
    return median(found), min(found), max(found)


def table(result: dict[str, Any]) -> str:
    """Return the lanes, the ratios and the counts for people."""
    columns = ("orders_per_s", "p50_ms", "p99_ms", "cpu_us_server", "cpu_us_postgres")
    lines = [f"{'lane':<18}" + "".join(f"{name:>17}" for name in columns)]
    for name, figures in result["lanes"].items():
        if figures is None:
            lines.append(f"{name:<18}  skipped: {result['skipped'][name]}")
            continue
        cells = (figures[column] for column in columns)
        row = "".join(f"{'-' if cell is None else f'{cell:.1f}':>17}" for cell in cells)
        lines.append(f"{name:<18}{row}")
    lines.append("")
    for name, median_ in result["ratios"].items():
        if median_ is None:
            lines.append(f"{name:<24}{'-':>8}")
            continue
        spread = result["ratio_range"].get(name)
        words = f"   ({spread[0]:.3f} to {spread[1]:.3f} by round)" if spread else ""
        lines.append(f"{name:<24}{median_:>8.3f}{words}")
    lines.append("")
    for door, counts in result["counts"].items():
        words = ", ".join(f"{value:g} {name}" for name, value in counts.items())
        lines.append(f"per order, {door}: {words}")
    lines.append(f"checks: {result['checks']}")
    if result["noisy"] or max(result["load"]) > NOISY:
        lines.append(
            f"THE MACHINE WAS BUSY (load {min(result['load']):.1f} to {max(result['load']):.1f}):"
            " only counts mean something, and ratios roughly."
        )
    return "\n".join(lines)
