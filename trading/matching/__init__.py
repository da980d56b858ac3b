"""The matching engine of backtests and of the paper venue: events in, reports out.

Prices are integers of the instrument's tick, quantities integers of its lot, instants integer
nanoseconds since 1970 UTC. No clock, no randomness, no floats: equal input gives equal reports.
"""

from trading.matching.engine import Engine
from trading.matching.reporter import TimeReversed
from trading.matching.state import EngineState, WorkingOrder, state_from_json, state_to_json
from trading.matching.values import (
    BeyondTouch,
    Cancel,
    EndReason,
    Event,
    Liquidity,
    NewOrder,
    Policy,
    QuoteTick,
    Replace,
    Report,
    SessionClose,
    event_order,
)

__all__ = [
    "BeyondTouch",
    "Cancel",
    "EndReason",
    "Engine",
    "EngineState",
    "Event",
    "Liquidity",
    "NewOrder",
    "Policy",
    "QuoteTick",
    "Replace",
    "Report",
    "SessionClose",
    "TimeReversed",
    "WorkingOrder",
    "event_order",
    "state_from_json",
    "state_to_json",
]
