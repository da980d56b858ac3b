"""Firms and their hosts, in the platform's console."""

from django.contrib import admin
from django.http import HttpRequest

from common.console.sites import platform_console
from common.console.tables import PlatformRecord, PlatformTable
from tenants.models import Domain, FirmStanding, Tenant


@admin.register(Tenant, site=platform_console)
class TenantAdmin(PlatformTable):
    """A firm can be renamed and suspended here; it is made by ``manage.py create_tenant``."""

    list_display = ("slug", "name", "schema_name", "is_active", "created_at")
    list_filter = ("is_active",)
    search_fields = ("slug", "name")
    ordering = ("slug",)
    fields = ("slug", "schema_name", "name", "is_active", "created_at")
    readonly_fields = ("slug", "schema_name", "created_at")

    def has_add_permission(self, request: HttpRequest, *_: object) -> bool:
        """Whether a firm can be made here: no, its schema has to be made with it."""
        return False


@admin.register(Domain, site=platform_console)
class DomainAdmin(PlatformTable):
    """Further host names of firms."""

    list_display = ("domain", "tenant", "is_primary")
    list_filter = ("is_primary",)
    search_fields = ("domain", "tenant__slug")
    ordering = ("domain",)


@admin.register(FirmStanding, site=platform_console)
class FirmStandingAdmin(PlatformRecord):
    """How each firm was at its last round: counts and words, no rows of its."""

    list_display = ("tenant", "level", "worst", "at")
    list_filter = ("level",)
    search_fields = ("tenant__slug", "worst")
    ordering = ("-level", "tenant__slug")
