"""Doors to what lies above this app: all are settings, so nothing here imports upward."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from importlib import import_module
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


def wake(schema: str, *, now: datetime) -> None:
    """Tell that something happened in a firm (settings.OMS_EVENT_DUE_WORK)."""
    import_module(settings.OMS_EVENT_DUE_WORK).wake(schema, now=now)


def claim_due(job: str, *, every: timedelta, now: datetime) -> list[str]:
    """Return the schemas in which a job is due, and claim them for ``every``."""
    found: list[str] = import_module(settings.OMS_EVENT_DUE_WORK).claim_due(
        job, every=every, now=now
    )
    return found


def rest(schema: str, job: str, *, begun: datetime, until: datetime) -> None:
    """Let a quiet firm rest until then."""
    import_module(settings.OMS_EVENT_DUE_WORK).rest(schema, job, begun=begun, until=until)


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
