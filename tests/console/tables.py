"""Addresses of the consoles' pages."""

from django.apps import apps
from django.conf import settings
from django.db.models import Model

from config.console.registry import firm_console, platform_console

FIRM = sorted(firm_console._registry, key=lambda model: model._meta.label)
PLATFORM = sorted(platform_console._registry, key=lambda model: model._meta.label)
SHARED_EDITABLE = {"tenants.Tenant", "tenants.Domain", "accounts.User", "accounts.Membership"}


def list_url(model: type[Model]) -> str:
    return f"/admin/{model._meta.app_label}/{model._meta.model_name}/"


def row_url(row: Model, page: str = "change") -> str:
    from django.contrib.admin.utils import quote

    return f"{list_url(type(row))}{quote(row.pk)}/{page}/"


def label(model: type[Model]) -> str:
    return model._meta.label


def tenant_models() -> set[type[Model]]:
    names = set(settings.TENANT_APPS)
    return {m for app in apps.get_app_configs() if app.name in names for m in app.get_models()}
