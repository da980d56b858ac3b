"""Reading ASGI requests and writing problem answers: the little HTTP the stream process needs."""

import json
import re
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from common.errors import FieldError, Invalid, Refused
from common.http.problems import CONTENT_TYPE, refused_object

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

# The paths a browser opens with the login of its pages; every other takes a bearer credential.
PORTAL = "/stream/portal"
TOPICS = "/stream/topics"
SESSION_PATHS = frozenset({PORTAL, TOPICS})

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_POSITION = re.compile(r"[0-9]{1,18}")


class MethodNotAllowed(Refused):
    """Streams are read with GET and nothing else."""

    code = "method_not_allowed"
    http_status = 405
    title = "This method is not allowed here"


class BadRequest(Refused):
    """The request itself is malformed."""

    code = "invalid_request"
    http_status = 400
    title = "The request is malformed"


class Unavailable(Refused):
    """We cannot answer for it now; trying again is right."""

    code = "unavailable"
    http_status = 503
    title = "Not available at the moment"


class Broken(Refused):
    """A fault of ours; the log has it under the request's id."""

    code = "internal_error"
    http_status = 500
    title = "Something failed on our side"


class ForeignOrigin(Refused):
    """A page of another origin asks with the cookie of this one."""

    code = "foreign_origin"
    http_status = 403
    title = "Another origin asks"


class TooManyStreams(Refused):
    """The credential holds as many streams as it may."""

    code = "too_many_streams"
    http_status = 429
    title = "Too many streams are open"


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; header names are lower case, values keep their order of arrival."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: tuple[tuple[str, str], ...]
    peer: str
    request_id: str

    def header(self, name: str) -> str | None:
        """Return the header's value, None if absent.

        :raises BadRequest: if it came more than once.
        """
        values = [value for key, value in self.headers if key == name]
        if len(values) > 1:
            raise BadRequest(f"The header {name} came {len(values)} times; send it once.")
        return values[0] if values else None

    def joined(self, name: str) -> str | None:
        """Return the header with its repetitions joined by commas, as WSGI servers do."""
        values = [value for key, value in self.headers if key == name]
        return ",".join(values) if values else None

    def parameters(self, allowed: tuple[str, ...]) -> dict[str, str]:
        """Return the query's parameters.

        :raises Invalid: for a parameter that is unknown or came twice.
        """
        found: dict[str, str] = {}
        errors = []
        for name, value in self.query:
            if name not in allowed:
                text = f"There is no parameter {name[:64]!r}; known: {', '.join(allowed)}."
                errors.append(FieldError(name[:64], "unknown_parameter", text))
            elif name in found:
                errors.append(FieldError(name, "duplicate_parameter", "Send this parameter once."))
            found[name] = value
        if errors:
            raise Invalid("The query holds parameters that are not acceptable.", errors=errors)
        return found


def read_request(scope: Message) -> Request:
    """Return the request of an ASGI http scope."""
    headers = tuple(
        (name.decode("latin-1").lower(), value.decode("latin-1"))
        for name, value in scope["headers"]
    )
    given = next((value for name, value in headers if name == "x-request-id"), "")
    client = scope.get("client") or ("", 0)
    return Request(
        method=scope["method"],
        path=scope["path"],
        query=tuple(
            parse_qsl(
                scope.get("query_string", b"").decode("latin-1"),
                keep_blank_values=True,
                errors="replace",
            )
        ),
        headers=headers,
        peer=str(client[0] or ""),
        request_id=given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(16),
    )


def position_from(request: Request, parameters: dict[str, str]) -> int | None:
    """Return where the reader wants to go on: Last-Event-ID, else ``after``, else None.

    A browser that reconnects sends the header and the old URL, so the header wins.

    :raises Invalid: if the value is not a position.
    """
    field, value = "Last-Event-ID", request.header("last-event-id")
    if not value:
        field, value = "after", parameters.get("after")
    if value is None:
        return None
    if not _POSITION.fullmatch(value):
        message = f"{value[:64]!r} is not a position: a whole number from 0 is expected."
        raise Invalid(
            "The stream cannot go on from there.",
            errors=[FieldError(field, "invalid_position", message)],
        )
    return int(value)


def check_same_origin(request: Request, *, strictly: bool = False) -> None:
    """Refuse what a page of another origin asks with this browser's cookie.

    ``strictly``: the browser must say where it comes from, as it does for every POST.

    :raises ForeignOrigin: if it comes from elsewhere.
    """
    site, origin = request.header("sec-fetch-site"), request.header("origin")
    host = (request.header("host") or "").lower()
    is_foreign = site not in {None, "same-origin"} or (
        origin is not None and urlsplit(origin).netloc.lower() != host
    )
    if is_foreign or (strictly and origin is None and site is None):
        raise ForeignOrigin("This is answered to pages of this host only.")


async def read_body(receive: Receive, *, largest: int) -> bytes:
    """Return the request's body, which is read whole before anything is answered.

    :raises BadRequest: if it is larger than allowed or broken off.
    """
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise BadRequest("The request ended early.")
        body += message.get("body", b"")
        if len(body) > largest:
            raise BadRequest(f"The body is larger than {largest} bytes.")
        if not message.get("more_body"):
            return bytes(body)


def json_of(request: Request, body: bytes) -> Any:
    """Return what a body says.

    :raises BadRequest: if it is not JSON, by its type or by its text.
    """
    kind = (request.header("content-type") or "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise BadRequest("Send application/json.")
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadRequest("The body is not JSON.") from error


async def send_json(send: Send, request: Request, body: Any) -> None:
    """Answer with JSON."""
    content = json.dumps(body, ensure_ascii=False).encode()
    headers = {
        "content-type": "application/json",
        "content-length": str(len(content)),
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "x-request-id": request.request_id,
    }
    await send(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }
    )
    await send({"type": "http.response.body", "body": content})


async def send_problem(send: Send, request: Request, refused: Refused) -> None:
    """Answer with application/problem+json."""
    body = refused_object(refused, request.request_id)
    headers = {
        "content-type": CONTENT_TYPE,
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "x-request-id": request.request_id,
        **{name.lower(): value for name, value in refused.headers.items()},
    }
    if refused.http_status == 401:
        headers.setdefault("www-authenticate", 'Bearer realm="blotter"')
    content = json.dumps(body, ensure_ascii=False).encode()
    headers["content-length"] = str(len(content))
    await send(
        {
            "type": "http.response.start",
            "status": refused.http_status,
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }
    )
    await send({"type": "http.response.body", "body": content})
