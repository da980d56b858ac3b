"""From a request to a firm and an actor, before anything else of Django looks at the request."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from accounts import credentials
from accounts.hosts import tenant_of_host
from accounts.services import identify
from common.errors import Refused
from common.http.problems import refused_response, unavailable_response
from common.http.routes import client_address
from tenants.binding import tenant_bound

# Probes and scrapers call by address, and learn nothing of any firm.
_HOSTLESS = ("/health/", "/metrics")
# Their credential is in the body: a stale header of the same client must not stand in the way.
_BODY_CREDENTIAL = ("/auth/token", "/auth/refresh")
_CONSOLE = "/admin/"
_SAFE = frozenset({"GET", "HEAD"})


class TenantRequestMiddleware:
    """Set ``request.tenant``, ``request.actor`` and ``request.identity``; bind what only reads.

    Reads (and the admin) run in one transaction with the tenant bound, rendering included. Writes
    of the API are not wrapped: their services own the transaction, so that a refused order commits
    and an answer follows the commit.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request with its firm known, and bound where it only reads."""
        request.tenant = request.actor = request.identity = None  # type: ignore[attr-defined]
        if request.path.startswith(_HOSTLESS):
            return self.get_response(request)
        try:
            tenant = _resolve(request)
        except Refused as refusal:
            return refused_response(request, refusal)
        except (OperationalError, InterfaceError):
            return unavailable_response(request)
        if tenant is None:
            return self.get_response(request)
        with structlog.contextvars.bound_contextvars(tenant=tenant.schema_name):
            if request.method not in _SAFE and not request.path.startswith(_CONSOLE):
                return self.get_response(request)
            return self._bound(request, tenant.schema_name)

    def _bound(self, request: HttpRequest, schema: str) -> HttpResponseBase:
        with tenant_bound(schema):
            response = self.get_response(request)
            # Exceptions arrive here as answers; what a failed request wrote must not stay.
            if response.status_code >= 500 and not connection.needs_rollback:
                transaction.set_rollback(True)
            return response


def _resolve(request: Any) -> Any:
    """Fill in the request's firm and actor; return the firm.

    :raises Refused: if host or credential do not hold.
    """
    host_tenant = tenant_of_host(request.META.get("HTTP_HOST") or request.META["SERVER_NAME"])
    request.tenant = host_tenant
    if host_tenant is not None and request.path.startswith(_CONSOLE):
        request.urlconf = settings.OMS_FIRM_URLCONF  # the firm's console, not the platform's
    if request.path.startswith("/api/") and not request.path.endswith(_BODY_CREDENTIAL):
        bearer = credentials.bearer_of(request.META.get("HTTP_AUTHORIZATION"))
        if bearer is not None:
            identity = identify(
                bearer,
                host_tenant=host_tenant,
                remote_addr=client_address(request),
                now=datetime.now(UTC),
            )
            request.identity = identity
            request.actor = identity.actor
            request.tenant = identity.tenant
    return request.tenant
