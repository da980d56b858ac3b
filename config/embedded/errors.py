"""The one failure of this package: a line for a person, never a traceback."""

import errno

from config.file_locks import LockHeldError


class EmbeddedError(Exception):
    """The embedded servers cannot run; the message is one line: what, why, what to do."""


REPORTED = (EmbeddedError, LockHeldError)
"""What a command shows as one line instead of a traceback."""


def disk_full(where: object) -> EmbeddedError:
    """Return the error for a disk without room at ``where``."""
    return EmbeddedError(f"The disk that holds {where} is full: free some space and start again.")


def is_disk_full(failure: OSError) -> bool:
    """Tell whether an operating-system error means that there is no room left."""
    # copytree gathers the failures of many files into one that has no number of its own.
    return failure.errno in {errno.ENOSPC, errno.EDQUOT} or "No space left" in str(failure)
