"""The JSON reader, against Python's own and against slow inputs."""

import json
from contextlib import suppress
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import Invalid, Refused
from common.http.json import MAX_DEPTH, InvalidEncoding, InvalidJson, TooLarge, parse

TEXT = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\x00"))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**300), 10**300) | TEXT
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=40,
)  # fmt: skip


@given(VALUES, st.booleans())
def test_whatever_json_writes_is_read_back(value, ascii_only):
    assert parse(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


@given(st.binary(max_size=60) | TEXT.map(str.encode))
def test_anything_else_is_refused_in_our_words(body):
    try:
        value = parse(body)
    except Refused as refusal:
        status = refusal.http_status
    else:
        status = 200
        assert json.loads(body) == value
    assert status in {200, 400, 422}


@given(TEXT, TEXT, st.integers(0, 5))
def test_a_key_twice_is_found_wherever_it_stands(key, other, depth):
    inner = f"{{{json.dumps(key)}:1,{json.dumps(other + '!')}:2,{json.dumps(key)}:3}}"
    body = ('{"a":[' * depth + inner + "]}" * depth).encode()
    if key == other + "!":
        return
    with pytest.raises(InvalidJson) as refusal:
        parse(body)
    offset = refusal.value.extra["offset"]
    assert body.decode()[offset:].startswith(json.dumps(key))


def test_nesting_up_to_the_limit_is_read():
    assert parse(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
    with pytest.raises(InvalidJson, match="nesting"):
        parse(b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1))
    wide = b"[" + b"[]," * 5000 + b"[]]"
    assert len(parse(wide)) == 5001
    assert parse(b'{"a":"' + b"[" * 100 + b'"}') == {"a": "[" * 100}


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 40 + b'"' * 900_000,
        b"[]," * 40 + b'\\"' * 450_000,
        b"{}" * 40 + b'"\\' * 450_000,
        b"[" + b"[]," * 300_000 + b"[]]",
        b'{"a":"' + b"\\u0061" * 160_000 + b'"}',
        b"[" + b"1," * 400_000 + b"1]",
        b"[" * 500_000,
        b"9" * 1_000_000,
        b"-" * 1_000_000,
        b" " * 1_000_000,
    ],
)
def test_nothing_is_slow(body):
    begun = perf_counter()
    with suppress(Refused):
        parse(body)
    assert perf_counter() - begun < 1.0


def test_escapes_cannot_smuggle_what_no_column_takes():
    with pytest.raises(InvalidEncoding):
        parse(b'{"a":["x\\udc00"]}')
    with pytest.raises(InvalidEncoding):
        parse(b'{"\\ud800":1}')
    with pytest.raises(Invalid) as refusal:
        parse(b'{"a":[{"b":"x\\u0000"}]}')
    assert [(row.field, row.code) for row in refusal.value.errors] == [
        ("a.0.b", "invalid_characters")
    ]
    assert parse(b'{"a":"\\ud83d\\ude00"}') == {"a": "\N{GRINNING FACE}"}


def test_size_is_refused_before_anything_else():
    with pytest.raises(TooLarge):
        parse(b"\xff" * (1024 * 1024 + 1))
