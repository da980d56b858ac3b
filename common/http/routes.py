"""What a view is given, and how it learns who asks."""

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest

from common.actor import Actor

if TYPE_CHECKING:

    class ApiRequest(HttpRequest):
        """A request as the middlewares hand it to a view that needs credentials.

        ``tenant`` is the firm of the host or of the credential (None on the platform's own
        pages), ``actor`` who asks, ``request_id`` the id that goes out as X-Request-Id.
        """

        actor: Actor
        tenant: Any
        request_id: str

else:
    ApiRequest = HttpRequest


def client_address(request: HttpRequest) -> str:
    """Return the address of the caller.

    Our own front and a proxy on the same machine (a unix socket or loopback) are believed when
    they say whom they speak for; the last entry is the one they wrote themselves.
    """
    peer = str(request.META.get("REMOTE_ADDR") or "")
    if peer in {"", "127.0.0.1", "::1", "localhost"} or peer.startswith("unix:"):
        forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "")
        named = forwarded.rpartition(",")[2].strip()
        return named or "127.0.0.1"
    return peer
