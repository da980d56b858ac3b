"""``manage.py bench tenants``: what many firms cost, in one run on one machine.

How long it takes to make a firm, the first and the last of them, and beside them an empty schema
migrated by Django. How long a migration of one column takes over all firms, ours and
django-tenants' own, in turns. Every firm must have the same structure in the end.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from bench.later_version import write_later_version
from bench.own_servers import OwnServers, own_servers

EDGE = 20  # so many firms are "the first" and "the last"
BY_DJANGO = 10  # so many schemas are migrated by Django, evenly spread over the run
ROUNDS = ("roll_out", "django_tenants", "roll_out")
PLAIN_ENGINE = "django_tenants.postgresql_backend"
MIGRATIONS = Path(__file__).resolve().parents[1] / "events" / "migrations"


class Failed(RuntimeError):
    """The measurement proves nothing, because something was not done."""


def measure(*, firms: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Run everything and return figures and ratios; seconds, if the name says nothing else.

    :raises Failed: if a step failed, or did less than it should have.
    """
    with own_servers() as servers:
        load = [os.getloadavg()[0]]
        _step(servers, "roll_out")
        say(f"making {firms} firms")
        made = _step(servers, "create", str(firms), str(max(1, firms // BY_DJANGO)))
        _must_be_whole(_step(servers, "check"), firms)
        rounds: dict[str, list[dict[str, Any]]] = {name: [] for name in ROUNDS}
        modules: dict[str, str] = {}
        for number, name in enumerate(ROUNDS, start=1):
            modules = _one_more_column(servers.state_dir, number, modules)
            load.append(os.getloadavg()[0])
            say(f"round {number}: one column by {name} (load {load[-1]:.1f})")
            rounds[name].append(_step(servers, name, modules=modules))
            _must_be_whole(_step(servers, "check", modules=modules), firms)
        say("a deployment with nothing to migrate")
        idle = {name: _step(servers, name, modules=modules) for name in rounds}
    return _figures(firms, made, rounds, idle, load)


def table(result: dict[str, Any]) -> str:
    """Return the figures for people, one to a line."""
    load = " ".join(f"{one:.1f}" for one in result["load"])
    lines = [f"{'figure':<44}{'value':>12}"]
    lines += [f"{name:<44}{value:>12.3f}" for name, value in result["figures"].items()]
    lines += [f"{name:<44}{value:>11.1f}x" for name, value in result["ratios"].items()]
    return "\n".join([*lines, f"load averages during the run: {load}"])


def _step(
    servers: OwnServers, name: str, *arguments: str, modules: dict[str, str] | None = None
) -> dict[str, Any]:
    environment = {
        **servers.environment,
        "BENCH_MIGRATIONS": json.dumps(modules or {}),
        "PYTHONPATH": str(servers.state_dir),
    }
    if name == "django_tenants":
        environment["BENCH_ENGINE"] = PLAIN_ENGINE
    done = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-m", "bench.tenant_steps", name, *arguments],
        env=environment,
        cwd=Path(__file__).resolve().parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Failed(f"{name} failed:\n{done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _one_more_column(directory: Path, number: int, before: dict[str, str]) -> dict[str, str]:
    """Write code whose newest migration adds a column; returns it as migration modules."""
    package, _ = write_later_version(
        directory,
        app="events",
        migrations=directory / before["events"] if before else MIGRATIONS,
        operations=(
            f'[migrations.AddField("subscribercursor", "column_{number}",'
            ' models.CharField(max_length=20, default=""))]'
        ),
    )
    return {"events": package}


def _must_be_whole(found: dict[str, Any], firms: int) -> None:
    if found != {"firms": firms, "pending": 0, "structures": 1}:
        raise Failed(f"{firms} firms of one structure should be migrated, but: {found}")


def _figures(
    firms: int,
    made: dict[str, Any],
    rounds: dict[str, list[dict[str, Any]]],
    idle: dict[str, dict[str, Any]],
    load: list[float],
) -> dict[str, Any]:
    created = made["by_template_s"]
    edge = min(EDGE, firms)
    first, last = median(created[:edge]), median(created[-edge:])
    by_django = median(made["by_django_s"])
    ours = median(one["seconds"] for one in rounds["roll_out"])
    theirs = median(one["seconds"] for one in rounds["django_tenants"])
    memory = max(one["backend_memory_bytes"] for one in rounds["roll_out"])
    return {
        "subject": "tenants",
        "firms": firms,
        "load": load,
        "figures": {
            f"make a firm, median of the first {edge}, s": first,
            f"make a firm, median of the last {edge}, s": last,
            "make a firm, median, s": median(created),
            "make a firm, slowest, s": max(created),
            "the same schema by Django's migrations, s": by_django,
            f"one column in {firms} firms, s": ours,
            f"one column in {firms} firms, CPU of Python, s": median(
                one["cpu_s"] for one in rounds["roll_out"]
            ),
            "the same by django-tenants, s": theirs,
            "nothing to migrate, s": idle["roll_out"]["seconds"],
            "the same by django-tenants (nothing), s": idle["django_tenants"]["seconds"],
            "memory of our Postgres backend, MiB": memory / 2**20,
        },
        "ratios": {
            "create_last_vs_first": last / first,
            "create_vs_django_migrate": by_django / median(created),
            "rollout_vs_django_tenants": theirs / ours,
            "nothing_vs_django_tenants": (
                idle["django_tenants"]["seconds"] / idle["roll_out"]["seconds"]
            ),
        },
        "rounds": rounds,
        "created_s": created,
    }
