"""Asks accounts who a stream's request comes from, by the functions the API's middleware uses.

Programs send the Authorization header. Browsers cannot with EventSource: the cookie of the portal's
login will be read in ``_credential_of``, beside the header.
"""

from datetime import UTC, datetime

from django.db import connection
from django.http import HttpRequest

from accounts.credentials import bearer_of
from accounts.hosts import tenant_of_host
from accounts.services import authenticate as authenticate_bearer
from common.actor import Actor
from common.errors import Unauthenticated
from common.http.routes import client_address
from config.stream.http import Request


def authenticate(request: Request) -> Actor:
    """Return who asks, at the host they ask. Runs in a thread; keeps no database connection.

    :raises Unauthenticated: if there is no credential, or it does not hold at this host.
    :raises Refused: for an unknown host, a malformed header, a suspended firm, a wrong address.
    :raises DatabaseError: if the database is away.
    """
    try:
        host_tenant = tenant_of_host(request.header("host") or "")
        return authenticate_bearer(
            _credential_of(request),
            host_tenant=host_tenant,
            remote_addr=_remote_address(request),
            now=datetime.now(UTC),
        )
    finally:
        connection.close()


def _credential_of(request: Request) -> str:
    """:raises Unauthenticated: if there is none."""
    bearer = bearer_of(request.joined("authorization"))
    if bearer is None:
        raise Unauthenticated("Send an access token or an API key as Authorization: Bearer.")
    return bearer


def _remote_address(request: Request) -> str:
    """Return the caller's address by the rule for proxies that the API has."""
    as_django = HttpRequest()
    as_django.META = {
        "REMOTE_ADDR": request.peer,
        "HTTP_X_FORWARDED_FOR": request.joined("x-forwarded-for") or "",
    }
    return client_address(as_django)
