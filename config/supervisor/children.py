"""Starts the children, starts again those that die, stops them all."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from config.supervisor.leash import Leash
from config.supervisor.processes import Process

STABLE_S = 10.0
"""A child that lived this long starts again at once; one that dies sooner waits ever longer."""

SETTLED_S = 1.0
LONGEST_WAIT_S = 15.0
LARGEST_LOG_BYTES = 10 * 1024 * 1024
ROOT = Path(__file__).resolve().parents[2]

# The shell registers its process id, which the exec keeps, before it lets go of the pipe: there is
# no moment in which a child lives and the leash cannot know of it.
_REGISTER = 'echo "+$$" >&0; exec "$@" </dev/null'


@dataclass(slots=True)
class Child:
    """One process of the list, through all its lives."""

    process: Process
    running: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    quick_deaths: int = 0
    due_at: float = field(default=0.0)
    """When it starts (again), on the monotonic clock; only while it does not run."""

    def has_settled(self) -> bool:
        """Whether it lives and did so long enough not to be one that dies at its start."""
        if self.running is None or self.running.poll() is not None:
            return False
        needed_s = SETTLED_S if not self.quick_deaths else STABLE_S / 2
        return time.monotonic() - self.started_at >= needed_s


class Children:
    """The children of one `up`; single-threaded, driven by ``tend``."""

    def __init__(
        self,
        processes: Sequence[Process],
        *,
        logs: Path,
        leash: Leash,
        environment: Mapping[str, str],
        listeners: Sequence[int],
        say: Callable[[str], None],
    ) -> None:
        self.all = [Child(process) for process in processes]
        self._logs = logs
        self._leash = leash
        self._environment = dict(environment)
        self._listeners = tuple(listeners)
        self._say = say

    def start(self, *names: str) -> None:
        """Start the named children that do not run."""
        for child in self.all:
            if child.running is None and child.process.name in names:
                self._start(child)

    @property
    def processes(self) -> list[Process]:
        """The list these children are of, in its order."""
        return [child.process for child in self.all]

    def have_settled(self, names: Sequence[str]) -> bool:
        """Whether all of these live and have got past their start."""
        return all(child.has_settled() for child in self.all if child.process.name in names)

    def tend(self) -> None:
        """Collect children that died and start those whose time has come."""
        for child in self.all:
            if child.running is not None and child.running.poll() is not None:
                self._buried(child)
            if child.running is None and child.due_at and time.monotonic() >= child.due_at:
                self._start(child)

    def stop(self, patience_s: float, hurry: Callable[[], bool]) -> None:
        """Ask every child to end; after the patience, or when hurried, end what is left."""
        running = [child.running for child in self.all if child.running is not None]
        for process in running:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + patience_s
        while any(process.poll() is None for process in running):
            if time.monotonic() > deadline or hurry():
                break
            time.sleep(0.02)
        for process in running:
            _end_group(process.pid)
            process.wait()
            self._leash.forget(process.pid)
        for child in self.all:
            child.running = None
            child.due_at = 0.0

    def log_path(self, process: Process) -> Path:
        """Where a child's output goes."""
        return self._logs / f"{process.name}.log"

    def last_words(self, process: Process) -> str:
        """The last line of a child's log, or a dash."""
        try:
            lines = self.log_path(process).read_bytes()[-4000:].decode(errors="replace").split("\n")
        except FileNotFoundError:
            lines = []
        return next((line.strip() for line in reversed(lines) if line.strip()), "-")

    def _start(self, child: Child) -> None:
        process = child.process
        log = self.log_path(process)
        if log.exists() and log.stat().st_size > LARGEST_LOG_BYTES:
            log.replace(log.with_suffix(".log.1"))
        for socket in process.sockets:
            socket.unlink(missing_ok=True)
        command = [*process.command]
        if process.nice:
            command = ["nice", "-n", str(process.nice), *command]
        passed: tuple[int, ...] = ()
        if process.inherits_listeners:
            passed = self._listeners
            command += [part for fd in passed for part in ("--fd", str(fd))]
        with log.open("ab") as output:
            child.running = subprocess.Popen(  # noqa: S603 - from the process list
                ["/bin/sh", "-c", _REGISTER, process.name, *command],
                stdin=self._leash.pipe,
                stdout=output,
                stderr=output,
                pass_fds=passed,
                cwd=ROOT,
                env=self._environment,
                start_new_session=True,
            )
        self._leash.registered(child.running.pid)
        child.started_at = time.monotonic()
        child.due_at = 0.0

    def _buried(self, child: Child) -> None:
        """Collect a dead child, end what it left behind, set the time of its next life."""
        if child.running is None:
            return
        status = child.running.returncode
        _end_group(child.running.pid)
        self._leash.forget(child.running.pid)
        child.running = None
        now = time.monotonic()
        lived = now - child.started_at
        child.quick_deaths = 0 if lived >= STABLE_S else child.quick_deaths + 1
        wait = (
            0.0 if child.quick_deaths < 2 else min(2.0 ** (child.quick_deaths - 2), LONGEST_WAIT_S)
        )
        child.due_at = now + wait
        how = f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended ({status})"
        then = f"starting it again in {wait:.0f} s" if wait else "starting it again"
        self._say(f"{child.process.name} {how} after {lived:.0f} s; {then}")


def _end_group(group: int) -> None:
    """Kill what is left of a process group: workers that outlived their master."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
