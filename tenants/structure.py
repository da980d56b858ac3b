"""What a schema is made of, as text that can be compared with another schema's."""

from collections.abc import Iterable
from typing import Any

from django.db import connection
from django_tenants.utils import quote_schema_name

from tenants.binding import require_bound

# Names are unqualified because the schema is first in the search path. Indexes, triggers and
# functions are told with their schema all the same; it is taken off afterwards.
_CATALOGUE = {
    "tables": """
        SELECT format('%%s kind %%s of %%s persistence %%s with %%s row security %%s%%s acl %%s',
            relname, relkind, pg_get_userbyid(relowner), relpersistence, reloptions,
            relrowsecurity, relforcerowsecurity, relacl)
        FROM pg_class WHERE relnamespace = %s::regnamespace""",
    "comments": """
        SELECT format('%%s %%s: %%s', relname, objsubid, description)
        FROM pg_description JOIN pg_class c ON (c.oid, 'pg_class'::regclass) = (objoid, classoid)
        WHERE relnamespace = %s::regnamespace""",
    "columns": """
        SELECT format('%%s.%%s at %%s %%s%%s default %%s identity %%s generated %%s collation %%s',
            c.relname, a.attname, row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum),
            format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN ' not null' END,
            coalesce(pg_get_expr(d.adbin, d.adrelid), '-'), a.attidentity, a.attgenerated,
            a.attcollation)
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
        LEFT JOIN pg_attrdef d ON (d.adrelid, d.adnum) = (c.oid, a.attnum)
        WHERE c.relnamespace = %s::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
            AND a.attnum > 0 AND NOT a.attisdropped""",
    "constraints": """
        SELECT format('%%s on %%s: %%s', conname, conrelid::regclass, pg_get_constraintdef(oid))
        FROM pg_constraint WHERE connamespace = %s::regnamespace""",
    "indexes": """
        SELECT pg_get_indexdef(oid) FROM pg_class
        WHERE relnamespace = %s::regnamespace AND relkind IN ('i', 'I')""",
    "triggers": """
        SELECT format('%%s enabled %%s', pg_get_triggerdef(t.oid), tgenabled)
        FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        WHERE NOT t.tgisinternal AND c.relnamespace = %s::regnamespace""",
    "functions": """
        SELECT format('%%s acl %%s', pg_get_functiondef(oid), proacl) FROM pg_proc
        WHERE pronamespace = %s::regnamespace AND prokind IN ('f', 'p')""",
    "types": """
        SELECT format('%%s %%s %%s', typname, typtype, (SELECT string_agg(enumlabel, ','
            ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid))
        FROM pg_type t WHERE typnamespace = %s::regnamespace AND typtype IN ('e', 'd', 'r')""",
    "views": """
        SELECT format('%%s %%s', relname, pg_get_viewdef(oid)) FROM pg_class
        WHERE relnamespace = %s::regnamespace AND relkind IN ('v', 'm')""",
    "sequences": """
        SELECT format('%%s %%s start %%s by %%s %%s..%%s cache %%s cycle %%s at %%s owned by %%s',
            c.relname, format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement, s.seqmin,
            s.seqmax, s.seqcache, s.seqcycle, coalesce(pg_sequence_last_value(c.oid), 0),
            (SELECT format('%%s.%%s', refobjid::regclass, attname) FROM pg_depend
             JOIN pg_attribute ON (attrelid, attnum) = (refobjid, refobjsubid)
             WHERE objid = c.oid AND deptype IN ('a', 'i') AND refobjsubid > 0))
        FROM pg_class c JOIN pg_sequence s ON s.seqrelid = c.oid
        WHERE c.relnamespace = %s::regnamespace""",
}

# Names and the cheap attributes alone: one query for hundreds of schemas, without a definition.
_FINGERPRINTS = """
WITH wanted AS (SELECT oid, nspname FROM pg_namespace WHERE nspname = ANY(%s)),
relations AS (
    SELECT c.oid, n.nspname, c.relname, c.relkind
    FROM wanted n JOIN pg_class c ON c.relnamespace = n.oid
), lines AS (
    SELECT nspname, concat_ws(' ', relkind, relname) AS line FROM relations WHERE relkind <> 't'
    UNION ALL
    SELECT r.nspname, concat_ws(' ', r.relname, a.attname, t.typname, a.atttypmod, a.attnotnull,
        a.atthasdef, a.attidentity)
    FROM relations r JOIN pg_attribute a ON a.attrelid = r.oid JOIN pg_type t ON t.oid = a.atttypid
    WHERE r.relkind IN ('r', 'p', 'v', 'm') AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT r.nspname, concat_ws(' ', r.relname, k.contype, k.conname)
    FROM relations r JOIN pg_constraint k ON k.conrelid = r.oid WHERE k.contype <> 'n'
    UNION ALL
    SELECT r.nspname, concat_ws(' ', r.relname, t.tgname, t.tgenabled)
    FROM relations r JOIN pg_trigger t ON t.tgrelid = r.oid WHERE NOT t.tgisinternal
    UNION ALL
    SELECT n.nspname, concat_ws(' ', p.proname, md5(p.prosrc))
    FROM wanted n JOIN pg_proc p ON p.pronamespace = n.oid
)
SELECT nspname, md5(string_agg(line, E'\\n' ORDER BY line COLLATE "C")) FROM lines GROUP BY nspname
"""


def fingerprints(schemas: Iterable[str]) -> dict[str, str]:
    """Return a digest of the names in each schema: tables, columns, indexes, triggers and so on.

    Equal digests mean that a statement which names things will find the same things. A schema
    that holds nothing is left out.
    """
    with connection.cursor() as cursor:
        cursor.execute(_FINGERPRINTS, [list(schemas)])
        return dict(cursor.fetchall())


def catalogue() -> dict[str, list[str]]:
    """Return all definitions and rows of the bound schema by kind, in order, names unqualified.

    Rows are counted and hashed by table. Of ``django_migrations`` the names count, not the times.
    """
    schema = require_bound()
    found = {}
    with connection.cursor() as cursor:
        for kind, query in _CATALOGUE.items():
            cursor.execute(query, [schema])
            found[kind] = sorted(str(row[0]).replace(f"{schema}.", "") for row in cursor.fetchall())
        cursor.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = %s"
            " AND tablename <> 'django_migrations' ORDER BY 1",
            [schema],
        )
        found["rows"] = [_rows(cursor, table) for (table,) in cursor.fetchall()]
        cursor.execute("SELECT app || '.' || name FROM django_migrations ORDER BY id")
        found["migrations"] = [name for (name,) in cursor.fetchall()]
    return found


def differences(one: dict[str, list[str]], other: dict[str, list[str]]) -> list[str]:
    """Return a line for each thing only one of two catalogues has; empty where they are equal."""
    lines = []
    for kind, ordered in one.items():
        here, there = set(ordered), set(other[kind])
        lines += [f"{kind}: only the first has {line}" for line in sorted(here - there)]
        lines += [f"{kind}: only the second has {line}" for line in sorted(there - here)]
        if here == there and ordered != other[kind]:
            lines.append(f"{kind}: in another order")
    return lines


def _rows(cursor: Any, table: str) -> str:
    quoted = quote_schema_name(table)
    digest = "md5(string_agg(t::text, E'\\n' ORDER BY t::text))"
    # The name is out of the catalogue, and quoted.
    cursor.execute(f"SELECT format('%s %s', count(*), {digest}) FROM {quoted} t")  # noqa: S608
    return f"{table} {cursor.fetchone()[0]}"
