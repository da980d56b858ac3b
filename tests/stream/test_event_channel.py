"""The ring all readers of a firm share: what it takes, what it gives, and what it refuses."""

import asyncio
import json

import pytest

from config.stream import channel as channel_module
from config.stream.channel import EventChannel
from config.stream.store import StreamEvent, stream_event
from events.models import GENESIS_HASH
from events.redis_stream import Entry


def digest(position: int) -> str:
    return f"{position:064x}" if position else GENESIS_HASH


def entry(position: int, previous: str | None = None) -> Entry:
    text = json.dumps({"type": "order.new", "data": {}, "position": position})
    return Entry(position, previous or digest(position - 1), digest(position), "order.new", text)


class Table:
    """Stands for Postgres: every position up to ``head`` but those in ``missing``."""

    def __init__(self, head: int, missing: tuple[int, ...] = ()) -> None:
        self.head, self.missing = head, missing
        self.reads = 0

    async def after(
        self, schema: str, position: int, *, upto: int, limit: int
    ) -> list[StreamEvent]:
        self.reads += 1
        wanted = [n for n in range(position + 1, upto + 1) if n not in self.missing][:limit]
        return [
            stream_event(position=n, hash=digest(n), type="order.new", text=entry(n).json)
            for n in wanted
        ]


def given(events) -> list[int] | None:
    return None if events is None else [event.position for event in events]


@pytest.fixture(autouse=True)
def _small_ring(monkeypatch):
    monkeypatch.setattr(channel_module, "RING", 10)


def channel(tip: int = 0) -> EventChannel:
    return EventChannel("t", tip=tip, tip_hash=digest(tip))


def test_entries_that_continue_the_chain_are_given_to_readers():
    ring = channel(5)
    assert all(ring.offer(entry(n)) for n in (6, 7, 8))
    assert given(ring.after(5, limit=100)) == [6, 7, 8]
    assert given(ring.after(6, limit=1)) == [7]
    assert given(ring.after(8, limit=100)) == []
    assert given(ring.after(99, limit=100)) == []


def test_a_reader_behind_the_ring_is_sent_to_postgres():
    ring = channel(5)
    ring.offer(entry(6))
    assert ring.after(4, limit=100) is None
    assert ring.first == 6


def test_an_entry_with_a_gap_or_of_another_chain_is_not_taken():
    ring = channel(5)
    assert not ring.offer(entry(7))
    assert not ring.offer(entry(6, previous="f" * 64))
    assert given(ring.after(5, limit=100)) == []


def test_a_known_entry_is_passed_over():
    ring = channel(5)
    ring.offer(entry(6))
    assert ring.offer(entry(6))
    assert given(ring.after(5, limit=100)) == [6]


def test_the_ring_is_bounded():
    ring = channel()
    for n in range(1, 100):
        ring.offer(entry(n))
    assert ring.tip - ring.first < 20
    assert given(ring.after(98, limit=100)) == [99]
    assert ring.after(50, limit=100) is None


def test_catching_up_fills_the_gap_and_the_chain_goes_on():
    ring, table = channel(5), Table(9)
    asyncio.run(ring.catch_up(table, tip=9, tip_hash=digest(9)))
    assert given(ring.after(5, limit=100)) == [6, 7, 8, 9]
    assert ring.offer(entry(10))
    assert given(ring.after(5, limit=100)) == [6, 7, 8, 9, 10]


def test_catching_up_far_keeps_the_newest_only_and_sends_readers_to_postgres():
    ring, table = channel(5), Table(1000)
    asyncio.run(ring.catch_up(table, tip=1000, tip_hash=digest(1000)))
    assert given(ring.after(990, limit=100)) == list(range(991, 1001))
    assert ring.after(5, limit=100) is None


def test_a_hole_in_the_table_empties_the_ring_and_moves_on():
    ring, table = channel(5), Table(9, missing=(7,))
    asyncio.run(ring.catch_up(table, tip=9, tip_hash=digest(9)))
    assert (ring.tip, ring.first) == (9, 10)
    assert ring.offer(entry(10))


def test_readers_are_woken():
    ring, woken = channel(5), asyncio.Event()
    ring.wakes.add(woken)
    ring.offer(entry(6))
    assert woken.is_set()
