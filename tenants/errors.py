"""What goes wrong around firms and their schemas: mistakes of programs first, refusals after."""

from common.errors import Refused


class TenantNotBound(RuntimeError):
    """A business query ran without a tenant, or with one outside a transaction."""


class OtherTenantBound(RuntimeError):
    """Code bound to one tenant asked for another."""


class UnknownTenant(LookupError):
    """There is no such schema."""


class TemplateDiffers(RuntimeError):
    """A schema made from the template is not what Django's migrations make."""


class DatabaseNotOfThisCode(Refused):
    """The database has not the migrations of the running code, or more than these."""

    code = "database_not_of_this_code"
    http_status = 503
    title = "The database is of another version"


class InvalidSlug(Refused):
    """A name no tenant can have."""

    code = "invalid_slug"
    title = "This slug cannot be used"


class SlugTaken(Refused):
    """Another tenant has the name."""

    code = "slug_taken"
    http_status = 409
    title = "This slug is in use"
