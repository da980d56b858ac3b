"""Reads of tenants; they work unbound, because tenants lie in ``public``."""

from tenants.models import Domain, Tenant


def active_schemas() -> list[str]:
    """Return the schemas of all tenants that are not suspended, in order of their slug."""
    rows = Tenant.objects.filter(is_active=True).order_by("slug")
    return list(rows.values_list("schema_name", flat=True))


def all_schemas() -> list[str]:
    """Return the schemas of all tenants, suspended ones too, in order of their slug."""
    return list(Tenant.objects.order_by("slug").values_list("schema_name", flat=True))


def tenant_by_slug(slug: str) -> Tenant | None:
    """Return the tenant of a slug, active or not."""
    found: Tenant | None = Tenant.objects.filter(slug=slug).first()
    return found


def tenant_by_schema(schema: str) -> Tenant | None:
    """Return the tenant of a schema, active or not."""
    found: Tenant | None = Tenant.objects.filter(schema_name=schema).first()
    return found


def tenant_by_host(host: str) -> Tenant | None:
    """Return the tenant that claims ``host`` (normalised) as a domain of its own."""
    domain = Domain.objects.select_related("tenant").filter(domain=host).first()
    return None if domain is None else domain.tenant
