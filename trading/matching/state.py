"""The engine's whole state as a value, so that a run can stop at any event and go on later."""

from dataclasses import asdict, dataclass, field
from typing import Any

from trading.matching.values import BeyondTouch, Policy
from trading.vocabulary import OrdType, Side, TimeInForce


@dataclass(frozen=True, slots=True)
class WorkingOrder:
    """An order that rests. ``priority`` is its place in time: lower came first."""

    order_id: str
    account: str
    side: Side
    time_in_force: TimeInForce
    qty: int
    price: int
    cum_qty: int
    priority: int
    ord_type: OrdType = OrdType.LIMIT

    @property
    def leaves_qty(self) -> int:
        """What is still to be filled."""
        return self.qty - self.cum_qty


@dataclass(frozen=True, slots=True)
class SideState:
    """One side of the market as the engine knows it."""

    price: int = 0
    size: int = 0
    taken: int = 0


@dataclass(frozen=True, slots=True)
class EngineState:
    """Everything an engine of one instrument knows between two events."""

    policy: Policy = field(default_factory=Policy)
    bids: SideState = field(default_factory=SideState)
    offers: SideState = field(default_factory=SideState)
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
    return EngineState(
        policy=Policy(**policy),
        bids=SideState(**data["bids"]),
        offers=SideState(**data["offers"]),
        orders=tuple(_order_from_json(row) for row in data["orders"]),
        last_at=data["last_at"],
        last_seq=data["last_seq"],
        last_priority=data["last_priority"],
    )


def _order_from_json(row: dict[str, Any]) -> WorkingOrder:
    words = {
        "side": Side(row["side"]),
        "time_in_force": TimeInForce(row["time_in_force"]),
        "ord_type": OrdType(row["ord_type"]),
    }
    return WorkingOrder(**{**row, **words})
