"""People, their places and their credentials, in the platform's console."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from accounts.models import ApiKey, LoginFailures, LoginSession, Membership, User, normal_email
from common.console.sites import platform_console
from common.console.tables import PlatformRecord, PlatformTable
from common.console.words import BUSY, OWN

ROLES = {"owner": OWN, "admin": OWN, "manager": BUSY, "trader": BUSY}


class UserForm(forms.ModelForm):  # type: ignore[type-arg]
    """A person; the address is kept in its one form."""

    def clean_email(self) -> str:
        """Return the address as it is stored and looked up."""
        return normal_email(self.cleaned_data["email"])


@admin.register(User, site=platform_console)
class UserAdmin(PlatformTable):
    """People; a password is never seen or set by somebody else here."""

    form = UserForm
    list_display = ("email", "name", "is_active", "is_platform_staff", "last_login", "created_at")
    list_filter = ("is_active", "is_platform_staff")
    search_fields = ("email", "name")
    ordering = ("email",)
    fields = ("email", "name", "is_active", "is_platform_staff", "last_login", "created_at")
    readonly_fields = ("last_login", "created_at")

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Store the person; a new one has no password yet."""
        if not change:
            obj.set_unusable_password()
        super().save_model(request, obj, form, change)


@admin.register(Membership, site=platform_console)
class MembershipAdmin(PlatformTable):
    """Who is what in which firm. Person and firm of a membership stay."""

    badges = {"role": ROLES}
    list_display = ("user", "tenant", "role", "is_active", "created_at")
    list_filter = ("tenant", "role", "is_active")
    list_select_related = ("user", "tenant")
    search_fields = ("user__email",)
    autocomplete_fields = ("user",)
    ordering = ("user__email",)
    fields = ("user", "tenant", "role", "is_active", "created_at")

    def fixed_fields(self, obj: Membership | None) -> tuple[str, ...]:
        """Return what cannot be edited: of an existing membership also whose it is and where."""
        return ("user", "tenant", "created_at") if obj else ("created_at",)


@admin.register(ApiKey, site=platform_console)
class ApiKeyAdmin(PlatformRecord):
    """Keys, to look at: the hash is not shown, nothing can be changed."""

    list_display = (
        "id", "name", "membership", "created_at", "last_used_at", "expires_at", "revoked_at",
    )  # fmt: skip
    list_filter = (
        "membership__tenant",
        ("revoked_at", admin.EmptyFieldListFilter),
        ("last_used_at", admin.EmptyFieldListFilter),
    )
    list_select_related = ("membership__user", "membership__tenant")
    search_fields = ("id", "name", "membership__user__email")
    ordering = ("-created_at",)
    exclude = ("digest",)


@admin.register(LoginSession, site=platform_console)
class LoginSessionAdmin(PlatformRecord):
    """Logins with a password, to look at."""

    list_display = ("id", "membership", "remote_addr", "refreshed_at", "expires_at", "revoked_at")
    list_filter = ("membership__tenant", ("revoked_at", admin.EmptyFieldListFilter))
    list_select_related = ("membership__user", "membership__tenant")
    search_fields = ("id", "membership__user__email", "remote_addr")
    ordering = ("-created_at",)
    exclude = ("refresh_digest",)


@admin.register(LoginFailures, site=platform_console)
class LoginFailuresAdmin(PlatformRecord):
    """Names and addresses that failed to log in within their window."""

    list_display = ("subject", "failures", "window_ends_at")
    search_fields = ("subject",)
    ordering = ("-window_ends_at",)
