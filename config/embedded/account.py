"""Which operating-system account runs the servers: Postgres refuses to run as root.

As root that is ``nobody``, an account every Unix has: no user is made, and no mode of a directory
above ours is changed. What that account can reach is found by trying, not by reading modes: access
lists, mounts and containers make modes an unreliable witness.
"""

import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.embedded.errors import EmbeddedError


@dataclass(frozen=True, slots=True)
class Account:
    """The servers' account: ourselves, or another one when we are root."""

    uid: int
    gid: int

    @property
    def is_us(self) -> bool:
        """Whether the servers run as the user we already are."""
        return self.uid == os.getuid()

    def process_options(self) -> dict[str, Any]:
        """Return the ``subprocess`` options that run a program as this account, from ``/``."""
        options: dict[str, Any] = {"cwd": "/", "env": _environment(), "stdin": subprocess.DEVNULL}
        if not self.is_us:
            options |= {"user": self.uid, "group": self.gid, "extra_groups": []}
        return options

    def run(self, command: Sequence[str], **options: Any) -> subprocess.CompletedProcess[str]:
        """Run one program as this account and capture what it says."""
        return subprocess.run(  # noqa: S603 - our own programs with our own arguments
            [*command],
            check=False,
            capture_output=True,
            text=True,
            errors="replace",
            **(self.process_options() | options),
        )

    def reaches(self, directory: Path) -> bool:
        """Whether this account can enter the directory."""
        return self.run(["/bin/sh", "-c", 'cd -- "$1"', "sh", str(directory)]).returncode == 0

    def executes(self, program: Path) -> str | None:
        """Return what ``program --version`` says, or None where it cannot be executed."""
        try:
            answer = self.run([str(program), "--version"], timeout=30)
        except (OSError, subprocess.TimeoutExpired):
            return None
        return answer.stdout.strip() if answer.returncode == 0 else None

    def own(self, path: Path) -> None:
        """Give the path itself to this account."""
        if not self.is_us:
            os.chown(path, self.uid, self.gid)


def servers_account() -> Account:
    """Return the account to run the servers as.

    :raises EmbeddedError: if we are root and the system has no account ``nobody``.
    """
    if os.getuid() != 0:
        return Account(os.getuid(), os.getgid())
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        raise EmbeddedError(
            "Postgres does not run as root, and this system has no account 'nobody': start as "
            "another user, or set DATABASE_URL and REDIS_URL."
        ) from None
    return Account(entry.pw_uid, entry.pw_gid)


def _environment() -> dict[str, str]:
    """A small environment: the caller's locale and PG* variables must not reach the servers."""
    kept = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR")
    return {
        "LC_ALL": "C",
        "TZ": "UTC",
        **{name: os.environ[name] for name in kept if name in os.environ},
    }
