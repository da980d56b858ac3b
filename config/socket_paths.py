"""Where unix sockets can lie: their path has a hard length limit that a deep project exceeds."""

import hashlib
import os
import tempfile
from pathlib import Path

LONGEST_SOCKET_PATH = 103
"""Bytes of a socket's path, its closing NUL apart: macOS allows 103, Linux 107."""

LONGEST_SOCKET_NAME = len("/.s.PGSQL.5432")


def fitting(preferred: Path) -> Path:
    """Return ``preferred``, or a directory in the temp dir when sockets in it had too long a path.

    Pure but for the user id and TMPDIR: the same directory gives the same answer in every process.
    """
    if len(os.fsencode(preferred)) + LONGEST_SOCKET_NAME <= LONGEST_SOCKET_PATH:
        return preferred
    key = hashlib.sha256(os.fsencode(preferred)).hexdigest()[:16]
    short = Path(tempfile.gettempdir()) / f"blotter-{os.getuid()}-{key}"
    if len(os.fsencode(short)) + LONGEST_SOCKET_NAME <= LONGEST_SOCKET_PATH:
        return short
    return Path("/tmp") / short.name  # noqa: S108 - made by made_private below, owner checked


def made_private(directory: Path, *, owner: int | None = None, group: int | None = None) -> Path:
    """Make ``directory`` readable by ``owner`` (default: us) alone and return it.

    :raises PermissionError: if the path is another user's or a link: in a shared temp dir somebody
        may have put it there to be used by us.
    """
    wanted = os.getuid() if owner is None else owner
    try:
        directory.mkdir(mode=0o700, parents=True)
        made = True
    except FileExistsError:
        made = False
    found = directory.lstat()
    if (
        directory.is_symlink()
        or not directory.is_dir()
        or found.st_uid not in {os.getuid(), wanted}
    ):
        raise PermissionError(f"{directory} belongs to somebody else; remove it and start again.")
    if found.st_uid != wanted:
        os.chown(directory, wanted, -1 if group is None else group)
    if made or found.st_mode & 0o077:
        directory.chmod(0o700)
    return directory
