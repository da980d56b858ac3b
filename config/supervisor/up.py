"""Brings the system up, keeps it up, takes it down. What a test replaces is in Plan."""

import contextlib
import fcntl
import os
import selectors
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from config import env, file_locks, foreign_processes, socket_paths
from config.front.doors import listeners
from config.supervisor import leash, orphans, readiness, run_file
from config.supervisor.children import Children
from config.supervisor.errors import UpError
from config.supervisor.leash import Leash
from config.supervisor.processes import Process

if TYPE_CHECKING:
    from config.embedded import Servers

STOP_WITHIN_S = 4.5
"""Everything has to be over in five seconds."""

CHILDREN_PATIENCE_S = 3.0
"""The servers get what the children leave of the time, and a second in any case."""

REVIVE_EVERY_S = 0.25
TOO_MANY_DEATHS = 4
DISK_IS_FULL_BYTES = 1024 * 1024
"""With less room than this, whatever failed is taken to have failed for that."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What `up` brings up. The callables run once the servers' addresses are in the environment."""

    state_dir: Path
    port: int
    base_url: str
    processes: Callable[[Path], Sequence[Process]]
    schema_is_current: Callable[[], bool]
    migrate: Callable[[], None]
    contents: Callable[[], dict[str, Any]]
    """Makes the demo firms where there are none; returns run.json but for ``ready``."""
    ready_path: str = "/health/ready"
    ready_timeout_s: float = 120.0


class Stopping(BaseException):
    """A stop signal came while the system was still coming up."""


