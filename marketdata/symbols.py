"""What a symbol may look like, for every door that takes one."""

import re
from typing import ClassVar

from common.errors import FieldError, Refused

MAX_LENGTH = 32
PATTERN = r"^[A-Z0-9][A-Z0-9./-]{0,31}$"
_SYMBOL = re.compile(PATTERN.removeprefix("^").removesuffix("$"))


class InvalidSymbol(Refused):
    """The text cannot be the symbol of any instrument."""

    code: ClassVar[str] = "invalid_symbol"
    title: ClassVar[str] = "This is not a symbol"

    def __init__(self) -> None:
        message = (
            f"A symbol is 1 to {MAX_LENGTH} of the characters A-Z 0-9 . / - and starts with a "
            "letter or a digit."
        )
        super().__init__(message, errors=[FieldError("symbol", self.code, message)])


def is_symbol(text: str) -> bool:
    """Whether ``text`` has the form of a symbol (not whether such an instrument exists).

    >>> is_symbol("BRK.B"), is_symbol("spx"), is_symbol("AAPL;DROP TABLE")
    (True, False, False)
    """
    return _SYMBOL.fullmatch(text) is not None


def checked(text: str) -> str:
    """Return ``text`` unchanged.

    :raises InvalidSymbol: if it does not have the form of a symbol.
    """
    if not is_symbol(text):
        raise InvalidSymbol
    return text
