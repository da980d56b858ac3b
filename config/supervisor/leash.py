"""What ends the children when `up` itself is killed and can do nothing more.

``python -m config.supervisor.leash`` reads a pipe that only `up` (and, until they have said their
process id, its children) can write to. Children register in it; when it ends, `up` is gone: their
process groups are ended, grandchildren included, and the embedded servers are stopped in order.
Works by the kernel closing the pipe, on Linux and macOS alike.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from config import file_locks
from config.supervisor import run_file

PATIENCE_S = 3.0


def lock_path(state_dir: Path) -> Path:
    """Held by a leash for its life: the next `up` waits for it, so that two never overlap."""
    return state_dir / "leash.lock"


class Leash:
    """`up`'s side: starts the leash, tells it of children, starts it again if it is killed."""

    def __init__(self, state_dir: Path, *, embedded: bool) -> None:
        self._state_dir = state_dir
        self._embedded = embedded
        self._groups: set[int] = set()
        self._start()

    @property
    def pipe(self) -> int:
        """The writing end; becomes a child's standard input until it has registered."""
        return self._pipe

    def registered(self, group: int) -> None:
        """Remember a group that registered itself, for a leash that has to be started again."""
        self._groups.add(group)

    def forget(self, group: int) -> None:
        """Tell that a group has ended: its number may be given to a stranger."""
        self._groups.discard(group)
        self._say(f"-{group}\n")

    def ensure(self) -> bool:
        """Start the leash again if it was killed; tells whether it was."""
        if self._process.poll() is None:
            return False
        os.close(self._pipe)
        self._start()
        for group in self._groups:
            self._say(f"+{group}\n")
        return True

    def close(self, timeout_s: float) -> None:
        """Let go; the leash finds nothing left to end and leaves."""
        os.close(self._pipe)
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _start(self) -> None:
        reading, self._pipe = os.pipe()
        arguments = [str(self._state_dir), "embedded" if self._embedded else "external"]
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", "config.supervisor.leash", *arguments],
            stdin=reading,
            cwd=Path(__file__).resolve().parents[2],
            start_new_session=True,
        )
        os.close(reading)

    def _say(self, line: str) -> None:
        # A leash that was killed cannot listen; ``ensure`` starts it again and tells it everything.
        with contextlib.suppress(BrokenPipeError):
            os.write(self._pipe, line.encode())


def main() -> None:
    """Wait for the end of `up`, then clean up after it."""
    state_dir, embedded = Path(sys.argv[1]), sys.argv[2] == "embedded"
    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, signal.SIG_IGN)
    if embedded:
        import config.embedded.servers  # noqa: F401 - now, not when the files may have changed
    with file_locks.exclusive(lock_path(state_dir)):
        groups: set[int] = set()
        with os.fdopen(0, "r") as lines:
            for line in lines:
                (groups.add if line[0] == "+" else groups.discard)(int(line[1:]))
        _end(groups)
        run_file.mark_stopped(state_dir)
        if embedded:
            _stop_servers(state_dir)


def _end(groups: set[int]) -> None:
    """Ask the groups to end, then make them."""
    deadline = time.monotonic() + PATIENCE_S
    left = {group for group in groups if _signalled(group, signal.SIGTERM)}
    while left and time.monotonic() < deadline:
        time.sleep(0.05)
        left = {group for group in left if _signalled(group, 0)}
    for group in left:
        _signalled(group, signal.SIGKILL)


def _signalled(group: int, sign: int) -> bool:
    try:
        os.killpg(group, sign)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _stop_servers(state_dir: Path) -> None:
    from config.embedded import layout, servers

    place = layout.at(state_dir)
    if not servers.stop_if_unused(place):
        # `up` may have died in the moment between starting Postgres and its first sign of life.
        time.sleep(0.5)
        servers.stop_if_unused(place)


if __name__ == "__main__":
    main()
