r"""The stream process: raw ASGI beside Django, for answers that have no end.

    granian --interface asgi --uds <sockets>/stream.sock --workers-kill-timeout 2 \
        config.stream.app:app

Django is set up for settings, models and accounts only; no request passes through its handlers.
"""

import asyncio
import logging
import os

import django
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")
django.setup()

from common.errors import NotFound, Refused  # noqa: E402 - models need Django set up
from config.stream import authentication, http  # noqa: E402
from config.stream.credentials import Doorkeeper  # noqa: E402
from config.stream.hub import Hub  # noqa: E402
from config.stream.portal import LARGEST_TOPICS, PortalStream  # noqa: E402
from config.stream.sse import SseClient  # noqa: E402
from config.stream.store import EventStore  # noqa: E402
from config.stream.streams import EventStream, QuoteStream, Stream  # noqa: E402
from events.binding import conninfo  # noqa: E402

logger = logging.getLogger(__name__)


class StreamApplication:
    """The ASGI callable: lifespan, the streams, and what changes the portal's."""

    def __init__(self) -> None:
        self._store = EventStore(conninfo())
        self._hub = Hub(settings.REDIS_URL, self._store)
        self._doorkeeper = Doorkeeper(authentication.authenticate)
        self._portal = PortalStream(self._hub, self._store)
        self._streams: dict[str, Stream] = {
            http.PORTAL: self._portal,
            "/stream/events": EventStream(self._hub, self._store),
            "/stream/quotes": QuoteStream(self._hub),
        }
        self._orphan_watch: asyncio.Task[None] | None = None

    async def __call__(self, scope: http.Message, receive: http.Receive, send: http.Send) -> None:
        """Serve one connection's scope."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self._http(http.read_request(scope), receive, send)
        else:
            await send({"type": "websocket.close", "code": 1000})

    async def _lifespan(self, receive: http.Receive, send: http.Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._orphan_watch = asyncio.create_task(_end_with_parent(os.getppid()))
                await self._store.open()
                self._hub.start()
                self._doorkeeper.start()
                await send({"type": "lifespan.startup.complete"})
            else:
                if self._orphan_watch is not None:
                    self._orphan_watch.cancel()
                await self._doorkeeper.stop()
                await self._hub.stop()
                self._portal.stop()
                await self._store.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _http(self, request: http.Request, receive: http.Receive, send: http.Send) -> None:
        client: SseClient | None = None
        try:
            if request.path == http.TOPICS:
                await self._topics(request, receive, send)
                return
            if request.path == http.PORTAL:
                http.check_same_origin(request)
            stream = self._stream_of(request)
            credential = await self._doorkeeper.admit(request, stream.scope)
            try:
                serve = stream.prepare(request)
                client = SseClient(request, receive, send, credential)
                await serve(client)
            finally:
                self._doorkeeper.release(credential, stream.scope)
        except Refused as refused:
            await http.send_problem(send, request, refused)
        except Exception:
            logger.exception("stream: request %s failed", request.request_id)
            if client is None or not client.is_started:
                await http.send_problem(send, request, http.Broken("Something failed on our side."))
        finally:
            if client is not None and client.is_started:
                await client.finish()

    async def _topics(self, request: http.Request, receive: http.Receive, send: http.Send) -> None:
        """Let a browser name what its open connection follows.

        :raises Refused: if the method, the login or the body does not hold.
        """
        if request.method != "POST":
            raise http.MethodNotAllowed(
                f"{request.path} is changed with POST.", headers={"allow": "POST"}
            )
        body = await http.read_body(receive, largest=LARGEST_TOPICS)
        http.check_same_origin(request, strictly=True)
        actor = await self._doorkeeper.ask(request)
        topics = await self._portal.change_topics(http.json_of(request, body), actor)
        await http.send_json(send, request, topics)

    def _stream_of(self, request: http.Request) -> Stream:
        """Return the stream at the request's path.

        :raises NotFound: if the path is none of ours.
        :raises MethodNotAllowed: if it is not read with GET.
        """
        stream = self._streams.get(request.path)
        if stream is None:
            raise NotFound
        if request.method != "GET":
            raise http.MethodNotAllowed(
                f"{request.path} is read with GET.", headers={"allow": "GET"}
            )
        return stream


async def _end_with_parent(parent: int) -> None:
    """End a worker whose server was killed: it would go on serving a socket nobody can reach."""
    while os.getppid() == parent:  # noqa: ASYNC110 - the kernel sends no event for this
        await asyncio.sleep(0.5)
    logger.warning("stream: the server process is gone, the worker ends")
    os._exit(1)


app = StreamApplication()
