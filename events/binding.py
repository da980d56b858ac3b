"""Doors to what lies above this app: both are settings, so nothing here imports upward."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import cast

from django.conf import settings
from django.db import connection
from django.utils.module_loading import import_string
from psycopg.conninfo import make_conninfo


def bound(schema: str) -> AbstractContextManager[None]:
    """Open a transaction bound to ``schema`` (settings.OMS_TENANT_BINDING)."""
    binder = cast(
        Callable[[str], AbstractContextManager[None]], import_string(settings.OMS_TENANT_BINDING)
    )
    return binder(schema)


def active_schemas() -> list[str]:
    """Return the schemas whose streams are kept moving (settings.OMS_EVENT_SOURCE_TENANTS)."""
    source = cast(Callable[[], Iterable[str]], import_string(settings.OMS_EVENT_SOURCE_TENANTS))
    return list(source())


def conninfo() -> str:
    """Return libpq's connection string of the default database, for connections of our own."""
    database = connection.settings_dict
    options = {
        name: value
        for name, value in database.get("OPTIONS", {}).items()
        if isinstance(value, str | int) and name not in {"isolation_level", "assume_role"}
    }
    return make_conninfo(
        "",
        dbname=database["NAME"],
        user=database["USER"] or None,
        password=database["PASSWORD"] or None,
        host=database["HOST"] or None,
        port=database["PORT"] or None,
        **{name: value for name, value in options.items() if not isinstance(value, bool)},
    )
