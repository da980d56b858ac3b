"""``python -m tests.reliability --seed S --schedules N``: so many schedules, each from its seed."""

import argparse
import json
import sys
import time
from pathlib import Path

from tests.reliability.schedule import make
from tests.reliability.shrink import shrink
from tests.reliability.world import run

SAVED = Path(__file__).parent / "schedules"


def main(arguments: list[str]) -> int:
    """Run schedules S, S+1, ...; the first that fails is shrunk, saved and named."""
    parser = argparse.ArgumentParser(prog="python -m tests.reliability", description=__doc__)
    parser.add_argument("--seed", type=int, default=None, help="the first seed; else by the clock")
    parser.add_argument("--schedules", type=int, default=20_000)
    parser.add_argument(
        "--replay-every", type=int, default=10, help="fold the logs anew of each nth"
    )
    options = parser.parse_args(arguments)
    seed = options.seed if options.seed is not None else time.time_ns() // 1_000_000
    print(f"seed {seed}, {options.schedules} schedules", flush=True)
    begun, wall, reports = time.process_time(), time.monotonic(), 0
    for number in range(seed, seed + options.schedules):
        schedule = make(number)
        try:
            desk = run(schedule, replay=number % options.replay_every == 0)
        except Exception as failure:  # noqa: BLE001 - whatever goes wrong is the finding
            small = shrink(schedule, failure)
            path = SAVED / f"seed-{number}.json"
            path.write_text(json.dumps({"failed": str(failure)[:300], **small.to_json()}) + "\n")
            print(f"seed {number} fails: {type(failure).__name__}: {failure}")
            print(f"shrunk from {len(schedule.steps)} to {len(small.steps)} steps: {path}")
            return 1
        reports += sum(len(order.log) for order in desk.orders)
    cpu, took = time.process_time() - begun, time.monotonic() - wall
    rate = options.schedules / cpu if cpu else 0
    print(
        f"{options.schedules} schedules held: {rate:.0f} a second of processor time"
        f" ({cpu:.1f} s, {took:.1f} s on the clock), {reports} reports folded"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
