"""A schedule: what happens, in order, as data. A seed makes one; JSON keeps one; running it needs
no further choice, so that it can be replayed, and shrunk step by step.

A crash comes before any commit: ``crash`` says before how many more. Reports whose commit it
prevents come again; bytes that have left stay with the venue.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from random import Random
from typing import Any

from tests.reliability.lookups import LAG_MS
from tests.reliability.venue import Personality

ORDERS = 12
STEPS = 94
DEDUPS = ("FULL", "OPEN_ONLY", "NONE", "ASCENDING")
TIFS = ("DAY", "DAY", "GTC", "GTC", "IOC")
WAITS = (200, 700, 2_500, 2_500, 12_000)
ENDS = ("CANCELED", "EXPIRED", "REJECTED")
REMARKS = ("SUSPENDED", "STOPPED", "TRIGGERED")
SEND_FATES = (
    "lost", "unread", "late", "very_late", "throttle", "crash_before_claim", "crash_after_claim",
    "crash_after_send", "refuse", "not_connected",
)  # fmt: skip
DELIVERIES = ("reorder", "twice", "lose", "crash")
VENUE_FAULTS = (
    "over", "bust", "correct", "end", "restate", "done", "remark", "conflict", "id_reset",
    "id_jump",
)  # fmt: skip
CALM = {"new": 14, "send": 34, "deliver": 44, "trade": 30, "cancel": 8, "replace": 8, "tick": 11}
FAULTS = {"reconcile": 3, "restart": 2, "outage": 2, "crash": 4}
NUMBERED = frozenset({"cancel", "replace", "trade", "over", "bust", "correct", "restate", "done"})


@dataclass(frozen=True, slots=True)
class Schedule:
    """The venues by their personalities, and the steps as plain lists."""

    venues: tuple[Personality, ...]
    steps: list[list[Any]]

    def to_json(self) -> dict[str, Any]:
        return {"venues": [asdict(one) for one in self.venues], "steps": self.steps}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Schedule":
        return cls(tuple(Personality(**one) for one in content["venues"]), content["steps"])

    def with_steps(self, steps: list[list[Any]]) -> "Schedule":
        """The same venues with other steps."""
        return Schedule(self.venues, steps)


def make(seed: int) -> Schedule:
    """The schedule of a seed; which faults it has, and how often, is part of the draw."""
    draw = Random(seed)
    fates = [one for one in SEND_FATES if draw.random() < 0.4]
    ways = [one for one in DELIVERIES if draw.random() < 0.4]
    weights = dict(CALM)
    weights.update({one: draw.randint(1, 8) for one in VENUE_FAULTS if draw.random() < 0.4})
    weights.update({one: top for one, top in FAULTS.items() if draw.random() < 0.5})
    chance = draw.choice((0.1, 0.3, 0.6))
    words = draw.choices(list(weights), list(weights.values()), k=STEPS)
    steps = [_step("new", draw, ()) for _ in range(3)]
    news = 3
    for word in words:
        if word == "new":
            news += 1
            if news > ORDERS:
                word = "send"
        picked = fates if word == "send" else ways
        steps.append(_step(word, draw, picked if draw.random() < chance else ()))
    return Schedule(tuple(_personality(draw) for _ in range(draw.choice((1, 1, 2, 3)))), steps)


def _personality(draw: Random) -> Personality:
    return Personality(
        dedup=draw.choice(DEDUPS),
        sequenced=draw.random() < 0.7,
        lag=draw.choice((0, 0, LAG_MS)),
        echoes=draw.random() < 0.4,
        budget=draw.choice((0, 0, 0, 2)),
        trims=draw.random() < 0.2,
    )


def _step(word: str, draw: Random, ways: Sequence[str]) -> list[Any]:
    random = draw.random  # randint and choice take several times as long
    number = int(random() * 65_536)
    if word == "send":
        return [word, ways[number % len(ways)] if ways else "ok"]
    if word == "deliver":
        return [word, number, ways[int(random() * len(ways))] if ways else "next"]
    qty, px = 1 + int(random() * 20), 1 + int(random() * 50)
    if word in NUMBERED:
        return [word, number, number >> 4, qty * 2 if word in ("replace", "restate") else qty, px]
    if word == "new":
        return [word, number % 2, 4 + int(random() * 37), px, TIFS[qty % len(TIFS)], number >> 1]
    if word == "tick":
        return [word, WAITS[number % len(WAITS)], random() < 0.6]
    if word == "end":
        return [word, number, ENDS[qty % len(ENDS)]]
    if word == "remark":
        return [word, number, REMARKS[px % len(REMARKS)], qty]
    if word == "reconcile":
        return [word, random() < 0.6]
    if word == "outage":
        return [word, random() < 0.6, number]
    if word == "crash":
        return [word, 1 + number % 6]
    return [word] if word == "restart" else [word, number]
