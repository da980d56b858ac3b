"""System checks: mistakes that would let one firm's data answer for another's."""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core import checks
from django.db import models

_ORDER = (
    "common.http.middleware.RequestIdMiddleware",
    "accounts.middleware.TenantRequestMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
)


def register() -> None:
    """Register the checks of this module."""
    for check in (check_app_lists, check_engine, check_foreign_keys, check_middleware):
        checks.register(check, "tenants")


def check_app_lists(*_: Any, **__: Any) -> list[checks.CheckMessage]:
    """An app in both lists would have its tables in ``public`` too, where all firms meet."""
    both = sorted(set(settings.SHARED_APPS) & set(settings.TENANT_APPS))
    return [
        checks.Error(
            f"{name} is in SHARED_APPS and in TENANT_APPS.",
            hint="Business apps belong in TENANT_APPS alone.",
            id="tenants.E001",
        )
        for name in both
    ]


def check_engine(*_: Any, **__: Any) -> list[checks.CheckMessage]:
    """Any other engine would bind tenants to sessions, or not at all."""
    return [
        checks.Error(
            f"DATABASES[{alias!r}] does not use the engine tenants.db.",
            hint='Set ENGINE to "tenants.db".',
            id="tenants.E004",
        )
        for alias, database in settings.DATABASES.items()
        if database["ENGINE"] != "tenants.db"
    ]


def check_foreign_keys(*_: Any, **__: Any) -> list[checks.CheckMessage]:
    """A constrained key to ``public`` puts triggers of every firm on the shared table."""
    found: list[checks.CheckMessage] = []
    for model, field in _relations():
        target = field.remote_field.model
        if not isinstance(target, type):
            continue
        ours, theirs = _is_tenant_model(model), _is_tenant_model(target)
        if ours and not theirs and not _is_loose(field):
            found.append(
                checks.Error(
                    f"{field} points from a tenant's table to public with a constraint.",
                    hint='Use db_constraint=False, on_delete=DO_NOTHING, related_name="+".',
                    obj=field,
                    id="tenants.E002",
                )
            )
        if theirs and not ours:
            found.append(
                checks.Error(
                    f"{field} points from public to a tenant's table.",
                    hint="Keep a value (a code, a ULID) instead of a foreign key.",
                    obj=field,
                    id="tenants.E005",
                )
            )
    return found


def check_middleware(*_: Any, **__: Any) -> list[checks.CheckMessage]:
    """Whatever asks the database for a request must run inside the tenant's binding."""
    present = [name for name in settings.MIDDLEWARE if name in _ORDER]
    if tuple(present) == _ORDER:
        return []
    return [
        checks.Error(
            "MIDDLEWARE lacks one of these or has them in another order: " + ", ".join(_ORDER),
            hint="Sessions and users are read after the tenant of the request is known.",
            id="tenants.E003",
        )
    ]


def tenant_models() -> list[type[models.Model]]:
    """Return every model whose table lies in the schemas of tenants."""
    return [
        model for model in apps.get_models(include_auto_created=True) if _is_tenant_model(model)
    ]


def _relations() -> Iterator[tuple[type[models.Model], Any]]:
    for model in apps.get_models(include_auto_created=True):
        for field in model._meta.local_fields:
            if field.remote_field is not None:
                yield model, field


def _is_tenant_model(model: type[models.Model]) -> bool:
    return apps.get_app_config(model._meta.app_label).name in settings.TENANT_APPS


def _is_loose(field: Any) -> bool:
    return not field.db_constraint and field.remote_field.on_delete is models.DO_NOTHING
