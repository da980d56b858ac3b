"""Finds children of an earlier `up` that outlived both it and its leash.

They are known by a variable of their environment, which no other process carries.
"""

import os
import subprocess
from pathlib import Path

MARK = "OMS_UP_STATE_DIR"


def of(state_dir: Path) -> list[int]:
    """Return the process ids of children of any `up` on this state dir."""
    wanted = f"{MARK}={state_dir}"
    found = _by_proc(wanted) if Path("/proc/self/environ").exists() else _by_ps(wanted)
    return [pid for pid in found if pid != os.getpid()]


def _by_proc(wanted: str) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                variables = (entry / "environ").read_bytes().split(b"\0")
            except OSError:
                continue  # ended meanwhile, or not ours to read and so not our child
            if os.fsencode(wanted) in variables:
                found.append(int(entry.name))
    return found


def _by_ps(wanted: str) -> list[int]:
    listing = subprocess.run(
        ["/bin/ps", "-axwwE", "-o", "pid=,command="],  # -E: with the environment (macOS)
        check=False,
        capture_output=True,
        text=True,
        errors="replace",
    ).stdout
    rows = (line.strip().partition(" ") for line in listing.splitlines())
    return [int(pid) for pid, _, rest in rows if f"{wanted} " in f"{rest} "]
