"""Fields of a message, taken in turn: texts, whole numbers, decimals, flags, instants."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

Fields = Sequence[str]
_UNSET = frozenset({"", "1.7976931348623157E308", "2147483647", "9223372036854775807"})


class Unreadable(ValueError):
    """A message that is shorter than its layout, or a field that is not what it should be."""


class Reader:
    """Takes fields in turn. :raises Unreadable: past the end or for what is not a number."""

    def __init__(self, fields: Fields) -> None:
        self._fields = iter(fields)

    def text(self) -> str:
        """The next field as it is."""
        try:
            return next(self._fields)
        except StopIteration:
            raise Unreadable("the message ends before its layout does") from None

    def skip(self, count: int) -> None:
        """Pass over so many fields."""
        for _ in range(count):
            self.text()

    def number(self) -> int:
        """The next field as a whole number, 0 where it is unset."""
        text = self.text()
        try:
            return 0 if text in _UNSET else int(text)
        except ValueError:
            raise Unreadable(f"{text!r} is not a whole number") from None

    def decimal(self) -> Decimal | None:
        """The next field as a number, None where it is unset."""
        return _decimal(self.text())

    def amount(self) -> Decimal:
        """The next field as a number, 0 where it is unset."""
        return self.decimal() or Decimal(0)

    def flag(self) -> bool:
        """The next field as a boolean."""
        return self.text() in ("1", "true")


def moment(text: str) -> datetime:
    """``20261121 16:27:30 US/Eastern`` (UTC where no zone is named). :raises Unreadable:"""
    day, _, rest = text.replace("-", " ").partition(" ")
    clock, _, zone = rest.strip().partition(" ")
    try:
        naive = datetime.strptime(f"{day} {clock}", "%Y%m%d %H:%M:%S")  # noqa: DTZ007 - zone follows
        return naive.replace(tzinfo=ZoneInfo(zone.strip()) if zone.strip() else UTC).astimezone(UTC)
    except (ValueError, ZoneInfoNotFoundError) as failure:
        raise Unreadable(f"{text!r} is not an instant: {failure}") from None


def _decimal(text: str) -> Decimal | None:
    if text in _UNSET:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise Unreadable(f"{text!r} is not a number") from None
    if not number.is_finite():
        raise Unreadable(f"{text!r} is not finite")
    return number
