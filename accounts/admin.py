"""People and keys in the platform's admin, at the bare host."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from accounts.models import ApiKey, Membership, User


@admin.register(User)
class UserAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """People; a password is never seen or set by somebody else here."""

    list_display = ("email", "name", "is_active", "is_platform_staff", "last_login")
    search_fields = ("email", "name")
    fields = ("email", "name", "is_active", "is_platform_staff", "last_login", "created_at")
    readonly_fields = ("last_login", "created_at")

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Store the address in its one form; a new person has no password yet."""
        obj.email = obj.email.strip().lower()
        if not change:
            obj.set_unusable_password()
        super().save_model(request, obj, form, change)


@admin.register(Membership)
class MembershipAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Who is what in which firm. Person and firm of a membership stay."""

    list_display = ("user", "tenant", "role", "is_active")
    list_filter = ("tenant", "role", "is_active")
    search_fields = ("user__email",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Return what cannot be edited of an existing membership."""
        return ("user", "tenant", "created_at") if obj else ("created_at",)


@admin.register(ApiKey)
class ApiKeyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Keys, to look at: the hash is not shown, nothing can be changed."""

    list_display = ("id", "name", "membership", "created_at", "last_used_at", "revoked_at")
    search_fields = ("id", "name")
    exclude = ("digest",)

    def has_add_permission(self, request: HttpRequest, *_: Any) -> bool:
        """Whether a key can be made here: no, its text could not be shown."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether a key can be edited: no."""
        return False
