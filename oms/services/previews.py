"""What was previewed: remembered for half a minute, so that an order can be held to it.

In Redis, because a preview can always be made again: one that nobody remembers counts as expired.
The risk is judged anew in any case; a preview is a promise about content, not about acceptance.
"""

import json
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from common.ids import new_ulid
from common.numbers import dec_str
from oms import errors
from trading import exact
from trading.orders.intent import OrderIntent, intent_hash
from trading.risk import Reference

HOLDS = timedelta(seconds=30)
DRIFT_BPS = Decimal(25)
_KEPT_S = 120
_TIMEOUT_S = 0.5
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Remembered:
    """A preview in force until ``expires_at``: which order it showed, and at which price."""

    preview_id: str
    expires_at: datetime
    intent_hash: str
    reference: Decimal | None


def remember(
    *, schema: str, content: str, reference: Reference | None, now: datetime
) -> Remembered | None:
    """Keep what a preview showed (``content`` is the intent's hash); None while Redis is away."""
    kept = Remembered(
        new_ulid(now), now + HOLDS, content, None if reference is None else reference.price
    )
    row = {
        "expires_at": kept.expires_at.isoformat(),
        "intent_hash": content,
        "reference": None if kept.reference is None else dec_str(kept.reference),
    }
    try:
        _client(settings.REDIS_URL).set(_key(schema, kept.preview_id), json.dumps(row), ex=_KEPT_S)
    except redis.RedisError as error:
        _log.warning("Redis is away, the preview cannot be confirmed: %s", error)
        return None
    return kept


def check(intent: OrderIntent, *, schema: str, reference: Reference | None, now: datetime) -> None:
    """Hold an order to the preview it names, if it names one.

    :raises PreviewExpired: :raises PreviewMismatch: :raises PreviewUsed: :raises PreviewDrifted:
    """
    if intent.preview_id is None:
        return
    shown = _recall(schema, intent.preview_id)
    if shown is None or now > shown.expires_at:
        raise errors.PreviewExpired(intent.preview_id)
    if shown.intent_hash != intent_hash(intent):
        raise errors.PreviewMismatch(intent.preview_id)
    if _user(schema, intent.preview_id) not in (None, intent.cl_ord_id):
        raise errors.PreviewUsed(intent.preview_id)
    if reference is None or shown.reference is None or shown.reference <= 0:
        raise errors.PreviewExpired(intent.preview_id)
    moved = exact.subtract(reference.price, shown.reference).copy_abs()
    bps = exact.ratio(moved * 10_000, shown.reference)
    if bps > DRIFT_BPS:
        raise errors.PreviewDrifted(
            intent.preview_id,
            shown=dec_str(shown.reference),
            reference=dec_str(reference.price),
            bps=dec_str(round(bps, 1)),
        )


def use(intent: OrderIntent, *, schema: str, by: str) -> None:
    """Let the preview an order names confirm this one order; ``by`` is its client id.

    :raises PreviewUsed: if another order was quicker.
    :raises PreviewExpired: if nobody can say whether one was.
    """
    if intent.preview_id is None:
        return
    try:
        first = _client(settings.REDIS_URL).set(
            f"{_key(schema, intent.preview_id)}:used", by, ex=_KEPT_S, nx=True
        )
    except redis.RedisError as error:
        raise errors.PreviewExpired(intent.preview_id) from error
    if not first and _user(schema, intent.preview_id) != by:
        raise errors.PreviewUsed(intent.preview_id)


def _recall(schema: str, preview_id: str) -> Remembered | None:
    try:
        text = _client(settings.REDIS_URL).get(_key(schema, preview_id))
    except redis.RedisError as error:
        _log.warning("Redis is away, no preview can be confirmed: %s", error)
        return None
    if text is None:
        return None
    row = json.loads(str(text))
    price = row["reference"]
    return Remembered(
        preview_id,
        datetime.fromisoformat(row["expires_at"]),
        row["intent_hash"],
        None if price is None else Decimal(price),
    )


def _user(schema: str, preview_id: str) -> str | None:
    try:
        text = _client(settings.REDIS_URL).get(f"{_key(schema, preview_id)}:used")
    except redis.RedisError as error:
        raise errors.PreviewExpired(preview_id) from error
    return None if text is None else str(text)


def _key(schema: str, preview_id: str) -> str:
    return f"preview:{schema}:{preview_id}"


@cache
def _client(redis_url: str) -> "redis.Redis":
    # One retry at once: the first command after a restart of Redis finds a dead connection.
    return redis.Redis.from_url(
        redis_url,
        decode_responses=True,
        socket_timeout=_TIMEOUT_S,
        socket_connect_timeout=_TIMEOUT_S,
        retry=Retry(NoBackoff(), 1),
    )
