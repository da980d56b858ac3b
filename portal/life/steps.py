"""From intent to end: the steps of an order, each with the instant that was measured for it.

Only our own clock is subtracted from itself; the venue's instants stand beside ours. A step
without an instant says why.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from oms.life import OrderLife
from oms.models import Command, Execution, OrderEvent
from portal.templatetags.blotter import number
from trading.orders.reports import from_json
from trading.vocabulary import CommandKind, CommandState, ExecType, ReportSource

CLOSED = frozenset({"FILLED", "CANCELED", "REJECTED", "EXPIRED"})
_MARKS = {"done": "\u25cf", "now": "\u25d0", "unknown": "?", "refused": "\u2298", "none": "\u25cb"}


@dataclass(frozen=True, slots=True)
class Step:
    """One step. ``state`` is done, now, unknown, refused or none; ``at`` our instant of it or
    None with the reason in ``note``; ``gap`` the time since the measured step before it.
    """

    name: str
    state: str
    word: str
    at: datetime | None = None
    note: str = ""
    venue_at: datetime | None = None
    gap: str = ""
    tells_amounts: bool = False

    @property
    def mark(self) -> str:
        """The shape, so that colour is not alone."""
        return _MARKS[self.state]


def gap_text(length: timedelta) -> str:
    """Write a length of time as people compare it.

    >>> gap_text(timedelta(microseconds=3412)), gap_text(timedelta(seconds=64, milliseconds=5))
    ('+3.4 ms', '+1 min 04 s')
    """
    ms = length / timedelta(milliseconds=1)
    if ms < 0:
        return f"\u2212{gap_text(-length)[1:]}"
    if ms < 10:
        return f"+{ms:.1f} ms" if ms else "+0 ms"
    if ms < 1000:
        return f"+{ms:.0f} ms"
    seconds = ms / 1000
    if seconds < 60:
        return f"+{seconds:.2f} s"
    whole = int(seconds)
    if whole < 3600:
        return f"+{whole // 60} min {whole % 60:02d} s"
    if whole < 86400:
        return f"+{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"+{whole // 86400} d {whole % 86400 // 3600:02d} h"


def steps_of(life: OrderLife) -> list[Step]:
    """Return the steps in order, with the gaps between the measured ones."""
    new = next((one for one in life.commands if one.kind == CommandKind.NEW), None)
    events = [event for event, _ in life.events]
    steps = [
        Step("Intent", "done", "taken", life.order.created_at),
        _risk(life),
        _queued(new, life),
        _sent(new, life),
        _acknowledged(new, events, life),
        _first_fill(life.executions, life),
        _end(events, life),
    ]
    return _with_gaps(steps)


def _with_gaps(steps: Sequence[Step]) -> list[Step]:
    before: datetime | None = None
    found = []
    for step in steps:
        gap = "" if step.at is None or before is None else gap_text(step.at - before)
        found.append(replace(step, gap=gap))
        before = step.at or before
    return found


def _risk(life: OrderLife) -> Step:
    if life.breaches:
        count = len(life.breaches)
        word = f"denied by {count} rule{'s' if count > 1 else ''}"
        return Step("Risk", "refused", word, note="; ".join(b.code for b in life.breaches))
    note = "judged in the transaction that took the order; it has no instant of its own"
    return Step("Risk", "done", "passed", note=note)


def _queued(new: Command | None, life: OrderLife) -> Step:
    if new is None:
        return Step("Queued", "none", "never", note=_why_never(life))
    return Step("Queued", "done", "for the gateway", new.created_at)


def _why_never(life: OrderLife) -> str:
    return "risk denied it" if life.breaches else "no command was made for it"


def _sent(new: Command | None, life: OrderLife) -> Step:
    if new is None:
        return Step("Sent", "none", "never", note=_why_never(life))
    if new.sending_at is not None:
        tries = f"attempt {new.attempt}; the instants of earlier ones are not kept"
        return Step(
            "Sent", "done", "to the venue", new.sending_at, note=tries if new.attempt > 1 else ""
        )
    if new.state == CommandState.QUEUED:
        return Step("Sent", "now", "waiting", note="the gateway has not claimed it yet")
    return Step("Sent", "none", "never", note=f"never sent: {new.outcome_code or new.state}")


def _acknowledged(new: Command | None, events: Sequence[OrderEvent], life: OrderLife) -> Step:
    name = "Acknowledged"
    if new is not None and new.state == CommandState.UNKNOWN:
        return Step(name, "unknown", "unknown", note="sent, and no answer proves what became of it")
    first = next((event for event in events if event.source != ReportSource.LOCAL), None)
    if first is None:
        if new is not None and new.state == CommandState.SENDING:
            return Step(name, "now", "waiting", note="the venue has not answered yet")
        ended = life.order.ord_status in CLOSED
        note = "the venue never spoke of it" if ended else "it has not been sent yet"
        return Step(name, "none", "never" if ended else "not yet", note=note)
    at_venue = from_json(first.report).transact_time
    if first.exec_type == ExecType.REJECTED:
        return Step(name, "refused", "rejected", first.at, first.report.get("text", ""), at_venue)
    if first.exec_type == ExecType.TRADE:
        return Step(name, "none", "\u2014", note="the venue's first word was the fill")
    return Step(name, "done", "by the venue", first.at, venue_at=at_venue)


def _first_fill(executions: Sequence[Execution], life: OrderLife) -> Step:
    if not executions:
        ended = life.order.ord_status in CLOSED
        note = f"it ended {life.order.ord_status} unfilled" if ended else "nothing has traded yet"
        return Step("First fill", "none", "never" if ended else "not yet", note=note)
    first = executions[0]
    word = f"{number(first.last_qty)} @ {number(first.last_px, life.places)}"
    note = "late: it traded before an end we had been told" if first.late else ""
    return Step(
        "First fill", "done", word, first.received_at, note, first.transact_time, tells_amounts=True
    )


def _end(events: Sequence[OrderEvent], life: OrderLife) -> Step:
    order = life.order
    if order.ord_status not in CLOSED:
        filled = f"{number(order.cum_qty)} of {number(order.order_qty)}"
        note = f"it is {order.ord_status}"
        return Step("End", "now", filled, note=note, tells_amounts=True)
    last = next(event for event in reversed(events) if event.before not in CLOSED)
    refused = order.ord_status == "REJECTED"
    at_venue = None
    if last.source != ReportSource.LOCAL:
        at_venue = from_json(last.report).transact_time
    return Step(
        "End", "refused" if refused else "done", order.ord_status, last.at, order.text, at_venue
    )
