"""Idempotency-Key for POST: one effect and one answer per key, however often it is sent.

    @router.post("/risk/halts", ...)
    @idempotent
    def post_halt(request: ApiRequest, body: HaltIn): ...

    @router.post("/api-keys", ...)
    @idempotent(secrets=("key",))
    def post_key(request: ApiRequest, body: KeyIn): ...

The view runs inside one transaction of the tenant together with the row that keeps its answer, so
after a crash either both are there or neither: there is no half-done state to clean up. Who else
sends the key meanwhile meets an advisory lock, which ends with the transaction or with the process.
A refused or failed request keeps nothing: sent again, it is executed afresh.
"""

import hashlib
import json
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, overload

from django.core.exceptions import RequestDataTooBig
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from ninja.decorators import decorate_view

from common.actor import Actor
from common.errors import FieldError, Invalid, Refused, StateConflict
from common.http.problems import refused_response
from events.binding import bound
from events.models import IdempotentAnswer

KEPT = timedelta(hours=24)
_KEY = re.compile(r"[\x20-\x7e]{1,255}")

View = TypeVar("View", bound=Callable[..., Any])


class KeyReused(Refused):
    """The key stands for another request."""

    code = "idempotency_key_reused"
    title = "This Idempotency-Key was used for another request"


class InProgress(StateConflict):
    """The first request with this key has not ended yet."""

    code = "idempotency_in_progress"
    title = "A request with this Idempotency-Key is still running"


@overload
def idempotent(view: View) -> View: ...
@overload
def idempotent(*, secrets: tuple[str, ...] = ()) -> Callable[[View], View]: ...


def idempotent(
    view: View | None = None, *, secrets: tuple[str, ...] = ()
) -> View | Callable[[View], View]:
    """Let a Ninja POST view take the header; it stands below the router's decorator.

    ``secrets`` are members of the answer shown the first time only: they are not stored.
    """

    def around(run: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        def answer(request: HttpRequest, **arguments: Any) -> HttpResponseBase:
            actor: Actor | None = getattr(request, "actor", None)
            key = request.headers.get("Idempotency-Key")
            if key is None or actor is None:
                return run(request, **arguments)
            try:
                return _once(request, key, actor, secrets, lambda: run(request, **arguments))
            except Refused as refused:
                return refused_response(request, refused)

        # The API's own checks find the operation through its run.
        answer.__self__ = run.__self__  # type: ignore[attr-defined]
        return answer

    decorate: Callable[[View], View] = decorate_view(around)
    return decorate if view is None else decorate(view)


def _once(
    request: HttpRequest,
    key: str,
    actor: Actor,
    secrets: tuple[str, ...],
    run: Callable[[], HttpResponseBase],
) -> HttpResponseBase:
    """Run the view, or answer as it answered before.

    :raises Invalid: if the key has not the form of one.
    :raises KeyReused: if it stands for another request.
    :raises InProgress: if its first request is running.
    """
    if not _KEY.fullmatch(key):
        message = "1 to 255 printable ASCII characters are expected."
        raise Invalid(
            f"The Idempotency-Key is not acceptable: {message}",
            errors=[FieldError("Idempotency-Key", "invalid_idempotency_key", message)],
        )
    try:
        fingerprint = _fingerprint(request)
    except RequestDataTooBig:
        return run()  # refused by the view's own door
    now = datetime.now(UTC)
    holder = f"{actor.kind}:{actor.id}"
    with bound(actor.schema):
        _lock(actor.schema, holder, key)
        known = IdempotentAnswer.objects.filter(actor=holder, key=key).first()
        if known is not None and known.expires_at > now:
            return _replayed(known, fingerprint)
        response = run()
        if response.status_code >= 500:
            transaction.set_rollback(True)
        elif response.status_code < 400 and isinstance(response, HttpResponse):
            _keep(response, secrets, actor=holder, key=key, fingerprint=fingerprint, now=now)
        return response


def _lock(schema: str, holder: str, key: str) -> None:
    """:raises InProgress: if another transaction holds the key."""
    digest = hashlib.sha256("\0".join(("idempotency", schema, holder, key)).encode()).digest()
    number = int.from_bytes(digest[:8], "big", signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number])
        (is_ours,) = cursor.fetchone()
    if not is_ours:
        raise InProgress(
            "The first request with this key is still running; ask again in a moment.",
            headers={"Retry-After": "1"},
        )


def _fingerprint(request: HttpRequest) -> str:
    """Return a hash of what is asked; how the JSON was spaced or ordered makes no difference."""
    body = request.body
    # What is not JSON is taken by its bytes; the view's own door refuses it.
    with suppress(ValueError, RecursionError):
        body = json.dumps(json.loads(body), sort_keys=True).encode()
    asked = f"{request.method} {request.get_full_path()}\n".encode()
    return hashlib.sha256(asked + body).hexdigest()


def _replayed(known: IdempotentAnswer, fingerprint: str) -> HttpResponse:
    """:raises KeyReused: if the key was used for another request."""
    if known.fingerprint != fingerprint:
        raise KeyReused("This key was sent with another request before; use a fresh key.")
    response = HttpResponse(known.body, status=known.status, content_type=known.content_type)
    response["Idempotent-Replay"] = "true"
    return response


def _keep(
    response: HttpResponse,
    secrets: tuple[str, ...],
    *,
    actor: str,
    key: str,
    fingerprint: str,
    now: datetime,
) -> None:
    body = response.content.decode()
    if secrets and body:
        shown = json.loads(body)
        body = json.dumps({name: value for name, value in shown.items() if name not in secrets})
    IdempotentAnswer.objects.update_or_create(
        actor=actor,
        key=key,
        defaults={
            "fingerprint": fingerprint,
            "status": response.status_code,
            "content_type": response.headers.get("Content-Type", ""),
            "body": body,
            "created_at": now,
            "expires_at": now + KEPT,
        },
    )
