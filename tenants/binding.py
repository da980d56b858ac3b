"""Bind one tenant to one transaction: the only way to reach business tables."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection as _connection
from django.db import transaction

from tenants.errors import OtherTenantBound, TenantNotBound, UnknownTenant

PUBLIC = "public"

connection: Any = _connection  # ENGINE is tenants.db: it knows schemas

# Schemas seen to exist. Tenants are never dropped while the system runs, so only hits are kept.
_seen: set[str] = set()


@contextmanager
def tenant_bound(schema: str) -> Iterator[None]:
    """Run the block in a transaction whose search path is ``schema``, then ``public``.

    The same schema may be bound again inside (a savepoint).

    :raises OtherTenantBound: inside the binding of another tenant.
    :raises UnknownTenant: if the schema does not exist.
    """
    _check_exists(schema)
    with bound_unchecked(schema):
        yield


@contextmanager
def bound_unchecked(schema: str) -> Iterator[None]:
    """Like ``tenant_bound`` for the one caller that has just made the schema itself."""
    before = connection.schema_name
    if schema == PUBLIC:
        raise ValueError("public is not a tenant")
    if before not in (PUBLIC, schema):
        raise OtherTenantBound(f"{before} is bound; {schema} is refused.")
    try:
        with transaction.atomic():
            connection.set_schema(schema)
            yield
    finally:
        connection.set_schema(before)


def bound_schema() -> str | None:
    """Return the schema bound in this thread, None where none is."""
    schema: str = connection.schema_name
    return None if schema == PUBLIC else schema


def require_bound() -> str:
    """Return the bound schema.

    :raises TenantNotBound: if none is, or if its transaction is over.
    """
    schema = bound_schema()
    if schema is None or not connection.in_atomic_block:
        raise TenantNotBound("No tenant is bound; use tenants.binding.tenant_bound.")
    return schema


def _check_exists(schema: str) -> None:
    """:raises UnknownTenant: PostgreSQL itself accepts a path of schemas that do not exist."""
    if schema in _seen:
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = %s", [schema])
        if cursor.fetchone() is None:
            raise UnknownTenant(f"There is no tenant with the schema {schema!r}.")
    if not connection.in_atomic_block:
        _seen.add(schema)
