"""What goes wrong around the binding of tenants. Programming errors, but for the last two."""

from common.errors import Refused


class TenantNotBound(RuntimeError):
    """A business query ran without a tenant, or with one outside a transaction."""


class OtherTenantBound(RuntimeError):
    """Code bound to one tenant asked for another."""


class UnknownTenant(LookupError):
    """There is no such schema."""


class InvalidSlug(Refused):
    """A name no tenant can have."""

    code = "invalid_slug"
    title = "This slug cannot be used"


class SlugTaken(Refused):
    """Another tenant has the name."""

    code = "slug_taken"
    http_status = 409
    title = "This slug is in use"
