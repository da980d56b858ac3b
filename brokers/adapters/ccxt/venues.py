"""The exchanges this system trades at, and what each of them can do.

What is not listed here is refused before the wire: the library sends unsupported parameters as if
nothing were wrong, and at some exchanges a stop becomes a plain limit order that way.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from brokers.adapters.capabilities import (
    Amend,
    Capabilities,
    ChannelReach,
    Contingencies,
    Dedup,
    LookupChannel,
    RateLimit,
)
from trading.vocabulary import OrdType, TimeInForce, TriggerPriceType

GTC, IOC, FOK = TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK
_SECOND = timedelta(seconds=1)
_CHECKED = "the exchange's documentation; wire checked by tests/brokers/ccxt"


@dataclass(frozen=True, slots=True)
class Venue:
    """One exchange. ``client_id`` is the parameter that carries our id; ``find_by`` and
    ``cancel_by`` are the parameters that name an order by it, None where the exchange cannot.
    ``duplicate`` are words that say that our id is there already, ``signed_out`` words that say
    that the key is not taken (the library calls some of them a matter of pace).
    """

    name: str
    capabilities: Capabilities
    client_id: str = "clientOrderId"
    find_by: str | None = "clientOrderId"
    cancel_by: str | None = "clientOrderId"
    id_prefix: str = ""
    duplicate: tuple[str, ...] = ()
    signed_out: tuple[str, ...] = ()
    stop_param: str | None = None
    atomic_replace: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)


def _reach(horizon: timedelta | None, lag: timedelta = _SECOND) -> ChannelReach:
    return ChannelReach(horizon=horizon, lag=lag)


def _spot(
    *,
    stops: bool,
    post_only: bool = True,
    limit_tifs: frozenset[TimeInForce] = frozenset({GTC, IOC, FOK}),
    find_by_client_id: bool = True,
    closed_horizon: timedelta | None = timedelta(days=1),
    amend: Amend = Amend.NONE,
    dedup: Dedup = Dedup.OPEN_ONLY,
    cancel_by_client_id: bool = True,
    id_max_len: int = 28,
    requests_per_second: int = 10,
) -> Capabilities:
    """What spot exchanges have in common, with what differs."""
    types = {OrdType.MARKET: frozenset({IOC}), OrdType.LIMIT: limit_tifs}
    if stops:
        types |= {OrdType.STOP: frozenset({GTC}), OrdType.STOP_LIMIT: frozenset({GTC})}
    lookups = {
        LookupChannel.OPEN: _reach(None),
        LookupChannel.CLOSED: _reach(closed_horizon),
        LookupChannel.EXECUTIONS: _reach(closed_horizon),
    }
    if find_by_client_id:
        lookups[LookupChannel.BY_CLIENT_ID] = _reach(closed_horizon)
    return Capabilities(
        time_in_force=types,
        source=_CHECKED,
        as_of="2026-11-20",
        exec_inst=frozenset({"POST_ONLY"}) if post_only else frozenset(),
        trigger_price_types=frozenset({TriggerPriceType.LAST}) if stops else frozenset(),
        fractional=True,
        contingencies=Contingencies.SYNTHETIC,
        amend=amend,
        cancel_by_client_id=cancel_by_client_id,
        cancel_foreign=True,
        venue_id_pattern=f"[A-Za-z0-9]{{1,{id_max_len}}}",
        venue_id_max_len=id_max_len,
        dedup=dedup,
        lookups=lookups,
        accept_delay_max=timedelta(seconds=5),
        request_expiry=True,
        streams=frozenset({"orders", "trades"}),
        rate_limit=RateLimit(requests_per_second, _SECOND),
    )


BINANCE = Venue(
    name="binance",
    capabilities=_spot(stops=True, closed_horizon=None, amend=Amend.ATOMIC, requests_per_second=20),
    duplicate=("Duplicate order sent",),
    signed_out=('"code":-2015', '"code": -2015'),
    stop_param="stopLossPrice",
    atomic_replace=True,
    options={
        "defaultType": "spot",
        "fetchMarkets": {"types": ["spot"]},
        "fetchCurrencies": False,
        "fetchOpenOrders": {"warnWithoutSymbol": False},
        "fetchMargins": False,
        "recvWindow": 5_000,
        "adjustForTimeDifference": False,
    },
)

VENUES = {venue.name: venue for venue in (BINANCE,)}
