"""A JSON reader that refuses what JSON libraries let pass.

Refused as not well-formed: a key twice, bare NaN and Infinity, a byte order mark, numbers of
hundreds of digits, nesting beyond 32, more than 10,000 arrays and objects, text that is no Unicode.
The size, the media type and the content encoding are looked at before a byte is parsed.
"""

import json
import re
from typing import Any, NoReturn

from django.http import HttpRequest
from ninja.parser import Parser

from common.errors import FieldError, Invalid, Refused

MAX_BODY_BYTES = 1024 * 1024
MAX_DEPTH = 32
MAX_CONTAINERS = 10_000
MAX_NUMBER_CHARACTERS = 400

# The string part is possessive and takes an unclosed string whole: no second try, no slow input.
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[\]{}]|NaN|-?Infinity|-?[0-9][0-9.eE+-]*', re.DOTALL)
_COLON = re.compile(r"\s*:")
_SURROGATE = re.compile("[\ud800-\udfff]")


class InvalidJson(Refused):
    """The body is not one well-formed JSON document."""

    code = "invalid_json"
    http_status = 400
    title = "The body is not valid JSON"


class InvalidEncoding(Refused):
    """The body is not UTF-8."""

    code = "invalid_encoding"
    http_status = 400
    title = "The body is not UTF-8"


class TooLarge(Refused):
    """The body is over the limit."""

    code = "too_large"
    http_status = 413
    title = "The body is too large"


class UnsupportedMediaType(Refused):
    """The body is not declared as plain JSON."""

    code = "unsupported_media_type"
    http_status = 415
    title = "The media type is not supported"


class LengthRequired(Refused):
    """The body comes in chunks of unknown number."""

    code = "length_required"
    http_status = 411
    title = "The length of the body is required"


def check_media(request: HttpRequest) -> None:
    """Look at the headers of a body.

    :raises TooLarge: over 1 MiB. :raises UnsupportedMediaType: not ``application/json`` in UTF-8,
        or compressed.
    """
    if _content_length(request) > MAX_BODY_BYTES:
        raise TooLarge("The body is larger than 1 MiB.", extra={"limit_bytes": MAX_BODY_BYTES})
    kind, _, parameters = request.META.get("CONTENT_TYPE", "").partition(";")
    charset = parameters.partition("charset=")[2].strip(' "').lower()
    if kind.strip().lower() != "application/json" or charset not in {"", "utf-8", "utf8"}:
        raise UnsupportedMediaType("Send the body as application/json in UTF-8.")
    if request.META.get("HTTP_CONTENT_ENCODING", "identity").strip().lower() != "identity":
        raise UnsupportedMediaType("Send the body without a Content-Encoding.")


def _content_length(request: HttpRequest) -> int:
    text = str(request.META.get("CONTENT_LENGTH") or "0")
    return int(text) if text.isascii() and text.isdigit() else 0


def parse(body: bytes) -> Any:
    """Return the value of a body.

    :raises InvalidJson: with the character offset. :raises InvalidEncoding: with the byte offset.
    :raises Invalid: where a string holds a NUL character, which no column takes.
    """
    if len(body) > MAX_BODY_BYTES:
        raise TooLarge("The body is larger than 1 MiB.", extra={"limit_bytes": MAX_BODY_BYTES})
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as failure:
        raise InvalidEncoding(
            f"The body is not UTF-8 at byte {failure.start}.", extra={"offset": failure.start}
        ) from None
    if text.count("[") + text.count("{") > MAX_DEPTH:
        _check_structure(text)
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_refuse,
            parse_int=_integer,
            parse_float=_fraction,
        )
    except json.JSONDecodeError as failure:
        raise _not_json(failure.msg, failure.pos) from None
    except _SuspiciousError:
        _check_structure(text)
        raise _not_json("A number is too long", 0) from None
    if "\\u" in text:
        _check_strings(value, "")
    return value


class _SuspiciousError(ValueError):
    """Something the full scan can name and place."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _SuspiciousError
    return found


def _refuse(_: str) -> NoReturn:
    raise _SuspiciousError


def _integer(text: str) -> int:
    if len(text) > MAX_NUMBER_CHARACTERS:
        raise _SuspiciousError
    return int(text)


def _fraction(text: str) -> float:
    if len(text) > MAX_NUMBER_CHARACTERS:
        raise _SuspiciousError
    return float(text)


def _not_json(reason: str, offset: int) -> InvalidJson:
    return InvalidJson(
        f"The body is not valid JSON: {reason} at offset {offset}.", extra={"offset": offset}
    )


def _check_structure(text: str) -> None:
    """Find what the quick parser cannot place: depth, double keys, bare NaN, long numbers.

    :raises InvalidJson: for the first of them.
    """
    open_objects: list[set[str] | None] = []
    containers = 0
    for match in _TOKEN.finditer(text):
        part, offset = match.group(), match.start()
        if part in "[{":
            open_objects.append(set() if part == "{" else None)
            containers += 1
            if containers > MAX_CONTAINERS:
                raise _not_json(f"More than {MAX_CONTAINERS} arrays and objects", offset)
            if len(open_objects) > MAX_DEPTH:
                raise _not_json(f"More than {MAX_DEPTH} levels of nesting", offset)
        elif part in "]}":
            if open_objects:
                open_objects.pop()
        elif part[0] == '"':
            keys = open_objects[-1] if open_objects else None
            if keys is not None and _COLON.match(text, match.end()):
                _check_key(part, offset, keys)
        elif part[-1] in "Ny":
            raise _not_json("NaN and Infinity are no JSON", offset)
        elif len(part) > MAX_NUMBER_CHARACTERS:
            raise _not_json(f"A number of more than {MAX_NUMBER_CHARACTERS} characters", offset)


def _check_key(part: str, offset: int, keys: set[str]) -> None:
    try:
        key = str(json.loads(part))
    except json.JSONDecodeError as failure:
        raise _not_json(failure.msg, offset + failure.pos) from None
    if key in keys:
        raise _not_json("A key stands twice in one object", offset)
    keys.add(key)


def _check_strings(value: Any, field: str) -> None:
    """Refuse what only an escape can smuggle in: lone surrogates and NUL."""
    if isinstance(value, str):
        if _SURROGATE.search(value):
            raise InvalidEncoding("A string holds half of a surrogate pair.")
        if "\x00" in value:
            message = "Must not hold a NUL character."
            raise Invalid(
                "A string holds a NUL character.",
                errors=[FieldError(field[:64], "invalid_characters", message)],
            )
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_strings(key, field)
            _check_strings(item, f"{field}.{key}" if field else key)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _check_strings(item, f"{field}.{index}" if field else str(index))


class StrictParser(Parser):
    """Ninja's parser, strict. A body is parsed once per request and kept for idempotency keys."""

    def parse_body(self, request: HttpRequest) -> Any:
        """:raises Refused: see ``parse``, and ``invalid_type`` where it is no object."""
        value = parse(request.body)
        if not isinstance(value, dict):
            raise not_an_object()
        return value


def not_an_object() -> Invalid:
    """Return the refusal of a body that is an array, a string, a number or null."""
    return Invalid(
        "The body must be a JSON object.",
        errors=[FieldError("", "invalid_type", "Expected an object.")],
    )
