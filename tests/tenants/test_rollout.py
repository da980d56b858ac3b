"""A migration over many firms: planned once, replayed in each, none of them lost on the way."""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from config.migrate import migrate_all
from config.migrate_progress import Bar
from tenants import templates
from tenants.binding import bound_unchecked
from tenants.models import SchemaTemplate, Tenant
from tenants.rollout import PAUSES_S, Progress, roll_out
from tenants.schemas import applied, migration_lock, pending
from tenants.services import create_tenant
from tenants.structure import catalogue, differences
from tests.tenants.conftest import NOW
from tests.tenants.versions import ONE_COLUMN, later_version, migrate_by_django

SLUGS = ("roll-a", "roll-b", "roll-c", "roll-d")
A, B, C, D = (f"t_{slug.replace('-', '_')}" for slug in SLUGS)


@pytest.fixture
def fleet(db) -> Iterator[list[str]]:
    """Four firms for one test; what later versions left behind goes with them."""
    try:
        for slug in SLUGS:
            create_tenant(slug=slug, name=slug, now=NOW)
        yield [A, B, C, D]
    finally:
        with connection.cursor() as cursor:
            for schema in (A, B, C, D):
                cursor.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
            cursor.execute("DELETE FROM django_migrations WHERE name ~ '_later$'")
        Tenant.objects.filter(slug__in=SLUGS).delete()
        SchemaTemplate.objects.exclude(code=templates.code_fingerprint()).delete()


def run(schema: str, sql: str) -> list[tuple]:
    with bound_unchecked(schema), connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else []


def remarks(schema: str) -> list[str]:
    return [value for (value,) in run(schema, "SELECT remark FROM events_subscribercursor")]


def follower(schema: str, name: str) -> None:
    run(
        schema,
        "INSERT INTO events_subscribercursor (name, position, updated_at, failures, last_error)"
        f" VALUES ('{name}', 0, now(), 0, '')",
    )


@contextmanager
def other_session() -> Iterator[psycopg.Connection]:
    """A session beside Django's, as a trader's transaction would be."""
    settings = connection.get_connection_params()
    with psycopg.connect(
        host=settings["host"], port=settings.get("port"), user=settings["user"],
        password=settings.get("password"), dbname=settings["dbname"],
        application_name="a trader",
    ) as session:  # fmt: skip
        yield session


def never(_: float) -> None:
    raise AssertionError("nothing is locked, so there is nothing to wait for")


def test_a_column_is_planned_once_and_every_firm_is_what_django_makes_of_it(fleet, tmp_path):
    follower(C, "stays")
    with later_version(tmp_path, ONE_COLUMN):
        assert pending(fleet) == fleet
        migrate_by_django(A)
        progress = roll_out(fleet, pause=never)
        assert (progress.total, progress.done, progress.planned, progress.left) == (3, 3, 1, {})
        assert pending(fleet) == []
    assert remarks(C) == ["-"]
    run(C, "DELETE FROM events_subscribercursor")
    with bound_unchecked(A):
        by_django = catalogue()
    for schema in (B, C, D):
        with bound_unchecked(schema):
            found = catalogue()
        # Rows that the firms' making put in bear the time of it.
        assert [
            line for line in differences(by_django, found) if "risk_risklimit" not in line
        ] == []


def test_firms_in_different_states_each_get_what_they_lack(fleet, tmp_path):
    with later_version(tmp_path, ONE_COLUMN, app="events"):
        roll_out([A, B])
        run_sql = '[migrations.RunSQL("CREATE TABLE risk_spare (id integer)")]'
        with later_version(tmp_path, run_sql, app="risk"):
            progress = roll_out(fleet)
            assert (progress.done, progress.planned) == (4, 2)
            assert len({applied(schema) for schema in fleet}) == 1
            assert pending(fleet) == []


def test_code_of_a_migration_runs_in_every_firm_with_its_own_rows(fleet, tmp_path):
    for schema in fleet:
        follower(schema, f"follower of {schema}")
    code = (
        "def fill(apps, editor):\n"
        "    for cursor in apps.get_model('events', 'SubscriberCursor').objects.all():\n"
        "        cursor.remark = cursor.name[-6:]\n"
        "        cursor.save()\n"
    )
    operations = ONE_COLUMN[:-1] + "    migrations.RunPython(fill),\n]"
    with later_version(tmp_path, operations, before=code):
        progress = roll_out(fleet)
        assert (progress.done, progress.left) == (4, {})
        assert pending(fleet) == []
    assert [remarks(schema) for schema in fleet] == [[schema[-6:]] for schema in fleet]


def test_a_firm_that_fails_is_named_the_others_go_on_and_the_next_run_takes_it_up(
    fleet, tmp_path, capsys
):
    check = """[migrations.AddConstraint("subscribercursor", models.CheckConstraint(
        condition=models.Q(failures__lt=9), name="few_failures"))]"""
    follower(B, "often away")
    run(B, "UPDATE events_subscribercursor SET failures = 12")
    with later_version(tmp_path, check):
        before = applied(B)
        with pytest.raises(CommandError, match=r"1 of \d+ firms[^$]*t_roll_b: .*few_failures"):
            call_command("migrate")
        assert pending(fleet) == [B]
        assert applied(B) == before

        run(B, "UPDATE events_subscribercursor SET failures = 0")
        call_command("migrate")
        assert "1 of 1 firms migrated" in capsys.readouterr().out
        assert pending(["public", *fleet]) == []


