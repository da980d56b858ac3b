"""The HTTP door of the stream: ``GET /events``, the pull form of ``/stream/events``."""

from typing import Annotated, Any

from ninja import Field, Query, Router, Schema

from common.http.pagination import page
from common.http.query import Position, StrictQuery
from common.http.routes import ApiRequest
from common.http.schema import UtcDatetimeOut
from events.chain import event_json
from events.selectors import visible_events
from events.visibility import type_patterns

router = Router(tags=["events"])

SCOPE = "orders:read"


class EventsQuery(StrictQuery):
    """Where to go on, and what to leave out."""

    after: Position = Field(0, description="Only positions above this one.")
    type: str | None = Field(
        None,
        max_length=500,
        description="order.filled, order.* or several with commas between.",
    )


class EventOut(Schema):
    """One event; ``data`` holds the whole object as its own address shows it."""

    id: str = Field(examples=["01JD3X8V0K5T9QW2Y7M4R6ZB1C"])
    position: int = Field(description="1, 2, 3 ... without gaps in the firm's stream.")
    type: str = Field(examples=["order.filled"])
    subject: str = Field(description="The id of what it happened to.")
    occurred_at: UtcDatetimeOut
    actor: str = Field(examples=["user:trader@acme.example"])
    correlation_id: str
    data: dict[str, Any]


class EventsOut(Schema):
    """A page of events, oldest first."""

    items: list[EventOut]
    next: str | None = Field(description="The cursor of the next page, null at the end.")


@router.get("/events", response=EventsOut, summary="List events in order")
def list_events(request: ApiRequest, query: Annotated[EventsQuery, Query(...)]) -> dict[str, Any]:
    """Events of the firm in the order of their positions, oldest first.

    To follow, ask again with ``after`` = the last position you have seen: a position is given only
    to what is committed, so nothing can appear below it later. A key bound to some accounts, or
    without ``positions:read``, sees the events it may, and gaps between their positions.
    """
    request.actor.require(SCOPE)
    rows = visible_events(actor=request.actor, after=query.after, types=type_patterns(query.type))
    items, following = page(
        rows, key="position", limit=query.limit, cursor=query.cursor, descending=False
    )
    return {"items": [event_json(event) for event in items], "next": following}
