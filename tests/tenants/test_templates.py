"""A new firm's schema is what the migrations make, whatever lies in the store of templates."""

import pytest
from django.db import connection
from django.db.models import Value
from django.db.models.functions import Concat
from django.test.utils import CaptureQueriesContext

from tenants import templates
from tenants.binding import bound_unchecked
from tenants.errors import DatabaseNotOfThisCode
from tenants.models import SchemaTemplate, Tenant
from tenants.schemas import pending
from tenants.services import create_tenant
from tenants.structure import catalogue, differences
from tests.tenants.conftest import NOW
from tests.tenants.versions import ONE_COLUMN, later_version, migrate_by_django

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_remembered():
    """Templates made in a test are rolled back with it, and must be forgotten with it too."""
    templates._known.clear()
    yield
    templates._known.clear()


def firm(slug: str) -> str:
    return create_tenant(slug=slug, name=slug, now=NOW).schema_name


def empty_schema(schema: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA {schema}")
    return schema


def contents(schema: str) -> dict[str, list[str]]:
    with bound_unchecked(schema):
        return catalogue()


def run(schema: str, sql: str) -> None:
    with bound_unchecked(schema), connection.cursor() as cursor:
        cursor.execute(sql)


def columns(schema: str, table: str) -> set[str]:
    with bound_unchecked(schema), connection.cursor() as cursor:
        return {
            column.name for column in connection.introspection.get_table_description(cursor, table)
        }


def test_a_firm_from_the_template_is_what_django_makes_of_the_migrations():
    migrate_by_django(empty_schema("t_by_django"))
    by_django, by_template = contents("t_by_django"), contents(firm("by-template"))
    assert templates.current().statements
    assert differences(by_django, by_template) == []
    for kind in ("tables", "columns", "constraints", "indexes", "triggers", "functions",
                 "sequences", "rows", "migrations"):  # fmt: skip
        assert by_template[kind], kind
    assert pending(["t_by_template"]) == []


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("columns", "ALTER TABLE events_subscribercursor ADD COLUMN spare integer"),
        ("columns", "ALTER TABLE events_subscribercursor ALTER COLUMN failures SET DEFAULT 3"),
        ("columns", "ALTER TABLE events_subscribercursor ALTER COLUMN name TYPE varchar(65)"),
        ("columns", "ALTER TABLE events_subscribercursor ALTER COLUMN last_error DROP NOT NULL"),
        ("constraints", "ALTER TABLE events_subscribercursor ADD CHECK (failures < 9)"),
        ("indexes", "CREATE INDEX spare ON events_subscribercursor (failures)"),
        ("triggers", "ALTER TABLE events_event DISABLE TRIGGER USER"),
        ("functions", "CREATE FUNCTION spare() RETURNS integer LANGUAGE sql AS 'SELECT 1'"),
        ("sequences", "CREATE SEQUENCE spare"),
        ("sequences", "ALTER SEQUENCE events_event_seq INCREMENT BY 5"),
        ("views", "CREATE VIEW spare AS SELECT 1 AS one"),
        ("types", "CREATE TYPE spare AS ENUM ('a')"),
        ("tables", "GRANT SELECT ON events_subscribercursor TO public"),
        ("tables", "ALTER TABLE events_subscribercursor ENABLE ROW LEVEL SECURITY"),
        ("comments", "COMMENT ON COLUMN events_subscribercursor.name IS 'who follows'"),
        ("rows", "UPDATE risk_risklimit SET value = value + 1 WHERE rule = 'price_collar'"),
        ("migrations", "DELETE FROM django_migrations WHERE name = '0002_events_by_subject'"),
    ],
)  # fmt: skip
def test_two_schemas_that_differ_in_one_thing_are_told_apart(kind, change):
    same, other = firm("same-one"), firm("same-two")
    assert differences(contents(same), contents(other)) == []
    run(other, change)
    found = differences(contents(same), contents(other))
    assert any(line.startswith(f"{kind}:") for line in found), found


