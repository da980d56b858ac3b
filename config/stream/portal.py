"""GET /stream/portal and POST /stream/topics: the one live connection of a browser.

Rows come from durable events (with an id, so they can be resumed), cells of quotes are conflated
(without one, so they never move the cursor). Which symbols a connection follows can change while
it is open; everything else that the person may see is sent, so that a page opened later in the
same browser finds no gap in what its worker has kept.
"""

import asyncio
import json
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from common.actor import Actor
from common.errors import FieldError, Invalid, NotFound
from config.stream.channel import RING, EventChannel
from config.stream.http import Request, Unavailable, position_from
from config.stream.hub import Hub
from config.stream.lights import BrokerLights
from config.stream.marks import EVERY_S as MARKS_EVERY_S
from config.stream.marks import Marks
from config.stream.sse import HEARTBEAT_S, SseClient
from config.stream.store import AWAY, EventStore, StreamEvent
from config.stream.streams import PAUSE_S, Serve, checked_symbols, following
from events.visibility import is_visible
from portal.rows import execution_row, order_row, position_row

QUOTES_EVERY_S = 0.2
# A page that is further behind is loaded anew sooner than it is brought up to date row by row.
MOST_REPLAYED = RING
LARGEST_TOPICS = 16 * 1024
_QUOTE_TOPIC = "quote:"
_MARK_TOPIC = "mark:"
_MOVES_BOOKS = ("order.", "position.", "balance.")
MOST_ACCOUNTS = 20
_NOTICES = {
    "halt": "risk",
    "connection": "connection",
    "break": "break",
    "balance": "account",
}


@dataclass(slots=True, eq=False)
class PortalConnection:
    """One open connection; ``seen`` holds the quote version last sent of each symbol.

    ``accounts`` are those whose positions are marked, ``marked`` what was last told of each.
    """

    actor: Actor
    wake: asyncio.Event
    id: str = field(default_factory=lambda: secrets.token_urlsafe(18))
    seen: dict[str, int] = field(default_factory=dict)
    accounts: tuple[str, ...] = ()
    marked: dict[str, str] = field(default_factory=dict)


