"""The HTTP door for setting up connections to real brokers: ``POST /connections``, credentials."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from ninja import Field, Status
from pydantic import ConfigDict

from brokers import opening, selectors
from brokers.api import CONNECTION_EXAMPLE, ConnectionOut, connection_row, router
from brokers.credentials import keep_credentials, revoke_credentials
from common.http.routes import ApiRequest
from common.http.schema import EnumIn, StrictSchema
from events.idempotency import idempotent
from tenants.binding import tenant_bound
from trading.vocabulary import Mode

__all__ = ["router"]

ADMIN = "admin"
Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$")]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
Currency = Annotated[str, Field(pattern=r"^[A-Z0-9]{3,8}$")]
Secret = Annotated[str, Field(min_length=1, max_length=4096)]

TWS_EXAMPLE: dict[str, Any] = {
    "name": "ib-paper",
    "broker": "ib",
    "mode": "PAPER",
    "accounts": [{"code": "IB-1", "name": "IB paper", "currency": "USD", "venue_code": "DU123456"}],
    "tws": {"host": "127.0.0.1", "port": 7497, "client_id": 1, "time_zone": "America/New_York"},
}


class TwsIn(StrictSchema):
    """Where a TWS or IB Gateway listens, and as which of its clients we log on."""

    host: Annotated[str, Field(max_length=253, pattern=r"^[A-Za-z0-9.:-]+$")] = "127.0.0.1"
    port: Annotated[int, Field(strict=True, ge=1, le=65_535)] = 7497
    client_id: Annotated[int, Field(strict=True, ge=1, le=999)] = 1
    time_zone: Annotated[str, Field(max_length=64)] = Field(
        "America/New_York", description="The zone this TWS begins its days in."
    )


class ExchangeIn(StrictSchema):
    """How an exchange is reached."""

    simulator_port: Annotated[int, Field(strict=True, ge=1, le=65_535)] | None = Field(
        None, description="A simulator of this exchange on this machine; PAPER only."
    )


class AccountIn(StrictSchema):
    """An account the connection trades. ``venue_code`` is the broker's own word for it."""

    code: Code
    name: Annotated[str, Field(min_length=1, max_length=120)]
    currency: Currency
    venue_code: Annotated[str, Field(max_length=64)] = ""


class ConnectionIn(StrictSchema):
    """A connection to a real broker; ``tws`` for ``ib``, ``exchange`` for an exchange."""

    name: Name
    broker: Annotated[str, Field(max_length=32)]
    mode: EnumIn[Mode]
    accounts: Annotated[list[AccountIn], Field(min_length=1, max_length=50)]
    tws: TwsIn | None = None
    exchange: ExchangeIn | None = None

    model_config = ConfigDict(json_schema_extra={"example": TWS_EXAMPLE})


class CredentialsIn(StrictSchema):
    """The key of an exchange. Values are encrypted at once and never shown again."""

    api_key: Secret
    secret: Secret
    password: Secret | None = None

    model_config = ConfigDict(json_schema_extra={"example": {"api_key": "…", "secret": "…"}})


class ResumeIn(StrictSchema):
    """The order number to go on at, above all that were used."""

    first: Annotated[int, Field(strict=True, ge=1, le=1_000_000_000)]

    model_config = ConfigDict(json_schema_extra={"example": {"first": 5000}})


class Kept(StrictSchema):
    """What became of the credentials."""

    connection: str
    credentials: Literal["KEPT", "REVOKED"]

    model_config = ConfigDict(
        json_schema_extra={"example": {"connection": "binance-test", "credentials": "KEPT"}}
    )


@router.post(
    "/connections",
    response={201: ConnectionOut},
    summary="Connect a broker",
    openapi_extra={"responses": {201: {"content": {"application/json": {
        "example": CONNECTION_EXAMPLE}}}}},
)  # fmt: skip
@idempotent
def post_connection(request: ApiRequest, body: ConnectionIn) -> Any:
    """Open a connection with its accounts; the gateway begins a session within seconds."""
    actor = request.actor
    actor.require(ADMIN)
    with tenant_bound(actor.schema):
        connection = opening.open_real_connection(
            name=body.name,
            broker=body.broker,
            mode=Mode(body.mode),
            accounts=[opening.NewAccount(**account.dict()) for account in body.accounts],
            tws=None if body.tws is None else body.tws.dict(),
            simulator_port=None if body.exchange is None else body.exchange.simulator_port,
            actor=actor,
            correlation_id=request.request_id[:64],
            now=datetime.now(UTC),
        )
        return Status(201, connection_row(actor, connection))


@router.put("/connections/{name}/credentials", response=Kept, summary="Keep an exchange's key")
def put_credentials(request: ApiRequest, name: str, body: CredentialsIn) -> dict[str, str]:
    """Encrypt and keep a key in the place of the one before."""
    actor = request.actor
    actor.require(ADMIN)
    values = {field: value for field, value in body.dict().items() if value is not None}
    with tenant_bound(actor.schema):
        connection = opening.access_exchange(actor, name)
        keep_credentials(
            connection=connection, values=values, by=actor.label, now=datetime.now(UTC)
        )
    return {"connection": name, "credentials": "KEPT"}


@router.delete("/connections/{name}/credentials", response=Kept, summary="Revoke a key")
def delete_credentials(request: ApiRequest, name: str) -> dict[str, str]:
    """Delete the key; a session that uses it ends."""
    actor = request.actor
    actor.require(ADMIN)
    with tenant_bound(actor.schema):
        connection = selectors.access_connection(actor, name)
        revoke_credentials(connection=connection, by=actor.label, now=datetime.now(UTC))
    return {"connection": name, "credentials": "REVOKED"}


@router.post(
    "/connections/{name}/resume", response=ConnectionOut, summary="Go on after numbers went back"
)
@idempotent
def post_resume(request: ApiRequest, name: str, body: ResumeIn) -> Any:
    """Let new orders of a TWS go on at a number, after the alarm ID_RESET."""
    actor = request.actor
    actor.require(ADMIN)
    with tenant_bound(actor.schema):
        connection = selectors.access_connection(actor, name)
        opening.resume_numbers(
            connection=connection, first=body.first, actor=actor, now=datetime.now(UTC)
        )
        return connection_row(actor, connection)
