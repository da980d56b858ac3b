"""The two streams: what a client of each is sent, and when."""

import re
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Protocol

from common.actor import Actor
from common.errors import FieldError, Invalid
from config.stream.channel import EventChannel
from config.stream.http import Request, Unavailable, position_from
from config.stream.hub import Hub
from config.stream.sse import HEARTBEAT_S, SseClient
from config.stream.store import AWAY, EventStore, StreamEvent
from events.visibility import is_visible, type_matches, type_patterns

Serve = Callable[[SseClient], Awaitable[None]]

_BATCH = 200
PAUSE_S = 0.5
_SYMBOL = re.compile(r"[A-Z0-9.\-/]{1,32}")
MOST_SYMBOLS = 100


def checked_symbols(wanted: list[str]) -> list[str]:
    """Return the symbols without repetitions.

    :raises Invalid: if there are too many, or one is malformed.
    """
    symbols = list(dict.fromkeys(wanted))
    errors = []
    if len(symbols) > MOST_SYMBOLS:
        message = f"At most {MOST_SYMBOLS} symbols per stream."
        errors.append(FieldError("symbols", "out_of_range", message))
    errors += [
        FieldError("symbols", "invalid_symbol", f"{symbol[:64]!r} is not a symbol.")
        for symbol in symbols[:MOST_SYMBOLS]
        if not _SYMBOL.fullmatch(symbol)
    ]
    if errors:
        raise Invalid("The symbols are not acceptable.", errors=errors)
    return symbols


class Stream(Protocol):
    """One kind of stream: the scope it needs, and how a request becomes what is sent."""

    scope: str

    def prepare(self, request: Request) -> Serve:
        """:raises Invalid: if a parameter is not acceptable."""


class EventStream:
    """GET /stream/events: the tenant's events from any retained position on, without an end."""

    scope = "orders:read"

    def __init__(self, hub: Hub, store: EventStore) -> None:
        self._hub = hub
        self._store = store

    def prepare(self, request: Request) -> Serve:
        """Read the parameters; return what serves a client by them.

        Without a position the stream begins with what happens from now on.

        :raises Invalid: if a parameter is not acceptable.
        """
        parameters = request.parameters(("after", "type"))
        types = type_patterns(parameters.get("type"))
        return partial(self._serve, after=position_from(request, parameters), types=types)

    async def _serve(self, client: SseClient, *, after: int | None, types: tuple[str, ...]) -> None:
        """:raises Unavailable: if Postgres is away before anything was sent."""
        schema = client.credential.actor.schema
        try:
            channel = await self._hub.join(schema, client.wake)
        except AWAY as error:
            raise Unavailable(
                "The database is not reachable; try again.", headers={"retry-after": "1"}
            ) from error
        try:
            position = channel.tip if after is None else after
            await client.start()
            while client.is_live:
                client.wake.clear()
                events, reached = await following(self._store, client, channel, position)
                if frames := _frames(client.credential.actor, types, events):
                    await client.send(frames)
                if reached > position:
                    position = reached
                    await client.beat()
                else:
                    await client.wait(HEARTBEAT_S if position >= channel.tip else PAUSE_S)
        finally:
            self._hub.leave(channel, client.wake)


async def following(
    store: EventStore, client: SseClient, channel: EventChannel, position: int
) -> tuple[list[StreamEvent], int]:
    """Return what follows and the position reached, from the ring or else from Postgres.

    The position stays where it is at the tip and while Postgres is away.
    """
    events = channel.after(position, limit=_BATCH)
    if events is not None:
        return events, events[-1].position if events else position
    # What the ring holds is not read from Postgres again: the two meet at its first position.
    upto = channel.first - 1
    try:
        page = await client.meanwhile(store.after(channel.schema, position, upto=upto))
    except AWAY:
        return [], position
    return page, page[-1].position if page else upto


def _frames(actor: Actor, types: tuple[str, ...], events: list[StreamEvent]) -> bytes:
    """Return the blocks of the events the actor may see and asked for."""
    return b"".join(
        event.frame
        for event in events
        if type_matches(types, event.type) and is_visible(actor, event.event)
    )


class QuoteStream:
    """GET /stream/quotes?symbols=SPX,IXIC: first the latest of each, then every change."""

    scope = "marketdata:read"

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def prepare(self, request: Request) -> Serve:
        """Read the symbols asked for; return what serves a client by them.

        :raises Invalid: if there is none, too many, or one is malformed.
        """
        text = request.parameters(("symbols",)).get("symbols", "")
        if not text:
            message = FieldError("symbols", "required", "Name symbols: ?symbols=SPX,IXIC")
            raise Invalid("The symbols are not acceptable.", errors=[message])
        symbols = checked_symbols(text.split(","))
        return partial(self._serve, symbols=symbols)

    async def _serve(self, client: SseClient, *, symbols: list[str]) -> None:
        await self._hub.join_quotes(symbols, client.wake)
        board = self._hub.board
        seen = dict.fromkeys(symbols, 0)
        try:
            await client.start()
            while client.is_live:
                client.wake.clear()
                quotes = board.newer(seen)
                if quotes:
                    await client.send(b"".join(quote.frame for quote in quotes))
                    await client.beat()
                else:
                    await client.wait()
        finally:
            self._hub.leave_quotes(client.wake)
