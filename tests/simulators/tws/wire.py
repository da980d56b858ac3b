"""Frames and layouts of the TWS socket protocol, server versions 176 and 178.

A frame is a big-endian length and fields, each ended by NUL. Layouts follow
``docs/reference`` of the client libraries' decoders: what they read is what is written here.
"""

import struct
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

Fields = list[str]
UNSET = ""


def text(value: Any) -> str:
    """One field: booleans are 1 and 0, None is nothing, decimals carry no exponent."""
    if value is None:
        return UNSET
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, Decimal):
        return format(value, "f")
    return str(value)


def frame(fields: Iterable[Any]) -> bytes:
    """The bytes of one message."""
    body = "".join(f"{text(value)}\0" for value in fields).encode()
    return struct.pack(">I", len(body)) + body


class Frames:
    """Cuts a stream of bytes into messages."""

    def __init__(self) -> None:
        self._data = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the bodies that are complete."""
        self._data += data
        while len(self._data) >= 4:
            (length,) = struct.unpack(">I", self._data[:4])
            if len(self._data) < 4 + length:
                return
            body, self._data = self._data[4 : 4 + length], self._data[4 + length :]
            yield body


def fields_of(body: bytes) -> Fields:
    """The fields of a message's body."""
    return body.decode().split("\0")[:-1]


class Reader:
    """Takes fields one after the other."""

    def __init__(self, fields: Fields) -> None:
        self._fields = iter(fields)

    def next(self) -> str:
        """The next field; nothing where there are no more."""
        return next(self._fields, UNSET)

    def skip(self, count: int) -> None:
        """Pass over fields that do not matter here."""
        for _ in range(count):
            self.next()

    def decimal(self) -> Decimal | None:
        """The next field as a number; None where it is unset."""
        value = self.next()
        return None if value in (UNSET, "1.7976931348623157E308") else Decimal(value)

    def number(self) -> int:
        """The next field as an integer, 0 where it is unset."""
        return int(self.next() or 0)

    def flag(self) -> bool:
        """The next field as a boolean."""
        return self.next() == "1"
