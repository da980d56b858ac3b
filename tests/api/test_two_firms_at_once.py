"""Requests of two firms over threads, some of which fail: nobody sees the other's rows."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from django.db import connection, connections
from django.test import Client
from structlog.contextvars import get_contextvars

from accounts.models import ApiKey, Membership, User
from accounts.roles import Role
from accounts.services import add_member, create_api_key, create_user
from events import api as events_api
from events import chain
from events.relay import relay_once
from events.services import publish
from tenants.binding import tenant_bound
from tenants.models import Tenant
from tests.tenants.conftest import firm

REQUESTS, THREADS = 600, 8
SLUGS = ("east-desk", "west-desk")


def key_for(slug: str) -> str:
    """Make or find a person of the firm, and a fresh key."""
    tenant = Tenant.objects.get(slug=slug)
    email = f"program@{slug}.test"
    user = User.objects.filter(email=email).first() or create_user(email=email, password=None)
    place = Membership.objects.filter(user=user, tenant=tenant).first()
    place = place or add_member(user=user, tenant=tenant, role=Role.OWNER)
    _, text = create_api_key(
        membership=place, name="t", scopes=["orders:read"], accounts=None, expires_at=None,
        ip_allowlist=[], now=datetime.now(UTC),
    )  # fmt: skip
    return text


@pytest.fixture
def keys(django_db_setup, django_db_blocker):
    """Two committed firms, each with events that name it."""
    with django_db_blocker.unblock():
        made = {}
        for slug in SLUGS:
            schema = firm(slug)
            with tenant_bound(schema):
                for _ in range(3):
                    publish(
                        type="order.new", subject=slug, data={}, actor="test",
                        now=datetime.now(UTC),
                    )  # fmt: skip
            relay_once(schema)
            made[slug] = key_for(slug)
        yield made
        ApiKey.objects.filter(membership__tenant__slug__in=SLUGS).delete()
        connection.close()


@pytest.fixture
def crashes(monkeypatch) -> list[str]:
    """Let the view of /events fail after it has read, where the request id says so."""
    seen: list[str] = []

    def event_json(event):
        if get_contextvars().get("request_id") == "crash":
            seen.append(event.subject)
            raise ZeroDivisionError
        return chain.event_json(event)

    monkeypatch.setattr(events_api, "event_json", event_json)
    return seen


def test_no_answer_is_another_firms(keys, crashes):
    wrong, counts = [], {"right": 0, "failed": 0, "refused": 0}

    def one(seed: int) -> None:
        dice = random.Random(seed)
        slug = dice.choice(SLUGS)
        other = SLUGS[1 - SLUGS.index(slug)]
        client = Client(raise_request_exception=False)
        kind = dice.choice(("bare", "host", "foreign", "broken", "crash", "write"))
        host = {"bare": "localhost", "foreign": f"{other}.localhost"}.get(kind, f"{slug}.localhost")
        headers = {"host": host, "authorization": f"Bearer {keys[slug]}"}
        if kind == "crash":
            headers["x-request-id"] = "crash"
        path = "/api/v1/events?limit=500" + ("&limit=5" if kind == "broken" else "")
        if kind == "write":
            answer = client.post("/api/v1/api-keys", "{}", "application/json", headers=headers)
        else:
            answer = client.get(path, headers=headers)
        text = answer.content.decode()
        if other in text:
            wrong.append((kind, text[:200]))
        if answer.status_code == 200:
            subjects = {row["subject"] for row in answer.json()["items"]}
            (wrong if subjects != {slug} else []).append((kind, subjects))
            counts["right"] += 1
        else:
            counts["failed" if answer.status_code == 500 else "refused"] += 1
        if dice.random() < 0.2:
            connections.close_all()

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(one, range(REQUESTS)))
    assert wrong == []
    assert counts["right"] > 150
    assert counts["refused"] > 150
    assert counts["failed"] == len(crashes) > 40
