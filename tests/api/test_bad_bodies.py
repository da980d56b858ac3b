"""conformance/bad-inputs.md rows B15 to B19 and B7, at a door that takes a body."""

from time import perf_counter

import pytest

from accounts.models import ApiKey

GOOD = b'{"name":"x","scopes":["orders:read"]}'


@pytest.fixture
def door(program):
    """POST raw bytes to /api-keys."""

    def post(body: bytes = GOOD, **extra):
        return program.post("/api-keys", body, **extra)

    return post


def shape(answer) -> tuple[int, str]:
    """Every refusal is a whole problem of one media type; return status and code."""
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json
    assert {"type", "title", "status", "code", "detail", "errors", "request_id"} <= set(problem)
    assert problem["status"] == answer.status
    assert problem["request_id"] == answer.headers["X-Request-Id"]
    assert isinstance(problem["errors"], list)
    for word in ("Traceback", "pydantic", "psycopg", "SELECT", "django", "site-packages", ".py"):
        assert word not in answer.text
    return answer.status, problem["code"]


@pytest.mark.parametrize(
    ("body", "offset"),
    [
        (b"", 0),
        (b'{"name":"x","scopes":[', None),
        (b'{"name":"x",}', None),
        (b'{"name":"x"} // note', 13),
        (b'/* note */ {"name":"x"}', 0),
        (b'{"name":"x"}{"name":"y"}', 12),
        (b'{"name":"x","name":"y"}', 12),
        (b'{"name":"x","\\u006eame":"y"}', 12),
        (b'{"name":"x","scopes":[{"a":1,"a":2}]}', 29),
        (b'{"name":NaN}', 8),
        (b'{"name":-Infinity}', 8),
        (b'{"name":"x","n":' + b"9" * 5000 + b"}", 16),
        (b'{"name":"x","n":0.' + b"9" * 5000 + b"}", 16),
        (b'{"name":' + b"[" * 10_000 + b"]" * 10_000 + b"}", None),
        (b"[" * 10_000, None),
        (b'{"a":' * 10_000, None),
        (b'\xef\xbb\xbf{"name":"x"}', 0),
        (b"{'name':'x'}", 1),
        (b'{"name":"a\nb"}', None),
        (b'{"name":\xd9\xa1}', 8),
        (b'{"name":01}', None),
        (b"nul", 0),
    ],
)
def test_what_is_not_json_is_400_with_the_place_and_fast(door, body, offset):
    begun = perf_counter()
    answer = door(body)
    assert perf_counter() - begun < 0.5
    assert shape(answer) == (400, "invalid_json")
    assert isinstance(answer.json["offset"], int)
    if offset is not None:
        assert answer.json["offset"] == offset
    assert f"offset {answer.json['offset']}" in answer.json["detail"].lower()


@pytest.mark.parametrize(
    "body", [b'{"name":"\xff"}', GOOD.decode().encode("utf-16"), b'{"name":"\\ud800"}', b"\xc3("]
)
def test_what_is_not_utf8_is_400(door, body):
    assert shape(door(body)) == (400, "invalid_encoding")


@pytest.mark.parametrize("body", [b"[]", b"null", b'"x"', b"1", b"true", b"[{}]"])
def test_a_body_that_is_no_object_is_422(door, body):
    assert shape(door(body)) == (422, "invalid_type")


@pytest.mark.parametrize(
    "field", ["tenant_id", "ord_status", "cum_qty", "id", "__proto__", "é" * 99]
)
def test_an_unknown_field_is_422_and_nothing_is_stored(door, field):
    before = ApiKey.objects.count()
    answer = door(f'{{"name":"x","scopes":["orders:read"],"{field}":1}}'.encode())
    assert shape(answer) == (422, "unknown_field")
    (row,) = answer.json["errors"]
    assert row["field"] == field[:64]
    assert ApiKey.objects.count() == before


def test_all_mistakes_are_named_at_once(door):
    answer = door(b'{"scopes":["fly"],"ip_allowlist":"x","more":1}')
    assert shape(answer) == (422, "invalid")
    assert {(row["field"], row["code"]) for row in answer.json["errors"]} == {
        ("name", "required"),
        ("scopes.0", "invalid_choice"),
        ("ip_allowlist", "invalid_type"),
        ("more", "unknown_field"),
    }


def test_a_body_of_two_megabytes_is_413_and_one_just_under_the_limit_is_read(door):
    begun = perf_counter()
    assert shape(door(b'{"name":"' + b"a" * 2_000_000 + b'"}')) == (413, "too_large")
    assert perf_counter() - begun < 0.5
    assert shape(door(b'{"name":"' + b"a" * 1_000_000 + b'"}')) == (422, "invalid")


