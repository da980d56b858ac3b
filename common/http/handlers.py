"""Gives every operation of an API the one shape of errors.

Apart from ``problems`` so that a process which serves no API need not load its framework.
"""

import logging
from http import HTTPStatus
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import HttpError
from ninja.errors import ValidationError as NinjaValidationError

from common.errors import Refused
from common.http.problems import (
    TITLES,
    not_found_response,
    problem_response,
    refused_response,
    unavailable_response,
    unexpected_response,
)
from common.http.validation import field_errors

_log = logging.getLogger(__name__)


def install(api: NinjaAPI) -> None:
    """Register the handlers, so that no operation of ``api`` answers in another shape."""

    def on_refused(request: HttpRequest, refusal: Refused) -> HttpResponse:
        return refused_response(request, refusal)

    def on_invalid(request: HttpRequest, failure: NinjaValidationError) -> HttpResponse:
        rows = field_errors(failure.errors)
        return problem_response(
            request, 422, "invalid", "One or more values are not acceptable.", errors=rows
        )

    def on_http_error(request: HttpRequest, failure: HttpError) -> HttpResponse:
        if isinstance(failure.__cause__, Refused):
            return refused_response(request, failure.__cause__)
        status = HTTPStatus(failure.status_code)
        return problem_response(
            request, status, status.name.lower(), TITLES.get(status, status.phrase)
        )

    def on_not_found(request: HttpRequest, _: Http404) -> HttpResponse:
        return not_found_response(request)

    def on_too_big(request: HttpRequest, _: RequestDataTooBig) -> HttpResponse:
        return problem_response(request, 413, "too_large", "The body is larger than 1 MiB.")

    def on_no_database(request: HttpRequest, failure: Exception) -> HttpResponse:
        _log.warning("%s %s: the database gave up", request.method, request.path, exc_info=failure)
        return unavailable_response(request)

    def on_anything(request: HttpRequest, failure: Exception) -> HttpResponse:
        _log.error(
            "%s %s failed",
            request.method,
            request.path,
            exc_info=failure,
            extra={"request_id": getattr(request, "request_id", "")},
        )
        return unexpected_response(request)

    handlers: list[tuple[type[Exception], Any]] = [
        (Refused, on_refused),
        (NinjaValidationError, on_invalid),
        (HttpError, on_http_error),
        (Http404, on_not_found),
        (RequestDataTooBig, on_too_big),
        (OperationalError, on_no_database),
        (InterfaceError, on_no_database),
        (Exception, on_anything),
    ]
    for kind, handler in handlers:
        api.add_exception_handler(kind, handler)
