"""Which headers pass the front, and what it adds."""

from collections.abc import Iterable

from multidict import CIMultiDict, CIMultiDictProxy

HOP_BY_HOP = frozenset(
    {
        "connection",
        "expect",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers that speak of one connection, not of the message (RFC 9110, 7.6.1)."""


def towards_upstream(
    headers: CIMultiDictProxy[str], *, client: str, scheme: str
) -> CIMultiDict[str]:
    """Return the request headers for the process behind; repeated headers stay repeated.

    The front is the first hop, so what a client claims about hops before it is not believed. A
    name with an underscore is dropped: WSGI could not tell ``X_Forwarded_For`` from the real one.
    """
    dropped = HOP_BY_HOP | _named_by_connection(headers)
    passed: CIMultiDict[str] = CIMultiDict()
    for name, value in headers.items():
        lower = name.lower()
        forged = lower.startswith("x-forwarded-") or lower in {"forwarded", "x-real-ip"}
        if lower not in dropped and not forged and "_" not in name:
            passed.add(name, value)
    passed["X-Forwarded-For"] = client
    passed["X-Forwarded-Proto"] = scheme
    passed["X-Forwarded-Host"] = headers.get("Host", "")
    return passed


def towards_client(headers: CIMultiDictProxy[str]) -> CIMultiDict[str]:
    """Return the answer's headers for the client."""
    dropped = HOP_BY_HOP | _named_by_connection(headers) | {"server"}
    passed: CIMultiDict[str] = CIMultiDict()
    for name, value in headers.items():
        if name.lower() not in dropped:
            passed.add(name, value)
    passed["Server"] = "blotter"
    return passed


def _named_by_connection(headers: CIMultiDictProxy[str]) -> set[str]:
    values: Iterable[str] = headers.getall("Connection", [])
    return {name.strip().lower() for value in values for name in value.split(",")}