class PortalStream:
    """The rows and cells a browser's tabs live on."""

    scope = "orders:read"

    def __init__(self, hub: Hub, store: EventStore) -> None:
        self._hub = hub
        self._store = store
        self._lights = BrokerLights(store)
        self._marks = Marks(hub.board)
        self._connections: dict[str, PortalConnection] = {}

    def stop(self) -> None:
        """End what runs beside the loop."""
        self._marks.stop()

    def prepare(self, request: Request) -> Serve:
        """Read ``after``, ``symbols`` and ``accounts``; return what serves a client by them.

        :raises Invalid: if a parameter is not acceptable.
        """
        parameters = request.parameters(("after", "symbols", "accounts"))
        text = parameters.get("symbols", "")
        symbols = checked_symbols(text.split(",")) if text else []
        named = parameters.get("accounts", "")
        return partial(
            self._serve,
            after=position_from(request, parameters),
            symbols=symbols,
            accounts=_checked_accounts(named.split(",")) if named else (),
        )

    async def change_topics(self, asked: Any, actor: Actor) -> dict[str, list[str]]:
        """Add and remove topics, ``quote:<SYMBOL>`` and ``mark:<account>``; return those followed.

        :raises NotFound: if this person has no such connection here.
        :raises Invalid: if what is asked has not the right form.
        :raises Forbidden: without ``marketdata:read``.
        """
        actor.require("marketdata:read")
        conn, topics_in, topics_out = _topics_of(asked)
        add, remove = _named(topics_in, _QUOTE_TOPIC), _named(topics_out, _QUOTE_TOPIC)
        connection = self._connections.get(conn)
        if connection is None or not _same_person(connection.actor, actor):
            raise NotFound("This connection is not open here; connect again.")
        kept = [symbol for symbol in connection.seen if symbol not in remove]
        wanted = checked_symbols([*kept, *add])
        fresh = [symbol for symbol in wanted if symbol not in connection.seen]
        left = _named(topics_out, _MARK_TOPIC)
        accounts = [code for code in connection.accounts if code not in left]
        accounts += _named(topics_in, _MARK_TOPIC)
        connection.accounts = _markable(actor, _checked_accounts(accounts))
        # One assignment without an await: the serving task never sees half of a change.
        connection.seen = {symbol: connection.seen.get(symbol, 0) for symbol in wanted}
        await self._hub.join_quotes(fresh, connection.wake)
        if conn not in self._connections:  # it ended meanwhile, and nobody else would leave
            self._hub.leave_quotes(connection.wake)
        connection.wake.set()
        return {"symbols": wanted, "accounts": list(connection.accounts)}

    async def _serve(
        self,
        client: SseClient,
        *,
        after: int | None,
        symbols: list[str],
        accounts: tuple[str, ...],
    ) -> None:
        """:raises Unavailable: if Postgres is away before anything was sent."""
        actor = client.credential.actor
        try:
            channel = await self._hub.join(actor.schema, client.wake)
        except AWAY as error:
            raise Unavailable(
                "The database is not reachable; try again.", headers={"retry-after": "1"}
            ) from error
        connection = PortalConnection(actor, client.wake)
        if actor.may("marketdata:read"):
            connection.seen = dict.fromkeys(symbols, 0)
        connection.accounts = _markable(actor, accounts)
        self._connections[connection.id] = connection
        try:
            await self._hub.join_quotes(list(connection.seen), client.wake)
            position = channel.tip if after is None else after
            client.beat_data = partial(self._beat, client, connection)
            await client.start()
            await client.send(_block("hello", {"conn": connection.id, "p": position}))
            if await self._is_out_of_reach(channel, position):
                position = channel.tip
                await client.send(_block("reset", {"p": position}, position=position))
            sender = _Sender(self._hub, self._store, self._marks, client, connection, position)
            while client.is_live:
                client.wake.clear()
                await sender.step(channel)
        finally:
            del self._connections[connection.id]
            self._hub.leave_quotes(client.wake)
            self._hub.leave(channel, client.wake)

    async def _is_out_of_reach(self, channel: EventChannel, position: int) -> bool:
        """Whether a page is too far behind, or ahead of what the database has ever had."""
        if position <= channel.tip:
            return channel.tip - position > MOST_REPLAYED
        try:
            heads = await self._store.heads([channel.schema])
        except AWAY:
            return False
        return position > heads[channel.schema][0]

    async def _beat(self, client: SseClient, connection: PortalConnection) -> dict[str, Any]:
        now = datetime.now(UTC)
        return {
            "t": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "feeds": self._hub.board.feed_ages(connection.seen, now),
            "brokers": await self._lights.of(client.credential.actor),
        }


class _Sender:
    """Brings one client from a position on; quotes no more often than it can use them."""

    def __init__(
        self,
        hub: Hub,
        store: EventStore,
        marks: Marks,
        client: SseClient,
        connection: PortalConnection,
        position: int,
    ) -> None:
        self._hub = hub
        self._store = store
        self._client = client
        self._connection = connection
        self._position = position
        self._marks = marks
        self._quotes_at = 0.0
        self._marks_at = 0.0
        self._loop = asyncio.get_running_loop()

    async def step(self, channel: EventChannel) -> None:
        """Send what there is, else wait for more."""
        client = self._client
        events, reached = await following(self._store, client, channel, self._position)
        out = [block_of(client.credential.actor, event) for event in events]
        for event in events:
            if event.type.startswith(_MOVES_BOOKS):
                self._marks.moved(channel.schema, event.position)
        now = self._loop.time()
        quotes_wait = self._quotes_at - now
        if quotes_wait <= 0:
            newer = self._hub.board.newer(self._connection.seen)
            out += [quote.cells for quote in newer]
            if newer:
                self._quotes_at = now + QUOTES_EVERY_S
        if self._connection.accounts and now >= self._marks_at:
            self._marks_at = now + MARKS_EVERY_S
            out.append(await self._marked(channel))
        if block := b"".join(out):
            await client.send(block)
        is_moved, self._position = reached > self._position, reached
        if is_moved or block:
            await client.beat()
        elif quotes_wait > 0:
            # Woken by a quote that is not due yet: the next round has the newest of each symbol.
            await client.wait(quotes_wait)
        else:
            longest = HEARTBEAT_S if reached >= channel.tip else PAUSE_S
            if self._connection.accounts:
                longest = min(longest, max(0.0, self._marks_at - now))
            await client.wait(longest)

    async def _marked(self, channel: EventChannel) -> bytes:
        """Return what the followed accounts are worth now, as far as that is news."""
        connection = self._connection
        books = await self._marks.books_of(channel.schema, connection.accounts, tip=channel.tip)
        held = sorted({symbol for book in books for symbol in book.symbols})
        if self._hub.board.lacks(held):
            await self._hub.join_quotes(held, connection.wake)
        return self._marks.blocks(books, connection.marked)


