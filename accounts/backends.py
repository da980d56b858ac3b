"""Django's view of who may do what: by staff flag on the platform, by membership in a firm.

Groups and permissions of Django are global, so a person in two firms would hold the union of both
roles in each; here nothing is looked up but the membership in the tenant bound right now.
"""

from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest

from accounts.models import Membership, User, normal_email
from accounts.roles import Role
from tenants.binding import bound_schema

# What the platform's staff may open at the bare host. Business data is not among it.
_PLATFORM_APPS = frozenset({"tenants", "accounts", "marketdata", "django_celery_beat"})
_PLATFORM_VIEWS = ("django_celery_beat.view_", "marketdata.view_")
_PLATFORM_PERMISSIONS = frozenset(
    {
        "tenants.view_tenant", "tenants.change_tenant", "tenants.view_domain",
        "tenants.view_firmstanding",
        "tenants.add_domain", "tenants.change_domain", "tenants.delete_domain",
        "accounts.view_user", "accounts.add_user", "accounts.change_user",
        "accounts.view_membership", "accounts.add_membership", "accounts.change_membership",
        "accounts.view_apikey", "accounts.view_loginsession", "accounts.view_loginfailures",
    }
)  # fmt: skip
_ADMIN_ROLES = frozenset({Role.OWNER, Role.ADMIN})


class MembershipBackend:
    """Logs in by e-mail; grants by the platform's staff flag (unbound) or by membership (bound)."""

    def authenticate(
        self,
        _request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **_: Any,
    ) -> User | None:
        """Return the active user of the address and password; unknown ones cost the same time."""
        if username is None or password is None:
            return None
        user = User.objects.filter(email=normal_email(username)).first()
        if user is None:
            make_password(password)
            return None
        return user if user.check_password(password) and user.is_active else None

    def get_user(self, user_id: Any) -> User | None:
        """Return the active user of a Django session."""
        return User.objects.filter(pk=user_id, is_active=True).first()

    def has_perm(self, user: Any, perm: str, _obj: Any = None) -> bool:
        """Whether the person may, here and now.

        In a firm its owner and admins may look at its tables; nobody edits them in an admin,
        because business rows change through services alone.
        """
        if not self.opens_admin(user):
            return False
        app_label, _, action = perm.partition(".")
        if bound_schema() is not None:
            return app_label in _tenant_labels() and action.startswith("view_")
        return perm in _PLATFORM_PERMISSIONS or perm.startswith(_PLATFORM_VIEWS)

    def has_module_perms(self, user: Any, app_label: str) -> bool:
        """Whether an app shows on the admin's home."""
        if not self.opens_admin(user):
            return False
        return app_label in (_tenant_labels() if bound_schema() is not None else _PLATFORM_APPS)

    def opens_admin(self, user: Any) -> bool:
        """Whether an admin site opens: the platform's for its staff, a firm's for its admins."""
        if not user.is_active:
            return False
        schema = bound_schema()
        if schema is None:
            return bool(user.is_platform_staff)
        found = Membership.objects.filter(
            user_id=user.pk, tenant__schema_name=schema, is_active=True, role__in=_ADMIN_ROLES
        )
        return found.exists()


def _tenant_labels() -> frozenset[str]:
    return frozenset(
        config.label for config in apps.get_app_configs() if config.name in settings.TENANT_APPS
    )
