"""The HTTP door of market data: ``/instruments`` with their quotes and bars. Read only."""

from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar

from django.db.models import Q
from ninja import Field, Query, Router, Schema
from pydantic import BeforeValidator, ConfigDict
from pydantic_core import PydanticCustomError

from common.errors import NotFound
from common.http.pagination import page
from common.http.query import StrictQuery
from common.http.ranges import check_range
from common.http.routes import ApiRequest
from common.http.schema import DecimalOut, EnumIn, Text, UtcDatetimeIn, UtcDatetimeOut
from marketdata import quotes, selectors
from marketdata.models import Instrument, Interval, SecurityType

router = Router(tags=["instruments"])

SCOPE = "marketdata:read"


class NoQuote(NotFound):
    """The instrument exists, but nobody has quoted it."""

    code: ClassVar[str] = "no_quote"
    title: ClassVar[str] = "There is no quote"


def _yes_or_no(value: Any) -> bool:
    if value not in {"true", "false"}:
        raise PydanticCustomError("invalid_choice", "Not one of true, false.")
    return bool(value == "true")


YesNo = Annotated[bool, BeforeValidator(_yes_or_no)]


class InstrumentOut(Schema):
    """An instrument as lists show it, and more of it in detail."""

    symbol: str
    name: str
    security_type: str
    currency: str
    exchange: str
    tick_size: DecimalOut
    lot_size: DecimalOut
    qty_decimals: int
    min_qty: DecimalOut
    max_qty: DecimalOut
    min_notional: DecimalOut
    multiplier: DecimalOut
    tradable: bool
    feed: str | None = Field(description="Who quotes it; null where nobody does.")
    simulated: bool = Field(description="True where its quotes replay history.")
    bar_kind: str = Field(
        description="OHLCV, or CLOSE: one value a day stands in all four prices, volume is 0."
    )

    @staticmethod
    def resolve_feed(one: Instrument) -> str | None:
        """The feed's name, null instead of empty."""
        return one.feed or None

    @staticmethod
    def resolve_simulated(one: Instrument) -> bool:
        """Whether history is its market."""
        return one.is_replayed


class InstrumentPage(Schema):
    """A page of instruments, by symbol."""

    items: list[InstrumentOut]
    next: str | None


class QuoteOut(Schema):
    """The last quote; ``at`` is when it reached us."""

    symbol: str
    bid: str
    ask: str
    last: str
    bid_size: str
    ask_size: str
    at: str
    feed: str
    simulated: bool
    history_at: str | None = Field(description="The instant of the past a replay shows.")
    spread: str
    open: str | None = Field(description="Of the session so far, as high and low.")
    high: str | None
    low: str | None
    prev_close: str | None = Field(description="The close of the session before.")
    change: str | None = Field(description="last less prev_close.")
    change_pct: str | None = Field(description="change in percent of prev_close, two places.")
    stale: bool = Field(description="True where it is too old to trade or to judge a price by.")

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "symbol": "SPX",
                "bid": "1126.33",
                "ask": "1126.34",
                "last": "1126.33",
                "bid_size": "159",
                "ask_size": "159",
                "at": "2026-11-20T12:05:26.002198Z",
                "feed": "HISTORICAL REPLAY",
                "simulated": True,
                "history_at": "2004-01-14T15:42:15Z",
                "spread": "0.01",
                "open": "1121.22",
                "high": "1126.33",
                "low": "1121.22",
                "prev_close": "1121.22",
                "change": "5.11",
                "change_pct": "0.46",
                "stale": False,
            }
        }
    )


class BarOut(Schema):
    """One bar; a daily bar starts ``at`` 00:00 UTC of the exchange's own day."""

    at: UtcDatetimeOut
    open: DecimalOut
    high: DecimalOut
    low: DecimalOut
    close: DecimalOut
    volume: DecimalOut


class BarPage(Schema):
    """A page of bars, oldest first."""

    items: list[BarOut]
    next: str | None


class InstrumentFilters(StrictQuery):
    """What ``GET /instruments`` can be narrowed by."""

    q: Annotated[Text | None, Field(max_length=64, description="Part of symbol or name.")] = None
    security_type: EnumIn[SecurityType] | None = None
    currency: Annotated[Text | None, Field(max_length=8)] = None
    exchange: Annotated[Text | None, Field(max_length=16)] = None
    tradable: YesNo | None = None


