"""What Interactive Brokers offers through TWS, as far as this adapter asks for it."""

from datetime import timedelta

from brokers.adapters.capabilities import (
    Amend,
    AmendSlots,
    Capabilities,
    ChannelReach,
    Contingencies,
    Dedup,
    LookupChannel,
    RateLimit,
)
from trading.vocabulary import (
    OrdType,
    PegPriceType,
    TimeInForce,
    TrailType,
    TriggerPriceType,
)

_RESTING = frozenset({TimeInForce.DAY, TimeInForce.GTC, TimeInForce.GTD})
_AUCTIONS = frozenset({TimeInForce.OPG, TimeInForce.CLS})
_DAY = timedelta(days=1)
_BEHIND = timedelta(seconds=2)

IB = Capabilities(
    time_in_force={
        OrdType.MARKET: frozenset({TimeInForce.DAY, TimeInForce.IOC}) | _AUCTIONS,
        OrdType.LIMIT: _RESTING | _AUCTIONS | {TimeInForce.IOC, TimeInForce.FOK},
        OrdType.STOP: _RESTING,
        OrdType.STOP_LIMIT: _RESTING,
        OrdType.MARKET_IF_TOUCHED: _RESTING,
        OrdType.LIMIT_IF_TOUCHED: _RESTING,
        OrdType.TRAILING_STOP: _RESTING,
        OrdType.TRAILING_STOP_LIMIT: _RESTING,
        OrdType.MARKET_TO_LIMIT: _RESTING,
        OrdType.PEGGED: _RESTING,
    },
    source="order types and fields of the TWS API reference; wire checked by tests/brokers/ib",
    as_of="2026-11-20",
    exec_inst=frozenset({"ALL_OR_NONE"}),
    trigger_price_types=frozenset(
        {TriggerPriceType.LAST, TriggerPriceType.BID_ASK, TriggerPriceType.MID}
    ),
    trail_types=frozenset(TrailType),
    peg_price_types=frozenset(PegPriceType),
    display_qty=True,
    min_qty=True,
    extended_hours=True,
    fractional=False,
    contingencies=Contingencies.SYNTHETIC,
    amend=Amend.IN_PLACE,
    amend_slots=AmendSlots.SINGLE,
    cancel_during_replace=True,
    cancel_by_client_id=False,
    cancel_foreign=False,
    venue_id_pattern=r"[A-Za-z0-9._-]{1,32}",
    venue_id_max_len=32,
    dedup=Dedup.ASCENDING,
    lookups={
        LookupChannel.OPEN: ChannelReach(horizon=None, lag=_BEHIND),
        LookupChannel.CLOSED: ChannelReach(horizon=_DAY, lag=_BEHIND),
        LookupChannel.EXECUTIONS: ChannelReach(horizon=_DAY, lag=_BEHIND),
    },
    accept_delay_max=timedelta(seconds=5),
    streams=frozenset({"orders", "trades"}),
    queues_when_closed=True,
    rate_limit=RateLimit(45, timedelta(seconds=1)),
)
