"""Asks accounts who a stream's request comes from, by the functions the API's middleware uses.

Programs send the Authorization header. The portal's pages come with the cookie of their login,
which counts on the two paths made for them and nowhere else.
"""

from datetime import UTC, datetime
from http.cookies import CookieError, SimpleCookie

from django.conf import settings
from django.db import connection
from django.http import HttpRequest

from accounts.credentials import bearer_of
from accounts.hosts import tenant_of_host
from accounts.services import authenticate as authenticate_bearer
from accounts.sessions import actor_of_session
from common.actor import Actor
from common.errors import Unauthenticated
from common.http.routes import client_address
from config.stream.http import SESSION_PATHS, Request
from tenants.models import Tenant


def authenticate(request: Request) -> Actor:
    """Return who asks, at the host they ask. Runs in a thread; keeps no database connection.

    :raises Unauthenticated: if there is no credential, or it does not hold at this host.
    :raises Refused: for an unknown host, a malformed header, a suspended firm, a wrong address.
    :raises DatabaseError: if the database is away.
    """
    try:
        host_tenant = tenant_of_host(request.header("host") or "")
        if request.path in SESSION_PATHS:
            return _logged_in(request, host_tenant)
        return authenticate_bearer(
            _credential_of(request),
            host_tenant=host_tenant,
            remote_addr=_remote_address(request),
            now=datetime.now(UTC),
        )
    finally:
        connection.close()


def _logged_in(request: Request, tenant: Tenant | None) -> Actor:
    """Return who is logged in at the host of ``tenant`` by Django's session.

    :raises Unauthenticated: if nobody is, or the login was made at another host.
    """
    nobody = Unauthenticated("You are not logged in here; log in again.")
    if tenant is None:
        raise nobody
    session_key = _session_key(request)
    if session_key is None:
        raise nobody
    return actor_of_session(session_key, tenant=tenant)


def _session_key(request: Request) -> str | None:
    cookies: SimpleCookie = SimpleCookie()
    try:
        # Several Cookie headers are one list: HTTP/2 lets a browser split it.
        cookies.load("; ".join(value for name, value in request.headers if name == "cookie"))
    except CookieError:
        return None
    morsel = cookies.get(settings.SESSION_COOKIE_NAME)
    return morsel.value if morsel is not None else None


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
