"""The engine's whole state as a value, so that a run can stop at any event and go on later."""

from dataclasses import asdict, dataclass, field
from typing import Any

from trading.matching.events import Peg, Phase
from trading.matching.triggers import Trail, Trigger
from trading.matching.values import BeyondTouch, Policy, QueueModel
from trading.vocabulary import OrdType, PegPriceType, Side, TimeInForce, TriggerPriceType


@dataclass(frozen=True, slots=True)
class WorkingOrder:
    """An order that works. ``priority`` is its place in time: lower came first.

    It rests in the book at ``price``, or waits: for its ``trigger``, for its auction, or, while
    ``parked``, for the market to open. ``queue_ahead`` is how much of others stands before it at
    its price, None while that is not known. ``shown`` is what an iceberg has displayed and not yet
    traded. ``told_at`` is when its trailed stop was last reported; ``untold``: it moved since.
    """

    order_id: str
    account: str
    side: Side
    time_in_force: TimeInForce
    qty: int
    price: int | None
    cum_qty: int
    priority: int
    ord_type: OrdType = OrdType.LIMIT
    trigger: Trigger | None = None
    peg: Peg | None = None
    to_limit: bool = False
    cap: int | None = None
    display_qty: int | None = None
    shown: int = 0
    min_qty: int = 0
    post_only: bool = False
    all_or_none: bool = False
    expire_at: int | None = None
    queue_ahead: int | None = None
    parked: bool = False
    told_at: int = 0
    untold: bool = False

    @property
    def leaves_qty(self) -> int:
        """What is still to be filled."""
        return self.qty - self.cum_qty

    @property
    def buy(self) -> bool:
        """Whether it adds to a position; short sales rest and trade as sales."""
        return self.side.sign > 0


@dataclass(frozen=True, slots=True)
class SideState:
    """One side of the market as the engine knows it; ``taken`` by price."""

    levels: tuple[tuple[int, int], ...] = ()
    is_book: bool = False
    taken: tuple[tuple[int, int], ...] = ()
    margin: int = 0


@dataclass(frozen=True, slots=True)
class EngineState:
    """Everything an engine of one instrument knows between two events.

    ``pool`` is what both sides of a path share; ``carry`` is the part of a lot (in ten-thousandths)
    the volume cap has not yet given out.
    """

    policy: Policy = field(default_factory=Policy)
    bids: SideState = field(default_factory=SideState)
    offers: SideState = field(default_factory=SideState)
    last: int | None = None
    sequence: int | None = None
    pool: int | None = None
    phase: Phase = Phase.OPEN
    carry: int = 0
    orders: tuple[WorkingOrder, ...] = ()
    last_at: int = 0
    last_seq: int = 0
    last_priority: int = 0


def state_to_json(state: EngineState) -> dict[str, Any]:
    """Return the state as plain JSON values (integers, strings, lists, objects)."""
    return asdict(state)


def state_from_json(data: dict[str, Any]) -> EngineState:
    """Return the state ``state_to_json`` wrote. :raises KeyError: where a member is missing."""
    policy = dict(data["policy"])
    policy["beyond_touch"] = BeyondTouch(policy["beyond_touch"])
    policy["queue_model"] = QueueModel(policy["queue_model"])
    return EngineState(
        policy=Policy(**policy),
        bids=_side_from_json(data["bids"]),
        offers=_side_from_json(data["offers"]),
        last=data["last"],
        sequence=data["sequence"],
        pool=data["pool"],
        phase=Phase(data["phase"]),
        carry=data["carry"],
        orders=tuple(order_from_json(row) for row in data["orders"]),
        last_at=data["last_at"],
        last_seq=data["last_seq"],
        last_priority=data["last_priority"],
    )


def _side_from_json(row: dict[str, Any]) -> SideState:
    return SideState(
        levels=tuple((price, size) for price, size in row["levels"]),
        is_book=row["is_book"],
        taken=tuple((price, qty) for price, qty in row["taken"]),
        margin=row["margin"],
    )


def order_to_json(order: WorkingOrder) -> dict[str, Any]:
    """Return a working order as plain JSON values."""
    return asdict(order)


def order_from_json(row: dict[str, Any]) -> WorkingOrder:
    """Return the order ``order_to_json`` wrote. :raises KeyError: where a member is missing."""
    words = {
        "side": Side(row["side"]),
        "time_in_force": TimeInForce(row["time_in_force"]),
        "ord_type": OrdType(row["ord_type"]),
        "trigger": trigger_from_json(row["trigger"]),
        "peg": peg_from_json(row["peg"]),
    }
    return WorkingOrder(**{**row, **words})


def trigger_from_json(row: dict[str, Any] | None) -> Trigger | None:
    """The trigger of plain JSON values, None of None."""
    if row is None:
        return None
    return Trigger(
        stop_px=row["stop_px"],
        touch=row["touch"],
        price_type=TriggerPriceType(row["price_type"]),
        trail=None if row["trail"] is None else Trail(**row["trail"]),
    )


def peg_from_json(row: dict[str, Any] | None) -> Peg | None:
    """The peg of plain JSON values, None of None."""
    return None if row is None else Peg(PegPriceType(row["price_type"]), row["offset"])
