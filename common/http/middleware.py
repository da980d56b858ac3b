"""The outermost middleware: a request has an id, and machine paths never answer HTML."""

import logging
import re
import secrets
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from common.http.problems import (
    CONTENT_TYPE,
    method_not_allowed_response,
    not_found_response,
    problem_response,
    unexpected_response,
)

_GIVEN_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}", re.ASCII)
_MACHINE_PREFIXES = ("/api/", "/stream/", "/health/", "/hooks/", "/metrics")

_log = logging.getLogger(__name__)


def for_machines(path: str) -> bool:
    """Whether programs, not people, read the answers of this path."""
    return path.startswith(_MACHINE_PREFIXES) or path in {"/api", "/stream", "/health", "/hooks"}


class RequestIdMiddleware:
    """Take or make X-Request-Id, and turn what Django itself answers into problems."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request under its id."""
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        request_id = given if _GIVEN_ID.fullmatch(given) else secrets.token_hex(16)
        request.request_id = request_id  # type: ignore[attr-defined]
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = self.get_response(request)
        if for_machines(request.path):
            response = _as_problem(request, response)
        response["X-Request-Id"] = request_id
        return response


def _as_problem(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Return the answer itself where it is one of ours, else a problem of the same status."""
    if response.status_code < 400 or response.get("Content-Type", "") == CONTENT_TYPE:
        return response
    if response.get("Content-Type", "").startswith(("application/json", "text/event-stream")):
        return response
    answer: HttpResponse
    if response.status_code == 404:
        answer = not_found_response(request)
    elif response.status_code == 405:
        allow = ", ".join(sorted(response.get("Allow", "").replace(",", " ").split()))
        answer = method_not_allowed_response(request, allow)
    elif response.status_code >= 500:
        answer = unexpected_response(request)
    else:
        answer = problem_response(
            request, response.status_code, "bad_request", "The request could not be understood."
        )
    for name, value in response.items():
        if name.lower() not in {"content-type", "content-length", "allow"}:
            answer[name] = value
    return answer
