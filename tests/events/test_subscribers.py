"""Each subscriber follows every firm's stream in order, at least once, without the others."""

from datetime import timedelta

import pytest
from django.core.exceptions import ImproperlyConfigured

from events import runner, subscribers
from events.models import Event, SubscriberCursor
from events.runner import backoff, run_subscriber
from events.selectors import stream_status
from events.services import publish
from events.subscribers import Subscriber
from tenants.binding import tenant_bound
from tests.events.conftest import NOW

pytestmark = pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")


class Notes:
    """A handler that writes down what it got, and fails on demand."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.failing: set[str] = set()

    def __call__(self, event: Event, *, now) -> None:
        if event.subject in self.failing:
            raise ValueError(f"no {event.subject} today")
        self.seen.append(event.subject)


@pytest.fixture
def name(request) -> str:
    """A cursor of the test's own."""
    return request.node.name[:60]


@pytest.fixture
def notes() -> Notes:
    return Notes()


def follow(firm, subscriber: Subscriber, *, now=NOW) -> int:
    return run_subscriber(subscriber, firm.schema, now=now)


def at_head(name: str, notes: Notes, *types: str) -> Subscriber:
    return Subscriber(name, types, notes, "head")


def status(firm, name: str):
    with tenant_bound(firm.schema):
        return next(row for row in stream_status().subscribers if row.name == name)


def test_events_come_in_order_and_once(firm, notes, name):
    subscriber = at_head(name, notes)
    follow(firm, subscriber)
    for subject in ("a", "b", "c"):
        firm.publish(subject)
    firm.relay()
    assert follow(firm, subscriber) == 3
    assert follow(firm, subscriber) == 0
    assert notes.seen == ["a", "b", "c"]


def test_only_the_types_asked_for_come(firm, notes, name):
    subscriber = at_head(name, notes, "halt.set", "order.*")
    follow(firm, subscriber)
    for type_ in ("order.new", "halt.set", "halt.lifted", "position.changed", "orders.other"):
        firm.publish(type_, type=type_)
    firm.relay()
    follow(firm, subscriber)
    assert notes.seen == ["order.new", "halt.set"]
    assert status(firm, name).lag == 0


def test_what_has_no_position_yet_does_not_come(firm, notes, name):
    subscriber = at_head(name, notes)
    follow(firm, subscriber)
    firm.publish("a")
    follow(firm, subscriber)
    assert notes.seen == []


def test_a_new_subscriber_begins_with_the_first_event_unless_it_says_otherwise(firms, notes):
    firm = firms("events-early")
    firm.publish("before")
    firm.relay()
    follow(firm, Subscriber("from-first", (), notes))
    assert "before" in notes.seen
    notes.seen.clear()
    follow(firm, at_head("from-head", notes))
    assert notes.seen == []


def test_a_failure_stops_its_own_subscriber_before_the_event_and_no_other(firm, name):
    sick, well = Notes(), Notes()
    one, two = at_head(f"{name}1", sick), at_head(f"{name}2", well)
    follow(firm, one)
    follow(firm, two)
    for subject in ("a", "b", "c"):
        firm.publish(subject)
    firm.relay()
    sick.failing = {"b"}
    follow(firm, one)
    follow(firm, two)
    assert sick.seen == ["a"]
    assert well.seen == ["a", "b", "c"]
    trouble = status(firm, one.name)
    assert (trouble.lag, trouble.failures) == (2, 1)
    assert trouble.last_error == "ValueError: no b today"


def test_a_failed_event_is_tried_again_after_a_growing_wait_and_order_is_kept(firm, notes, name):
    subscriber = at_head(name, notes)
    follow(firm, subscriber)
    firm.publish("a")
    firm.publish("b")
    firm.relay()
    notes.failing = {"a"}
    follow(firm, subscriber)
    notes.failing = set()
    assert follow(firm, subscriber, now=NOW + timedelta(seconds=0.5)) == 0
    assert notes.seen == []
    follow(firm, subscriber, now=NOW + timedelta(seconds=1))
    assert notes.seen == ["a", "b"]
    assert status(firm, name).failures == 0


def test_waits_double_up_to_five_minutes():
    assert [backoff(n).total_seconds() for n in (1, 2, 3, 9, 10, 1000)] == [1, 2, 4, 256, 300, 300]


def test_a_handlers_writes_are_undone_with_its_failure_and_kept_with_its_success(firm, name):
    fails = [True]

    def answering(event: Event, *, now) -> None:
        if event.type == "order.new":
            publish(type="order.denied", subject="answer", data={}, actor="t", now=now)
            if fails[0]:
                raise ValueError

    subscriber = Subscriber(name, (), answering, "head")
    follow(firm, subscriber)
    firm.publish("question")
    firm.relay()
    follow(firm, subscriber)
    firm.relay()
    assert firm.subjects() == ["question"]
    fails[0] = False
    follow(firm, subscriber, now=NOW + timedelta(seconds=2))
    firm.relay()
    assert firm.subjects() == ["question", "answer"]


def test_a_failure_in_sql_leaves_the_runner_able_to_go_on(firm, name):
    def broken(event: Event, *, now) -> None:
        Event.objects.raw("SELECT nonsense")[0]

    subscriber = Subscriber(name, (), broken, "head")
    follow(firm, subscriber)
    firm.publish("a")
    firm.relay()
    follow(firm, subscriber)
    assert status(firm, name).failures == 1


def test_a_cursor_held_by_another_dispatcher_is_left_alone(firm, notes, name):
    import threading

    from django.db import connection

    subscriber = at_head(name, notes)
    follow(firm, subscriber)
    firm.publish("a")
    firm.relay()
    held, over = threading.Event(), threading.Event()

    def other() -> None:
        try:
            with tenant_bound(firm.schema):
                SubscriberCursor.objects.select_for_update().get(pk=subscriber.name)
                held.set()
                over.wait(10)
        finally:
            connection.close()

    thread = threading.Thread(target=other)
    thread.start()
    assert held.wait(10)
    assert follow(firm, subscriber) == 0
    over.set()
    thread.join()
    assert follow(firm, subscriber) == 1
    assert notes.seen == ["a"]


def test_a_long_backlog_is_taken_in_batches(firm, notes, name, monkeypatch):
    monkeypatch.setattr(runner, "BATCH", 4)
    subscriber = at_head(name, notes, "order.new")
    follow(firm, subscriber)
    for index in range(10):
        firm.publish(str(index), type="order.new" if index % 3 == 0 else "halt.set")
    firm.relay()
    assert [follow(firm, subscriber) for _ in range(4)] == [4, 4, 2, 0]
    assert notes.seen == ["0", "3", "6", "9"]


def test_a_name_stands_for_one_handler(monkeypatch, notes):
    monkeypatch.setattr(subscribers, "_registry", {})
    subscribers.register("desk", ("halt.set",), notes)
    subscribers.register("desk", ("halt.set",), notes)
    with pytest.raises(ImproperlyConfigured):
        subscribers.register("desk", (), Notes())
    assert [subscriber.name for subscriber in subscribers.registered()] == ["desk"]
