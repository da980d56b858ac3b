"""Events cannot be changed through the system, and a change behind its back is found."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError, connection, transaction

from common.ids import new_ulid
from events.models import Event, StreamHead
from events.selectors import chain_problems
from tenants.binding import tenant_bound
from tests.events.conftest import NOW


def execute(statement: str, *values: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


@pytest.fixture
def three(firm):
    """Three relayed events, bound to a transaction that is undone."""
    for subject in ("a", "b", "c"):
        firm.publish(subject, qty="10")
    firm.relay()
    with tenant_bound(firm.schema):
        yield firm
        transaction.set_rollback(True)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM events_event WHERE position = %s",
        "UPDATE events_event SET data = '{}' WHERE position = %s",
        "UPDATE events_event SET position = position + 1000 WHERE position = %s",
        "UPDATE events_event SET hash = repeat('0', 64) WHERE position = %s",
        "UPDATE events_event SET position = NULL, hash = NULL WHERE position = %s",
    ],
)
def test_an_event_is_neither_changed_nor_deleted(three, statement):
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        execute(statement, three.start + 2)


def test_events_are_not_truncated(three):
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        execute("TRUNCATE events_event")


def test_the_relays_step_may_change_nothing_but_position_and_hash(firm):
    event = firm.publish("a")
    with (
        pytest.raises(DatabaseError, match="append-only"),
        tenant_bound(firm.schema),
        transaction.atomic(),
    ):
        execute(
            "UPDATE events_event SET position = 10000, hash = repeat('0', 64), data = '{}'"
            " WHERE id = %s",
            event.id,
        )


def test_the_head_never_goes_back(three):
    for statement in (
        "UPDATE events_streamhead SET position = position - 1",
        "UPDATE events_streamhead SET hash = repeat('0', 64)",
        "DELETE FROM events_streamhead",
    ):
        with pytest.raises(DatabaseError, match="only moves forward"), transaction.atomic():
            execute(statement)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("type", "Order New"),
        ("type", "order"),
        ("id", "not-a-ulid"),
        ("data", ["a", "list"]),
        ("position", 5),
    ],
)
def test_a_malformed_event_is_refused_by_the_table(three, field, value):
    fields = {
        "id": new_ulid(NOW),
        "type": "order.new",
        "subject": "x",
        "occurred_at": NOW,
        "actor": "test",
        "data": {},
        field: value,
    }
    with pytest.raises(IntegrityError), transaction.atomic():
        Event.objects.create(**fields)


def test_the_chain_of_an_honest_stream_holds(three):
    assert list(chain_problems(chunk=2)) == []


def behind_the_back(statement: str, *values: object) -> None:
    """What somebody with the database's password could do."""
    execute("ALTER TABLE events_event DISABLE TRIGGER USER")
    execute("ALTER TABLE events_streamhead DISABLE TRIGGER USER")
    execute(statement, *values)


TAMPERINGS = [
    ("UPDATE events_event SET data = jsonb_set(data, '{qty}', '\"11\"') WHERE position = %s", 2),
    ("UPDATE events_event SET actor = 'user:mallory' WHERE position = %s", 1),
    ("UPDATE events_event SET occurred_at = occurred_at - interval '1 s' WHERE position = %s", 3),
    ("UPDATE events_event SET hash = repeat('a', 64) WHERE position = %s", 3),
    ("DELETE FROM events_event WHERE position = %s", 1),
    ("DELETE FROM events_event WHERE position = %s", 2),
    ("DELETE FROM events_event WHERE position = %s", 3),
    ("UPDATE events_streamhead SET position = %s", 2),
]


@pytest.mark.parametrize(("statement", "offset"), TAMPERINGS)
def test_what_is_tampered_with_is_found(three, statement, offset):
    behind_the_back(statement, three.start + offset)
    assert list(chain_problems(chunk=2)) != []


def test_an_edited_row_is_named_with_its_position(three):
    behind_the_back(
        'UPDATE events_event SET data = \'{"qty": "11"}\' WHERE position = %s', three.start + 2
    )
    (problem,) = chain_problems()
    assert f"position {three.start + 2} " in problem


def test_swapping_two_events_is_found(three):
    behind_the_back("ALTER TABLE events_event DROP CONSTRAINT events_event_position_with_hash")
    one, two = three.start + 1, three.start + 2
    execute("UPDATE events_event SET position = -1 WHERE position = %s", one)
    execute("UPDATE events_event SET position = %s WHERE position = %s", one, two)
    execute("UPDATE events_event SET position = %s WHERE position = -1", two)
    assert list(chain_problems()) != []


def test_the_command_says_so_and_fails(three):
    out = StringIO()
    call_command("verify_chain", schema=three.schema, stdout=out)
    assert "the chain holds" in out.getvalue()
    behind_the_back("UPDATE events_event SET actor = 'x' WHERE position = %s", three.start + 1)
    with pytest.raises(CommandError):
        call_command("verify_chain", schema=three.schema, stdout=out)
    assert f"position {three.start + 1} " in out.getvalue()


def test_there_is_one_head_row(three):
    with pytest.raises(IntegrityError), transaction.atomic():
        StreamHead.objects.create(pk=2)
