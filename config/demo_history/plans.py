"""What the demo firms did: a few simple strategies, told step by step.

A step is a part of the session (0..1) and what happens then. Nobody here knows the future: each
step sees the quote of its instant and what the account holds, as a strategy does.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random

from brokers.models import FaultSwitch
from config.demo_history.desk import PastDesk
from config.demo_history.market import moved
from trading.vocabulary import Side, TimeInForce

Step = tuple[float, Callable[[], object]]
FEED_PAUSE_S = 20
"""Longer than a quote serves the venue, shorter than risk takes a last trade for a reference."""


@dataclass(frozen=True, slots=True)
class When:
    """Which day it is: ``number`` counts from 0, ``left`` are those still to come."""

    number: int
    left: int


@dataclass
class Trader:
    """One strategy on one account and instrument. ``size`` is an ordinary order of it."""

    desk: PastDesk
    account: str
    symbol: str
    strategy: str
    size: int
    dice: Random
    orders: dict[str, str] = field(default_factory=dict)
    """Ids of orders a later step comes back to, by what they are for."""

    @property
    def holds(self) -> Decimal:
        """The account's signed quantity."""
        return self.desk.holds(self.account, self.symbol)

    @property
    def last(self) -> Decimal:
        """The last price told."""
        return self.desk.quote(self.symbol).last

    def some(self) -> int:
        """Two thirds of an ordinary order, one, or one and a third."""
        return self.size * self.dice.choice((2, 3, 4)) // 3

    def buy(self, qty: int, percent: str | None = None, **terms: TimeInForce) -> str:
        """At the market, or with a limit ``percent`` away from the last price."""
        return self._place(Side.BUY, qty, percent, **terms)

    def sell(self, qty: int, percent: str | None = None, **terms: TimeInForce) -> str:
        """The same; short where the account would go below zero."""
        side = Side.SELL if self.holds >= qty else Side.SELL_SHORT
        return self._place(side, qty, percent, **terms)

    def _place(self, side: Side, qty: int, percent: str | None, **terms: TimeInForce) -> str:
        price = None if percent is None else moved(self.last, percent)
        return self.desk.place(
            self.account, self.symbol, side, qty, price=price, strategy=self.strategy, **terms
        )

    def drop(self, name: str) -> None:
        """Cancel an order kept under a name, if it still works."""
        order_id = self.orders.pop(name, None)
        if order_id is not None and self.desk.is_open(order_id):
            self.desk.cancel(order_id)

    def amend(self, name: str, percent: str, qty: int | None = None) -> None:
        """Move an order kept under a name to ``percent`` away from the last price."""
        order_id = self.orders.get(name)
        if order_id is not None and self.desk.is_open(order_id):
            self.desk.amend(order_id, qty=qty, price=moved(self.last, percent))


