"""The player: one at a time, over the loss of Redis and of its database connection."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest
from asgiref.sync import sync_to_async
from django.db import connection

from marketdata import quotes
from marketdata.models import ReplayClock
from marketdata.replay import ReplayFeed
from marketdata.services import replay_clock
from trading.market import Quote

Story = Callable[..., Awaitable[None]]


@pytest.fixture
def committed_clock(_reference_data, django_db_blocker):
    """The feed reads from its own connection, so what it reads is committed."""
    with django_db_blocker.unblock():
        ReplayClock.objects.all().delete()
        replay_clock(now=datetime.now(UTC))
        yield
        connection.close()


async def until(condition: Callable[[], bool], *, seconds: float = 15) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is awaited happens elsewhere
            await asyncio.sleep(0.02)


def play(story: Story, *urls: str) -> None:
    """Run ``story(*feeds)`` beside a feed per address."""

    async def body() -> None:
        feeds = [ReplayFeed(url) for url in urls]
        tasks = [asyncio.create_task(feed.run()) for feed in feeds]
        try:
            await story(*feeds, tasks=tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(body())


def written(valkey) -> list[Quote]:
    entries = valkey.client().xrange(quotes.STREAM)
    return [quotes.parse_quote(fields[b"q"]) for _, fields in entries]


@pytest.mark.usefixtures("committed_clock")
class TestFeed:
    """Against a real database and a real Valkey."""

    def test_it_writes_two_quotes_a_second_of_each_symbol(self, valkey):
        async def story(feed, tasks):
            await until(lambda: feed.playing)
            await asyncio.sleep(0.1)
            before = len(written(valkey))
            await asyncio.sleep(2)
            got = written(valkey)[before:]
            for symbol in ("SPX", "IXIC"):  # four, give or take one of a busy machine
                assert 3 <= sum(quote.symbol == symbol for quote in got) <= 5
            assert {(q.feed, q.simulated) for q in got} == {("HISTORICAL REPLAY", True)}
            assert all(q.history_at.year == 2004 for q in got)
            assert all(abs(datetime.now(UTC) - q.at).total_seconds() < 4 for q in got)

        play(story, valkey.url)

    def test_it_goes_on_after_redis_was_killed(self, valkey):
        async def story(feed, tasks):
            await until(lambda: bool(written(valkey)))
            valkey.kill()
            await asyncio.sleep(1.2)
            assert feed.playing
            assert not tasks[0].done()
            valkey.start()
            await until(lambda: bool(written(valkey)))

        play(story, valkey.url)

    def test_only_one_plays_and_the_other_takes_over(self, valkey):
        async def story(one, other, tasks):
            await until(lambda: one.playing or other.playing)
            await asyncio.sleep(1.2)
            assert one.playing != other.playing
            player, standby = (0, other) if one.playing else (1, one)
            tasks[player].cancel()
            await until(lambda: standby.playing)

        play(story, valkey.url, valkey.url)

    def test_it_resumes_after_its_connection_was_cut(self, valkey, caplog):
        caplog.set_level("INFO", logger="marketdata.replay")

        def starts() -> int:
            return sum("plays from here" in message for message in caplog.messages)

        async def story(feed, tasks):
            await until(lambda: feed.playing)
            assert await sync_to_async(cut_players)()
            await until(lambda: starts() == 2)  # it may be back before anybody saw it away
            await until(lambda: feed.playing)
            assert not tasks[0].done()

        play(story, valkey.url)


def cut_players() -> int:
    """End the database sessions that hold an advisory lock here, as a restart would."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_locks l WHERE locktype = 'advisory'"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        (count,) = cursor.fetchone()
    connection.close()
    return count
