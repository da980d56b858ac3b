"""conformance/bad-inputs.md row B25: lists."""

import base64
import json

import pytest


def cursor(*parts) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    ("query", "field", "code"),
    [
        ("limit=abc", "limit", "invalid_number"),
        ("limit=1e3", "limit", "invalid_number"),
        ("limit=", "limit", "invalid_number"),
        ("limit=-1", "limit", "invalid_number"),
        ("limit=+5", "limit", "invalid_number"),
        ("limit=1_0", "limit", "invalid_number"),
        ("limit=%D9%A1", "limit", "invalid_number"),
        ("limit=5.0", "limit", "invalid_number"),
        ("limit=" + "9" * 5000, "limit", "invalid_number"),
        ("limit=0", "limit", "out_of_range"),
        ("limit=501", "limit", "out_of_range"),
        ("limit=100001", "limit", "out_of_range"),
        ("limit=5&limit=6", "limit", "duplicate_parameter"),
        ("limit=5&limit=5", "limit", "duplicate_parameter"),
        ("sort=password", "sort", "unknown_parameter"),
        ("tenant_id=1", "tenant_id", "unknown_parameter"),
        ("name__startswith=a", "name__startswith", "unknown_parameter"),
        ("cursor=!!!", "cursor", "invalid_cursor"),
        ("cursor=", "cursor", "invalid_cursor"),
        ("cursor=%00", "cursor", "invalid_characters"),
        ("cursor=%ff", "cursor", "invalid_characters"),
        ("cursor=" + "a" * 600, "cursor", "invalid_cursor"),
        ("cursor=" + cursor("digest", "a"), "cursor", "invalid_cursor"),
        ("cursor=" + cursor("id", 5), "cursor", "invalid_cursor"),
        ("cursor=" + cursor("id", "x" * 99), "cursor", "invalid_cursor"),
        ("cursor=" + cursor("id", "a\x00"), "cursor", "invalid_cursor"),
        ("cursor=" + cursor("id"), "cursor", "invalid_cursor"),
    ],
)
def test_a_query_that_is_not_acceptable_is_422(program, query, field, code):
    answer = program.get(f"/api-keys?{query}")
    assert answer.status == 422, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert [(row["field"], row["code"]) for row in answer.json["errors"]] == [(field, code)]


@pytest.mark.parametrize("path", ["/auth/me", "/api-keys/aaaaaaaaaaaa"])
def test_a_call_without_parameters_takes_none(program, path):
    method = "GET" if path == "/auth/me" else "DELETE"
    answer = program.call(method, f"{path}?x=1")
    assert (answer.status, answer.json["code"]) == (422, "unknown_parameter")


def test_what_is_acceptable_passes(program):
    for query in ("", "?limit=1", "?limit=500", "?limit=007"):
        assert program.get(f"/api-keys{query}").status == 200


def test_an_unknown_parameter_is_echoed_in_part(program):
    answer = program.get("/api-keys?" + "p" * 5000 + "=1")
    assert len(answer.json["errors"][0]["field"]) == 64
    assert len(answer.text) < 1000
