"""The HTTP door of brokers: ``/connections``, their state, and the faults of paper venues."""

from datetime import UTC, datetime
from typing import Annotated, Any

from ninja import Field, Query, Router, Schema
from pydantic import ConfigDict

from brokers import selectors, services
from brokers.models import BrokerConnection, FaultSwitch
from brokers.present import connection_json, fault_json
from common.actor import Actor
from common.errors import Forbidden
from common.http.pagination import listing, page
from common.http.query import StrictQuery
from common.http.routes import ApiRequest
from common.http.schema import EnumIn, StrictSchema
from events.idempotency import idempotent
from tenants.binding import tenant_bound
from trading.vocabulary import CommandKind

router = Router(tags=["connections"])

READ = "orders:read"
MAX_TIMES = 1000
MAX_DELAY_MS = 60_000

FAULT_IN_EXAMPLE: dict[str, Any] = {"switch": "lose_ack", "times": 1, "command": "NEW"}
FAULT_EXAMPLE: dict[str, Any] = {
    **FAULT_IN_EXAMPLE,
    "delay_ms": 0,
    "set_by": "user:manager@acme.test",
    "set_at": "2026-03-02T15:00:00.000000Z",
}
CONNECTION_EXAMPLE: dict[str, Any] = {
    "name": "paper",
    "broker": "paper",
    "mode": "PAPER",
    "state": "UP",
    "reason": "",
    "since": "2026-03-02T14:00:00.000000Z",
    "last_seen_at": "2026-03-02T15:00:00.000000Z",
    "accounts": ["PAPER-1"],
    "faults": [],
}


class FaultIn(StrictSchema):
    """What a paper venue shall do wrong, and how often; ``times`` 0 switches it off."""

    switch: EnumIn[FaultSwitch]
    times: Annotated[int, Field(strict=True, ge=0, le=MAX_TIMES)]
    delay_ms: Annotated[int, Field(strict=True, ge=0, le=MAX_DELAY_MS)] = Field(
        0, description="For delay_ack: how late the answer and its messages come."
    )
    command: EnumIn[CommandKind] | None = Field(
        None, description="Which kind of command it hits; null for the switch's own default."
    )

    model_config = ConfigDict(json_schema_extra={"example": FAULT_IN_EXAMPLE})


class FaultOut(Schema):
    """A fault that is switched on, with how many times are left."""

    switch: str
    command: str
    times: int
    delay_ms: int
    set_by: str
    set_at: str

    model_config = ConfigDict(json_schema_extra={"example": FAULT_EXAMPLE})


class ConnectionOut(Schema):
    """A session with a broker; ``accounts`` are those in the asker's reach."""

    name: str
    broker: str
    mode: str
    state: str
    reason: str
    since: str
    last_seen_at: str | None
    accounts: list[str]
    faults: list[FaultOut]

    model_config = ConfigDict(json_schema_extra={"example": CONNECTION_EXAMPLE})


class ConnectionPage(Schema):
    """A page of connections, by name."""

    items: list[ConnectionOut]
    next: str | None


@router.get("/connections", response=ConnectionPage, summary="The firm's broker connections")
def list_connections(
    request: ApiRequest, filters: Annotated[StrictQuery, Query(...)]
) -> dict[str, Any]:
    """List the connections with their state, their accounts and the faults switched on."""
    request.actor.require(READ)
    items, following = page(
        selectors.visible_connections(request.actor),
        key="name",
        limit=filters.limit,
        cursor=filters.cursor,
        descending=False,
    )
    return listing(_rows(request.actor, items), following)


@router.post(
    "/connections/{name}/faults", response=FaultOut, summary="Make a paper venue misbehave"
)
@idempotent
def post_fault(request: ApiRequest, name: str, body: FaultIn) -> dict[str, Any]:
    """Switch a fault of the simulated venue on or off; 409 at a connection to a real one.

    lose_ack: the command is carried out, answer and messages are lost. drop_before_read: it never
    arrives. cancel_lost: the same for a cancel. duplicate_fill: a fill is told twice.
    delay_ack: the answer comes ``delay_ms`` late. silent: no question about orders, fills or
    holdings is answered until it is switched off. Needs ``risk:write`` or ``admin``.
    """
    actor = request.actor
    if not (actor.may("admin") or actor.may("risk:write")):
        raise Forbidden("This needs the scope risk:write or admin; ask an owner of the firm.")
    with tenant_bound(actor.schema):
        fault = services.set_fault(
            connection=selectors.access_connection(actor, name),
            switch=body.switch,
            times=body.times,
            command=body.command,
            delay_ms=body.delay_ms,
            actor=actor,
            correlation_id=request.request_id[:64],
            now=datetime.now(UTC),
        )
    return fault_json(fault)


def _rows(actor: Actor, connections: list[BrokerConnection]) -> list[dict[str, Any]]:
    codes = selectors.account_codes(actor, connections)
    faults = selectors.active_faults(connections)
    return [
        {
            **connection_json(connection),
            "accounts": codes.get(connection.id, []),
            "faults": [fault_json(fault) for fault in faults.get(connection.id, [])],
        }
        for connection in connections
    ]
