"""The latest quotes in Redis: one key per symbol, and one capped stream of all of them.

``quote:<SYMBOL>`` holds the last quote as JSON (the API's shape and ``history_at``), the stream
``quotes`` the same in its field ``q``. Redis may lose both at any moment: the next tick of the
feed writes them again, and a reader falls back on what its own process saw last.
"""

import json
import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import redis
import redis.asyncio
from django.conf import settings
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

from common.instants import instant_str, opt_instant_str
from common.numbers import dec_str, opt_dec_str
from trading.market import Quote

STREAM = "quotes"
STREAM_LENGTH = 5000
FIELD = "q"

_OF_THE_SESSION = ("open", "high", "low", "prev_close")
_TIMEOUT_S = 0.5
_log = logging.getLogger(__name__)
_seen: dict[str, Quote] = {}  # what this process read last, per symbol
_seen_lock = threading.Lock()
_teller: ContextVar[Callable[[str], Quote | None] | None] = ContextVar("teller", default=None)


def key(symbol: str) -> str:
    """The Redis key of a symbol's latest quote."""
    return f"quote:{symbol}"


def quote_json(quote: Quote) -> dict[str, Any]:
    """Return the quote as the API shows it, with ``history_at`` beside.

    ``open``, ``high`` and ``low`` are of the session so far; ``change`` and ``change_pct`` (in
    percent, two places) compare ``last`` with ``prev_close``. None where the source does not say.
    """
    return {
        "symbol": quote.symbol,
        "bid": dec_str(quote.bid),
        "ask": dec_str(quote.ask),
        "last": dec_str(quote.last),
        "bid_size": dec_str(quote.bid_size),
        "ask_size": dec_str(quote.ask_size),
        "at": instant_str(quote.at),
        "feed": quote.feed,
        "simulated": quote.simulated,
        "history_at": opt_instant_str(quote.history_at),
        "spread": dec_str(quote.spread),
        "open": opt_dec_str(quote.open),
        "high": opt_dec_str(quote.high),
        "low": opt_dec_str(quote.low),
        "prev_close": opt_dec_str(quote.prev_close),
        "change": opt_dec_str(quote.change),
        "change_pct": opt_dec_str(quote.change_pct),
    }


def parse_quote(text: str | bytes) -> Quote:
    """Return the quote written by ``quote_json``.

    :raises ValueError: if the text is not such a quote (KeyError and TypeError included).
    """
    try:
        row = json.loads(text)
        history_at = row.get("history_at")
        return Quote(
            symbol=row["symbol"],
            bid=Decimal(row["bid"]),
            ask=Decimal(row["ask"]),
            last=Decimal(row["last"]),
            bid_size=Decimal(row["bid_size"]),
            ask_size=Decimal(row["ask_size"]),
            at=datetime.fromisoformat(row["at"]),
            feed=row["feed"],
            simulated=row["simulated"],
            history_at=None if history_at is None else datetime.fromisoformat(history_at),
            **{name: _opt_decimal(row.get(name)) for name in _OF_THE_SESSION},
        )
    except (KeyError, TypeError, AttributeError, ArithmeticError) as error:
        raise ValueError(f"not a quote: {error!r}") from error


def _opt_decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def write(client: redis.Redis, quotes: Sequence[Quote]) -> None:
    """Store the quotes as the latest and append them to the stream.

    :raises redis.RedisError: if Redis does not answer.
    """
    pipe = client.pipeline(transaction=False)
    _queue(pipe, quotes)
    pipe.execute()


@contextmanager
def told_by(tell: Callable[[str], Quote | None]) -> Iterator[None]:
    """Within the block and its thread, ``latest`` and ``fresh`` ask ``tell`` instead of Redis.

    For whoever goes through past instants: the market then is not the market of now.
    """
    before = _teller.set(tell)
    try:
        yield
    finally:
        _teller.reset(before)


async def awrite(client: redis.asyncio.Redis, quotes: Sequence[Quote]) -> None:
    """``write`` for an event loop.

    :raises redis.RedisError: if Redis does not answer.
    """
    pipe = client.pipeline(transaction=False)
    _queue(pipe, quotes)
    await pipe.execute()