@pytest.mark.parametrize(
    "kind",
    ["text/xml", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "",
     "text/plain", "application/json; charset=utf-16", "application/jsonx", "json"],
)  # fmt: skip
def test_other_media_types_are_415(door, kind):
    assert shape(door(content_type=kind)) == (415, "unsupported_media_type")


def test_a_compressed_body_is_415_and_a_plain_charset_is_welcome(door):
    assert shape(door(headers={"content-encoding": "gzip"}))[0] == 415
    assert door(content_type="Application/JSON; charset=UTF-8").status == 201
    assert door(headers={"content-encoding": "identity"}).status == 201


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PUT", "/api-keys", "GET, POST"),
        ("DELETE", "/api-keys", "GET, POST"),
        ("PATCH", "/api-keys", "GET, POST"),
        ("TRACE", "/api-keys", "GET, POST"),
        ("OPTIONS", "/api-keys", "GET, POST"),
        ("BREW", "/api-keys", "GET, POST"),
        ("GET", "/api-keys/abc", "DELETE"),
        ("GET", "/auth/token", "POST"),
        ("POST", "/docs", "GET, HEAD"),
        ("POST", "/openapi.json", "GET, HEAD"),
    ],
)
def test_other_methods_are_405_with_allow(program, method, path, allow):
    answer = program.call(method, path)
    assert shape(answer) == (405, "method_not_allowed")
    assert answer.headers["Allow"] == allow


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "TRACE", "DELETE"])
@pytest.mark.parametrize(
    "path",
    ["", "/", "/nothing", "/api-keys/", "/api-keys/a/b", "/%00", "/%ff%fe", "/" + "a" * 5000,
     "/../admin", "//auth/me", "/<script>"],
)  # fmt: skip
def test_paths_that_do_not_exist_are_one_404(program, method, path):
    answer = program.call(method, path, headers={"x-request-id": "fixed"})
    assert shape(answer) == (404, "not_found")
    other = program.call(method, "/something-else", headers={"x-request-id": "fixed"})
    assert answer.text == other.text


def test_401_comes_before_anything_of_the_body_is_read(api, north):
    for body in (b"{", b"x" * 2_000_000, GOOD):
        assert shape(api.post("/api-keys", body)) == (401, "unauthenticated")


def test_a_body_in_chunks_is_411(program):
    chunked = program.post("/api-keys", headers={"transfer-encoding": "chunked"})
    assert shape(chunked) == (411, "length_required")


def test_a_call_without_fields_takes_none(program, member, api, north):
    login = api.post(
        "/auth/token",
        {"email": "owner@north-desk.test", "password": "correct horse battery staple"},
    )
    mine = api.with_(login.json["access"])
    assert shape(mine.post("/auth/logout", b'{"all":true}')) == (422, "unknown_field")
    assert shape(mine.post("/auth/logout", b"[]")) == (422, "invalid_type")
    assert mine.post("/auth/logout", b"{}").status == 204


def test_the_request_id_of_the_caller_is_kept_where_it_is_harmless(program):
    assert (
        program.get("/auth/me", headers={"x-request-id": "abc-123"}).headers["X-Request-Id"]
        == "abc-123"
    )
    for odd in ("a b", "x" * 129, "<script>", "ü"):
        made = program.get("/auth/me", headers={"x-request-id": odd}).headers["X-Request-Id"]
        assert made != odd
        assert len(made) == 32


def test_an_exception_in_a_view_is_a_problem_without_a_cause(program, monkeypatch):
    def fail(*_args, **_options):
        raise RuntimeError("SELECT secret FROM /srv/somewhere/accounts/models.py")

    monkeypatch.setattr("accounts.selectors.keys_of", fail)
    assert shape(program.get("/api-keys")) == (500, "internal_error")


def test_a_database_that_gives_up_is_503_with_retry_after(program, monkeypatch):
    from django.db import OperationalError

    def fail(*_args, **_options):
        raise OperationalError("connection to /tmp/socket failed")

    monkeypatch.setattr("accounts.selectors.keys_of", fail)
    answer = program.get("/api-keys")
    assert shape(answer) == (503, "unavailable")
    assert answer.headers["Retry-After"] == "1"
    monkeypatch.setattr("accounts.middleware.identify", fail)
    assert shape(program.get("/api-keys")) == (503, "unavailable")
