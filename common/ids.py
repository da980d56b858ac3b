"""ULIDs: 26 characters of Crockford's base 32, ordered by the millisecond of their making.

Form: https://github.com/ulid/spec (48 bits of time, 80 random bits).
"""

import re
import secrets
from datetime import datetime

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")


def new_ulid(now: datetime) -> str:
    """Return a fresh ULID stamped with ``now``."""
    number = (int(now.timestamp() * 1000) << 80) | secrets.randbits(80)
    characters = []
    for _ in range(26):
        number, digit = divmod(number, 32)
        characters.append(_ALPHABET[digit])
    return "".join(reversed(characters))


def is_ulid(text: str) -> bool:
    """Whether ``text`` has the form of a ULID we could have made."""
    return _ULID.fullmatch(text) is not None
