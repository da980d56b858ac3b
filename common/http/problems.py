"""Every refusal as ``application/problem+json`` (RFC 9457), with stable codes."""

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse

from common.errors import FieldError, NotFound, Refused

_log = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"
ECHO_LIMIT = 64

TITLES = {
    400: "The request could not be read",
    401: "Authentication is required",
    403: "This is not permitted",
    404: "Not found",
    405: "Method not allowed",
    413: "The body is too large",
    415: "The media type is not supported",
    422: "A value is not acceptable",
    429: "Too many requests",
    500: "Something went wrong on our side",
    503: "Not available right now",
}


def echo(value: object) -> str:
    """Return what the caller sent, safe to repeat: at most 64 printable characters.

    >>> echo("a" * 100)
    'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…'
    """
    text = "".join(
        char if char.isprintable() else "\N{REPLACEMENT CHARACTER}"
        for char in str(value)[: ECHO_LIMIT + 1]
    )
    return text if len(text) <= ECHO_LIMIT else text[: ECHO_LIMIT - 1] + "…"


def problem_object(
    status: int,
    code: str,
    detail: str,
    *,
    errors: Iterable[FieldError] = (),
    extra: Mapping[str, Any] | None = None,
    title: str | None = None,
    request_id: str = "",
) -> dict[str, Any]:
    """Return the problem as a dict; ``extra`` joins it, but cannot replace a member."""
    rows = [
        {"field": row.field, "code": row.code, "message": row.message, **row.extra}
        for row in errors
    ]
    codes = {row["code"] for row in rows}
    if code == "invalid" and len(codes) == 1:
        code = codes.pop()
    return {
        **(extra or {}),
        "type": f"urn:blotter:problem:{code}",
        "title": title or TITLES.get(status) or HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        "errors": rows,
        "request_id": request_id,
    }


def refused_object(refusal: Refused, request_id: str = "") -> dict[str, Any]:
    """Return a refusal as a problem (also for the rows of a batch)."""
    return problem_object(
        refusal.http_status,
        refusal.code,
        refusal.detail,
        errors=refusal.errors,
        extra=refusal.extra,
        title=refusal.title,
        request_id=request_id,
    )


def problem_response(
    request: HttpRequest,
    status: int,
    code: str,
    detail: str,
    errors: Sequence[FieldError] = (),
    extra: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
    title: str | None = None,
) -> HttpResponse:
    """Return the answer for one problem."""
    request_id = getattr(request, "request_id", "")
    body = problem_object(
        status, code, detail, errors=errors, extra=extra, title=title, request_id=request_id
    )
    return HttpResponse(
        json.dumps(body, default=str, ensure_ascii=False),
        status=status,
        content_type=CONTENT_TYPE,
        headers=dict(headers or {}),
    )


def refused_response(request: HttpRequest, refusal: Refused) -> HttpResponse:
    """Return the answer for a refusal."""
    headers = dict(refusal.headers)
    if refusal.http_status == HTTPStatus.UNAUTHORIZED:
        headers.setdefault("WWW-Authenticate", 'Bearer realm="blotter"')
    return problem_response(
        request,
        refusal.http_status,
        refusal.code,
        refusal.detail,
        errors=refusal.errors,
        extra=refusal.extra,
        headers=headers,
        title=refusal.title,
    )


def not_found_response(request: HttpRequest) -> HttpResponse:
    """Return the one 404: absent, foreign and misspelt look alike."""
    return refused_response(request, NotFound())


def unexpected_response(request: HttpRequest) -> HttpResponse:
    """Return the 500: it says nothing of the cause but the id to find it by."""
    return problem_response(
        request,
        500,
        "internal_error",
        "The request failed on our side and was logged under its request_id; try again later.",
    )


def unavailable_response(request: HttpRequest) -> HttpResponse:
    """Return the 503 of a database that is away or gave up on the transaction."""
    return problem_response(
        request,
        503,
        "unavailable",
        "The database does not answer right now; nothing was changed, try again.",
        headers={"Retry-After": "1"},
    )


def method_not_allowed_response(request: HttpRequest, allow: str) -> HttpResponse:
    """Return the 405 with its Allow header."""
    return problem_response(
        request,
        405,
        "method_not_allowed",
        f"This address takes {allow}.",
        headers={"Allow": allow},
    )
