"""kill -9 of any one process while orders flow: it comes back, nothing is lost, nothing doubled."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from tests.system.running import FIRMS, System, within
from tests.system.sse import EventReader
from tests.system.traffic import Traffic

BACK_WITHIN_S = 5.0
RECOVERY_S = 60.0  # what nothing may exceed, on however busy a machine
POSTGRES_S = 20.0  # it replays its log first, which takes what the disk takes
REFERENCE_START_S = 1.5  # what ``slowness`` measures beside the traffic on two otherwise idle cores
FLOWING_S = 1.0
KINDS = (
    "beat",
    "worker",
    "front",
    "web",
    "stream",
    "gateway",
    "dispatcher",
    "postgres",
    "valkey",
)


@dataclass
class Followers:
    """A stream of each firm's events, read without a break through every case."""

    readers: dict[str, EventReader]

    def caught_up(self, system: System) -> bool:
        """Whether every position the firms have was received."""
        return all(
            [(reader.last, 0)]
            == system.rows(
                slug,
                "SELECT coalesce(max(position), 0), count(*) FILTER (WHERE position IS NULL)"
                " FROM events_event",
            )
            for slug, reader in self.readers.items()
        )


@pytest.fixture(scope="module")
def followers(system: System) -> Iterator[Followers]:
    """Their positions go on from case to case, as a program that never stops would see them."""
    made = Followers({slug: EventReader(system, slug, after=0) for slug in FIRMS})
    assert within(10, lambda: made.caught_up(system))
    yield made
    for reader in made.readers.values():
        reader.close()


@pytest.mark.parametrize("kind", KINDS)
def test_a_killed_process_comes_back_and_nothing_is_lost_or_doubled(kind, system, followers):
    connections = {slug: reader.connections for slug, reader in followers.readers.items()}
    with Traffic(system, f"kill-{kind}") as traffic:
        time.sleep(FLOWING_S)
        slow = slowness(system)
        killed_at = datetime.now(UTC)
        killed = system.kill(kind)
        trading = traffic.seconds_until_filled(killed.at)
        assert within(RECOVERY_S, lambda: system.is_back(killed))
        back = killed.ago()
        told = seconds_until_told(traffic, followers, killed.at)
        if kind == "worker":
            assert within(RECOVERY_S, system.worker_answers)
        if kind == "beat":
            assert within(RECOVERY_S, lambda: schedule_written_after(system, killed_at))
        working = killed.ago()
    print(
        f"{kind}: filled after {trading:.1f} s, process back after {back:.1f} s,"
        f" events told after {told:.1f} s, everything after {working:.1f} s"
    )
    allowed = slow * (POSTGRES_S if kind == "postgres" else BACK_WITHIN_S)
    assert trading < allowed
    assert back < allowed
    if kind in {"stream", "dispatcher"}:
        assert told < allowed
    traffic.check()
    assert within(10, lambda: followers.caught_up(system))
    for slug, reader in followers.readers.items():
        assert reader.positions == list(range(1, reader.last + 1)), "a gap or a duplicate"
        if kind in {"front", "stream"}:
            assert reader.connections > connections[slug], "the stream was not interrupted"


def slowness(system: System) -> float:
    """How much longer a process takes to start here and now than on the reference machine.

    Coming back is starting a process, so on a machine that is busy with other things the time
    allowed grows with what starting one takes.
    """
    begun = time.monotonic()
    subprocess.run(
        [sys.executable, "-c", "import django; django.setup()"],
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings.typecheck",
            "PYTHONPYCACHEPREFIX": str(system.state / "pycache"),  # as the system's own
            "PYTHONDONTWRITEBYTECODE": "",
        },
        check=True,
    )
    return max(1.0, (time.monotonic() - begun) / REFERENCE_START_S)


def seconds_until_told(traffic: Traffic, followers: Followers, since: float) -> float:
    """Wait until each firm's stream has told that the firm's last probe is filled."""
    wanted = {slug: list(desk.orders.values())[-1] for slug, desk in traffic.probes.items()}
    assert within(
        RECOVERY_S,
        lambda: all(followers.readers[slug].has_seen(order) for slug, order in wanted.items()),
    )
    return time.monotonic() - since


def schedule_written_after(system: System, instant: datetime) -> bool:
    """Whether beat, which stores its schedule when it starts, has done so since then."""
    query = "SELECT max(date_changed) FROM public.django_celery_beat_periodictask"
    written = system.rows("acme", query)[0][0]
    return written is not None and written > instant