class BarFilters(StrictQuery):
    """Which bars: ``since`` inclusive, ``until`` exclusive, at most five years apart."""

    interval: EnumIn[Interval] = Interval.DAY
    since: UtcDatetimeIn | None = None
    until: UtcDatetimeIn | None = None


@router.get(
    "/instruments",
    response=InstrumentPage,
    summary="Instruments, by symbol",
    description="What can be quoted, charted or traded. Scope `marketdata:read`.",
)
def list_instruments(
    request: ApiRequest, filters: Annotated[InstrumentFilters, Query(...)]
) -> dict[str, Any]:
    """List what can be quoted, charted or traded.

    :raises Forbidden: without the scope ``marketdata:read``.
    """
    request.actor.require(SCOPE)
    found = Instrument.objects.all()
    if filters.q:
        found = found.filter(Q(symbol__icontains=filters.q) | Q(name__icontains=filters.q))
    for column in ("security_type", "currency", "exchange", "tradable"):
        if (value := getattr(filters, column)) is not None:
            found = found.filter(**{column: value})
    items, following = page(
        found, key="symbol", limit=filters.limit, cursor=filters.cursor, descending=False
    )
    return {"items": items, "next": following}


# A symbol may hold a slash (BTC/USD), so it is matched as a path; the longer routes come first.
@router.get(
    "/instruments/{path:symbol}/quote",
    response=QuoteOut,
    summary="The last quote of an instrument",
    description="However old it is; `stale` says whether it may still be relied on. "
    "404 `no_quote` where nobody has quoted the instrument.",
)
def read_quote(request: ApiRequest, symbol: str) -> dict[str, Any]:
    """Return the last quote, however old; ``stale`` says whether it may still be relied on.

    :raises InvalidSymbol: if the text cannot be a symbol.
    :raises NotFound: if there is no such instrument.
    :raises NoQuote: if nobody has quoted it.
    """
    request.actor.require(SCOPE)
    one = selectors.instrument(symbol)
    quote = quotes.latest([one.symbol]).get(one.symbol)
    if quote is None:
        raise NoQuote(f"Nobody has quoted {one.symbol} yet.")
    return quotes.quote_json(quote) | {"stale": not quotes.is_fresh(quote, datetime.now(UTC))}


@router.get(
    "/instruments/{path:symbol}/bars",
    response=BarPage,
    summary="Daily history of an instrument",
    description="Bars, oldest first. With `since` (inclusive) the pages run forward from there; "
    "without it the first page holds the newest bars (before `until`, exclusive, if given) and "
    "`next` leads further back. Both together span at most five years. Of an instrument whose "
    "market is the historical replay only the days before the one now being replayed are "
    "returned: later ones would be hindsight.",
)
def list_bars(
    request: ApiRequest, symbol: str, filters: Annotated[BarFilters, Query(...)]
) -> dict[str, Any]:
    """Return bars, oldest first.

    With ``since`` the pages run forward from there; without it the first page holds the newest
    bars (before ``until``, if given) and ``next`` leads further back. Of an instrument whose
    market is the historical replay only the days before the one now being replayed are returned:
    later ones would be hindsight.

    :raises InvalidRange: if ``since`` lies after ``until``.
    :raises RangeTooLarge: if they lie more than five years apart.
    """
    request.actor.require(SCOPE)
    one = selectors.instrument(symbol)
    check_range(filters.since, filters.until)
    bars = selectors.known_bars(one, filters.interval, datetime.now(UTC))
    if filters.since is not None:
        bars = bars.filter(at__gte=filters.since)
    if filters.until is not None:
        bars = bars.filter(at__lt=filters.until)
    backwards = filters.since is None
    items, following = page(
        bars, key="at", limit=filters.limit, cursor=filters.cursor, descending=backwards
    )
    return {"items": sorted(items, key=lambda bar: bar.at), "next": following}


@router.get(
    "/instruments/{path:symbol}",
    response=InstrumentOut,
    summary="One instrument",
    description="What it is and what it demands of an order's price and quantity.",
)
def read_instrument(request: ApiRequest, symbol: str) -> Instrument:
    """Return what the instrument is and what it demands of an order.

    :raises InvalidSymbol: if the text cannot be a symbol.
    :raises NotFound: if there is no such instrument.
    """
    request.actor.require(SCOPE)
    return selectors.instrument(symbol)