def trend(one: Trader, when: When) -> Iterator[Step]:
    """Buys in the morning of two days, asks for a profit, and lightens up on the third."""

    def in_the_morning() -> None:
        one.buy(one.some())

    def some_profit() -> None:
        one.sell(one.size // 2, "0.35")

    def after_noon() -> None:
        if one.holds > one.size:
            one.sell(one.some())

    yield (0.55, after_noon) if when.number % 3 == 2 else (0.08, in_the_morning)
    if when.number % 3 == 1:
        yield 0.1, some_profit


def fade(one: Trader, when: When) -> Iterator[Step]:
    """Bids below and offers above the opening, follows the market once, and goes home small."""

    def both_sides() -> None:
        one.orders["bid"] = one.buy(one.some(), "-0.25")
        one.orders["offer"] = one.sell(one.some(), "0.3")

    def closer() -> None:
        one.amend("bid", "-0.1")

    def go_home() -> None:
        one.drop("bid")
        one.drop("offer")
        excess = int(abs(one.holds) - 2 * one.size)
        if excess > 0:
            one.buy(excess) if one.holds < 0 else one.sell(excess)

    if when.number % 4 == 0:
        yield 0.04, both_sides
        yield 0.5, closer
        yield 0.92, go_home


def patient(one: Trader, when: When) -> Iterator[Step]:
    """Orders that rest for days: far below, far above, and now and then a bid for a dip."""

    def far_away() -> None:
        one.orders["far below"] = one.buy(6 * one.size, "-4", time_in_force=TimeInForce.GTC)
        one.orders["far above"] = one.sell(4 * one.size, "8.5", time_in_force=TimeInForce.GTC)

    def a_dip() -> None:
        one.buy(8 * one.size, "-0.2", time_in_force=TimeInForce.GTC)

    if when.left == 1:
        yield 0.15, far_away
    if when.number % 3 == 0:
        yield 0.02, a_dip
    if when.left == 0:
        yield 0.3, lambda: one.amend("far below", "-4.5", 8 * one.size)
        yield 0.6, lambda: one.amend("far below", "-4.2")


def discretion(one: Trader, when: When) -> Iterator[Step]:
    """What goes wrong at any desk: a silent feed, all or nothing, a slip of the finger."""

    def while_the_feed_pauses() -> None:
        one.desk.wait(FEED_PAUSE_S)
        one.buy(one.size)  # risk still has a last trade to judge by, the venue sees no market

    def all_or_nothing() -> None:
        one.buy(20 * one.size, "-0.02", time_in_force=TimeInForce.FOK)

    def two_zeros_too_many() -> None:
        one.buy(100 * one.size, "12")

    if when.left == 3:
        yield 0.01, while_the_feed_pauses
    if when.left == 1:
        yield 0.45, all_or_nothing
        yield 0.7, two_zeros_too_many


def probe(one: Trader, when: When) -> Iterator[Step]:
    """A small account at a venue whose line breaks at last, and which then answers nothing."""

    def into_the_dark() -> None:
        one.desk.break_line(one.account, FaultSwitch.LOSE_ACK, FaultSwitch.SILENT)
        one.buy(one.size)

    if when.left and when.left % 3 == 0:
        yield 0.2, lambda: one.buy(one.some())
    if when.left == 0:
        yield 0.85, into_the_dark


@dataclass(frozen=True, slots=True)
class Line:
    """A strategy at work: on which account, in which instrument, in which size."""

    account: str
    symbol: str
    strategy: Callable[[Trader, When], Iterator[Step]]
    size: int


PLANS: dict[str, tuple[Line, ...]] = {
    "acme": (
        Line("PAPER-1", "SPX", trend, 180),
        Line("PAPER-1", "SPX", patient, 45),
        Line("PAPER-1", "IXIC", discretion, 60),
        Line("PAPER-2", "IXIC", fade, 120),
        Line("PAPER-3", "IXIC", probe, 40),
    ),
    "globex": (
        Line("PAPER-1", "IXIC", trend, 110),
        Line("PAPER-1", "SPX", fade, 150),
        Line("PAPER-1", "IXIC", patient, 40),
        Line("PAPER-1", "SPX", discretion, 60),
    ),
}


class Cast:
    """The traders of one firm; the same seed throws the same dice."""

    def __init__(self, firm: str, desk: PastDesk, seed: int) -> None:
        self._traders = [
            (
                line.strategy,
                Trader(
                    desk=desk,
                    account=line.account,
                    symbol=line.symbol,
                    strategy=line.strategy.__name__,
                    size=line.size,
                    dice=Random(f"{seed}:{firm}:{number}"),  # noqa: S311 - no secret
                ),
            )
            for number, line in enumerate(PLANS[firm])
        ]

    def agenda(self, when: When) -> list[Step]:
        """Everybody's steps of one day, in the order of the clock."""
        steps = [step for strategy, one in self._traders for step in strategy(one, when)]
        return sorted(steps, key=lambda step: step[0])
