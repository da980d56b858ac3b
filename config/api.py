"""The API at /api/v1: every app's routers under one strict door."""

import json
from collections.abc import Callable
from importlib import import_module
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from ninja import NinjaAPI
from ninja.openapi.docs import Swagger
from ninja.openapi.schema import OpenAPISchema

from common.http.door import authenticated, build
from common.http.openapi import described

DESCRIPTION = """\
Orders, books and prices of one firm. Send an access token (`POST /auth/token`) or an API key as
`Authorization: Bearer`. Decimals travel as strings, times are RFC 3339 with zone, unknown fields
are refused, and every error is `application/problem+json` with a stable `code`.
"""

ROUTERS = (
    "accounts.api",
    "brokers.setup_api",  # on the router of brokers.api: both serve /connections
    "marketdata.api",
    "portfolio.api",
    "risk.api",
    "oms.api",
    "oms.lists_api",
    "events.api",
)


def _read_only(view: Callable[..., Any]) -> Callable[..., Any]:
    """The pages about the API take GET; csrf_exempt lets other methods reach the 405."""
    return csrf_exempt(require_safe(view))


class LocalDocs(Swagger):
    """The documentation page from our own static files; nothing is fetched from elsewhere."""

    def render_page(self, request: HttpRequest, api: NinjaAPI, **kwargs: Any) -> HttpResponse:
        """Return the page. (Ninja takes its own copy from a CDN unless it is an installed app.)"""
        settings = {**self.settings, "url": self.get_openapi_url(api, kwargs)}
        context = {"swagger_settings": json.dumps(settings), "api": api, "add_csrf": False}
        return render(request, self.template, context)


class BlotterApi(NinjaAPI):
    """Ninja, with what its OpenAPI document lacks."""

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        """Return the document with security and problem answers, as /openapi.json serves it."""
        document = super().get_openapi_schema(**options)
        described(document)
        return document


api = build(
    BlotterApi(
        title="Blotter",
        version="1",
        description=DESCRIPTION,
        auth=authenticated,
        urls_namespace="api",
        docs=LocalDocs(),
        docs_url="/docs",
        openapi_url="/openapi.json",
        docs_decorator=_read_only,
    )
)

for name in ROUTERS:
    api.add_router("", import_module(name).router)


def openapi_document() -> OpenAPISchema:
    """Return the OpenAPI document that docs/api/openapi.json holds."""
    return api.get_openapi_schema(path_prefix="/api/v1/")
