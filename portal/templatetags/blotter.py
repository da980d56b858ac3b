"""Filters of the portal's templates: decimal strings and instants to what people read.

No floats, no rounding but to an instrument's own precision. fmt.js makes the same texts in the
browser; a test compares the two. Times are in the zone of the person (``member_render``).
"""

from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django import template
from django.utils import timezone

from common.numbers import dec_str
from portal.frame.navigation import Place
from trading.risk import RuleId

register = template.Library()

UNKNOWN = "\u2014"
MINUS = "\u2212"
HIDDEN = "\u2022\u2022\u2022"


def grouped(text: str) -> str:
    """Group the digits before the point by three.

    >>> grouped("1234567.5")
    '1,234,567.5'
    """
    sign, digits = (MINUS, text[1:]) if text.startswith("-") else ("", text)
    if not digits.strip("0."):
        sign = ""  # what rounds to nothing has no direction
    whole, point, fraction = digits.partition(".")
    return f"{sign}{int(whole):,}{point}{fraction}"


def _decimal(value: Any) -> Decimal | None:
    return None if value in (None, "") else Decimal(value)


@register.filter
def number(value: Any, places: int | None = None) -> str:
    """Show a decimal with grouped digits; with ``places`` exactly that many behind the point."""
    given = _decimal(value)
    if given is None:
        return UNKNOWN
    if places is None:
        return grouped(dec_str(given))
    step = Decimal(1).scaleb(-places)
    return grouped(format(abs(given).quantize(step, rounding=ROUND_HALF_UP).copy_sign(given), "f"))


@register.filter
def signed(value: Any, places: int = 2) -> str:
    """Show a gain or loss: the sign is always there, zero has none."""
    given = _decimal(value)
    if given is None:
        return UNKNOWN
    shown = number(given, places)
    return f"+{shown}" if given > 0 and shown.strip("0.") else shown


@register.filter
def plain(value: Any) -> str:
    """Write a decimal as the API does, for attributes that scripts read."""
    return dec_str(Decimal(value))


_RULE_WORDS = {
    RuleId.MAX_ORDER_QTY: "Quantity of one order",
    RuleId.MAX_ORDER_NOTIONAL: "Value of one order",
    RuleId.PRICE_COLLAR: "Price collar",
    RuleId.MAX_OPEN_ORDERS: "Open orders",
    RuleId.MAX_OPEN_NOTIONAL: "Value of open orders",
}


@register.filter
def rule_words(rule: str) -> str:
    """Name a risk rule for people; one without words of its own by its name."""
    return _RULE_WORDS.get(RuleId(rule), rule.replace("_", " "))


@register.filter
def percent(value: Any) -> int:
    """Show a share as whole per cent, rounded down so that only what is full says 100."""
    given = _decimal(value)
    return 0 if given is None else int(given * 100)


@register.filter
def direction(value: Any) -> str:
    """``up``, ``down`` or ``flat``."""
    given = _decimal(value)
    if not given:
        return "flat"
    return "up" if given > 0 else "down"


@register.filter
def arrow(value: Any) -> str:
    """The triangle that says the same as the colour."""
    return {"up": "\u25b2", "down": "\u25bc"}.get(direction(value), "")


@register.filter
def private(shown: str, hides: bool) -> str:
    """Replace an amount by dots where the person hides amounts."""
    return HIDDEN if hides and shown != UNKNOWN else shown


def _moment(value: Any) -> datetime | None:
    if value in (None, ""):
        return None
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return moment.astimezone(UTC)


def _local(value: Any) -> datetime | None:
    moment = _moment(value)
    return None if moment is None else moment.astimezone(timezone.get_current_timezone())


@register.filter
def clock(value: Any) -> str:
    """The time of day in the person's zone with milliseconds."""
    moment = _local(value)
    return UNKNOWN if moment is None else moment.isoformat(timespec="milliseconds")[11:23]


@register.filter
def brief(value: Any) -> str:
    """The time of day where it was today, else month, day and second: for narrow columns."""
    moment = _local(value)
    if moment is None:
        return UNKNOWN
    if day(value) == day(timezone.now()):
        return moment.isoformat(timespec="milliseconds")[11:23]
    return moment.isoformat(sep=" ", timespec="seconds")[5:19]


@register.filter
def lasting(since: Any, now: Any) -> str:
    """How long something has been so, as ``00:41``, ``12:05:41`` or ``3 d 04:05``."""
    moment, present = _moment(since), _moment(now)
    if moment is None or present is None:
        return ""
    seconds = max(0, int((present - moment).total_seconds()))
    days, hours, minutes = seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60
    if days:
        return f"{days} d {hours:02}:{minutes:02}"
    clock = f"{minutes:02}:{seconds % 60:02}"
    return f"{hours}:{clock}" if hours else clock


@register.filter
def day(value: Any) -> str:
    """The date in the person's zone, ISO 8601."""
    moment = _local(value)
    return UNKNOWN if moment is None else moment.date().isoformat()


@register.filter
def when(value: Any) -> str:
    """The time of day; for an instant of another day its date as well."""
    if _moment(value) is None:
        return UNKNOWN
    return clock(value) if day(value) == day(timezone.now()) else f"{day(value)} {clock(value)}"


@register.simple_tag
def zone() -> str:
    """The short name of the zone times are shown in, such as ``CET`` or ``UTC+5:30``."""
    local = timezone.localtime(timezone.now())
    name = local.tzname() or "UTC"
    if name[:1] not in "+-":
        return name
    hours, minutes = name[:3], name[3:5]
    return f"UTC{hours[0]}{int(hours[1:])}" + (f":{minutes}" if minutes.strip("0") else "")


@register.filter
def iso(value: Any) -> str:
    """The instant in UTC, ISO 8601: what is copied and hovered."""
    moment = _moment(value)
    return (
        "" if moment is None else moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )


@register.filter
def here(place: Place, path: str) -> bool:
    """Whether ``path`` lies at this place of the navigation."""
    return place.holds(path)


@register.filter
def who(label: str) -> str:
    """Who acted, without the kind: ``alice@acme.test`` of ``user:alice@acme.test``."""
    kind, _, name = label.partition(":")
    return name if kind == "user" else label


@register.filter
def span(seconds: int) -> str:
    """A length of time in words: ``45 s``, ``14 min 5 s``."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
