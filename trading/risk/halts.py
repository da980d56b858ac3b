"""Halts: where trading is stopped, how firmly, and which order they cover."""

from collections.abc import Iterable
from decimal import Decimal
from enum import StrEnum
from typing import Protocol, TypeVar

from trading.vocabulary import Side


class HaltScope(StrEnum):
    """How far a halt reaches; ``venue`` is the broker connection an account trades through."""

    TENANT = "tenant"
    ACCOUNT = "account"
    STRATEGY = "strategy"
    INSTRUMENT = "instrument"
    VENUE = "venue"


class HaltState(StrEnum):
    """How firmly: REDUCING lets orders pass that can only make a position smaller."""

    REDUCING = "REDUCING"
    HALTED = "HALTED"


class HaltLike(Protocol):
    """The part of a halt that decides what it covers."""

    @property
    def scope(self) -> str:
        """A HaltScope."""

    @property
    def target(self) -> str:
        """A name within the scope; empty where the scope is the whole firm."""

    @property
    def state(self) -> str:
        """A HaltState."""


_Halt = TypeVar("_Halt", bound=HaltLike)


def covers(
    halt: HaltLike, *, account: str, symbol: str, strategy: str | None, venue: str | None
) -> bool:
    """Whether the halt reaches an order with these names."""
    names: dict[str, str | None] = {
        HaltScope.ACCOUNT: account,
        HaltScope.STRATEGY: strategy,
        HaltScope.INSTRUMENT: symbol,
        HaltScope.VENUE: venue,
    }
    if halt.scope == HaltScope.TENANT:
        return True
    name = names[halt.scope]
    return name is not None and name == halt.target


def most_severe(halts: Iterable[_Halt]) -> _Halt | None:
    """Return the first HALTED one, else the first at all, else None."""
    chosen: _Halt | None = None
    for halt in halts:
        if halt.state == HaltState.HALTED:
            return halt
        chosen = chosen or halt
    return chosen


def only_reduces(
    *,
    side: Side,
    qty: Decimal,
    position_qty: Decimal,
    open_buy_qty: Decimal,
    open_sell_qty: Decimal,
) -> bool:
    """Whether an order can only bring the position closer to zero.

    Orders open on the same side count as filled: together they must not pass zero.
    """
    if side is Side.SELL_SHORT:
        return False
    if side is Side.BUY:
        return qty + open_buy_qty <= -position_qty
    return qty + open_sell_qty <= position_qty
