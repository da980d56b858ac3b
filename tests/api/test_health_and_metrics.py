"""What supervisors and scrapers see."""

import re

import pytest
from django.db import OperationalError, connection
from django.test import Client

from config import health

STRANGER = {"REMOTE_ADDR": "203.0.113.7"}


@pytest.fixture
def client(db) -> Client:
    health._migrated.clear()
    return Client(headers={"host": "10.0.0.1:8000"}, raise_request_exception=False)


def test_a_whole_system_is_live_ready_and_started_at_any_host(client):
    for path in ("live", "ready", "startup"):
        answer = client.get(f"/health/{path}")
        assert (answer.status_code, answer.json()["status"]) == (200, "ok"), path
    assert client.post("/health/live").status_code == 405
    assert client.get("/health/nothing").status_code == 404


def test_ready_names_a_lost_redis_and_live_stays(client, settings):
    settings.REDIS_URL = "unix:///nowhere/redis.sock"
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert list(answer.json()["reasons"]) == ["redis"]
    assert "nowhere" not in answer.content.decode()
    assert client.get("/health/startup").status_code == 200
    assert client.get("/health/live").status_code == 200


def test_ready_names_a_lost_postgres_and_live_stays(client, monkeypatch):
    def away():
        raise OperationalError("secret path")

    with monkeypatch.context() as patched:
        patched.setattr(connection, "cursor", away)
        patched.setattr(connection, "close", lambda: None)
        answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert list(answer.json()["reasons"]) == ["postgres"]
    assert client.get("/health/live").status_code == 200


def test_ready_names_pending_migrations(client, monkeypatch):
    monkeypatch.setattr(health, "pending", lambda schemas: schemas)
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert "migrate" in answer.json()["reasons"]["migrations"]


def scrape(**extra) -> str:
    answer = Client().get("/metrics", **extra)
    assert answer.status_code == 200
    return answer.content.decode()


def test_requests_are_counted_by_route_not_by_path(program, north):
    for key in ("aaaaaaaaaaaa", "bbbbbbbbbbbb"):
        program.delete(f"/api-keys/{key}")
    program.get("/no/such/path/123")
    text = scrape()
    pattern = (
        r'request_seconds_count\{method="DELETE",route="api/v1/api-keys/<key_id>",status="404"\}'
        r" (\d+)"
    )
    assert int(float(re.search(pattern, text).group(1))) >= 2
    assert "aaaaaaaaaaaa" not in text
    assert "such/path" not in text
    assert "blotter_database_up 1.0" in text
    assert "blotter_relay_lag_seconds" in text
    assert "north-desk" not in text
    assert "t_north_desk" not in text


def test_strangers_find_nothing_but_the_holder_of_the_token_does(db, monkeypatch):
    assert Client().get("/metrics", **STRANGER).status_code == 404
    forwarded = {"HTTP_X_FORWARDED_FOR": "127.0.0.1, 203.0.113.7"}
    assert Client().get("/metrics", **forwarded).status_code == 404
    monkeypatch.setenv("OMS_METRICS_TOKEN", "m" * 40)
    token = {"HTTP_AUTHORIZATION": "Bearer " + "m" * 40}
    assert "blotter" in scrape(**STRANGER, **token)
    wrong = {"HTTP_AUTHORIZATION": "Bearer "}
    assert Client().get("/metrics", **STRANGER, **wrong).status_code == 404
