"""Spans of time in query strings: which are none, and which are too long for one request."""

from datetime import datetime, timedelta

from common.errors import FieldError, Refused

LONGEST_RANGE = timedelta(days=5 * 366)


class InvalidRange(Refused):
    """``since`` lies after ``until``."""

    code = "invalid_range"
    title = "This is not a range"


class RangeTooLarge(Refused):
    """More history asked for than one request may span."""

    code = "range_too_large"
    title = "The range is too large"


def check_range(
    since: datetime | None, until: datetime | None, *, longest: timedelta = LONGEST_RANGE
) -> None:
    """Check two bounds that may each be open.

    :raises InvalidRange: if the first lies after the second.
    :raises RangeTooLarge: if both are given and further apart than ``longest``.
    """
    if since is None or until is None:
        return
    if since > until:
        message = "since lies after until; swap them."
        raise InvalidRange(message, errors=[FieldError("since", "invalid_range", message)])
    if until - since > longest:
        message = f"At most {longest.days} days at once; ask for several spans."
        raise RangeTooLarge(message, errors=[FieldError("since", "range_too_large", message)])
