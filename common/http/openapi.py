"""What Ninja's OpenAPI document lacks: how to authenticate, and what errors look like."""

from typing import Any

_ERRORS = {
    "400": "Not well-formed.",
    "401": "No credential, or none that holds.",
    "403": "The role or the key's scope does not reach this far.",
    "404": "Absent, or another firm's.",
    "405": "Another method; see Allow.",
    "409": "The object's state does not allow this.",
    "412": "The object has changed; read it again.",
    "413": "The body is over 1 MiB.",
    "415": "Not application/json in UTF-8.",
    "422": "A value is not acceptable; `errors` names the fields.",
    "429": "Too many requests; see Retry-After.",
}
_WITH_BODY = {"400", "413", "415", "409", "412"}

_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "code", "detail", "errors", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "code", "message"],
                "properties": {
                    "field": {"type": "string"},
                    "code": {"type": "string"},
                    "message": {"type": "string"},
                },
            },
        },
        "request_id": {"type": "string"},
    },
    "example": {
        "type": "urn:blotter:problem:not_positive",
        "title": "A value is not acceptable",
        "status": 422,
        "code": "not_positive",
        "detail": "One or more values are not acceptable.",
        "errors": [
            {"field": "order_qty", "code": "not_positive", "message": "Must be greater than zero."}
        ],
        "request_id": "6f1c0c2a9b7e4d0f8a55d1e0c3b2a190",
    },
}


def described(document: dict[str, Any]) -> None:
    """Give ``document`` bearer security and a problem answer for every error status."""
    components = document.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = _PROBLEM
    components["securitySchemes"] = {
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "description": "An access token, or an API key `bk_<tenant>_<id>_<secret>`.",
        }
    }
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            is_open = path.endswith(("/auth/token", "/auth/refresh"))
            operation["security"] = [] if is_open else [{"bearer": []}]
            _add_errors(method, operation)


def _add_errors(method: str, operation: dict[str, Any]) -> None:
    answers = operation.setdefault("responses", {})
    # Ninja writes status codes as integers; in JSON they are strings.
    operation["responses"] = answers = {str(status): row for status, row in answers.items()}
    for status, text in _ERRORS.items():
        if method == "get" and status in _WITH_BODY:
            continue
        answers.setdefault(
            status,
            {
                "description": text,
                "content": {
                    "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
                },
            },
        )
