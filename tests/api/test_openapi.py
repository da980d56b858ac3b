"""The API's own description: current, complete, and shown without any other host."""

import re

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import Client

from config.api import openapi_document
from config.management.commands.openapi import TARGET, openapi_text

OPEN = {"/api/v1/auth/token", "/api/v1/auth/refresh"}


def operations():
    for path, methods in openapi_document()["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_the_committed_file_is_what_the_routes_say():
    assert (settings.BASE_DIR / TARGET).read_text() == openapi_text(), (
        "docs/api/openapi.json is not current: run `manage.py openapi`"
    )
    call_command("openapi", "--check")


def test_check_fails_where_the_file_differs(tmp_path, settings):
    settings.BASE_DIR = tmp_path
    with pytest.raises(CommandError, match="not current"):
        call_command("openapi", "--check")
    call_command("openapi", verbosity=0)
    call_command("openapi", "--check")


def test_every_operation_says_what_it_does_who_may_and_how_it_refuses():
    seen = list(operations())
    assert len(seen) >= 25
    ids = [operation["operationId"] for _, _, operation in seen]
    assert len(set(ids)) == len(ids)
    for path, method, operation in seen:
        name = f"{method} {path}"
        assert operation["summary"], name
        assert operation["tags"], name
        assert operation["security"] == ([] if path in OPEN else [{"bearer": []}]), name
        for status in ("401", "404", "422", *(["415"] if method == "post" else [])):
            content = operation["responses"][status]["content"]
            assert list(content) == ["application/problem+json"], name


def test_the_bodies_have_examples():
    schemas = openapi_document()["components"]["schemas"]
    assert schemas["ApiKeyIn"]["properties"]["scopes"]["examples"]
    assert schemas["ApiKeyIn"]["additionalProperties"] is False
    assert schemas["Problem"]["example"]["code"] == "not_positive"


def test_the_page_loads_nothing_from_another_host(db):
    client = Client(headers={"host": "localhost"})
    page = client.get("/api/v1/docs")
    assert page.status_code == 200
    links = re.findall(r'(?:src|href)="([^"]+)"', page.content.decode())
    assert links
    assert all(link.startswith("/") and not link.startswith("//") for link in links)
    assert client.get("/api/v1/openapi.json").json()["paths"].keys() == (
        openapi_document()["paths"].keys()
    )
