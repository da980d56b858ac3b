"""Redis holds a copy: it may be emptied, lost or foreign, and the stream goes on."""

import redis

from events import redis_stream
from events.relay import RedisFeeder, relay_once


def entries(client, firm):
    rows = client.xrange(redis_stream.key(firm.schema))
    return [redis_stream.read_entry(*row) for row in rows]


def test_entries_carry_position_event_and_the_links_of_the_chain(firm, redis_client):
    redis_client.delete(redis_stream.key(firm.schema))
    firm.publish("a", type="order.new", qty="10")
    firm.publish("b", type="order.filled")
    firm.relay()
    one, two = entries(redis_client, firm)[-2:]
    assert (one.position, two.position) == (firm.start + 1, firm.start + 2)
    assert two.previous == one.hash
    assert two.type == "order.filled"
    assert '"qty":"10"' in one.json


def test_a_flushed_redis_is_filled_up_again(firm, redis_client):
    feeder = RedisFeeder()
    firm.publish("a")
    relay_once(firm.schema, feeder=feeder)
    redis_client.delete(redis_stream.key(firm.schema))
    firm.publish("b")
    relay_once(firm.schema, feeder=feeder)
    assert [entry.position for entry in entries(redis_client, firm)][-2:] == [
        firm.start + 1,
        firm.start + 2,
    ]


def test_positions_go_on_while_redis_is_away(firm, redis_client, monkeypatch):
    away = redis.Redis.from_url("unix:///nowhere/at/all.sock", decode_responses=True)
    feeder = RedisFeeder(away)
    firm.publish("a")
    assert relay_once(firm.schema, feeder=feeder) == 1
    assert firm.subjects() == ["a"]
    assert redis_stream.last(redis_client, firm.schema)[0] == firm.start
    firm.relay()
    assert redis_stream.last(redis_client, firm.schema)[0] == firm.start + 1


def test_a_stream_left_by_another_database_is_made_anew(firm, redis_client):
    firm.publish("a")
    foreign = redis_stream.Entry(10**9, "0" * 64, "f" * 64, "order.new", "{}")
    redis_stream.add(redis_client, firm.schema, [foreign])
    firm.relay()
    found = entries(redis_client, firm)
    assert found[-1].position == firm.start + 1
    assert "f" * 64 not in {entry.hash for entry in found}


def test_a_stream_with_our_positions_but_other_hashes_is_made_anew(firm, redis_client):
    redis_client.delete(redis_stream.key(firm.schema))
    firm.publish("a")
    firm.publish("b")
    redis_stream.add(
        redis_client,
        firm.schema,
        [redis_stream.Entry(firm.start + 1, "0" * 64, "f" * 64, "order.new", "{}")],
    )
    firm.relay()
    assert "f" * 64 not in {entry.hash for entry in entries(redis_client, firm)}


def test_the_stream_is_capped(firm, redis_client, monkeypatch):
    monkeypatch.setattr(redis_stream, "MAXLEN", 100)
    redis_client.delete(redis_stream.key(firm.schema))
    many = [
        redis_stream.Entry(10**6 + index, "0" * 64, "1" * 64, "order.new", "{}")
        for index in range(1000)
    ]
    redis_stream.add(redis_client, firm.schema, many)
    assert redis_client.xlen(redis_stream.key(firm.schema)) < 400
    redis_client.delete(redis_stream.key(firm.schema))
