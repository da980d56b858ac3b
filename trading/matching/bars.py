"""Backtests on bars: one bar becomes a path of prices, and in doubt the worse one counts.

A bar does not say whether its high or its low came first. Both paths are played, O-H-L-C and
O-L-H-C, in straight pieces; where they end differently the one that leaves less money is taken and
the bar is counted as ambiguous.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from trading.matching.engine import Engine
from trading.matching.events import Command, PathTick
from trading.matching.floor import rests
from trading.matching.state import EngineState, WorkingOrder
from trading.matching.values import Report
from trading.vocabulary import ExecType

BASIS_POINTS = 10_000
UNCAPPED = 10**18
"""Lots offered where a bar has no volume: more than any order holds."""

Reaction = Callable[[Sequence[Report]], Sequence[Command]]
"""What is sent because of reports, at the same instant (the exits of a bracket). It is asked once
per path and must depend on the reports alone."""


class Path(StrEnum):
    """Which extreme came first."""

    HIGH_FIRST = "OHLC"
    LOW_FIRST = "OLHC"


@dataclass(frozen=True, slots=True)
class Bar:
    """Prices in ticks, volume in lots (None: not known), instants in ns."""

    opens_at: int
    closes_at: int
    open: int
    high: int
    low: int
    close: int
    volume: int | None

    def __post_init__(self) -> None:
        ordered = self.low <= min(self.open, self.close) <= max(self.open, self.close) <= self.high
        if not ordered or self.opens_at > self.closes_at:
            raise ValueError(f"a bar contradicts itself: {self}")


@dataclass(frozen=True, slots=True)
class BarRules:
    """How a bar fills: ticks lost by who comes, and whether touching a limit is enough."""

    slippage: int = 0
    touch_fills: bool = False


@dataclass(frozen=True, slots=True)
class BarOutcome:
    """What one bar led to. ``size_unknown`` says that its volume did not limit anything."""

    state: EngineState
    reports: tuple[Report, ...]
    path: Path
    is_ambiguous: bool
    size_unknown: bool


def play_bar(
    state: EngineState,
    bar: Bar,
    *,
    at_open: Sequence[Command] = (),
    at_close: Sequence[Command] = (),
    rules: BarRules | None = None,
    react: Reaction | None = None,
) -> BarOutcome:
    """Return what a bar does to the orders of ``state``.

    ``at_open`` holds the commands that meet the opening price (those issued on the bar before),
    ``at_close`` those that meet the closing price. Resting orders meet the opening first: they are
    filled there if it is already better than their limit.
    """
    played = {
        path: play_path(
            state, bar, path, at_open=at_open, at_close=at_close, rules=rules, react=react
        )
        for path in Path
    }
    reports = {path: made[1] for path, made in played.items()}
    is_ambiguous = _economics(reports[Path.HIGH_FIRST]) != _economics(reports[Path.LOW_FIRST])
    equity = {path: _equity(made, bar.close) for path, made in reports.items()}
    if equity[Path.HIGH_FIRST] == equity[Path.LOW_FIRST]:
        path = Path.LOW_FIRST if bar.close >= bar.open else Path.HIGH_FIRST
    else:
        path = min(Path, key=lambda one: equity[one])
    return BarOutcome(played[path][0], reports[path], path, is_ambiguous, bar.volume is None)


def play_path(
    state: EngineState,
    bar: Bar,
    path: Path,
    *,
    at_open: Sequence[Command] = (),
    at_close: Sequence[Command] = (),
    rules: BarRules | None = None,
    react: Reaction | None = None,
) -> tuple[EngineState, tuple[Report, ...]]:
    """Return the state after a bar whose extremes came in this order, and what was reported."""
    engine = Engine.resume(state)
    engine.pause()
    walk = _Walk(engine, bar, rules or BarRules(), react)
    walk.show(bar.open, bar.opens_at)
    walk.send(at_open)
    middle = (bar.high, bar.low) if path is Path.HIGH_FIRST else (bar.low, bar.high)
    span = bar.closes_at - bar.opens_at
    for leg, end in enumerate((*middle, bar.close), start=1):
        walk.go(end, bar.opens_at + span * leg // 3)
    walk.send(at_close)
    return engine.dump(), tuple(walk.reports)


class _Walk:
    """One engine on its way along a bar's path."""

    def __init__(self, engine: Engine, bar: Bar, rules: BarRules, react: Reaction | None) -> None:
        self._engine = engine
        self._rules = rules
        self._react = react
        self._left = (
            UNCAPPED
            if bar.volume is None
            else bar.volume * engine.policy.volume_cap_bp // BASIS_POINTS
        )
        self._through = 0 if rules.touch_fills else 1
        self._price = bar.open
        self.reports: list[Report] = []

    def go(self, end: int, at: int) -> None:
        """Move to ``end``, stopping wherever an order is reached on the way."""
        while self._price != end:
            self.show(self._next_stop(end), at)
        self.show(end, at)

    def show(self, price: int, at: int) -> None:
        """The price is here now."""
        self._price = price
        rules = self._rules
        tick = PathTick(at, price, self._left, rules.slippage, self._through)
        self._heard(self._engine.apply(tick))

    def send(self, commands: Sequence[Command]) -> None:
        """Commands arrive at the present price."""
        for command in commands:
            self._heard(self._engine.apply(command))

    def _heard(self, reports: list[Report]) -> None:
        self.reports += reports
        self._left -= sum(report.last_qty for report in reports)
        if reports and self._react is not None:
            self.send(self._react(reports))

    def _next_stop(self, end: int) -> int:
        up = end > self._price
        reached = [
            price
            for order in self._engine.working
            for price in _prices_of(order, self._through)
            if (self._price < price < end if up else end < price < self._price)
        ]
        if not reached:
            return end
        return min(reached) if up else max(reached)


def _prices_of(order: WorkingOrder, through: int) -> Iterator[int]:
    """Yield the prices at which something may happen to an order."""
    if order.trigger is not None:
        if order.trigger.stop_px is not None:
            yield order.trigger.stop_px
        trail = order.trigger.trail
        if trail is not None and trail.activation_px is not None:
            yield trail.activation_px
    elif rests(order) and order.price is not None:
        yield order.price - through if order.buy else order.price + through


def _equity(reports: Sequence[Report], close: int) -> int:
    """Return what the fills of a bar are worth at its close, in ticks times lots."""
    return sum(
        report.side.sign * report.last_qty * (close - report.last_px)
        for report in reports
        if report.exec_type is ExecType.TRADE and report.side is not None
    )


def _economics(reports: Sequence[Report]) -> list[tuple[str, str, int, int]]:
    """What of reports matters for money: who, what, how much and at which price."""
    return sorted(
        (report.order_id, report.exec_type.value, report.last_qty, report.last_px)
        for report in reports
        if report.exec_type is not ExecType.RESTATED
    )