class Up:
    """One run of the system. Call ``run`` once."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._begun = time.monotonic()
        self._coming_up = True
        self._signals = 0
        self._servers: Servers | None = None
        self._children: Children | None = None
        self._leash: Leash | None = None
        self._ended = threading.Event()
        self._reviver: threading.Thread | None = None

    def run(self) -> int:
        """Bring up, supervise until told to stop, take down; returns the exit status."""
        state_dir = self._plan.state_dir
        waker = self._listen_to_signals()
        try:
            with contextlib.ExitStack() as stack:
                (state_dir / "logs").mkdir(mode=0o700, parents=True, exist_ok=True)
                stack.enter_context(_alone(state_dir))
                run_file.mark_stopped(state_dir)  # a killed run could not
                with file_locks.exclusive(leash.lock_path(state_dir), timeout_s=30):
                    _end_orphans(state_dir)  # they may hold the port
                doors = self._doors()
                for door in doors:
                    stack.enter_context(contextlib.closing(door))
                stack.callback(self._take_down)
                self._bring_up(doors)
                self._coming_up = False
                self._supervise(waker)
        except Stopping:
            return 0
        except Exception as failure:
            line = _as_one_line(failure, state_dir)
            if line is None:
                raise
            print(f"Blotter: {line}", file=sys.stderr, flush=True)
            return 1
        return 0

    # -- coming up

    def _bring_up(self, doors: Sequence[socket.socket]) -> None:
        plan = self._plan
        wanted = _servers_to_embed()
        self._leash = Leash(plan.state_dir, embedded=bool(wanted))
        if wanted:
            self._embed(wanted)
        self._children = self._made_children(doors)
        self._children.start("front")
        first = [p.name for p in self._children.processes if not p.background]
        early = [p.name for p in self._children.processes if not (p.background or p.needs_firms)]
        with self._step("Database schema"):
            current = plan.schema_is_current()
            if not current:
                plan.migrate()
        self._children.start(*(first if current else early))
        with self._step("Demo firms"):
            contents = plan.contents()
        self._children.start(*first)
        if self._servers is not None:
            self._reviver = threading.Thread(target=self._revive_servers, daemon=True)
            self._reviver.start()
        with self._step(", ".join(first)):
            self._wait_until_ready(self._children, first)
        later = [p.name for p in self._children.processes if p.background]
        with self._step(", ".join(later)):
            self._children.start(*later)
        run_file.write(plan.state_dir, contents, ready=True)
        self._show(contents)

    def _embed(self, wanted: frozenset[str]) -> None:
        from config.embedded import on_demand, servers

        with self._step(" and ".join(sorted(wanted))):
            self._servers = servers.start(self._plan.state_dir, profile="durable", wanted=wanted)
        on_demand.export(self._servers, wanted)

    def _doors(self) -> list[socket.socket]:
        """Bind OMS_PORT here: a front that is started again finds its queue of connections."""
        try:
            return listeners(self._plan.port)
        except OSError as failure:
            raise UpError(
                f"Port {self._plan.port} cannot be used ({os.strerror(failure.errno or 0)}). "
                f"Choose another one: OMS_PORT={self._plan.port + 1} make run"
            ) from failure

    def _made_children(self, doors: Sequence[socket.socket]) -> Children:
        plan = self._plan
        sockets = socket_paths.made_private(socket_paths.fitting(plan.state_dir / "run"))
        return Children(
            plan.processes(sockets),
            logs=plan.state_dir / "logs",
            leash=self._leash_or_fail(),
            environment=os.environ
            | {
                "OMS_STATE_DIR": str(plan.state_dir),
                "OMS_PORT": str(plan.port),
                "PYTHONUNBUFFERED": "1",
                orphans.MARK: str(plan.state_dir),
                "OMS_GATEWAY_HOLDER": f"up:{plan.state_dir}",  # this `up` runs no second gateway
            },
            listeners=[door.fileno() for door in doors],
            say=self._say,
        )

    def _leash_or_fail(self) -> Leash:
        if self._leash is None:
            raise RuntimeError("The leash comes before the children.")
        return self._leash

    def _wait_until_ready(self, children: Children, names: Sequence[str]) -> None:
        """:raises UpError: if a child does not stay up, or the system is not ready in time."""
        deadline = time.monotonic() + self._plan.ready_timeout_s
        while True:
            children.tend()
            for child in children.all:
                if child.quick_deaths >= TOO_MANY_DEATHS:
                    raise UpError(
                        f"{child.process.name} does not stay up: "
                        f"{children.last_words(child.process)} "
                        f"(its log: {children.log_path(child.process)})"
                    )
            status, body = readiness.answer(self._plan.port, self._plan.ready_path)
            if status == 200 and children.have_settled(names):
                return
            if time.monotonic() > deadline:
                raise UpError(
                    f"Not ready after {self._plan.ready_timeout_s:.0f} s: {self._plan.ready_path} "
                    f"answers {status or 'nothing'}: {' '.join(body.split())}"
                )
            time.sleep(0.15)

    def _show(self, contents: dict[str, Any]) -> None:
        took = time.monotonic() - self._begun
        lines = [f"\nBlotter is ready ({took:.1f} s): {self._plan.base_url}"]
        for tenant in contents.get("tenants", []):
            lines.append(f"\n  {tenant['slug']:<10} {tenant['base_url']}")
            lines += [
                f"    {user['role']:<8} {user['email']}  password {user['password']}"
                for user in tenant.get("users", [])
            ]
            lines.append(f"    API key  {tenant['api_key']}")
        if admin := contents.get("admin"):
            lines.append(f"\n  admin      {admin['url']}")
            lines.append(f"    {admin['email']}  password {admin['password']}")
        lines.append(f"\n  logs       {self._plan.state_dir / 'logs'}")
        lines.append(f"  for programs: {run_file.path(self._plan.state_dir)}")
        lines.append("\nCtrl-C stops everything.")
        print("\n".join(lines), flush=True)

    # -- running

    def _supervise(self, waker: socket.socket) -> None:
        """Tend the children until a stop signal comes; SIGCHLD wakes it at once."""
        with selectors.DefaultSelector() as selector:
            selector.register(waker, selectors.EVENT_READ)
            while not self._signals:
                if self._children is not None:
                    self._children.tend()
                if self._leash_or_fail().ensure():
                    self._say("the leash was killed; started it again")
                if selector.select(timeout=0.25):
                    with contextlib.suppress(BlockingIOError):
                        waker.recv(1024)

    def _revive_servers(self) -> None:
        """Runs in a thread of its own: Postgres may take seconds to recover."""
        from config.embedded.errors import REPORTED

        wait_s = REVIVE_EVERY_S
        while self._servers is not None and not self._ended.wait(wait_s):
            begun = time.monotonic()
            try:
                revived = self._servers.check_and_revive()
            except REPORTED as failure:
                self._say(str(failure))
                wait_s = min(wait_s * 4, 10.0)
                continue
            wait_s = REVIVE_EVERY_S
            if revived:
                took = time.monotonic() - begun
                self._say(f"{' and '.join(revived)} was gone; running again after {took:.1f} s")

    # -- going down

    def _take_down(self) -> None:
        """Stop children, leash and servers in this order; each is reached whatever fails before."""
        self._coming_up = False
        self._ended.set()
        begun = time.monotonic()
        with contextlib.ExitStack() as stack:
            stack.callback(run_file.mark_stopped, self._plan.state_dir)
            if self._servers is not None:
                stack.callback(self._stop_servers, begun)
            if self._leash is not None:
                stack.callback(self._leash.close, 3.0)
            if self._children is not None:
                self._children.stop(CHILDREN_PATIENCE_S, hurry=lambda: self._signals > 1)
        if self._children is not None:
            self._say(f"stopped in {time.monotonic() - begun:.1f} s")

    def _stop_servers(self, begun: float) -> None:
        if self._servers is not None:
            left_s = STOP_WITHIN_S - (time.monotonic() - begun)
            self._servers.release(patience_s=max(1.0, left_s))

    # -- small things

    def _listen_to_signals(self) -> socket.socket:
        waker, wakes = socket.socketpair()
        waker.setblocking(False)
        wakes.setblocking(False)
        self._wakes = wakes  # kept: the interpreter writes to it from now on
        signal.set_wakeup_fd(wakes.fileno(), warn_on_full_buffer=False)
        for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(sign, self._on_stop)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # a handler of any kind makes it wake us
        return waker

    def _on_stop(self, _signum: int, _frame: FrameType | None) -> None:
        self._signals += 1
        if self._coming_up:
            self._coming_up = False
            raise Stopping

    @contextlib.contextmanager
    def _step(self, name: str) -> Iterator[None]:
        begun = time.monotonic()
        yield
        print(f"  {name:<58} {time.monotonic() - begun:5.1f} s", flush=True)

    def _say(self, line: str) -> None:
        print(f"{time.strftime('%H:%M:%S')} {line}", flush=True)


def _servers_to_embed() -> frozenset[str]:
    """The servers the environment does not name; their code is imported only if there are any."""
    if env.text("DATABASE_URL") and env.text("REDIS_URL"):
        return frozenset()
    from config.embedded import on_demand

    return on_demand.missing()


def _as_one_line(failure: Exception, state_dir: Path) -> str | None:
    """What to tell a person instead of a traceback; None for what nobody foresaw."""
    # By name, so that the package stays unimported where nothing is embedded.
    if (
        isinstance(failure, UpError | file_locks.LockHeldError)
        or type(failure).__name__ == "EmbeddedError"
    ):
        return str(failure)
    if shutil.disk_usage(state_dir).free < DISK_IS_FULL_BYTES:
        return f"The disk that holds {state_dir} is full: free some space and start again."
    return None


@contextlib.contextmanager
def _alone(state_dir: Path) -> Iterator[None]:
    """Hold the state dir's run lock, which the kernel drops when we die.

    :raises UpError: if another `up` holds it.
    """
    path = state_dir / "up.lock"
    descriptor = file_locks.opened(path)
    try:
        if not file_locks.try_lock(descriptor, fcntl.LOCK_EX):
            holder = path.read_text().strip() or "another process"
            raise UpError(
                f"Already running on {state_dir} (process {holder}): stop that with Ctrl-C, or set "
                "OMS_STATE_DIR and OMS_PORT for a second system."
            )
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(descriptor)


def _end_orphans(state_dir: Path) -> None:
    """End children of an earlier run whose `up` and leash were both killed."""
    found = orphans.of(state_dir)
    for pid in found:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    # Only when they are really gone are their sockets closed.
    foreign_processes.waited(lambda: all(map(foreign_processes.is_gone, found)), 5.0)
    if found:
        print(f"  Ended {len(found)} processes that an earlier run left behind", flush=True)
