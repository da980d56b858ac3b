"""What a reader of /stream/events gets: everything once, in order, from wherever it resumes."""

import threading
import time

import psycopg
import pytest
from django.db import connection

from events.binding import conninfo
from events.relay import RedisFeeder
from tests.stream.conftest import start_stream

EVENTS = "/stream/events"

pytestmark = pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")


def offsets(firm, blocks) -> list[int]:
    return [int(block.id) - firm.start for block in blocks]


def test_an_event_arrives_live_in_the_form_of_the_list(stream, firm, key):
    opened = stream.open(EVENTS, key).begun()
    (event,) = firm.publish("o-1", qty="10")
    (block,) = opened.take(1)
    assert (block.id, block.event) == (str(firm.start + 1), "order.new")
    assert block.json == {
        "id": event.id,
        "position": firm.start + 1,
        "type": "order.new",
        "subject": "o-1",
        "occurred_at": "2026-03-02T15:00:00Z",
        "actor": "test",
        "correlation_id": "",
        "data": {"account": "A", "qty": "10"},
    }
    headers = opened.response.headers
    assert headers["content-type"].startswith("text/event-stream")
    assert headers["cache-control"] == "no-store"


def test_an_event_arrives_soon_after_its_relay(stream, firm, key):
    opened = stream.open(EVENTS, key).begun()
    firm.publish("warm")
    opened.take(1)
    began = time.monotonic()
    firm.publish("b")
    opened.take(1)
    assert time.monotonic() - began < 0.3


def test_without_a_position_only_what_follows_comes(stream, firm, key):
    firm.publish("before")
    opened = stream.open(EVENTS, key).begun()
    firm.publish("after")
    assert [block.json["subject"] for block in opened.take(1)] == ["after"]


def test_it_resumes_after_the_position_named_and_goes_on_live(stream, firm, key):
    firm.publish(*"abcde")
    by_header = stream.open(EVENTS, key, Last_Event_ID=str(firm.start + 2))
    by_query = stream.open(f"{EVENTS}?after={firm.start + 2}", key)
    both = stream.open(f"{EVENTS}?after=0", key, Last_Event_ID=str(firm.start + 2))
    for opened in (by_header, by_query, both):
        assert offsets(firm, opened.take(3)) == [3, 4, 5]
    firm.publish("f")
    for opened in (by_header, by_query, both):
        assert offsets(firm, opened.take(1)) == [6]


def test_it_resumes_from_the_very_first_event_though_redis_has_lost_them_all(
    stream, firm, key, redis_client
):
    firm.publish("last")
    redis_client.delete(f"{firm.schema}:events")
    opened = stream.open(f"{EVENTS}?after=0", key)
    blocks = opened.take(firm.start + 1)
    assert [int(block.id) for block in blocks] == list(range(1, firm.start + 2))


