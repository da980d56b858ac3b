"""One figure of a dashboard: how bad it is, what it says, how old it is and where its rows are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

FINE, WATCH, ACT = 0, 1, 2
WORDS = ("fine", "watch", "act")
_UNITS: Iterable[tuple[int, str]] = ((86400, "d"), (3600, "h"), (60, "min"))


@dataclass(frozen=True, slots=True)
class Card:
    """``code`` names its runbook, ``model`` and ``filters`` the list behind it.

    ``note`` explains the figure, ``threshold`` says from where on it is bad, ``at`` is when a
    figure was worked out that is not of this moment.
    """

    code: str
    title: str
    figure: str
    level: int
    note: str
    threshold: str
    model: str
    filters: Mapping[str, Any] = field(default_factory=dict)
    at: datetime | None = None

    @property
    def word(self) -> str:
        """The level, for those who do not see its colour."""
        return WORDS[self.level]


def worst_first(cards: Iterable[Card]) -> list[Card]:
    """Return the cards by how bad they are; among equals the order given stays."""
    return sorted(cards, key=lambda card: -card.level)


def age(moment: datetime | None, now: datetime) -> str:
    """Return how long ago in its largest unit; a dash for never.

    >>> from datetime import UTC, timedelta
    >>> now = datetime(2026, 1, 1, tzinfo=UTC)
    >>> age(now - timedelta(minutes=61), now), age(now, now), age(None, now)
    ('1 h', '0 s', '-')
    """
    if moment is None:
        return "-"
    seconds = max(int((now - moment).total_seconds()), 0)
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def plural(count: int, one: str, many: str) -> str:
    """Return the count with its noun."""
    return f"{count} {one if count == 1 else many}"
