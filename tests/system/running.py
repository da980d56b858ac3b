"""The whole system, started by ``manage.py up`` as a person would, and what a test does to it."""

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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from celery import Celery

from config import foreign_processes
from config.demo_day.client import Answer, Client
from config.embedded import layout, postgres
from config.supervisor import orphans

ROOT = Path(__file__).resolve().parents[2]
READY_WITHIN_S = 90
STOPPED_WITHIN_S = 5
REQUEST_TIMEOUT_S = 4.0

# What tells a supervised process from the others by its command line.
COMMANDS = {
    "front": "config.front",
    "web": "config.wsgi",
    "stream": "config.stream.app",
    "gateway": "manage.py gateway",
    "dispatcher": "manage.py dispatcher",
    "worker": "config.celery worker",
    "beat": "config.celery beat",
}
FIRMS = ("acme", "globex")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def bare_environment() -> dict[str, str]:
    """The environment of somebody who has no servers and no settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OMS_")}
    for name in ("DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE"):
        kept.pop(name, None)
    return kept


class System:
    """One `up` on one state dir, through several starts.

    Its firms have no past days unless asked for: most tests count orders from the first one on.
    """

    def __init__(self, state: Path, *, history: bool = False) -> None:
        self.state = state
        self.history = history
        self.ready_within_s = READY_WITHIN_S * (2 if history else 1)
        self.port = free_port()
        self.up: subprocess.Popen[bytes] | None = None
        self.run: dict[str, Any] = {}

    # -- starting and stopping

    def manage(self, *arguments: str, port: int | None = None, **variables: str) -> list[Any]:
        """The arguments and the environment of one of the system's commands."""
        command = [sys.executable, "manage.py", *arguments]
        environment = bare_environment() | {
            "OMS_STATE_DIR": str(self.state),
            "OMS_PORT": str(port or self.port),
            "OMS_DEMO_HISTORY": str(int(self.history)),
            **variables,
        }
        return [command, environment]

    def command(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run one command against this state dir to its end."""
        command, environment = self.manage(*arguments, **options)
        return subprocess.run(
            command, cwd=ROOT, env=environment, timeout=100, text=True, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def start(self) -> float:
        """Bring it up; return the seconds until run.json said that it is ready."""
        command, environment = self.manage("up")
        begun = time.monotonic()
        with (self.state.parent / "up.log").open("ab") as said:
            self.up = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=said, stderr=said, start_new_session=True
            )
        ready = within(self.ready_within_s, lambda: self.is_ready() or self.up.poll() is not None)
        took = time.monotonic() - begun
        assert ready, f"not ready in time:\n{self.said()}"
        assert self.up.poll() is None, f"it ended:\n{self.said()}"
        return took

    def stop(self) -> float:
        """Ctrl-C; return the seconds until `up` had ended."""
        assert self.up is not None
        begun = time.monotonic()
        self.up.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.up.wait(20)
        took = time.monotonic() - begun
        assert self.up.returncode == 0, f"ended with {self.up.returncode}:\n{self.said()}"
        self.up = None
        return took

    def end(self) -> None:
        """Leave nothing of it, whatever state it is in."""
        if self.up is not None and self.up.poll() is None:
            self.up.kill()  # the leash ends everything else
            self.up.wait()
        within(10, lambda: not self.left_behind())
        for pid in self.left_behind():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def said(self) -> str:
        """The end of what `up` printed."""
        return (self.state.parent / "up.log").read_text()[-3000:]

    def is_ready(self) -> bool:
        """Whether run.json says so; what else it says is kept in ``run``."""
        try:
            self.run = json.loads((self.state / "run.json").read_text())
        except (FileNotFoundError, ValueError):
            return False
        return bool(self.run["ready"])

    # -- its processes

    def left_behind(self) -> list[int]:
        """Every process but `up` that names the state dir in its command line or environment."""
        known = set(orphans.of(self.state))
        mine = {os.getpid(), self.up.pid if self.up is not None else 0}
        return sorted((known | set(_processes_naming(self.place.server_dir))) - mine)

    def pid(self, kind: str) -> int | None:
        """The process of a kind as its supervisor sees it; None while there is none."""
        if kind == "postgres":
            return postgres.server_pid(self.place)
        if kind == "valkey":
            found = _listing(f"valkey-server unixsocket:{self.place.valkey_socket}")
            return found[0] if found else None
        children = set(orphans.of(self.state))
        found = [pid for pid in _listing(COMMANDS[kind]) if pid in children]
        # Workers that a granian or celery master made share its command line and its group.
        masters = [pid for pid in found if _group(pid) == pid]
        return masters[0] if masters else None

    def kill(self, kind: str) -> "Killed":
        """End the process of that kind as the kernel would when memory runs out."""
        pid = self.pid(kind)
        assert pid is not None, f"no {kind} runs:\n{self.said()}"
        os.kill(pid, signal.SIGKILL)
        return Killed(kind, pid, time.monotonic())

    def is_back(self, killed: "Killed") -> bool:
        """Whether another process does the killed one's work."""
        pid = self.pid(killed.kind)
        return pid not in {None, killed.pid}

    def worker_answers(self) -> bool:
        """Whether a Celery worker takes messages."""
        socket_url = layout.redis_url(self.place).replace("unix://", "redis+socket://", 1)
        app = Celery("probe", broker=socket_url.replace("?db=", "?virtual_host="))
        try:
            return bool(app.control.ping(timeout=0.5))
        finally:
            app.close()

    # -- its doors

    @property
    def place(self) -> layout.Layout:
        return layout.at(self.state)

    def tenant(self, slug: str) -> dict[str, Any]:
        """What run.json says of a firm."""
        return next(row for row in self.run["tenants"] if row["slug"] == slug)

    def client(self, slug: str, *, timeout_s: float = REQUEST_TIMEOUT_S) -> Client:
        """A new connection with the firm's key."""
        tenant = self.tenant(slug)
        return Client(tenant["connect_url"], tenant["api_key"], timeout_s=timeout_s)

    def rows(self, slug: str, query: str) -> list[tuple[Any, ...]]:
        """Read one firm's tables beneath the API: what the paper venue itself has."""
        with psycopg.connect(layout.database_url(self.place, "blotter")) as connection:
            connection.execute(f"SET search_path TO t_{slug}, public")
            return connection.execute(query).fetchall()


@dataclass(frozen=True, slots=True)
class Killed:
    """A process that was killed, and when on the monotonic clock."""

    kind: str
    pid: int
    at: float

    def ago(self) -> float:
        return time.monotonic() - self.at


def within(seconds: float, condition: Callable[[], object]) -> bool:
    return foreign_processes.waited(lambda: bool(condition()), seconds)


def persistently(
    send: Callable[[], Answer], *, retries: Callable[[Answer], bool], patience_s: float = 30.0
) -> Answer:
    """Send until there is an answer that is one, as a careful program does."""
    deadline = time.monotonic() + patience_s
    while True:
        try:
            answer = send()
        except (OSError, http.client.HTTPException, ValueError) as failure:
            lately: object = failure
        else:
            if not retries(answer):
                return answer
            lately = f"{answer.status} {answer.body}"
        assert time.monotonic() < deadline, f"no answer in {patience_s} s, lately: {lately!r}"
        time.sleep(0.05)


def is_trouble(answer: Answer) -> bool:
    """The system is away or still without prices: nothing was decided about the request."""
    return answer.status >= 500 or (
        answer.status == 422 and answer.body["code"] == "no_reference_price"
    )


def _group(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return 0


def _listing(part: str) -> list[int]:
    """Processes whose command line holds the text, but for `sh` and `nice` about to exec."""
    rows = subprocess.run(
        ["/bin/ps", "-axww", "-o", "pid=,command="], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    split = (row.strip().partition(" ") for row in rows)
    return [
        int(pid)
        for pid, _, command in split
        if part in command and not command.startswith(("/bin/sh", "nice "))
    ]


def _processes_naming(directory: Path) -> Iterator[int]:
    if not Path("/proc/self/environ").exists():
        yield from _listing(str(directory))
        return
    wanted = os.fsencode(str(directory))
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if wanted in (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes():
                    yield int(entry.name)
