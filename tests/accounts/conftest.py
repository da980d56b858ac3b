"""Two firms with people of every role, inside the test's transaction."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.test import Client

from accounts.models import Membership
from accounts.roles import Role
from accounts.services import add_member, create_api_key, create_user
from tenants.models import Tenant
from tests.tenants.conftest import firm

PASSWORD = "correct horse battery staple"
LONG_AGO = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def _firms_made(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        firm("north-desk")
        firm("south-desk")


@pytest.fixture
def north(_firms_made, db) -> Tenant:
    return Tenant.objects.get(slug="north-desk")


@pytest.fixture
def south(_firms_made, db) -> Tenant:
    return Tenant.objects.get(slug="south-desk")


@pytest.fixture
def member() -> Callable[..., Membership]:
    """Make a person in a firm; the address names role and firm."""

    def make(tenant: Tenant, role: Role = Role.TRADER, email: str = "") -> Membership:
        email = email or f"{role}@{tenant.slug}.test"
        user = create_user(email=email, password=PASSWORD, name=role.title())
        return add_member(user=user, tenant=tenant, role=role)

    return make


@pytest.fixture
def key_of() -> Callable[..., str]:
    """Make an API key under a membership; return its text."""

    def make(membership: Membership, *scopes: str, now: datetime | None = None, **options) -> str:
        values = {"accounts": None, "expires_at": None, "ip_allowlist": []} | options
        _, text = create_api_key(
            membership=membership,
            name="test",
            scopes=list(scopes) or ["orders:read"],
            now=now or datetime.now(UTC) - timedelta(days=1),
            **values,
        )
        return text

    return make


class Api:
    """A program that speaks JSON to one host."""

    def __init__(self, host: str = "localhost", bearer: str = "") -> None:
        self.client = Client(raise_request_exception=False)
        self.host, self.bearer = host, bearer

    def at(self, host: str) -> "Api":
        return Api(host, self.bearer)

    def with_(self, bearer: str) -> "Api":
        return Api(self.host, bearer)

    def call(self, method: str, path: str, body=None, headers=None, **extra) -> SimpleNamespace:
        sent = {"host": self.host, **(headers or {})}
        if self.bearer:
            sent["authorization"] = f"Bearer {self.bearer}"
        if body is not None:
            extra = {"data": body, "content_type": "application/json"} | extra
        answer = self.client.generic(method, f"/api/v1{path}", headers=sent, **_raw(extra))
        text = answer.content.decode()
        json = answer.json() if text else None
        return SimpleNamespace(status=answer.status_code, json=json, headers=answer, text=text)

    def get(self, path: str, **extra) -> SimpleNamespace:
        return self.call("GET", path, **extra)

    def post(self, path: str, body=None, **extra) -> SimpleNamespace:
        return self.call("POST", path, body, **extra)

    def delete(self, path: str, **extra) -> SimpleNamespace:
        return self.call("DELETE", path, **extra)


def _raw(extra: dict) -> dict:
    import json

    data = extra.get("data", b"")
    if isinstance(data, dict | list):
        extra["data"] = json.dumps(data)
    return extra


@pytest.fixture
def api() -> Api:
    return Api()
