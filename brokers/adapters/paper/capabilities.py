"""What the paper venue offers: the least that every order of this system needs."""

from datetime import timedelta

from brokers.adapters.capabilities import (
    Amend,
    AmendSlots,
    Capabilities,
    ChannelReach,
    Dedup,
    LookupChannel,
)
from trading.vocabulary import CxlRejReason, OrdRejReason, OrdType, TimeInForce

AT_ONCE = timedelta(0)

PAPER = Capabilities(
    time_in_force={
        OrdType.MARKET: frozenset({TimeInForce.DAY, TimeInForce.IOC, TimeInForce.FOK}),
        OrdType.LIMIT: frozenset(
            {TimeInForce.DAY, TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK}
        ),
    },
    source="brokers/adapters/paper: this project's own venue, proved by tests/brokers",
    as_of="2026-11-20",
    fractional=True,
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
    lookups={channel: ChannelReach(horizon=None, lag=AT_ONCE) for channel in LookupChannel},
    accept_delay_max=timedelta(seconds=1),
    request_expiry=True,
    streams=frozenset({"orders", "trades"}),
    definite_refusals=frozenset({*OrdRejReason, *CxlRejReason}),
)
"""``dedup_window`` None means for ever: the venue never forgets a client id."""
