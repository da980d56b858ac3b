"""The front's own answers, in the one shape that every error of this system has."""

import json
from datetime import UTC, datetime
from http import HTTPStatus

from aiohttp import web

from common.ids import new_ulid


def problem(
    status: int, code: str, detail: str, *, retry_after_s: int | None = None
) -> web.Response:
    """Return an ``application/problem+json`` answer that names its request."""
    request_id = new_ulid(datetime.now(UTC))
    headers = {"Cache-Control": "no-store", "Server": "blotter", "X-Request-Id": request_id}
    if retry_after_s is not None:
        headers["Retry-After"] = str(retry_after_s)
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        "errors": [],
        "request_id": request_id,
    }
    return web.Response(
        status=status,
        body=json.dumps(body).encode(),
        content_type="application/problem+json",
        headers=headers,
    )
