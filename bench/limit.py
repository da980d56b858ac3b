"""The physical limit: what Postgres alone does with the rows one order leaves behind.

The scripts for pgbench are made from an order that was really taken: the tables it wrote, with
their real columns, indexes, triggers and keys, however the product wrote them.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

BATCH = 100
_ULID = re.compile(r"\b[0-7][0-9A-HJKMNP-TV-Z]{25}\b")
_SAMPLE_ID = "sample-order-0000000000001"  # as long as a ULID

# Unique and rising per client, as our ids are: 18 digits behind 8 letters make 26 characters.
_HEAD = (
    "\\set k :k + {step}\n\\set n 100000000000000000 + :client_id * 10000000000000 + :base + :k\n"
)
_ANY_ACCOUNT = "\\set account random(:first_account, :last_account)\n"
_ONE_ACCOUNT = "\\set account :first_account\n"


@dataclass(frozen=True, slots=True)
class Inserted:
    """A row: its table and columns with their values as SQL literals (NULL included)."""

    table: str
    columns: tuple[tuple[str, str, str], ...]  # name, literal, type


@dataclass(frozen=True, slots=True)
class Added:
    """A row of an account that grew: what was added to which column."""

    table: str
    columns: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Footprint:
    """What one order leaves behind."""

    inserted: tuple[Inserted, ...]
    added: tuple[Added, ...]


def footprint(
    database: "psycopg.Connection[Any]", schema: str, place: Callable[[str], None]
) -> Footprint:
    """Have two orders placed, quietly, and return what the second wrote.

    ``place`` sends one order under the client id it is given and returns when it is stored.
    """
    place("sample-order-0000000000000")
    tables = [
        name
        for (name,) in database.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY 1", [schema]
        )
    ]
    for table in tables:
        database.execute(
            sql.SQL("CREATE TEMP TABLE {} AS SELECT xmin AS was, * FROM {}").format(
                sql.Identifier(f"before_{table}"), sql.Identifier(schema, table)
            )
        )
    place(_SAMPLE_ID)
    inserted, added = [], []
    for table in tables:
        row = _new_row(database, schema, table)
        if row is not None:
            inserted.append(row)
        else:
            added += _grown_row(database, schema, table)
    return Footprint(tuple(inserted), tuple(added))


def scripts(found: Footprint) -> dict[str, str]:
    """Return the scripts by name; each transaction is one order, or ``BATCH`` of them."""
    replaced = _Ids()
    one = [*(replaced.insert(row) for row in found.inserted), *map(_add, found.added)]
    many = [
        *(replaced.insert(row, many=True) for row in found.inserted),
        *(_add(row, BATCH) for row in found.added),
    ]
    head = _HEAD.format(step=1)
    return {
        "one": head + _ANY_ACCOUNT + "BEGIN;\n" + "".join(f"{s};\n" for s in one) + "COMMIT;\n",
        "cte": head + _ANY_ACCOUNT + _as_one(one),
        "hot": head + _ONE_ACCOUNT + _as_one(one),
        "batch": _HEAD.format(step=BATCH + 1) + _ANY_ACCOUNT + _as_one(many),
    }


class _Ids:
    """Puts a fresh id wherever the sample has one of its own, the same for the same."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {_SAMPLE_ID: "0BENC000"}

    def insert(self, row: Inserted, *, many: bool = False) -> str:
        """Return the statement for one fresh row, or for a batch of them."""
        names = ", ".join(f'"{name}"' for name, _, _ in row.columns)
        values = ", ".join(self._value(*column, many=many) for column in row.columns)
        source = f"SELECT {values} FROM generate_series(1, {BATCH}) AS g"  # noqa: S608
        rows = source if many else f"SELECT {values}"
        return f"INSERT INTO {row.table} ({names}) {rows}"

    def _value(self, name: str, literal: str, kind: str, *, many: bool) -> str:
        if name == "account_id":
            return ":account::bigint"
        text = literal
        for known in {*_ULID.findall(literal), *re.findall(_SAMPLE_ID, literal)}:
            prefix = self._known.setdefault(known, f"0BENC{len(self._known):03}")
            number = "(:n::bigint + g)" if many else ":n::bigint"
            text = f"replace({text}, '{known}', '{prefix}' || ({number})::text)"
        return f"({text})::{kind}"


