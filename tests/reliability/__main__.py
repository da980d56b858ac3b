"""``python -m tests.reliability --seed S --schedules N``: so many schedules, each from its seed."""

import argparse
import gc
import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import Pool
from pathlib import Path

from tests.reliability.schedule import make
from tests.reliability.shrink import shrink
from tests.reliability.world import run

SAVED = Path(__file__).parent / "schedules"
AT_ONCE = 250


@dataclass(frozen=True, slots=True)
class Batch:
    """Seeds from ``first`` on, ``count`` of them; every ``replay_every``th is folded anew."""

    first: int
    count: int
    replay_every: int


@dataclass(frozen=True, slots=True)
class Played:
    """What a batch took, and the first seed that failed with its failure."""

    schedules: int
    reports: int
    cpu_s: float
    failed: int | None = None
    failure: str = ""


def play(batch: Batch) -> Played:
    """Run the batch up to its first failure."""
    gc.set_threshold(50_000)  # a schedule's objects die with it, all at once
    begun, reports = time.process_time(), 0
    for number in range(batch.first, batch.first + batch.count):
        try:
            desk = run(make(number), replay=number % batch.replay_every == 0)
        except Exception as failure:  # noqa: BLE001 - whatever goes wrong is the finding
            spent = time.process_time() - begun
            text = f"{type(failure).__name__}: {failure}"
            return Played(number - batch.first, reports, spent, number, text)
        reports += sum(len(order.log) for order in desk.orders)
    return Played(batch.count, reports, time.process_time() - begun)


def save_shrunk(seed: int) -> None:
    """Shrink the schedule of a failing seed and keep it for ever."""
    schedule = make(seed)
    try:
        run(schedule, replay=True)
    except Exception as failure:  # noqa: BLE001 - as above
        small = shrink(schedule, failure)
        path = SAVED / f"seed-{seed}.json"
        path.write_text(json.dumps({"failed": str(failure)[:300], **small.to_json()}) + "\n")
        print(f"shrunk from {len(schedule.steps)} to {len(small.steps)} steps: {path}")


def main(arguments: list[str]) -> int:
    """Run schedules S, S+1, ...; the first that fails is shrunk, saved and named."""
    parser = argparse.ArgumentParser(prog="python -m tests.reliability", description=__doc__)
    parser.add_argument("--seed", type=int, default=None, help="the first seed; else by the clock")
    parser.add_argument("--schedules", type=int, default=20_000)
    parser.add_argument(
        "--replay-every", type=int, default=10, help="fold the logs anew of each nth"
    )
    parser.add_argument(
        "--processes", type=int, default=os.cpu_count(), help="else one on every core"
    )
    options = parser.parse_args(arguments)
    seed = options.seed if options.seed is not None else time.time_ns() // 1_000_000
    print(f"seed {seed}, {options.schedules} schedules", flush=True)
    end = seed + options.schedules
    batches = [
        Batch(first, min(AT_ONCE, end - first), options.replay_every)
        for first in range(seed, end, AT_ONCE)
    ]
    wall = time.monotonic()
    schedules = reports = 0
    cpu = 0.0
    with Pool(options.processes) as pool:
        done: Iterator[Played] = pool.imap(play, batches)
        for played in done:
            schedules, reports = schedules + played.schedules, reports + played.reports
            cpu += played.cpu_s
            if played.failed is not None:
                print(f"seed {played.failed} fails: {played.failure}")
                save_shrunk(played.failed)
                return 1
    print(
        f"{schedules} schedules held: {schedules / cpu:.0f} a second of one core's time"
        f" ({cpu:.1f} s of it, {time.monotonic() - wall:.1f} s on the clock),"
        f" {reports} reports folded"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
