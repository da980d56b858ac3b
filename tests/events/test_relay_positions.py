"""A cursor that has passed a position never meets a later event below it."""

import threading
from collections.abc import Callable

import psycopg
import pytest
from django.db import connection, transaction

from events import redis_stream, relay
from events.binding import conninfo
from events.models import Event
from events.relay import RedisFeeder, give_positions, relay_once
from events.services import Draft, publish, publish_many
from tenants.binding import tenant_bound
from tests.events.conftest import NOW

# A relay or writer that fails in its thread fails the test.
pytestmark = pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")


def run_in_thread(work: Callable[[], None]) -> threading.Thread:
    def closing() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=closing)
    thread.start()
    return thread


def test_an_event_exists_only_if_its_transaction_commits(firm):
    with tenant_bound(firm.schema):
        publish(type="order.new", subject="undone", data={}, actor="test", now=NOW)
        transaction.set_rollback(True)
    firm.publish("done")
    firm.relay()
    assert firm.subjects() == ["done"]


def test_positions_follow_insertion_and_have_no_gaps(firm):
    for subject in ("a", "b", "c"):
        firm.publish(subject)
    assert firm.relay() == 3
    assert firm.subjects() == ["a", "b", "c"]
    assert firm.positions() == [1, 2, 3]


def test_several_drafts_of_one_call_keep_their_order(firm):
    with tenant_bound(firm.schema):
        publish_many(
            drafts=[Draft("order.new", subject, {}) for subject in "zyx"], actor="test", now=NOW
        )
    firm.relay()
    assert firm.subjects() == ["z", "y", "x"]


def test_a_late_commit_gets_a_later_position_than_what_was_already_read(firm):
    inserted, may_commit = threading.Event(), threading.Event()

    def slow() -> None:
        with tenant_bound(firm.schema):
            publish(type="order.new", subject="late", data={}, actor="test", now=NOW)
            inserted.set()
            assert may_commit.wait(10)

    thread = run_in_thread(slow)
    assert inserted.wait(10)
    firm.publish("early")
    firm.relay()
    assert firm.subjects() == ["early"]  # a reader's cursor is now at 1
    may_commit.set()
    thread.join()
    firm.relay()
    assert firm.subjects() == ["early", "late"]
    with tenant_bound(firm.schema):
        late, early = Event.objects.filter(position__gt=firm.start).order_by("seq")
    assert (late.subject, early.subject) == ("late", "early")  # inserted the other way round


def test_a_cursor_misses_nothing_while_many_commit_late_and_two_relays_run(firm):
    writers, each = 6, 15
    over = threading.Event()
    seen: list[str] = []

    def write(number: int) -> None:
        for index in range(each):
            with tenant_bound(firm.schema):
                publish(type="order.new", subject=f"{number}-{index}", data={}, actor="t", now=NOW)
                over.wait(0.002 * ((number * 7 + index) % 5))  # commits come out of order
            if index % 5 == 4:
                with tenant_bound(firm.schema):
                    publish(type="order.new", subject="never", data={}, actor="t", now=NOW)
                    transaction.set_rollback(True)

    def relaying() -> None:
        feeder = RedisFeeder()
        while not over.is_set():
            relay_once(firm.schema, feeder=feeder)

    def follow() -> None:
        cursor = firm.start
        while len(seen) < writers * each and not over.is_set():
            with tenant_bound(firm.schema):
                rows = list(Event.objects.filter(position__gt=cursor).order_by("position"))
            for row in rows:
                assert row.position == cursor + 1
                cursor = row.position
                seen.append(row.subject)

    relays = [run_in_thread(relaying) for _ in range(2)]
    reader = run_in_thread(follow)
    threads = [run_in_thread(lambda number=number: write(number)) for number in range(writers)]
    for thread in threads:
        thread.join()
    reader.join(timeout=20)
    over.set()
    for thread in relays:
        thread.join()
    assert sorted(seen) == sorted(f"{a}-{b}" for a in range(writers) for b in range(each))
    for number in range(writers):  # and each writer's own events stand in its order
        own = [subject for subject in seen if subject.startswith(f"{number}-")]
        assert own == [f"{number}-{index}" for index in range(each)]


def test_a_relay_killed_before_its_commit_leaves_nothing_half_given(firm):
    firm.publish("a")
    with transaction.atomic():
        assert give_positions(firm.schema) == 1
        transaction.set_rollback(True)
    assert firm.subjects() == []
    assert firm.relay() == 1
    assert firm.positions() == [1]


def test_a_relay_killed_between_postgres_and_redis_is_made_good_by_the_next(firm, redis_client):
    firm.publish("a")
    firm.relay()
    firm.publish("b")
    firm.publish("c")
    give_positions(firm.schema)  # dies here: Redis has not heard of b and c
    assert redis_stream.last(redis_client, firm.schema)[0] == firm.start + 1
    assert firm.relay() == 0
    assert redis_stream.last(redis_client, firm.schema)[0] == firm.start + 3


def test_more_than_one_batch_is_given_in_one_pass(firm, monkeypatch):
    monkeypatch.setattr(relay, "BATCH", 4)
    monkeypatch.setattr(relay.give_positions, "__kwdefaults__", {"limit": 4})
    for index in range(10):
        firm.publish(str(index))
    assert firm.relay() == 10
    assert firm.positions() == list(range(1, 11))


def test_firms_have_streams_of_their_own(firms):
    one, other = firms("events-desk"), firms("events-other")
    one.publish("ours")
    other.publish("theirs")
    one.relay()
    other.relay()
    assert one.subjects() == ["ours"]
    assert other.subjects() == ["theirs"]


def test_an_insert_wakes_listeners_when_it_commits_and_not_before(firm):
    with psycopg.connect(conninfo(), autocommit=True) as listening:
        listening.execute("LISTEN blotter_events")
        with tenant_bound(firm.schema):
            publish(type="order.new", subject="a", data={}, actor="test", now=NOW)
            assert list(listening.notifies(timeout=0.2)) == []
        notes = list(listening.notifies(timeout=5, stop_after=1))
    assert [note.payload for note in notes] == [firm.schema]


def test_a_second_relay_waits_for_the_first_and_goes_on_from_there(firm):
    firm.publish("a")
    given, may_commit = threading.Event(), threading.Event()

    def first() -> None:
        with tenant_bound(firm.schema):
            assert give_positions(firm.schema) == 1
            given.set()
            assert may_commit.wait(10)

    one = run_in_thread(first)
    assert given.wait(10)
    firm.publish("b")
    two = run_in_thread(lambda: give_positions(firm.schema))
    two.join(timeout=0.5)
    assert two.is_alive()
    may_commit.set()
    one.join()
    two.join()
    assert firm.subjects() == ["a", "b"]
    assert firm.positions() == [1, 2]
