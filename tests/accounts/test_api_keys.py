"""The door /api-keys."""

from datetime import UTC, datetime, timedelta

import pytest

from accounts.models import ApiKey
from accounts.roles import Role


@pytest.fixture
def admin(api, member, north, key_of):
    return api.with_(key_of(member(north, Role.ADMIN), "admin", "orders:write"))


def test_a_key_is_shown_once_serves_and_is_deleted(api, admin):
    made = admin.post(
        "/api-keys",
        {"name": "desk", "scopes": ["orders:write"], "accounts": ["PAPER-1"],
         "expires_at": "2099-01-01T00:00:00Z", "ip_allowlist": ["127.0.0.1", "10.1.2.3/8"]},
    )  # fmt: skip
    assert made.status == 201
    key = made.json["key"]
    assert key.startswith(made.json["prefix"] + "_")
    assert made.json["expires_at"] == "2099-01-01T00:00:00Z"
    assert made.json["ip_allowlist"] == ["127.0.0.1/32", "10.0.0.0/8"]
    me = api.with_(key).get("/auth/me").json
    assert (me["accounts"], me["scopes"]) == (
        ["PAPER-1"], ["orders:read", "orders:write", "risk:read"],
    )  # fmt: skip

    listed = admin.get("/api-keys")
    assert made.json["id"] in {row["id"] for row in listed.json["items"]}
    assert key not in listed.text
    assert "digest" not in listed.text

    assert admin.delete(f"/api-keys/{made.json['id']}").status == 204
    assert api.with_(key).get("/auth/me").status == 401
    assert admin.delete(f"/api-keys/{made.json['id']}").status == 404


def test_a_scope_too_few_is_403_and_another_firms_key_404(api, admin, member, north, south, key_of):
    trader = api.with_(key_of(member(north, Role.TRADER), "orders:write"))
    for answer in (
        trader.get("/api-keys"),
        trader.post("/api-keys", {"name": "x", "scopes": ["orders:read"]}),
    ):
        assert (answer.status, answer.json["code"]) == (403, "insufficient_scope")
    foreign = key_of(member(south, Role.ADMIN), "admin").split("_")[2]
    absent = admin.delete("/api-keys/aaaaaaaaaaaa", headers={"x-request-id": "same"})
    theirs = admin.delete(f"/api-keys/{foreign}", headers={"x-request-id": "same"})
    odd = admin.delete("/api-keys/%00", headers={"x-request-id": "same"})
    assert absent.status == 404
    assert absent.text == theirs.text == odd.text
    assert ApiKey.objects.get(pk=foreign).revoked_at is None


def test_nobody_makes_a_key_that_reaches_further_than_they_do(api, admin, member, north, key_of):
    beyond = admin.post("/api-keys", {"name": "x", "scopes": ["risk:write"]})
    assert (beyond.status, beyond.json["code"]) == (403, "insufficient_scope")
    narrow = api.with_(
        key_of(member(north, Role.OWNER), "admin", "orders:read", accounts=["PAPER-1"])
    )
    body = {"name": "x", "scopes": ["orders:read"]}
    assert narrow.post("/api-keys", body | {"accounts": ["PAPER-2"]}).status == 403
    assert narrow.post("/api-keys", body).json["accounts"] == ["PAPER-1"]


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"scopes": ["orders:fly"]}, "scopes.0", "invalid_choice"),
        ({"scopes": []}, "scopes", "too_few"),
        ({"scopes": "orders:read"}, "scopes", "invalid_type"),
        ({"name": ""}, "name", "too_short"),
        ({"name": None}, "name", "invalid_type"),
        ({"name": 5}, "name", "invalid_type"),
        ({"name": "n" * 121}, "name", "too_long"),
        ({"name": "a\u0000b"}, "name", "invalid_characters"),
        ({"expires_at": "2099-01-01T00:00:00"}, "expires_at", "invalid_datetime"),
        ({"expires_at": "0000-01-01T00:00:00Z"}, "expires_at", "invalid_datetime"),
        ({"expires_at": "2099-01-01T00:00:00+25:00"}, "expires_at", "invalid_datetime"),
        ({"expires_at": 4070908800}, "expires_at", "invalid_type"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at", "in_the_past"),
        ({"ip_allowlist": ["300.1.1.1"]}, "ip_allowlist.0", "invalid_network"),
        ({"accounts": [1]}, "accounts.0", "invalid_type"),
        ({"tenant_id": 1}, "tenant_id", "unknown_field"),
        ({"key": "mine"}, "key", "unknown_field"),
    ],
)
def test_values_that_are_not_acceptable(admin, change, field, code):
    before = ApiKey.objects.count()
    answer = admin.post("/api-keys", {"name": "x", "scopes": ["orders:read"]} | change)
    assert answer.status == 422
    assert answer.json["code"] == code
    assert [(row["field"], row["code"]) for row in answer.json["errors"]] == [(field, code)]
    assert ApiKey.objects.count() == before


def test_keys_are_listed_in_pages(api, member, north, key_of):
    owner = member(north, Role.OWNER)
    admin = api.with_(key_of(owner, "admin"))
    for _ in range(6):
        key_of(owner, now=datetime.now(UTC) - timedelta(minutes=1))
    seen, path = [], "/api-keys?limit=3"
    while path:
        answer = admin.get(path).json
        seen += [row["id"] for row in answer["items"]]
        path = answer["next"] and f"/api-keys?limit=3&cursor={answer['next']}"
    assert len(seen) == len(set(seen)) == 7
    assert seen == sorted(seen, reverse=True)


def test_a_repeated_request_makes_one_key_and_shows_it_once(admin):
    body, headers = {"name": "once", "scopes": ["orders:read"]}, {"idempotency-key": "k-1"}
    assert admin.post("/api-keys", body | {"scopes": ["x"]}, headers=headers).status == 422
    first = admin.post("/api-keys", body, headers=headers)
    again = admin.post("/api-keys", body, headers=headers)
    assert (first.status, again.status) == (201, 201)
    assert again.headers["Idempotent-Replay"] == "true"
    assert again.json == {name: value for name, value in first.json.items() if name != "key"}
    assert ApiKey.objects.filter(name="once").count() == 1
    other = admin.post("/api-keys", body | {"name": "two"}, headers=headers)
    assert (other.status, other.json["code"]) == (422, "idempotency_key_reused")
