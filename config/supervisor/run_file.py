"""``run.json``: what a program needs to talk to the running system; written whole or not at all."""

import contextlib
import json
import os
from pathlib import Path
from typing import Any


def path(state_dir: Path) -> Path:
    """Where it lies."""
    return state_dir / "run.json"


def write(state_dir: Path, contents: dict[str, Any], *, ready: bool) -> None:
    """Replace the file; it holds demo credentials, so only its owner may read it."""
    draft = state_dir / f".run.json.{os.getpid()}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            json.dump({"ready": ready, **contents}, file, indent=2)
            file.write("\n")
        draft.replace(path(state_dir))
    finally:
        draft.unlink(missing_ok=True)


def mark_stopped(state_dir: Path) -> None:
    """Say that the system no longer runs; what else the file holds stays."""
    with contextlib.suppress(FileNotFoundError, ValueError):
        contents = json.loads(path(state_dir).read_text())
        if contents.pop("ready", False):
            write(state_dir, contents, ready=False)