def test_no_gap_and_no_double_at_the_seam_while_events_keep_coming(stream, firm, key):
    total = 400
    readings: list[list[int]] = []

    def write() -> None:
        try:
            for index in range(total // 4):
                firm.publish(*(f"{index}-{n}" for n in range(4)))
        finally:
            connection.close()

    def read() -> None:
        opened = stream.open(f"{EVENTS}?after={firm.start}", key, timeout=30)
        readings.append(offsets(firm, opened.take(total)))

    writer = threading.Thread(target=write)
    writer.start()
    readers = []
    for _ in range(8):
        readers.append(threading.Thread(target=read))
        readers[-1].start()
        time.sleep(0.05)
    for thread in [writer, *readers]:
        thread.join()
    assert readings == [list(range(1, total + 1))] * 8


def test_reconnecting_again_and_again_loses_and_doubles_nothing(stream, firm, key):
    total, cursor, seen = 200, firm.start, []

    def write() -> None:
        try:
            for index in range(total):
                firm.publish(str(index))
        finally:
            connection.close()

    writer = threading.Thread(target=write)
    writer.start()
    while len(seen) < total:
        opened = stream.open(EVENTS, key, Last_Event_ID=str(cursor))
        blocks = opened.take(min(7, total - len(seen)))
        opened.close()
        seen += offsets(firm, blocks)
        cursor = int(blocks[-1].id)
    writer.join()
    assert seen == list(range(1, total + 1))


def test_types_can_be_chosen(stream, firm, key):
    opened = stream.open(f"{EVENTS}?type=halt.*,order.filled", key).begun()
    from events.relay import relay_once
    from events.services import Draft, publish_many
    from tenants.binding import tenant_bound
    from tests.stream.conftest import NOW

    with tenant_bound(firm.schema):
        kinds = ("order.new", "halt.set", "order.filled")
        publish_many(
            drafts=[Draft(kind, "s", {"scope": "tenant"}) for kind in kinds], actor="t", now=NOW
        )
    relay_once(firm.schema)
    assert [block.event for block in opened.take(2)] == ["halt.set", "order.filled"]


def test_a_firm_never_sees_anothers_events(stream, firms):
    one, other = firms("stream-desk"), firms("stream-other")
    ours = stream.open(f"{EVENTS}?after={one.start}", one.key()[1]).begun()
    theirs = stream.open(f"{EVENTS}?after={other.start}", other.key()[1]).begun()
    for index in range(10):
        one.publish(f"ours-{index}")
        other.publish(f"theirs-{index}")
    assert {block.json["subject"][:4] for block in ours.take(10)} == {"ours"}
    assert {block.json["subject"][:6] for block in theirs.take(10)} == {"theirs"}


def test_a_key_of_one_account_gets_that_account_only(stream, firm):
    opened = stream.open(EVENTS, firm.key(accounts=["A"])[1]).begun()
    firm.publish("b", account="B")
    firm.publish("a")
    assert [block.json["subject"] for block in opened.take(1)] == ["a"]


def test_heartbeats_come_every_five_seconds(stream, key):
    opened = stream.open(EVENTS, key).begun()
    began = time.monotonic()
    beat = next(opened.blocks())
    assert beat.event == "hb"
    assert beat.id is None
    assert 4.5 < time.monotonic() - began < 6.5


def test_a_client_that_reads_slowly_gets_everything_and_holds_up_nobody(stream, firm, key):
    total = 6_000  # three times the ring, and far more than a socket takes
    slow = stream.open(f"{EVENTS}?after={firm.start}", key, timeout=60).begun()
    quick = stream.open(f"{EVENTS}?after={firm.start}", key, timeout=60).begun()
    readings: list[list[int]] = []
    reader = threading.Thread(target=lambda: readings.append(offsets(firm, quick.take(total))))
    reader.start()
    for index in range(total // 500):
        firm.publish(*(f"{index}-{n}" for n in range(500)), note="x" * 1000)
    reader.join()
    assert readings == [list(range(1, total + 1))]
    assert offsets(firm, slow.take(total)) == list(range(1, total + 1))


def test_it_outlives_the_loss_of_its_postgres_connections(stream, firm, key):
    opened = stream.open(f"{EVENTS}?after={firm.start}", key).begun()
    firm.publish("a")
    opened.take(1)
    with psycopg.connect(conninfo(), autocommit=True) as own:
        own.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    connection.close()
    firm.publish("b")
    assert offsets(firm, opened.take(1)) == [2]
    resumed = stream.open(f"{EVENTS}?after={firm.start}", key)
    assert offsets(firm, resumed.take(2)) == [1, 2]


def test_redis_killed_emptied_and_back_a_client_misses_nothing(firm, key, own_pair):
    server, own_redis = own_pair.stream, own_pair.redis
    firm.feeder = RedisFeeder(own_redis.client())
    opened = server.open(f"{EVENTS}?after={firm.start}", key).begun()
    firm.publish("a")
    assert offsets(firm, opened.take(1)) == [1]
    own_redis.kill()
    firm.publish("b")
    firm.publish("c")
    assert offsets(firm, opened.take(2)) == [2, 3]  # from Postgres, Redis being away
    own_redis.start()
    time.sleep(1.1)
    firm.publish("d")
    firm.publish("e")
    assert offsets(firm, opened.take(2)) == [4, 5]
    own_redis.client().flushall()
    firm.publish("f")
    assert offsets(firm, opened.take(1)) == [6]
    began = time.monotonic()
    firm.publish("g")
    assert offsets(firm, opened.take(1)) == [7]
    assert time.monotonic() - began < 2
    again = server.open(f"{EVENTS}?after={firm.start}", key)
    assert offsets(firm, again.take(7)) == list(range(1, 8))


def test_entries_of_another_history_in_redis_are_never_shown(stream, firm, key, redis_client):
    opened = stream.open(f"{EVENTS}?after={firm.start}", key).begun()
    redis_client.xadd(
        f"{firm.schema}:events",
        {
            "event": '{"type":"order.new","data":{}}',
            "type": "order.new",
            "previous": "0" * 64,
            "hash": "f" * 64,
        },
        id=f"{firm.start + 1}-0",
    )
    time.sleep(0.5)
    firm.feeder = RedisFeeder()
    (event,) = firm.publish("real")
    (block,) = opened.take(1)
    assert block.json["id"] == event.id


def test_sigterm_ends_the_process_though_streams_are_open(firm, key, own_redis, tmp_path):
    server = start_stream(tmp_path, own_redis.url)
    server.open(EVENTS, key).begun()
    began = time.monotonic()
    server.process.terminate()
    server.process.wait(timeout=10)
    assert time.monotonic() - began < 4


def test_a_worker_whose_server_was_killed_ends_too(firm, key, own_redis, tmp_path):
    server = start_stream(tmp_path, own_redis.url)
    opened = server.open(EVENTS, key).begun()
    server.process.kill()
    server.process.wait()
    began = time.monotonic()
    assert list(opened.blocks()) == []
    assert time.monotonic() - began < 4
