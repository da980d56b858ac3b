"""File locks that the kernel drops when their holder dies, so that none is ever stale."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class LockHeldError(Exception):
    """Another process kept the lock too long; the message is one line for a person."""


def opened(path: Path) -> int:
    """Open (or make) a lock file; returns a descriptor that children do not inherit."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def try_lock(descriptor: int, kind: int) -> bool:
    """Take ``fcntl.LOCK_SH`` or ``LOCK_EX`` without waiting; tells whether it was free."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def exclusive(path: Path, *, timeout_s: float = 180.0) -> Iterator[None]:
    """Hold the lock for the block.

    :raises LockHeldError: if another process keeps it longer than ``timeout_s``.
    """
    descriptor = opened(path)
    try:
        deadline = time.monotonic() + timeout_s
        while not try_lock(descriptor, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                raise LockHeldError(
                    f"Another process has held {path} for {timeout_s:.0f} s; end it and try again."
                )
            time.sleep(0.02)
        yield
    finally:
        os.close(descriptor)
