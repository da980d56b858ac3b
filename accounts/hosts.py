"""Which firm a host name stands for."""

from django.conf import settings

from accounts.errors import TenantSuspended
from common.errors import NotFound
from tenants.models import SLUG, Tenant
from tenants.selectors import tenant_by_host, tenant_by_slug

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
MAX_HOST = 253


def normal_host(raw: str) -> str:
    """Return a Host header in lower case, without port and trailing dot.

    >>> normal_host("ACME.localhost.:8000")
    'acme.localhost'
    >>> normal_host("[::1]:8000")
    '::1'
    """
    text = raw.strip().lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    name, _, port = text.partition(":")
    if port and not (port.isascii() and port.isdigit()):
        return ""
    return name.removesuffix(".")


def tenant_of_host(raw: str) -> Tenant | None:
    """Return the tenant a Host header names, None for the platform's own host.

    :raises NotFound: if the host is nobody's. :raises TenantSuspended: if the firm is suspended.
    """
    host = normal_host(raw)
    domain = settings.OMS_DOMAIN.lower()
    if host == domain or host in _LOOPBACK:
        return None
    tenant = _tenant_named(host, domain)
    if tenant is None:
        raise NotFound("Nothing answers at this host.")
    check_active(tenant)
    return tenant


def _tenant_named(host: str, domain: str) -> Tenant | None:
    if not host or len(host) > MAX_HOST or not host.isascii() or "\x00" in host:
        return None
    slug, dot, rest = host.partition(".")
    if dot and rest == domain:
        return tenant_by_slug(slug) if SLUG.fullmatch(slug) else None
    return tenant_by_host(host)


def check_active(tenant: Tenant) -> None:
    """:raises TenantSuspended: see there."""
    if not tenant.is_active:
        raise TenantSuspended("This firm is suspended; ask the operator of the platform.")