def _add(row: Added, times: int = 1) -> str:
    changes = ", ".join(f'"{name}" = "{name}" + {times} * ({delta})' for name, delta in row.columns)
    return f"UPDATE {row.table} SET {changes} WHERE account_id = :account::bigint"  # noqa: S608


def _as_one(statements: list[str]) -> str:
    parts = ", ".join(f"w{number} AS ({one} RETURNING 1)" for number, one in enumerate(statements))
    return f"WITH {parts} SELECT 1;\n"


def _new_row(database: "psycopg.Connection[Any]", schema: str, table: str) -> Inserted | None:
    """Return the row that was not there before, None where all were."""
    columns = database.execute(
        "SELECT a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a"
        " LEFT JOIN pg_attrdef d ON (d.adrelid, d.adnum) = (a.attrelid, a.attnum)"
        " WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped"
        " AND a.attidentity = '' AND a.attgenerated = ''"
        " AND coalesce(pg_get_expr(d.adbin, d.adrelid), '') !~ 'nextval' ORDER BY a.attnum",
        [f"{schema}.{table}"],
    ).fetchall()
    keys = _key_columns(database, schema, table)
    texts = sql.SQL(", ").join(
        sql.SQL("now_row.{}::text").format(sql.Identifier(name)) for name, _ in columns
    )
    same = sql.SQL(" AND ").join(
        sql.SQL("now_row.{0} = old.{0}").format(sql.Identifier(key)) for key in keys
    )
    found = database.execute(
        sql.SQL("SELECT {} FROM {} AS now_row WHERE NOT EXISTS (SELECT FROM {} AS old WHERE {})")
        .format(texts, sql.Identifier(schema, table), sql.Identifier(f"before_{table}"), same)
    ).fetchone()  # fmt: skip
    if found is None:
        return None
    values = zip(columns, found, strict=True)
    return Inserted(
        f"{schema}.{table}", tuple((name, _literal(text), kind) for (name, kind), text in values)
    )


def _literal(text: str | None) -> str:
    """Quote a value; its colons are written so that pgbench takes none for a variable."""
    if text is None:
        return "NULL"
    escaped = text.replace("\\", "\\\\").replace("'", "''").replace("\n", "\\n")
    return "E'" + escaped.replace(":", "\\x3a") + "'"


def _grown_row(database: "psycopg.Connection[Any]", schema: str, table: str) -> list[Added]:
    """Return what was added to the numbers of rows that were rewritten."""
    keys = _key_columns(database, schema, table)
    numbers = [
        name
        for (name,) in database.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = %s"
            " AND table_name = %s AND data_type IN ('bigint', 'integer', 'numeric')",
            [schema, table],
        )
        if name not in keys and not name.endswith("_id")
    ]
    if not numbers:
        return []
    deltas = sql.SQL(", ").join(
        sql.SQL("(now_row.{0} - old.{0})::text").format(sql.Identifier(name)) for name in numbers
    )
    same = sql.SQL(" AND ").join(
        sql.SQL("now_row.{0} = old.{0}").format(sql.Identifier(key)) for key in keys
    )
    rows = database.execute(
        sql.SQL("SELECT {} FROM {} AS now_row JOIN {} AS old ON {} WHERE now_row.xmin <> old.was")
        .format(deltas, sql.Identifier(schema, table), sql.Identifier(f"before_{table}"), same)
    ).fetchall()  # fmt: skip
    grown = [
        tuple((name, delta) for name, delta in zip(numbers, row, strict=True) if float(delta or 0))
        for row in rows
    ]
    return [Added(f"{schema}.{table}", columns) for columns in grown if columns]


def _key_columns(database: "psycopg.Connection[Any]", schema: str, table: str) -> list[str]:
    rows = database.execute(
        "SELECT a.attname FROM pg_index i JOIN pg_attribute a"
        " ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)"
        " WHERE i.indrelid = %s::regclass AND i.indisprimary",
        [f"{schema}.{table}"],
    )
    return [name for (name,) in rows]
