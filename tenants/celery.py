"""Carry the tenant of a Celery task in the message, and leave nothing behind in the worker.

A task is sent with the schema that was bound, or named, when it was published. In the worker a
``tenant_task`` runs with exactly that schema bound; no other task sees a tenant at all.
"""

import functools
import logging
from collections.abc import Callable
from typing import Any

from celery import shared_task, signals

from tenants.binding import PUBLIC, bound_schema, connection, tenant_bound
from tenants.errors import OtherTenantBound, TenantNotBound

HEADER = "blotter_tenant"

_log = logging.getLogger(__name__)


def connect() -> None:
    """Connect the signal handlers of this module (once, at start)."""
    signals.before_task_publish.connect(_add_header, dispatch_uid="tenants.add_header")
    signals.task_prerun.connect(_start_clean, dispatch_uid="tenants.start_clean")
    signals.task_postrun.connect(_end_clean, dispatch_uid="tenants.end_clean")


def tenant_task(*, bind: bool = True, **options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Decorate ``function(schema, *args)`` as a task of one tenant.

    With ``bind`` the whole task is one transaction with the tenant bound; without it the function
    gets the schema and calls verbs that own their transactions. Extra ``options`` go to Celery.

    The task raises TenantNotBound if its message names no tenant.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        @functools.wraps(function)
        def run(task: Any, *args: Any, **arguments: Any) -> Any:
            schema = schema_of_task(task.request)
            if not bind:
                return function(schema, *args, **arguments)
            with tenant_bound(schema):
                return function(schema, *args, **arguments)

        # The wrapper's own signature (task first) is what Celery has to see.
        del run.__wrapped__
        as_task: Any = shared_task(bind=True, **options)
        return as_task(run)

    return decorate


def send(task: Any, schema: str, *args: Any, **arguments: Any) -> Any:
    """Publish ``task`` for one tenant, whoever calls (beat's fan-out has no tenant bound).

    :raises OtherTenantBound: inside the binding of another tenant.
    """
    bound = bound_schema()
    if bound not in (None, schema):
        raise OtherTenantBound(f"{bound} is bound; a task for {schema} is refused.")
    return task.apply_async(args=args, kwargs=arguments, headers={HEADER: schema})


def schema_of_task(request: Any) -> str:
    """Return the schema a task's message names.

    :raises TenantNotBound: if it names none.
    """
    schema = (request.headers or {}).get(HEADER) or getattr(request, HEADER, None)
    if not schema:
        raise TenantNotBound("This task was sent without a tenant; use tenants.celery.send.")
    return str(schema)


def _add_header(headers: dict[str, Any] | None = None, **_: Any) -> None:
    """Name the bound tenant; a message that names another is sent without any, and will fail.

    (Celery logs what its signal handlers raise and sends the message all the same.)
    """
    bound = bound_schema()
    if bound is None or headers is None:
        return
    if headers.setdefault(HEADER, bound) != bound:
        _log.error("%s is bound; a task for another tenant was sent without one", bound)
        headers[HEADER] = None


def _start_clean(**_: Any) -> None:
    if connection.schema_name != PUBLIC and not connection.in_atomic_block:
        _log.error("a task began with %s bound; it was taken back", connection.schema_name)
        connection.set_schema_to_public()


def _end_clean(**_: Any) -> None:
    if connection.schema_name != PUBLIC and not connection.in_atomic_block:
        _log.error("a task ended with %s bound; it was taken back", connection.schema_name)
        connection.set_schema_to_public()
