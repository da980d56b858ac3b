"""Reads of people and keys."""

from django.db.models import QuerySet

from accounts.models import ApiKey, Membership
from accounts.roles import SCOPES_OF_ROLE
from common.actor import Actor, ActorKind
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


def person_behind(actor: Actor) -> int | None:
    """Return the id of the person who acts, for a key of whoever it was made for; None: a loop."""
    if actor.kind is ActorKind.USER:
        return int(actor.id)
    if actor.kind is ActorKind.API_KEY:
        return (
            ApiKey.objects.filter(pk=actor.id).values_list("membership__user_id", flat=True).first()
        )
    return None


def somebody_else_may(schema: str, scope: str, *, than: int) -> bool:
    """Whether another active person of the firm holds ``scope`` by their role."""
    roles = [role.value for role, scopes in SCOPES_OF_ROLE.items() if scope in scopes]
    rows = Membership.objects.filter(
        tenant__schema_name=schema, role__in=roles, is_active=True, user__is_active=True
    )
    return rows.exclude(user_id=than).exists()


def people_with(scope: str, *, schema: str) -> list[Membership]:
    """Return the active places in a firm whose roles carry the scope, by address."""
    roles = [role.value for role, scopes in SCOPES_OF_ROLE.items() if scope in scopes]
    return list(
        Membership.objects.select_related("user", "tenant")
        .filter(tenant__schema_name=schema, is_active=True, user__is_active=True, role__in=roles)
        .order_by("user__email")
    )
