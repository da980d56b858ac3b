"""Processes a measurement starts, and the CPU that a tree of processes has used."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from config.foreign_processes import listens

ROOT = Path(__file__).resolve().parents[1]
PATIENCE_S = 60.0
_TICKS = os.sysconf("SC_CLK_TCK")


class NotStarted(RuntimeError):
    """A process did not come up, or ended by itself."""


@contextmanager
def running(
    command: Sequence[str], environment: Mapping[str, str], *, log: Path, socket: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a process, wait for its socket, and stop it afterwards.

    :raises NotStarted: with the end of its log.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - our own commands
            command, env=dict(environment), cwd=ROOT, stdout=output, stderr=output
        )
    try:
        deadline = time.monotonic() + PATIENCE_S
        while socket is not None and not listens(socket):
            if process.poll() is not None or time.monotonic() > deadline:
                raise NotStarted(f"{command[:4]} did not start:\n{log.read_text()[-2000:]}")
            time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def step(
    module: str, name: str, *arguments: str, environment: Mapping[str, str], stdin: str = ""
) -> str:
    """Run ``python -m module name``; return what it printed last.

    :raises NotStarted: with what it said, if it failed.
    """
    done = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-m", module, name, *arguments],
        env=dict(environment), cwd=ROOT, capture_output=True, text=True, input=stdin, check=False,
    )  # fmt: skip
    if done.returncode:
        raise NotStarted(f"{module} {name} failed:\n{done.stderr[-2000:]}")
    return done.stdout.splitlines()[-1]


def cpu_seconds(root: int) -> float | None:
    """Return the CPU time of a process, its descendants and those it has outlived.

    None where the system has no /proc.
    """
    if not Path("/proc/self/stat").exists():
        return None
    rows = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # ended meanwhile; its parent has inherited its time
        rows[int(path.parent.name)] = (int(fields[1]), sum(map(int, fields[11:15])))
    total, waiting = 0, [root]
    while waiting:
        pid = waiting.pop()
        total += rows.get(pid, (0, 0))[1]
        waiting += [child for child, (parent, _) in rows.items() if parent == pid]
    return total / _TICKS
