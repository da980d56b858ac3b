"""ENGINE ``tenants.db``: a tenant is bound to a transaction, never to a connection.

django-tenants sets the search path of the session, which outlives the request: behind a pooler, in
a thread of a pool or after a forgotten reset the next query reads another firm. Here the path is
``SET LOCAL``, so PostgreSQL itself takes it back at commit and rollback. With no tenant bound the
path is ``public``, which holds no business table, so a forgotten binding is an error, not a leak.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db.backends.postgresql.introspection import DatabaseIntrospection
from django.utils.asyncio import async_unsafe
from django_tenants.postgresql_backend import base
from django_tenants.utils import quote_schema_name

from tenants.errors import TenantNotBound

PUBLIC = "public"


class BoundIntrospection(DatabaseIntrospection):
    """Lists what is in the bound schema alone, without a session-wide ``SET``."""

    connection: Any

    @contextmanager
    def _own_schema(self, cursor: Any) -> Iterator[None]:
        schema = self.connection.schema_name
        if schema == PUBLIC:
            yield
            return
        quoted = quote_schema_name(schema)
        cursor.execute(f"SET LOCAL search_path = {quoted}")
        try:
            yield
        except BaseException:
            self.connection.forget_search_path()
            raise
        cursor.execute(f"SET LOCAL search_path = {quoted}, public")

    def get_table_list(self, cursor: Any) -> Any:
        """Return the tables and views of the bound schema."""
        with self._own_schema(cursor):
            return super().get_table_list(cursor)

    def get_table_description(self, cursor: Any, table_name: str) -> Any:
        """Return the columns of a table of the bound schema."""
        with self._own_schema(cursor):
            return super().get_table_description(cursor, table_name)

    def get_sequences(self, cursor: Any, table_name: str, table_fields: Any = ()) -> Any:
        """Return the sequences of a table of the bound schema."""
        with self._own_schema(cursor):
            return super().get_sequences(cursor, table_name, table_fields)

    def get_relations(self, cursor: Any, table_name: str) -> Any:
        """Return the foreign keys of a table of the bound schema."""
        with self._own_schema(cursor):
            return super().get_relations(cursor, table_name)

    def get_constraints(self, cursor: Any, table_name: str) -> Any:
        """Return the constraints of a table of the bound schema."""
        with self._own_schema(cursor):
            return super().get_constraints(cursor, table_name)


class DatabaseWrapper(base.DatabaseWrapper):  # type: ignore[misc]
    """A connection whose search path follows the bound tenant inside a transaction.

    ``_path`` is the schema PostgreSQL's path is known to start with, None where a rolled back
    savepoint may have taken our ``SET LOCAL`` back.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        self._path: str | None = PUBLIC
        super().__init__(*args, **options)
        self.introspection = BoundIntrospection(self)

    def set_tenant(self, tenant: Any, include_public: bool = True) -> None:
        """Name the tenant whose path the next statement gets; nothing is sent yet.

        The ContentType cache is kept: content types exist once, in ``public``.
        """
        if not include_public:
            raise ValueError("a tenant's search path always ends with public")
        self.tenant = tenant
        self.schema_name = tenant.schema_name
        self.set_settings_schema(self.schema_name)

    def forget_search_path(self) -> None:
        """Have the path set again before the next statement."""
        self._path = None

    def init_connection_state(self) -> None:
        """Start every session on ``public``, whatever the role's own default is."""
        super().init_connection_state()
        with self.connection.cursor() as cursor:
            cursor.execute("SET search_path = public")
        if self.get_autocommit() is False:
            self.connection.commit()
        self._path = PUBLIC

    def _handle_search_path(self, _cursor: Any = None) -> None:
        """Send ``SET LOCAL search_path`` where the path is not already the bound one.

        :raises TenantNotBound: if a tenant is set outside a transaction.
        """
        wanted = self.schema_name
        if not self.in_atomic_block:
            if wanted != PUBLIC:
                raise TenantNotBound(
                    f"{wanted} is set without a transaction; use tenants.binding.tenant_bound."
                )
            return
        if self._path == wanted:
            return
        path = PUBLIC if wanted == PUBLIC else f"{quote_schema_name(wanted)}, public"
        try:
            with self.connection.cursor() as own:
                own.execute(f"SET LOCAL search_path = {path}")
        except psycopg.errors.InFailedSqlTransaction:
            # The transaction is lost already: only ROLLBACK can follow, and that needs no path.
            self._path = None
        else:
            self._path = wanted

    def close(self) -> None:
        """Close the session; its path goes with it."""
        self._path = PUBLIC
        super().close()

    @async_unsafe
    def commit(self) -> None:
        """Commit; PostgreSQL takes the path back to ``public``."""
        super().commit()
        self._path = PUBLIC

    @async_unsafe
    def rollback(self) -> None:
        """Roll back; PostgreSQL takes the path back to ``public``."""
        super().rollback()
        self._path = PUBLIC

    @async_unsafe
    def savepoint_rollback(self, sid: str) -> None:
        """Roll back to a savepoint, which may take back a ``SET LOCAL`` given after it."""
        try:
            super().savepoint_rollback(sid)
        finally:
            self._path = None

    def _set_autocommit(self, autocommit: bool) -> None:
        super()._set_autocommit(autocommit)
        self._path = PUBLIC
