"""The HTTP door of brokers: ``/connections``, their state, and the faults of paper venues."""

from datetime import UTC, datetime
from typing import Annotated, Any

from ninja import Field, Query, Router, Schema
from pydantic import ConfigDict

from brokers import selectors, services
from brokers.models import MEANINGS, BrokerConnection, FaultSwitch
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
    "account": None,
    "symbol": None,
    "skip": 0,
    "one_in": 1,
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
        0, description="delay_ack: how late the answer comes; throttle: when to try again."
    )
    command: EnumIn[CommandKind] | None = Field(
        None, description="Which kind of command it hits; null for the switch's own default."
    )
    account: Annotated[str, Field(max_length=32)] | None = Field(
        None, description="The account it hits; null for every one."
    )
    symbol: Annotated[str, Field(max_length=32)] | None = Field(
        None, description="The instrument it hits; null for every one."
    )
    skip: Annotated[int, Field(strict=True, ge=0, le=MAX_TIMES)] = Field(
        0, description="How many that it could hit pass unharmed first."
    )
    one_in: Annotated[int, Field(strict=True, ge=1, le=MAX_TIMES)] = Field(
        1, description="After those it hits one in so many, drawn by a hash: no run differs."
    )

    model_config = ConfigDict(json_schema_extra={"example": FAULT_IN_EXAMPLE})


class FaultOut(Schema):
    """A fault that is switched on, with how many times are left."""

    switch: str
    command: str
    times: int
    delay_ms: int
    account: str | None
    symbol: str | None
    skip: int
    one_in: int
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


FAULTS_REFERENCE = (
    "Switch a fault of the simulated venue on or off; 409 at a connection to a real one. "
    "Needs `risk:write` or `admin`.\n\n"
    + "\n".join(f"- `{switch}`: {meaning}." for switch, meaning in MEANINGS.items())
)


@router.post(
    "/connections/{name}/faults",
    response=FaultOut,
    summary="Make a paper venue misbehave",
    description=FAULTS_REFERENCE,
)
@idempotent
def post_fault(request: ApiRequest, name: str, body: FaultIn) -> dict[str, Any]:
    """Switch a fault of a paper venue on or off."""
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
            aim=services.FaultAim(
                account=body.account or "",
                symbol=body.symbol or "",
                skip=body.skip,
                one_in=body.one_in,
            ),
            actor=actor,
            correlation_id=request.request_id[:64],
            now=datetime.now(UTC),
        )
    return fault_json(fault)


def connection_row(actor: Actor, connection: BrokerConnection) -> dict[str, Any]:
    """One connection as the API shows it."""
    return _rows(actor, [connection])[0]


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
