"""The matching engine of backtests and of the paper venue: events in, reports out.

Prices are integers of the instrument's tick, quantities integers of its lot, instants integer
nanoseconds since 1970 UTC. No clock, no randomness, no floats: equal input gives equal reports.
"""

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
    Peg,
    Phase,
    QuoteTick,
    Replace,
    SessionPhase,
    Split,
    Timer,
    TradeTick,
    event_order,
)
from trading.matching.reporter import TimeReversed
from trading.matching.state import (
    EngineState,
    WorkingOrder,
    order_from_json,
    order_to_json,
    state_from_json,
    state_to_json,
)
from trading.matching.triggers import Trail, Trigger
from trading.matching.values import (
    BeyondTouch,
    EndReason,
    Liquidity,
    Policy,
    QueueModel,
    Report,
)

__all__ = [
    "Auction",
    "BeyondTouch",
    "BookDelta",
    "BookSnapshot",
    "Cancel",
    "Delisting",
    "EndReason",
    "Engine",
    "EngineState",
    "Event",
    "Liquidity",
    "MarketLost",
    "NewOrder",
    "PathTick",
    "Peg",
    "Phase",
    "Policy",
    "QueueModel",
    "QuoteTick",
    "Replace",
    "Report",
    "SessionPhase",
    "Split",
    "TimeReversed",
    "Timer",
    "TradeTick",
    "Trail",
    "Trigger",
    "WorkingOrder",
    "event_order",
    "order_from_json",
    "order_to_json",
    "state_from_json",
    "state_to_json",
]
