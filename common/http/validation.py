"""pydantic's findings in our codes and words: what was wrong, and what is allowed."""

from collections.abc import Mapping, Sequence
from typing import Any

from common.errors import FieldError

# pydantic error type -> our code
_CODES = {
    "missing": "required",
    "extra_forbidden": "unknown_field",
    "enum": "invalid_choice",
    "literal_error": "invalid_choice",
    "union_tag_invalid": "invalid_choice",
    "string_too_short": "too_short",
    "string_too_long": "too_long",
    "too_short": "too_few",
    "too_long": "too_many",
    "string_pattern_mismatch": "invalid_format",
    "int_parsing": "invalid_number",
    "int_parsing_size": "out_of_range",
    "int_from_float": "invalid_number",
    "greater_than": "out_of_range",
    "greater_than_equal": "out_of_range",
    "less_than": "out_of_range",
    "less_than_equal": "out_of_range",
    "string_unicode": "invalid_encoding",
    "value_error": "invalid_value",
    "assertion_error": "invalid_value",
}


def field_errors(findings: Sequence[Mapping[str, Any]]) -> list[FieldError]:
    """Return ``errors[]`` for the findings of one request, in order and without doubles.

    Codes of our own types (``common.http.types``) arrive as pydantic custom errors whose type is
    the code already.
    """
    rows: dict[tuple[str, str], FieldError] = {}
    for finding in findings:
        row = _field_error(finding)
        rows.setdefault((row.field, row.code), row)
    return list(rows.values())


def _field_error(finding: Mapping[str, Any]) -> FieldError:
    kind = str(finding["type"])
    context = finding.get("ctx") or {}
    field = _field_name(finding["loc"])
    if (kind.endswith("_type") and kind != "invalid_type") or kind in {
        "none_required",
        "dict_attributes_type",
    }:
        return FieldError(field, "invalid_type", _type_message(kind))
    if kind in {"too_short", "too_long"} and context.get("field_type") == "Value":
        kind = f"string_{kind}"
    if kind in _MESSAGES:
        return FieldError(field, _CODES[kind], _MESSAGES[kind].format(**context))
    code = _CODES.get(kind, kind)
    return FieldError(field, code, _message(kind, finding))


_MESSAGES = {
    "missing": "This field is required.",
    "extra_forbidden": "There is no such field; remove it.",
    "enum": "Not one of {expected}.",
    "literal_error": "Not one of {expected}.",
    "string_too_short": "Shorter than {min_length} characters.",
    "string_too_long": "Longer than {max_length} characters.",
    "too_short": "Fewer than {min_length} entries.",
    "too_long": "More than {max_length} entries.",
    "string_pattern_mismatch": "Not of the form {pattern}.",
    "int_parsing": "Not a whole number.",
    "int_parsing_size": "Too many digits.",
    "int_from_float": "Not a whole number.",
    "greater_than": "Must be greater than {gt}.",
    "greater_than_equal": "Must be at least {ge}.",
    "less_than": "Must be less than {lt}.",
    "less_than_equal": "Must be at most {le}.",
    "string_unicode": "Not valid Unicode text.",
}

_TYPE_NAMES = {
    "string_type": "a string",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "list_type": "an array",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "dict_attributes_type": "an object",
    "none_required": "null",
    "float_type": "a number",
}


def _type_message(kind: str) -> str:
    return f"Expected {_TYPE_NAMES.get(kind, 'another type')}."


def _message(kind: str, finding: Mapping[str, Any]) -> str:
    """A plain ValueError arrives with pydantic's prefix; the messages of our types are final."""
    if kind in {"value_error", "assertion_error"}:
        return str(finding["msg"]).partition(", ")[2] or "This value is not acceptable."
    return str(finding["msg"])


def _field_name(location: Sequence[Any]) -> str:
    """``("body", "order", "tags", "desk")`` -> ``tags.desk``: where it is in what was sent.

    The first part is the source, the second the view's own parameter name where the whole body
    or query is one schema.
    """
    parts = [str(part) for part in location]
    if parts and parts[0] in {"body", "query", "path", "header", "form", "cookie"}:
        source = parts.pop(0)
        if source in {"body", "query"} and len(parts) > 1:
            parts.pop(0)
        elif source == "body":
            parts = [""]
    text = ".".join(parts)
    return text[:64]
