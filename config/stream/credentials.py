"""Who reads a stream, whether they still may, and how many streams they hold.

Accounts and hosts are asked through the same functions as the API's, in a thread, with Django's
connection given back at once. Every credential in use is asked about again every few seconds, once
however many streams it has, so a revoked key loses its streams.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from django.db import DatabaseError

from common.actor import Actor
from common.errors import Refused
from config.stream.http import SESSION_PATHS, Request, TooManyStreams, Unavailable

logger = logging.getLogger(__name__)

RECHECK_S = 5.0
# So long a credential is believed while the database cannot be asked about it.
BELIEVED_S = 60.0
MOST_STREAMS = 20
MOST_STREAMS_IN_PROCESS = 5_000

Authenticate = Callable[[Request], Actor]


@dataclass(slots=True, eq=False)
class Credential:
    """One credential with open streams; ``refused`` is set once it no longer holds."""

    request: Request
    actor: Actor
    scope_uses: dict[str, int] = field(default_factory=dict)
    wakes: set[asyncio.Event] = field(default_factory=set)
    refused: Refused | None = None
    confirmed_at: float = 0.0

    @property
    def streams(self) -> int:
        """How many streams it has open."""
        return sum(self.scope_uses.values())

    def refuse(self, refused: Refused) -> None:
        """End every stream of it."""
        self.refused = refused
        for wake in self.wakes:
            wake.set()


class Doorkeeper:
    """Admits requests and keeps asking about those admitted."""

    def __init__(self, authenticate: Authenticate) -> None:
        self._authenticate = authenticate
        self._threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="stream-auth")
        self._credentials: dict[tuple[str, ...], Credential] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start asking about open credentials."""
        self._task = asyncio.create_task(self._run(), name="stream credentials")

    async def stop(self) -> None:
        """Stop asking, and end every stream."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        ended = Unavailable("The stream process is stopping; connect again.")
        for credential in list(self._credentials.values()):
            credential.refuse(ended)
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def admit(self, request: Request, scope: str) -> Credential:
        """Return the credential, counted for one more stream; ``release`` gives it back.

        :raises Refused: as the API would: unauthenticated, insufficient scope ...
        :raises TooManyStreams: if it has as many as it may.
        :raises Unavailable: if the database cannot be asked, or the process is full.
        """
        actor = await self.ask(request)
        actor.require(scope)
        total = sum(credential.streams for credential in self._credentials.values())
        if total >= MOST_STREAMS_IN_PROCESS:
            raise Unavailable("All streams are taken; try again.", headers={"retry-after": "10"})
        held = sum(
            other.streams
            for other in self._credentials.values()
            if (other.actor.schema, other.actor.kind, other.actor.id)
            == (actor.schema, actor.kind, actor.id)
        )
        if held >= MOST_STREAMS:
            raise TooManyStreams(
                f"You have {MOST_STREAMS} streams open; close one first.",
                headers={"retry-after": "5"},
            )
        identity = _identity(request)
        credential = self._credentials.get(identity)
        if credential is None or credential.refused is not None:
            credential = self._credentials[identity] = Credential(request, actor)
        credential.actor = actor
        credential.confirmed_at = asyncio.get_running_loop().time()
        credential.scope_uses[scope] = credential.scope_uses.get(scope, 0) + 1
        return credential

    async def ask(self, request: Request) -> Actor:
        """Return who a single request comes from, as things are now.

        :raises Refused: as the API would. :raises Unavailable: if the database cannot be asked.
        """
        try:
            return await self._ask(request)
        except DatabaseError as error:
            raise Unavailable(
                "The database is not reachable; try again.", headers={"retry-after": "1"}
            ) from error

    def release(self, credential: Credential, scope: str) -> None:
        """Give back one stream."""
        credential.scope_uses[scope] -= 1
        identity = _identity(credential.request)
        if not credential.streams and self._credentials.get(identity) is credential:
            del self._credentials[identity]

    async def _ask(self, request: Request) -> Actor:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._authenticate, request)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(RECHECK_S)
            for credential in list(self._credentials.values()):
                try:
                    await self.recheck(credential)
                except Exception:
                    logger.exception("stream: a credential could not be checked")

    async def recheck(self, credential: Credential) -> None:
        """Ask again; refuse the credential if it no longer holds."""
        loop = asyncio.get_running_loop()
        try:
            actor = await self._ask(credential.request)
            for scope, uses in credential.scope_uses.items():
                if uses:
                    actor.require(scope)
        except Refused as refused:
            credential.refuse(refused)
        except DatabaseError:
            if loop.time() - credential.confirmed_at > BELIEVED_S:
                credential.refuse(Unavailable("The database is not reachable; connect again."))
        else:
            credential.actor = actor
            credential.confirmed_at = loop.time()


def _identity(request: Request) -> tuple[str, ...]:
    """What makes two requests the same credential: its words, the host, and where it comes from."""
    names = ("authorization", "cookie", "host", "x-forwarded-for")
    kind = "session" if request.path in SESSION_PATHS else "bearer"
    return (kind, *(request.joined(name) or "" for name in names), request.peer)
