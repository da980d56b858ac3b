"""What leaves for the error tracker: never an order, never a credential, never a refusal."""

from typing import Any

from common.errors import Refused


def without_business_data(event: Any, hint: dict[str, Any]) -> Any:
    """Drop refusals (they are answers) and strip request bodies, headers and local variables."""
    failure = hint.get("exc_info")
    if failure and isinstance(failure[1], Refused):
        return None
    request = event.get("request")
    if request:
        for member in ("data", "headers", "cookies", "query_string"):
            request.pop(member, None)
    for exception in event.get("exception", {}).get("values", []):
        for frame in exception.get("stacktrace", {}).get("frames", []):
            frame.pop("vars", None)
    return event
