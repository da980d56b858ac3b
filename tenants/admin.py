"""Tenants in the platform's admin, at the bare host."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from tenants.models import Domain, Tenant


@admin.register(Tenant)
class TenantAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """A firm can be renamed and suspended here; it is made by ``manage.py create_tenant``."""

    list_display = ("slug", "name", "is_active", "created_at")
    search_fields = ("slug", "name")
    fields = ("slug", "schema_name", "name", "is_active", "created_at")
    readonly_fields = ("slug", "schema_name", "created_at")

    def has_add_permission(self, request: HttpRequest, *_: Any) -> bool:
        """Whether a firm can be made here: no, its schema has to be made with it."""
        return False


@admin.register(Domain)
class DomainAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Further host names of firms."""

    list_display = ("domain", "tenant", "is_primary")
    search_fields = ("domain",)