def latest(symbols: Iterable[str]) -> dict[str, Quote]:
    """Return the last quote of each symbol that has one, however old; its ``at`` tells its age.

    While Redis is away: what this process read last, if no older than OMS_QUOTE_MAX_AGE_S.
    Who decides anything by a price asks ``fresh`` instead.
    """
    wanted = sorted(set(symbols))
    if not wanted:
        return {}
    if (tell := _teller.get()) is not None:
        return {symbol: quote for symbol in wanted if (quote := tell(symbol)) is not None}
    try:
        texts = _client(settings.REDIS_URL).mget([key(symbol) for symbol in wanted])
    except redis.RedisError as error:
        _log.warning("Redis is away, quotes come from this process's memory: %s", error)
        return _remembered(wanted, datetime.now(UTC))
    found = {
        symbol: parse_quote(text)
        for symbol, text in zip(wanted, texts, strict=True)
        if text is not None
    }
    with _seen_lock:
        _seen.update(found)
    return found


def recorded(symbol: str) -> list[tuple[datetime, Decimal]]:
    """Return when and at what last price the symbol was quoted, as far back as the stream goes.

    Oldest first; empty while Redis is away, which keeps no more than STREAM_LENGTH quotes of all
    symbols together.
    """
    return [(quote.at, quote.last) for quote in _streamed(symbol)]


def told_between(symbol: str, since: datetime, until: datetime) -> list[Quote]:
    """Return the quotes of a symbol after ``since`` and before ``until`` the stream still has.

    Oldest first; empty while Redis is away.
    """
    return [quote for quote in _streamed(symbol) if since < quote.at < until]


def fresh(symbols: Iterable[str], *, now: datetime) -> dict[str, Quote]:
    """Return the last quotes that are at most OMS_QUOTE_MAX_AGE_S old at ``now``.

    The ones a reference price, a trigger or a risk check may rest on: a symbol whose feed has
    fallen silent is missing here.
    """
    return {symbol: quote for symbol, quote in latest(symbols).items() if is_fresh(quote, now)}


def is_fresh(quote: Quote, now: datetime) -> bool:
    """Whether the quote reached us no longer than OMS_QUOTE_MAX_AGE_S before ``now``."""
    return now - quote.at <= timedelta(seconds=settings.OMS_QUOTE_MAX_AGE_S)


def async_client(redis_url: str, *, timeout_s: float = 1.0) -> redis.asyncio.Redis:
    """Return a new asyncio client; a command that Redis does not answer fails within the timeout.

    Whoever loops over it retries by itself, so the client does not.
    """
    return redis.asyncio.Redis.from_url(
        redis_url,
        protocol=2,  # one shape of stream answers, whatever the library's default becomes
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        retry=AsyncRetry(NoBackoff(), 0),
    )


@cache
def _client(redis_url: str) -> redis.Redis:
    # One retry at once: the first command after a restart of Redis finds a dead connection.
    return redis.Redis.from_url(
        redis_url,
        socket_timeout=_TIMEOUT_S,
        socket_connect_timeout=_TIMEOUT_S,
        retry=Retry(NoBackoff(), 1),
    )


def _queue(pipe: Any, quotes: Sequence[Quote]) -> None:
    for quote in quotes:
        text = json.dumps(quote_json(quote), separators=(",", ":"))
        pipe.set(key(quote.symbol), text)
        pipe.xadd(STREAM, {FIELD: text}, maxlen=STREAM_LENGTH, approximate=True)


def _streamed(symbol: str) -> list[Quote]:
    try:
        entries: Any = _client(settings.REDIS_URL).xrange(STREAM, count=2 * STREAM_LENGTH)
    except redis.RedisError as error:
        _log.warning("Redis is away, no recorded quotes: %s", error)
        return []
    named = f'"symbol":{json.dumps(symbol)}'.encode()
    found = []
    for _, fields in entries:
        text = fields.get(FIELD.encode(), b"")
        if named not in text:
            continue
        try:
            found.append(parse_quote(text))
        except ValueError as error:
            _log.warning("an entry of the quote stream is not a quote: %r", error)
    return found


def _remembered(wanted: Iterable[str], now: datetime) -> dict[str, Quote]:
    with _seen_lock:
        known = [_seen[symbol] for symbol in wanted if symbol in _seen]
    return {quote.symbol: quote for quote in known if is_fresh(quote, now)}
