"""What can be known about a process that is not our child, on Linux and macOS."""

import os
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path


def listens(path: Path) -> bool:
    """Whether somebody accepts connections on a unix socket; a killed server leaves a dead file."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(2.0)
        try:
            probe.connect(str(path))
        except BlockingIOError:
            return True  # the queue is full: there is a listener, and it is busy
        except OSError:
            return False
        return True


def is_gone(pid: int) -> bool:
    """Whether a process has ended; a zombie that its parent never collects has."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return _state(pid).startswith("Z")


def command_of(pid: int) -> str:
    """The command line of a process, blank-separated; empty when there is none to see."""
    try:
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return _ps(pid, "command") if not Path("/proc/self").exists() else ""
    return raw.replace(b"\0", b" ").decode(errors="replace").strip()


def waited(condition: Callable[[], bool], timeout_s: float) -> bool:
    """Poll until the condition holds or the time is over; tells whether it came to hold."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def _state(pid: int) -> str:
    try:
        # The name in brackets may hold blanks and brackets itself: the state follows the last one.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].strip()
    except OSError:
        return _ps(pid, "stat") if not Path("/proc/self").exists() else ""


def _ps(pid: int, column: str) -> str:
    answer = subprocess.run(  # noqa: S603 - fixed program, numeric argument
        ["/bin/ps", "-o", f"{column}=", "-p", str(pid)],
        check=False,
        capture_output=True,
        text=True,
    )
    return answer.stdout.strip()
