"""A script of faults: on the n-th message of a name, do this to it.

A message is named as the protocol names it, with its direction: ``in:placeOrder`` reached the
simulator, ``out:openOrder`` is about to leave it.
"""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum


class Fault(StrEnum):
    """What happens to one message."""

    DROP = "DROP"
    """The line is cut before the message is read (or written)."""
    SWALLOW = "SWALLOW"
    """An incoming message is carried out and nothing is said; an outgoing one is not written."""
    IGNORE = "IGNORE"
    """An incoming message is not read at all, the line stays up."""
    DELAY = "DELAY"
    """The message waits ``seconds``."""
    DUPLICATE = "DUPLICATE"
    """An outgoing message is written twice."""
    REORDER = "REORDER"
    """An outgoing message is written after the next one."""
    ERROR = "ERROR"
    """An incoming message is answered with error ``code`` and not carried out."""
    KILL = "KILL"
    """The message is carried out (or written), then the line is cut."""


@dataclass(frozen=True, slots=True)
class Order:
    """One line of a script."""

    message: str
    fault: Fault
    nth: int
    code: int = 0
    seconds: float = 0.0
    text: str = ""


@dataclass(slots=True)
class FaultScript:
    """What is to go wrong, and what has passed so far."""

    orders: list[Order] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)

    def on(
        self,
        message: str,
        fault: Fault,
        *,
        nth: int = 1,
        code: int = 0,
        seconds: float = 0.0,
        text: str = "",
    ) -> None:
        """Plan a fault for the ``nth`` message of this name from now on."""
        self.orders.append(Order(message, fault, self.seen[message] + nth, code, seconds, text))

    def of(self, message: str) -> Order | None:
        """Count one message and return what is to happen to it."""
        self.seen[message] += 1
        for order in self.orders:
            if order.message == message and order.nth == self.seen[message]:
                return order
        return None
