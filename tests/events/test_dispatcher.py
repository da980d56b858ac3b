"""The dispatcher as a process: it relays at once, survives lost servers, and stops when told."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import psycopg
import pytest
from django.db import connection

from events.binding import conninfo
from events.models import Event
from tenants.binding import tenant_bound


def waited(condition: Callable[[], bool], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return condition()


def database_url() -> str:
    """The test's own database, as another process is told of it."""
    parts = psycopg.conninfo.conninfo_to_dict(conninfo())
    port = f"&port={parts['port']}" if parts.get("port") else ""
    password = f":{parts['password']}" if parts.get("password") else ""
    return (
        f"postgresql://{parts.get('user', '')}{password}@/{parts['dbname']}"
        f"?host={parts.get('host', '')}{port}"
    )


def started() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "manage.py", "dispatcher"],
        env={**os.environ, "DATABASE_URL": database_url(), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()


@pytest.fixture(scope="module")
def _process(django_db_setup, django_db_blocker) -> Iterator[subprocess.Popen[str]]:
    with django_db_blocker.unblock():
        process = started()
    yield process
    ended(process)


@pytest.fixture
def dispatcher(firm, _process) -> subprocess.Popen[str]:
    """A dispatcher at work, shared by the tests that leave it alive."""
    firm.publish("ready?")
    assert waited(lambda: "ready?" in firm.subjects(), 60)
    return _process


def test_an_event_has_its_position_moments_after_its_commit(firm, dispatcher):
    firm.publish("a")
    committed = time.monotonic()
    assert waited(lambda: "a" in firm.subjects())
    # Well under the poll: the notification did it.
    assert time.monotonic() - committed < 0.5


def test_it_outlives_every_connection_to_postgres(firm, dispatcher):
    with psycopg.connect(conninfo(), autocommit=True) as own:
        own.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    connection.close()
    firm.publish("after")
    assert waited(lambda: "after" in firm.subjects())
    assert dispatcher.poll() is None


def test_an_event_nobody_was_told_of_is_found_by_the_poll(firm, dispatcher):
    with tenant_bound(firm.schema):
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")  # no trigger, no NOTIFY
        Event.objects.create(
            id="01JD3X8V0K5T9QW2Y7M4R6ZB1C"[:20] + f"{firm.start:06d}",
            type="order.new",
            subject="silent",
            occurred_at="2026-03-02T15:00:00Z",
            actor="t",
            data={},
        )
    assert waited(lambda: "silent" in firm.subjects(), 5)


def test_after_kill_9_the_next_one_goes_on_and_sigterm_ends_it_cleanly_and_soon(firm, dispatcher):
    ended(dispatcher)
    firm.publish("meanwhile")
    second = started()
    try:
        assert waited(lambda: "meanwhile" in firm.subjects(), 60)
        second.send_signal(signal.SIGTERM)
        began = time.monotonic()
        assert second.wait(timeout=10) == 0
        assert time.monotonic() - began < 5
        assert second.stdout is not None
        assert "dispatcher: stopped" in second.stdout.read()
    finally:
        ended(second)