def test_a_firm_whose_tables_are_not_the_others_gets_a_plan_of_its_own(fleet, tmp_path):
    run(A, "ALTER TABLE events_subscribercursor ADD COLUMN remark integer")
    with later_version(tmp_path, ONE_COLUMN):
        progress = roll_out(fleet)
        assert list(progress.failed) == [A]
        assert "remark" in progress.failed[A]
        assert (progress.done, pending(fleet)) == (3, [A])


def test_a_migration_that_can_run_nowhere_is_not_tried_in_every_firm(fleet, tmp_path):
    with later_version(tmp_path, '[migrations.RunSQL("no SQL at all")]'):
        progress = roll_out(fleet)
        assert sorted(progress.failed) == fleet
        assert "not tried" in progress.failed[D]
        assert pending(fleet) == fleet


def test_a_locked_firm_waits_for_the_end_and_goes_then(fleet, tmp_path):
    told = []
    with later_version(tmp_path, ONE_COLUMN), other_session() as trader:
        trader.execute(f"SELECT * FROM {B}.events_subscribercursor")

        def pause(_: float) -> None:
            told.append(set(pending(fleet)))
            trader.rollback()

        progress = roll_out(fleet, pause=pause)
        assert told == [{B}]
        assert (progress.done, progress.left) == (4, {})
        assert pending(fleet) == []


def test_who_locks_a_firm_for_good_is_named(fleet, tmp_path):
    pauses: list[float] = []
    with later_version(tmp_path, ONE_COLUMN), other_session() as trader:
        trader.execute(f"SELECT * FROM {B}.events_subscribercursor")
        progress = roll_out([A, B], pause=pauses.append)
        pid = trader.info.backend_pid
        assert list(progress.left) == [B]
        assert f"process {pid} (a trader, idle in transaction" in progress.left[B]
        assert pauses == list(PAUSES_S)
        trader.rollback()
        assert roll_out(fleet).left == {}


def test_a_run_that_is_killed_is_simply_started_again(fleet, tmp_path):
    def stop(progress: Progress) -> None:
        if progress.done == 2:
            raise KeyboardInterrupt

    with later_version(tmp_path, ONE_COLUMN):
        with pytest.raises(KeyboardInterrupt):
            roll_out(fleet, tell=stop)
        assert pending(fleet) == [C, D]
        assert roll_out(fleet).total == 2
        assert pending(fleet) == []


def test_of_two_runs_at_once_one_waits_and_finds_nothing_left(fleet, tmp_path):
    with later_version(tmp_path, ONE_COLUMN):
        waits = threading.Event()
        said, found = io.StringIO(), []

        class Said(io.StringIO):
            def write(self, text: str) -> int:
                if "another process migrates" in text:
                    waits.set()
                return said.write(text)

        def second() -> None:
            found.append(migrate_all(Said()))
            connection.close()

        with migration_lock():
            thread = threading.Thread(target=second)
            thread.start()
            assert waits.wait(30)
            assert migrate_all() is True
        thread.join(60)
        assert found == [False]
        assert "migrated in" not in said.getvalue()


def test_a_firm_is_made_before_a_migration_or_after_it_never_in_between(fleet, tmp_path):
    Tenant.objects.filter(slug=SLUGS[3]).delete()
    run(A, f"DROP SCHEMA {D} CASCADE")
    with later_version(tmp_path, ONE_COLUMN):

        def make() -> None:
            create_tenant(slug=SLUGS[3], name="late", now=NOW)
            connection.close()

        with migration_lock():
            thread = threading.Thread(target=make)
            thread.start()
            with other_session() as looker:
                while not looker.execute(
                    "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
                ).fetchone():
                    looker.rollback()
            assert migrate_all() is True
        thread.join(60)
        assert pending(fleet) == []
        assert remarks(D) == []


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_bar_says_how_far_it_is_and_how_long_it_takes():
    now = [0.0]
    screen = Terminal()
    bar = Bar(screen, clock=lambda: now[0])
    progress = Progress(total=200, done=49, locked={"t_x": "why"}, failed={"t_y": "why"})
    now[0] = 10.0
    bar.show(progress)
    assert screen.getvalue() == (
        "\r\x1b[2K[#######-----------------------] 49 of 200 firms, 1 locked, 1 failed, 30 s left"
    )
    progress.done += 1
    bar.show(progress)
    assert "50 of" not in screen.getvalue(), "a moment ago it was drawn"
    progress.done = 199
    bar.show(progress)
    bar.close()
    assert screen.getvalue().endswith("199 of 200 firms, 1 locked, 1 failed\n")


def test_where_lines_stay_there_is_one_now_and_then():
    now = [0.0]
    log = io.StringIO()
    bar = Bar(log, clock=lambda: now[0])
    for second in range(12):
        now[0] = float(second)
        bar.show(Progress(total=12, done=second + 1))
    bar.close()
    assert [line.partition("] ")[2] for line in log.getvalue().splitlines()] == [
        "6 of 12 firms, 5 s left",
        "11 of 12 firms, 1 s left",
    ]
