"""What is looked at before any operation of the API runs."""

from collections.abc import Callable, Iterator
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from ninja import NinjaAPI

from common.errors import FieldError, Invalid, NotFound, Refused, Unauthenticated
from common.http.handlers import install
from common.http.json import (
    InvalidJson,
    LengthRequired,
    StrictParser,
    check_media,
    not_an_object,
    parse,
)
from common.http.problems import echo, refused_response

_WITH_BODY = frozenset({"POST", "PUT", "PATCH", "DELETE"})

Run = Callable[..., HttpResponseBase]


def authenticated(request: HttpRequest) -> Any:
    """Ninja's auth callback: the middleware has read the credential, here it is demanded.

    :raises Unauthenticated: if the request carries none.
    """
    actor = getattr(request, "actor", None)
    if actor is None:
        raise Unauthenticated("Send an access token or an API key as Authorization: Bearer.")
    return actor


def build(api: NinjaAPI) -> NinjaAPI:
    """Make ``api`` strict: its parser, its errors, and the checks of this module."""
    api.parser = StrictParser()
    install(api)
    api.add_decorator(strict, mode="view")
    return api


def strict(run: Run) -> Run:
    """Wrap an operation's run with the checks of path, query and body."""
    operation = run.__self__  # type: ignore[attr-defined]

    def checked(request: HttpRequest, **path: Any) -> HttpResponseBase:
        if operation.auth_callbacks and getattr(request, "actor", None) is None:
            return run(request, **path)  # it answers 401; nothing of the request is read before
        try:
            _check_path(path)
            _check_query(request, _names(operation, "query"))
            if request.method in _WITH_BODY:
                _check_body(request, operation)
        except Refused as refusal:
            return refused_response(request, refusal)
        return run(request, **path)

    # Ninja binds an operation anew for each mount; the innermost run stays reachable.
    checked.__self__ = operation  # type: ignore[attr-defined]
    return checked


def _names(operation: Any, source: str) -> frozenset[str]:
    return frozenset(
        name
        for model in operation.models
        if model.__ninja_param_source__ == source
        for name in model.__ninja_flatten_map__
    )


def _check_path(path: dict[str, Any]) -> None:
    """:raises NotFound: for characters that no id of ours has and no column takes."""
    for value in path.values():
        if isinstance(value, str) and any(not char.isprintable() for char in value):
            raise NotFound


def _check_query(request: HttpRequest, known: frozenset[str]) -> None:
    """:raises Invalid: unknown_parameter, duplicate_parameter, invalid_characters."""
    errors = list(_query_errors(request, known))
    if errors:
        raise Invalid("The query string is not acceptable.", errors=errors)


def _query_errors(request: HttpRequest, known: frozenset[str]) -> Iterator[FieldError]:
    for name, values in request.GET.lists():
        if name not in known:
            allowed = ", ".join(sorted(known)) or "none"
            yield FieldError(
                echo(name), "unknown_parameter", f"No such parameter; allowed: {allowed}."
            )
        elif len(values) > 1:
            yield FieldError(name, "duplicate_parameter", "Give this parameter once.")
        elif "\x00" in values[0] or "\N{REPLACEMENT CHARACTER}" in values[0]:
            yield FieldError(name, "invalid_characters", "Printable UTF-8 text only.")


def _check_body(request: HttpRequest, operation: Any) -> None:
    """Refuse a body of the wrong kind, a missing one where one is wanted, one nobody reads.

    :raises Refused: the codes of ``common.http.json``, ``unknown_field``.
    """
    body_model = next(
        (model for model in operation.models if model.__ninja_param_source__ == "body"), None
    )
    if request.META.get("HTTP_TRANSFER_ENCODING"):
        raise LengthRequired("Send the body with a Content-Length, not in chunks.")
    has_body = request.META.get("CONTENT_LENGTH") not in {None, "", "0", 0}
    if body_model is None:
        if has_body:
            check_media(request)
            _check_empty_object(parse(request.body))
        return
    wanted = any(field.is_required() for field in body_model.model_fields.values())
    if has_body:
        check_media(request)
    elif wanted:
        raise InvalidJson("The body is empty; send a JSON object. Offset 0.", extra={"offset": 0})


def _check_empty_object(value: Any) -> None:
    if not isinstance(value, dict):
        raise not_an_object()
    if value:
        rows = [
            FieldError(echo(name), "unknown_field", "There is no such field; remove it.")
            for name in value
        ]
        raise Invalid("This call takes no fields.", errors=rows)