@pytest.mark.parametrize(
    "fault",
    [
        "ALTER TABLE events_subscribercursor DROP COLUMN failures",
        "ALTER TABLE events_event DISABLE TRIGGER USER",
        "this is no SQL",
    ],
)
def test_a_spoiled_template_is_refused_and_made_anew(fault, caplog):
    good = contents(firm("before"))
    row = SchemaTemplate.objects.get(code=templates.code_fingerprint())
    row.statements += fault
    row.save()
    templates._known.clear()

    assert differences(good, contents(firm("after"))) == []
    assert "refused and made anew" in caplog.text
    row.refresh_from_db()
    assert fault not in row.statements


def test_code_with_another_migration_does_not_take_the_old_template(tmp_path):
    old = firm("of-old-code")
    with later_version(tmp_path, ONE_COLUMN) as name:
        public_has(name)
        new = firm("of-new-code")
        assert pending([new, old]) == [old]
    assert "remark" in columns(new, "events_subscribercursor")
    assert "remark" not in columns(old, "events_subscribercursor")


def test_a_template_grows_by_what_newer_code_adds_and_is_still_what_django_makes(tmp_path):
    older = templates.current().statements
    with later_version(tmp_path, ONE_COLUMN) as name:
        public_has(name)
        by_template = contents(firm("of-new-code"))
        assert templates.current().statements.startswith(older)
        migrate_by_django(empty_schema("t_by_django"))
        by_django = contents("t_by_django")
    # Django from nothing takes the apps one after the other, so the records come in another order.
    assert by_template.pop("migrations")[-1] == f"events.{name}"
    by_django.pop("migrations")
    assert differences(by_template, by_django) == []


def test_a_spoiled_older_template_is_no_base(tmp_path, caplog):
    templates.current()
    fault = Value("DROP TABLE events_event CASCADE")
    SchemaTemplate.objects.update(statements=Concat("statements", fault))
    with later_version(tmp_path, ONE_COLUMN) as name:
        public_has(name)
        assert "remark" in columns(firm("of-new-code"), "events_subscribercursor")
    assert "no base, beginning anew" in caplog.text


def test_no_firm_is_made_while_the_database_waits_for_migrations(tmp_path):
    with later_version(tmp_path, ONE_COLUMN), pytest.raises(DatabaseNotOfThisCode, match="migrate"):
        firm("too-early")
    assert not Tenant.objects.filter(slug="too-early").exists()


def test_old_code_makes_no_firm_in_a_newer_database():
    public_has("0099_of_newer_code")
    with pytest.raises(DatabaseNotOfThisCode, match=r"events\.0099_of_newer_code"):
        firm("too-old")
    assert not Tenant.objects.filter(slug="too-old").exists()


def test_migrations_that_send_each_schema_something_else_make_no_template(tmp_path, caplog):
    """Their code runs for every firm, by Django."""
    code = (
        "import itertools\nnumbers = itertools.count()\n"
        "def insert(apps, editor):\n"
        "    apps.get_model('events', 'SubscriberCursor').objects.create(\n"
        "        name=f'made {next(numbers)}', updated_at='2026-03-02T15:00Z')\n"
    )
    with later_version(tmp_path, "[migrations.RunPython(insert)]", before=code) as name:
        public_has(name)
        one, two = firm("own-one"), firm("own-two")
        assert templates.current().statements == ""
    assert "no template can be made" in caplog.text
    assert names(one) != names(two)


def test_rows_that_code_puts_into_every_schema_alike_are_in_the_template(tmp_path):
    code = (
        "def insert(apps, editor):\n"
        "    apps.get_model('events', 'SubscriberCursor').objects.create(\n"
        "        name='everywhere', updated_at='2026-03-02T15:00Z')\n"
    )
    with later_version(tmp_path, "[migrations.RunPython(insert)]", before=code) as name:
        public_has(name)
        made = firm("with-rows")
        assert "everywhere" in templates.current().statements
    assert names(made) == ["everywhere"]


def test_making_a_firm_takes_the_same_statements_however_many_there_are():
    firm("warm-up")
    counts = []
    for number in range(8):
        with CaptureQueriesContext(connection) as queries:
            firm(f"one-of-many-{number}")
        counts.append(len(queries))
    assert len(set(counts)) == 1
    assert counts[0] < 30


def public_has(name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('events', %s, now())",
            [name],
        )


def names(schema: str) -> list[str]:
    with bound_unchecked(schema), connection.cursor() as cursor:
        cursor.execute("SELECT name FROM events_subscribercursor ORDER BY 1")
        return [name for (name,) in cursor.fetchall()]
