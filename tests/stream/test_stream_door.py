"""Who is let in, who is not, and in which words."""

import pytest

from accounts.services import revoke_api_key
from tests.stream.conftest import NOW

EVENTS = "/stream/events"


def refused(stream, target, key=None, method="GET", **headers):
    response, body = stream.ask(target, key, method, **headers)
    assert response.headers["content-type"] == "application/problem+json"
    assert body["status"] == response.status
    assert body["request_id"] == response.headers["x-request-id"]
    return response, body


def test_without_a_credential_there_is_no_stream(stream):
    response, body = refused(stream, EVENTS)
    assert (response.status, body["code"]) == (401, "unauthenticated")
    assert response.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("bad", ["nonsense", "bk_stream-desk_abcdefghijkl_" + "x" * 43, "a.b.c"])
def test_a_false_credential_is_401(stream, firm, bad):
    response, body = refused(stream, EVENTS, bad)
    assert (response.status, body["code"]) == (401, "unauthenticated")


def test_a_revoked_key_is_401(stream, firm):
    row, key = firm.key()
    revoke_api_key(key=row, now=NOW)
    assert refused(stream, EVENTS, key)[0].status == 401


def test_a_key_shown_at_another_firms_host_is_401(stream, firms, key):
    firms("stream-other")
    response, _ = refused(stream, EVENTS, key, Host="stream-other.localhost")
    assert response.status == 401


def test_a_key_works_at_its_own_host_and_at_the_bare_one(stream, key):
    for host in ("stream-desk.localhost:8000", "localhost:8000", "STREAM-DESK.localhost."):
        assert stream.open(EVENTS, key, Host=host).begun().response.status == 200


def test_an_unknown_host_and_an_unknown_path_are_404(stream, key):
    assert refused(stream, EVENTS, key, Host="nobody.example")[0].status == 404
    response, body = refused(stream, "/stream/other", key)
    assert (response.status, body["code"]) == (404, "not_found")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_other_methods_are_405_with_allow(stream, key, method):
    response, body = refused(stream, EVENTS, key, method)
    assert (response.status, body["code"]) == (405, "method_not_allowed")
    assert response.headers["allow"] == "GET"


def test_the_scope_is_needed(stream, firm):
    quotes_only = firm.key("marketdata:read")[1]
    response, body = refused(stream, EVENTS, quotes_only)
    assert (response.status, body["code"]) == (403, "insufficient_scope")
    orders_only = firm.key("orders:read")[1]
    assert refused(stream, "/stream/quotes?symbols=SPX", orders_only)[0].status == 403


@pytest.mark.parametrize(
    ("target", "code"),
    [
        (f"{EVENTS}?after=-1", "invalid_position"),
        (f"{EVENTS}?after=1e3", "invalid_position"),
        (f"{EVENTS}?after=", "invalid_position"),
        (f"{EVENTS}?after={'9' * 19}", "invalid_position"),
        (f"{EVENTS}?after=%D9%A1", "invalid_position"),
        (f"{EVENTS}?after=1&after=2", "duplicate_parameter"),
        (f"{EVENTS}?since=1", "unknown_parameter"),
        (f"{EVENTS}?type=Order.New", "invalid_choice"),
        ("/stream/quotes", "required"),
        ("/stream/quotes?symbols=", "required"),
        ("/stream/quotes?symbols=spx", "invalid_symbol"),
        ("/stream/quotes?symbols=SPX,,IXIC", "invalid_symbol"),
        (
            "/stream/quotes?symbols=" + ",".join(["A"] * 1 + [f"S{n}" for n in range(101)]),
            "out_of_range",
        ),
    ],
)
def test_bad_parameters_are_422_and_named(stream, key, target, code):
    response, body = refused(stream, target, key)
    assert response.status == 422
    assert {row["code"] for row in body["errors"]} == {code}


def test_a_bad_last_event_id_is_422(stream, key):
    response, _ = refused(stream, EVENTS, key, **{"Last-Event-ID": "x"})
    assert response.status == 422


def test_an_oversized_header_and_two_credentials_are_400(stream, key):
    assert refused(stream, EVENTS, "x" * 10_000)[0].status == 400
    assert refused(stream, EVENTS, f"{key}, Bearer {key}")[0].status == 400


def test_a_request_id_is_taken_over(stream):
    response, body = refused(stream, EVENTS, **{"X-Request-Id": "mine-1"})
    assert body["request_id"] == response.headers["x-request-id"] == "mine-1"


def test_a_credential_holds_a_bounded_number_of_streams(stream, key):
    for _ in range(20):
        stream.open(EVENTS, key).begun()
    response, body = refused(stream, EVENTS, key)
    assert (response.status, body["code"]) == (429, "too_many_streams")
    assert int(response.headers["retry-after"]) > 0
    stream.opened.pop().close()
    from tests.stream.conftest import waited

    assert waited(lambda: stream.open(EVENTS, key).response.status == 200)


def test_a_revoked_key_loses_its_open_stream_within_seconds(stream, firm):
    row, key = firm.key()
    opened = stream.open(EVENTS, key).begun()
    other = stream.open(EVENTS, firm.key()[1]).begun()
    revoke_api_key(key=row, now=NOW)
    (end,) = opened.take(2)  # the end, and then nothing more
    assert (end.event, end.json["code"]) == ("end", "unauthenticated")
    firm.publish("still there")
    assert other.take(1)[0].json["subject"] == "still there"
