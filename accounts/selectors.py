"""Reads of people and keys."""

from django.db.models import QuerySet

from accounts.models import ApiKey, Membership
from common.errors import NotFound
from tenants.models import Tenant


def keys_of(tenant: Tenant) -> QuerySet[ApiKey]:
    """Return the firm's keys that are not revoked."""
    return ApiKey.objects.select_related("membership__user", "membership__tenant").filter(
        membership__tenant=tenant, revoked_at=None
    )


def key_of(tenant: Tenant, key_id: str) -> ApiKey:
    """:raises NotFound: if the firm has no such key."""
    key = keys_of(tenant).filter(pk=key_id).first()
    if key is None:
        raise NotFound
    return key


def membership(tenant: Tenant, email: str) -> Membership | None:
    """Return a person's place in a firm."""
    return (
        Membership.objects.select_related("user", "tenant")
        .filter(tenant=tenant, user__email=email.lower())
        .first()
    )
