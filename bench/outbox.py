"""``manage.py bench outbox``: how fast committed events become a stream.

The relay gives each event its position, links its hash and feeds Redis; the figure is per event,
with the CPU of Python and the WAL it takes.
"""

import json
import os
from collections.abc import Callable
from statistics import median
from typing import Any

from bench.own_servers import own_servers
from bench.processes import step

EVENTS = 5_000


def measure(*, rounds: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Relay so many backlogs; return the medians."""
    found, loads = [], []
    with own_servers() as servers:
        step("bench.tenant_steps", "roll_out", environment=servers.environment)
        step("bench.order_steps", "setup", "1", environment=servers.environment)
        for number in range(rounds):
            loads.append(os.getloadavg()[0])
            text = step("bench.stream_steps", "relay", str(EVENTS), environment=servers.environment)
            found.append(json.loads(text))
            say(f"round {number + 1} of {rounds}: {found[-1]['events']} events in"
                f" {found[-1]['seconds']:.2f} s (load {loads[-1]:.1f})")  # fmt: skip
    return {
        "subject": "outbox",
        "figures": {
            "relayed events per second": median(one["events"] / one["seconds"] for one in found),
            "CPU of Python per event, us": median(
                one["cpu_s"] / one["events"] * 1e6 for one in found
            ),
            "WAL per event, bytes": median(one["wal_bytes"] / one["events"] for one in found),
        },
        "load": loads,
    }


def table(result: dict[str, Any]) -> str:
    """Return the figures for people, one to a line."""
    load = " ".join(f"{one:.1f}" for one in result["load"])
    lines = [f"{name:<34}{value:>12.1f}" for name, value in result["figures"].items()]
    return "\n".join([*lines, f"load averages during the run: {load}"])
