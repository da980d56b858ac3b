"""`up` with small children: it keeps them alive, and nothing outlives it."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from config import foreign_processes as processes
from config.embedded import layout, postgres, valkey
from config.supervisor import orphans

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


class System:
    """One `up` on one state dir, and what a test wants to know about it."""

    def __init__(self, state: Path, environment: dict[str, str]) -> None:
        self.state = state
        self.environment = environment
        self.port = free_port()
        self.up: subprocess.Popen[str] | None = None

    def start(self, behaviour: str = "plain", port: int | None = None) -> subprocess.Popen[str]:
        program = [sys.executable, str(Path(__file__).with_name("fake_system.py"))]
        return subprocess.Popen(
            [*program, str(self.state), str(port or self.port), behaviour],
            cwd=ROOT,
            env=self.environment | {"OMS_STATE_DIR": str(self.state), "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def ready(self, behaviour: str = "plain") -> "System":
        (self.state / "run.json").unlink(missing_ok=True)  # a killed one could not take it back
        self.up = self.start(behaviour)
        assert within(20, lambda: self.run_file().get("ready")), self.up.communicate(timeout=9)[0]
        return self

    def run_file(self) -> dict[str, object]:
        try:
            return json.loads((self.state / "run.json").read_text())
        except FileNotFoundError:
            return {}

    def web_pid(self) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        connection.request("GET", "/")
        answer = connection.getresponse()
        return int(answer.read()) if answer.status == 200 else 0

    def family(self) -> list[int]:
        return orphans.of(self.state)

    def nothing_is_left(self) -> bool:
        place = layout.at(self.state)
        servers = postgres.is_running(place) or valkey.is_running(place)
        return not servers and not self.family() and not leash_pids(self.state)

    def end(self) -> None:
        if self.up is not None:
            self.up.kill()  # first, or it would start again what is killed next
            self.up.wait()
        for pid in (*leash_pids(self.state), *self.family()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self.up is not None:
            self.up.communicate()


def leash_pids(state: Path) -> list[int]:
    found = subprocess.run(
        ["pgrep", "-f", f"config.supervisor.leash {state} "], capture_output=True, text=True
    )
    return [int(pid) for pid in found.stdout.split()]


def within(seconds: float, condition: Callable[[], object]) -> bool:
    return processes.waited(lambda: bool(condition()), seconds)


@pytest.fixture
def system(used: Path, bare_environment: dict[str, str]) -> Iterator[System]:
    made = System(used, bare_environment)
    yield made
    made.end()


def test_ctrl_c_ends_everything_within_five_seconds_with_a_stream_open(system):
    system.ready("stubborn")
    run_file = system.run_file()
    assert run_file == {"ready": True, "base_url": f"http://localhost:{system.port}", "tenants": []}
    assert (system.state / "run.json").stat().st_mode & 0o777 == 0o600
    stream = http.client.HTTPConnection("127.0.0.1", system.port, timeout=5)
    stream.request("GET", "/stream/events")
    assert stream.getresponse().readline() == b"data: tick\n"

    begun = time.monotonic()
    system.up.send_signal(signal.SIGINT)
    said, _ = system.up.communicate(timeout=8)
    assert time.monotonic() - begun < 5
    assert system.up.returncode == 0
    assert system.nothing_is_left()
    assert system.run_file() == run_file | {"ready": False}
    assert "Postgres and Valkey" in said
    assert "Blotter is ready (" in said


def test_children_the_leash_and_the_servers_come_back_when_they_are_killed(system):
    system.ready()
    victim = system.web_pid()
    os.kill(victim, signal.SIGKILL)
    assert within(5, lambda: system.web_pid() not in {0, victim})

    front = int(
        subprocess.check_output(
            ["pgrep", "-f", f"^{sys.executable} -m config.front .*{system.state}"]
        ).split()[0]
    )
    os.kill(front, signal.SIGKILL)
    assert system.web_pid()  # the connection waited in the queue that `up` holds

    place = layout.at(system.state)
    with psycopg.connect(layout.database_url(place, "blotter"), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS n")
    os.kill(postgres.server_pid(place), signal.SIGKILL)
    cache = redis.Redis.from_url(layout.redis_url(place))
    os.kill(cache.info("server")["process_id"], signal.SIGKILL)
    os.kill(next(iter(leash_pids(system.state))), signal.SIGKILL)
    assert within(5, lambda: valkey.is_running(place))
    assert within(5, lambda: leash_pids(system.state))
    url = layout.database_url(place, "blotter")
    assert within(20, lambda: _answers(url))  # its recovery takes what the disk takes

    # The new leash was told of the children it never saw starting.
    system.up.kill()
    system.up.wait()
    assert within(8, system.nothing_is_left)


def _answers(url: str) -> bool:
    try:
        with psycopg.connect(url) as connection:
            return connection.execute("SELECT n FROM kept").fetchone() == (1,)
    except psycopg.OperationalError:
        return False


def test_nothing_outlives_a_killed_up_and_no_row_is_lost(system):
    system.ready()
    place = layout.at(system.state)
    with psycopg.connect(layout.database_url(place, "blotter"), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS n")
    assert len(system.family()) >= 5  # with the grandchild
    system.up.kill()
    # The next one may start at once: it waits until the former one is cleaned away.
    system.up.communicate()
    system.ready()
    assert _answers(layout.database_url(place, "blotter"))
    system.up.send_signal(signal.SIGTERM)
    system.up.communicate(timeout=8)
    assert system.nothing_is_left()


def test_what_outlived_even_the_leash_is_ended_by_the_next_up(system):
    system.ready()
    former = set(system.family())
    for pid in leash_pids(system.state):
        os.kill(pid, signal.SIGSTOP)  # or `up` would start a new one before it dies itself
    system.up.kill()
    for pid in leash_pids(system.state):
        os.kill(pid, signal.SIGKILL)
    system.up.communicate()
    assert former & set(system.family())
    system.ready()
    assert not former & set(system.family())


def test_a_second_up_and_a_taken_port_are_one_line_each(system):
    system.ready()
    second = system.start(port=free_port())
    said, _ = second.communicate(timeout=10)
    assert second.returncode == 1
    assert said.startswith(f"Blotter: Already running on {system.state} (process {system.up.pid}):")
    assert said.count("\n") == 1

    other = System(system.state.with_name("other"), system.environment)
    taken = other.start(port=system.port)
    said, _ = taken.communicate(timeout=10)
    assert taken.returncode == 1
    assert said.startswith(f"Blotter: Port {system.port} cannot be used (Address already in use)")
    assert said.count("\n") == 1


def test_data_of_another_major_are_one_line_and_a_failure(system):
    (layout.at(system.state).postgres_data / "PG_VERSION").write_text("12\n")
    up = system.start()
    said, _ = up.communicate(timeout=10)
    assert up.returncode == 1
    assert "Blotter: The data in " in said
    assert "Traceback" not in said
    assert system.nothing_is_left()


def test_a_child_that_cannot_live_ends_up_with_its_last_words(system):
    up = system.start("crashing")
    said, _ = up.communicate(timeout=20)
    assert up.returncode == 1
    assert "Blotter: worker does not stay up: this cannot work (its log: " in said
    assert system.nothing_is_left()
    assert "run.json" not in os.listdir(system.state)
