"""Commands take time to reach the market, and reports to come back.

A command sees the market as it is when it arrives, not as it was when it was sent. How long each
takes is fixed, or drawn from a range by a hash of its own content: equal input, equal delays.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from heapq import heappop, heappush

from trading.matching.engine import Engine
from trading.matching.events import Command, Event, NewOrder, event_order
from trading.matching.values import Report


@dataclass(frozen=True, slots=True)
class Delay:
    """A time in ns between ``least`` and ``most``, both included; equal ones make it fixed."""

    least: int = 0
    most: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.least <= self.most:
            raise ValueError(f"a delay between {self.least} and {self.most} ns")

    def of(self, seed: str) -> int:
        """The delay of whatever ``seed`` names."""
        if self.least == self.most:
            return self.least
        drawn = int.from_bytes(sha256(seed.encode()).digest()[:8], "big")
        return self.least + drawn % (self.most - self.least + 1)


@dataclass(frozen=True, slots=True)
class Latency:
    """How long commands take to the market and reports back; ``seed`` names the run."""

    inbound: Delay = Delay()
    outbound: Delay = Delay()
    seed: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A report and the instant (ns) at which whoever sent the order learns of it."""

    at: int
    report: Report


class Line:
    """An engine at the other end of a line. Commands keep the order they were sent in.

    What is in flight is kept here; a run that stops in between continues with the same object.
    """

    def __init__(self, engine: Engine, latency: Latency) -> None:
        self.engine = engine
        self._latency = latency
        self._inbound: list[tuple[tuple[int, int, int], int, Command]] = []
        self._outbound: list[tuple[int, int, Report]] = []
        self._sent = 0
        self._last_arrival = 0
        self._last_delivery = 0

    def send(self, command: Command) -> None:
        """Put a command on the line at its ``at``."""
        self._sent += 1
        name = f"{self._latency.seed}:in:{_name(command)}"
        arrival = max(command.at + self._latency.inbound.of(name), self._last_arrival)
        self._last_arrival = arrival
        arriving = replace(command, at=arrival)
        heappush(self._inbound, (event_order(arriving), self._sent, arriving))

    def happen(self, event: Event) -> None:
        """Let the market move; commands that have arrived before are carried out first."""
        while self._inbound and self._inbound[0][0] < event_order(event):
            self._carry_out(heappop(self._inbound)[2])
        self._carry_out(event)

    def until(self, at: int) -> None:
        """Let time pass to ``at``, that instant included."""
        while self._inbound and self._inbound[0][2].at <= at:
            self._carry_out(heappop(self._inbound)[2])

    def delivered(self, at: int) -> Iterator[Delivery]:
        """Yield what has come back by ``at``, in the order it was said."""
        while self._outbound and self._outbound[0][0] <= at:
            arrival, _, report = heappop(self._outbound)
            yield Delivery(arrival, report)

    def _carry_out(self, event: Event) -> None:
        for report in self.engine.apply(event):
            delay = self._latency.outbound.of(f"{self._latency.seed}:out:{report.seq}")
            arrival = max(report.at + delay, self._last_delivery)
            self._last_delivery = arrival
            heappush(self._outbound, (arrival, report.seq, report))


def _name(command: Command) -> str:
    request = command.order_id if isinstance(command, NewOrder) else command.request_id
    return f"{type(command).__name__}:{request}:{command.at}"
