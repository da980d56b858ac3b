"""What the paper venues offer: one everything this system knows, one the least a venue has."""

from dataclasses import replace
from datetime import timedelta

from brokers.adapters.capabilities import (
    Amend,
    AmendSlots,
    Capabilities,
    ChannelReach,
    Contingencies,
    Dedup,
    LookupChannel,
)
from trading.orders.validity import RESTING
from trading.vocabulary import (
    CxlRejReason,
    OrdRejReason,
    OrdType,
    PegPriceType,
    TimeInForce,
    TrailType,
    TriggerPriceType,
)

NO_LAG = timedelta(0)
AT_ONCE = frozenset({TimeInForce.IOC, TimeInForce.FOK})
UNTIL_ENDED = frozenset(RESTING)

PAPER = Capabilities(
    time_in_force={
        OrdType.MARKET: AT_ONCE | {TimeInForce.DAY},
        OrdType.LIMIT: UNTIL_ENDED | AT_ONCE,
        OrdType.STOP: UNTIL_ENDED,
        OrdType.STOP_LIMIT: UNTIL_ENDED | AT_ONCE,
        OrdType.MARKET_IF_TOUCHED: UNTIL_ENDED,
        OrdType.LIMIT_IF_TOUCHED: UNTIL_ENDED | AT_ONCE,
        OrdType.TRAILING_STOP: UNTIL_ENDED,
        OrdType.TRAILING_STOP_LIMIT: UNTIL_ENDED | AT_ONCE,
        OrdType.MARKET_TO_LIMIT: UNTIL_ENDED,
        OrdType.PEGGED: UNTIL_ENDED,
    },
    source="brokers/adapters/paper: this project's own venue, proved by tests/brokers",
    as_of="2026-11-21",
    exec_inst=frozenset({"POST_ONLY", "ALL_OR_NONE"}),
    trigger_price_types=frozenset(
        {TriggerPriceType.LAST, TriggerPriceType.BID_ASK, TriggerPriceType.MID}
    ),
    trail_types=frozenset(TrailType),
    peg_price_types=frozenset(PegPriceType),
    display_qty=True,
    min_qty=True,
    extended_hours=True,
    fractional=True,
    contingencies=Contingencies.SYNTHETIC,
    amend=Amend.IN_PLACE,
    amend_slots=AmendSlots.SINGLE,
    cancel_during_replace=True,
    replace_filled=False,
    cancel_by_client_id=True,
    cancel_foreign=False,
    venue_id_pattern=r"[A-Za-z0-9._-]{1,32}",
    venue_id_max_len=32,
    dedup=Dedup.FULL,
    dedup_window=None,
    lookups={channel: ChannelReach(horizon=None, lag=NO_LAG) for channel in LookupChannel},
    accept_delay_max=timedelta(seconds=1),
    request_expiry=True,
    streams=frozenset({"orders", "trades"}),
    definite_refusals=frozenset({*OrdRejReason, *CxlRejReason}),
)
"""``dedup_window`` None means for ever: the venue never forgets a client id. Its market never
closes, so that ``extended_hours`` asks for nothing it does not do anyway.
"""

PAPER_PLAIN = replace(
    PAPER,
    time_in_force={
        OrdType.MARKET: frozenset({TimeInForce.DAY, TimeInForce.IOC}),
        OrdType.LIMIT: frozenset({TimeInForce.DAY, TimeInForce.GTC, TimeInForce.IOC}),
    },
    exec_inst=frozenset(),
    trigger_price_types=frozenset(),
    trail_types=frozenset(),
    peg_price_types=frozenset(),
    display_qty=False,
    min_qty=False,
    extended_hours=False,
)
"""No stops, no good-till-date, no instructions: what this system keeps itself can be seen here."""
