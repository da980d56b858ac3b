"""A run as a list of lines: how the engine stood, what came in, so that it can be played again.

What an engine saw is all it decides by. The same lines therefore give the same reports, ids and
fills, wherever they are played: a paper run that was recorded is a backtest's input.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, fields
from typing import Any

from trading.matching.engine import Engine
from trading.matching.events import (
    Auction,
    BookDelta,
    BookSnapshot,
    Cancel,
    Delisting,
    Event,
    MarketLost,
    NewOrder,
    PathTick,
    Phase,
    QuoteTick,
    Replace,
    SessionPhase,
    Split,
    Timer,
    TradeTick,
)
from trading.matching.state import peg_from_json, state_from_json, state_to_json, trigger_from_json
from trading.matching.values import Report
from trading.vocabulary import OrdType, Side, TimeInForce

_EVENTS: dict[str, type[Event]] = {
    event.__name__: event
    for event in (
        SessionPhase,
        Auction,
        Split,
        Delisting,
        QuoteTick,
        MarketLost,
        BookSnapshot,
        BookDelta,
        TradeTick,
        PathTick,
        NewOrder,
        Cancel,
        Replace,
        Timer,
    )
}
_READERS: dict[str, Callable[[Any], Any]] = {
    "side": Side,
    "ord_type": OrdType,
    "time_in_force": TimeInForce,
    "phase": Phase,
    "trigger": trigger_from_json,
    "peg": peg_from_json,
    "bids": lambda rows: tuple((price, size) for price, size in rows),
    "asks": lambda rows: tuple((price, size) for price, size in rows),
}


class UnreadableTape(ValueError):
    """A line that no engine wrote; the message says which one and why."""


def begin(engine: Engine) -> str:
    """Return the first line of a tape: the engine as it stands."""
    return _line({"state": state_to_json(engine.dump())})


def line_of(event: Event) -> str:
    """Return the line of one event, to be written before the engine sees it."""
    return _line({"event": type(event).__name__, **asdict(event)})


def play(lines: Iterable[str]) -> Iterator[Report]:
    """Yield what an engine says while a tape is played from its first line.

    :raises UnreadableTape: at the first line that is not one of a tape.
    """
    engine: Engine | None = None
    for number, line in enumerate(lines, start=1):
        try:
            content = json.loads(line)
            if engine is None:
                engine = Engine.resume(state_from_json(content["state"]))
                continue
            event = event_of(content)
        except (KeyError, TypeError, ValueError) as failure:
            raise UnreadableTape(f"line {number} is not of a tape: {failure!r}") from failure
        yield from engine.apply(event)


def report_line(report: Report) -> str:
    """Return a report as one line; equal reports give equal bytes."""
    return _line(asdict(report))


def event_of(content: dict[str, Any]) -> Event:
    """Return the event a line's content stands for.

    :raises KeyError, TypeError, ValueError: if it stands for none.
    """
    kind = _EVENTS[content.pop("event")]
    known = {field.name for field in fields(kind)}
    if unknown := content.keys() - known:
        raise ValueError(f"{kind.__name__} has no {', '.join(sorted(unknown))}")
    values = {name: _value(name, value) for name, value in content.items()}
    return kind(**values)


def _value(name: str, value: Any) -> Any:
    reader = _READERS.get(name)
    return value if reader is None or value is None else reader(value)


def _line(content: dict[str, Any]) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"))