def block_of(actor: Actor, event: StreamEvent) -> bytes:
    """Return the SSE block of an event, nothing where the actor may not see it.

    One event is one block under one id: an order comes together with the execution that moved it.
    """
    if not is_visible(actor, event.event):
        return b""
    group, _, _ = event.type.partition(".")
    data: dict[str, Any] = event.event["data"]
    if group == "order":
        row = {"type": event.type, **order_row(data).as_json()}
        if "execution" in data:
            filled = execution_row(data["execution"], account=data["account"])
            row["execution"] = filled.as_json()
        return _block("order", row, position=event.position)
    if group == "position":
        row = {"type": event.type, **position_row(data, v=event.position).as_json()}
        return _block("position", row, position=event.position)
    if group in _NOTICES:
        row = {"type": event.type, "id": event.event["subject"], "v": event.position}
        return _block(_NOTICES[group], row, position=event.position)
    return b""


def _block(name: str, data: dict[str, Any], *, position: int | None = None) -> bytes:
    head = "" if position is None else f"id: {position}\n"
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
    return f"{head}event: {name}\ndata: {text}\n\n".encode()


def _same_person(one: Actor, other: Actor) -> bool:
    return (one.schema, one.kind, one.id) == (other.schema, other.kind, other.id)


def _topics_of(body: Any) -> tuple[str, list[str], list[str]]:
    """:raises Invalid: if the body is not ``{"conn", "add": [...], "remove": [...]}``."""
    if not isinstance(body, dict) or not isinstance(body.get("conn"), str):
        raise Invalid(
            "The connection is not named.",
            errors=[FieldError("conn", "required", "Send the conn that hello named.")],
        )
    return body["conn"], _topics_in(body, "add"), _topics_in(body, "remove")


def _checked_accounts(named: list[str]) -> tuple[str, ...]:
    """:raises Invalid: if there are too many, or one is no code at all."""
    codes = tuple(dict.fromkeys(named))
    if len(codes) > MOST_ACCOUNTS or not all(0 < len(code) <= 64 for code in codes):
        message = f"At most {MOST_ACCOUNTS} account codes of 1 to 64 characters."
        raise Invalid(
            "The accounts are not acceptable.",
            errors=[FieldError("accounts", "out_of_range", message)],
        )
    return codes


def _markable(actor: Actor, accounts: tuple[str, ...]) -> tuple[str, ...]:
    """The accounts whose books the actor may see; of another one nothing is ever told."""
    if not actor.may("positions:read"):
        return ()
    return tuple(code for code in accounts if actor.reaches(code))


def _named(topics: list[str], kind: str) -> list[str]:
    """The names behind the topics of one kind."""
    return [topic.removeprefix(kind) for topic in topics if topic.startswith(kind)]


def _topics_in(body: dict[str, Any], name: str) -> list[str]:
    topics = body.get(name, [])
    if not isinstance(topics, list) or not all(_is_topic(topic) for topic in topics):
        message = f"A list of topics such as {_QUOTE_TOPIC}SPX or {_MARK_TOPIC}PAPER-1."
        raise Invalid(
            "The topics are not acceptable.", errors=[FieldError(name, "invalid_choice", message)]
        )
    checked_symbols(_named(topics, _QUOTE_TOPIC))
    return topics


def _is_topic(topic: Any) -> bool:
    return isinstance(topic, str) and topic.startswith((_QUOTE_TOPIC, _MARK_TOPIC))
