"""An API of one door whose effect is an event, to try Idempotency-Key on."""

import threading
from datetime import UTC, datetime
from typing import Any

from django.urls import path
from ninja import NinjaAPI, Status

from common.errors import Forbidden, Invalid
from common.http.door import authenticated, build
from common.http.routes import ApiRequest
from common.http.schema import StrictSchema
from events.idempotency import idempotent
from events.services import publish
from tenants.binding import tenant_bound

api = build(NinjaAPI(auth=authenticated, urls_namespace="idempotency", docs_url=None))

entered, may_go_on = threading.Event(), threading.Event()


class NoteIn(StrictSchema):
    text: str
    mode: str = "well"


def _note(request: ApiRequest, body: NoteIn) -> dict[str, Any]:
    with tenant_bound(request.actor.schema):
        event = publish(
            type="order.new",
            subject=body.text,
            data={},
            actor=request.actor.label,
            now=datetime.now(UTC),
        )
        if body.mode == "refused":
            raise Invalid("Not today.")
        if body.mode == "broken":
            raise RuntimeError
    if body.mode == "broken afterwards":
        raise RuntimeError
    if body.mode == "denied but kept":
        raise Forbidden("Kept all the same.")
    if body.mode == "slow":
        entered.set()
        assert may_go_on.wait(10)
    return {"id": event.id, "text": body.text, "secret": "s3cret"}


@api.post("/notes", response={201: dict[str, Any]})
@idempotent
def post_note(request: ApiRequest, body: NoteIn) -> Status[dict[str, Any]]:
    return Status(201, _note(request, body))


@api.post("/secrets", response={201: dict[str, Any]})
@idempotent(secrets=("secret",))
def post_secret(request: ApiRequest, body: NoteIn) -> Status[dict[str, Any]]:
    return Status(201, _note(request, body))


urlpatterns = [path("api/v1/", api.urls)]
