"""ULIDs: 26 characters of Crockford's base 32, ordered by the millisecond of their making.

Form: https://github.com/ulid/spec (48 bits of time, 80 random bits). Within one millisecond a
process counts on from its last id, as the specification's monotonic form has it: what was made
later sorts later.
"""

import re
import secrets
import threading
from datetime import datetime

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")


class _Counter:
    """The last number given out, under a lock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def next(self, millisecond: int) -> int:
        """A number of this millisecond, above every earlier one of it."""
        with self._lock:
            if self._last >> 80 == millisecond:
                self._last += 1
            else:
                # The highest random bit stays free: counting on never leaves the millisecond.
                self._last = (millisecond << 80) | secrets.randbits(79)
            return self._last


_counter = _Counter()


def new_ulid(now: datetime) -> str:
    """Return a fresh ULID stamped with ``now``."""
    number = _counter.next(int(now.timestamp() * 1000))
    characters = []
    for _ in range(26):
        number, digit = divmod(number, 32)
        characters.append(_ALPHABET[digit])
    return "".join(reversed(characters))


def first_ulid_of(moment: datetime) -> str:
    """Return the lowest ULID of a millisecond: every id made then or later sorts at or above it."""
    number = int(moment.timestamp() * 1000) << 80
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))


def is_ulid(text: str) -> bool:
    """Whether ``text`` has the form of a ULID we could have made."""
    return _ULID.fullmatch(text) is not None
