"""/auth and /api-keys."""

from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Annotated, Any

from ninja import Query, Router, Status
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from accounts import credentials, selectors, services
from accounts.models import ApiKey
from accounts.requests import AuthRequest
from accounts.roles import SCOPES
from common.errors import FieldError, Forbidden, Invalid
from common.http.pagination import listing, page
from common.http.query import StrictQuery
from common.http.routes import client_address
from common.http.schema import StrictSchema, UtcDatetimeIn
from common.instants import opt_instant_str
from events.idempotency import idempotent

router = Router(tags=["access"])

_EMAIL = Annotated[str, Field(min_length=3, max_length=254)]
_SECRET = Annotated[str, Field(min_length=1, max_length=services.MAX_PASSWORD)]


class TokenIn(StrictSchema):
    """Who logs in. ``tenant`` names the firm at the platform's own host."""

    email: _EMAIL = Field(examples=["trader@acme.example"])
    password: _SECRET
    otp: Annotated[str, Field(max_length=16)] | None = None
    tenant: Annotated[str, Field(max_length=31)] | None = Field(None, examples=["acme"])


class RefreshIn(StrictSchema):
    """The refresh token of the last answer; it serves once."""

    refresh: _SECRET


class TokensOut(StrictSchema):
    """``expires_in`` is the life of the access token in seconds."""

    access: str
    refresh: str
    expires_in: int = Field(examples=[900])
    token_type: str = Field(examples=["Bearer"])


def _network(value: str) -> str:
    try:
        return str(ip_network(value, strict=False))
    except ValueError:
        raise PydanticCustomError(
            "invalid_network", "Expected an address or a network such as 203.0.113.0/24."
        ) from None


def _scope(value: str) -> str:
    if value not in SCOPES:
        raise PydanticCustomError(
            "invalid_choice", "Not one of {allowed}.", {"allowed": ", ".join(SCOPES)}
        )
    return value


class ApiKeyIn(StrictSchema):
    """A new key. ``accounts`` absent or null: every account of the firm."""

    name: Annotated[str, Field(min_length=1, max_length=120)] = Field(examples=["rebalancer"])
    scopes: Annotated[
        list[Annotated[str, AfterValidator(_scope)]], Field(min_length=1, max_length=20)
    ] = Field(examples=[["orders:write", "positions:read"]])
    accounts: (
        Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=200)] | None
    ) = Field(None, examples=[["PAPER-1"]])
    expires_at: UtcDatetimeIn | None = None
    ip_allowlist: Annotated[
        list[Annotated[str, AfterValidator(_network)]], Field(max_length=50)
    ] = Field(default_factory=list)


@router.post("/auth/token", auth=None, response=TokensOut, summary="Log in with a password")
def log_in(request: AuthRequest, body: TokenIn) -> Any:
    """Return an access token for 15 minutes and a refresh token that serves once."""
    tokens = services.log_in(
        email=body.email,
        password=body.password,
        tenant=request.tenant,
        slug=body.tenant,
        remote_addr=client_address(request),
        now=datetime.now(UTC),
    )
    return _tokens_json(tokens)


@router.post("/auth/refresh", auth=None, response=TokensOut, summary="Trade a refresh token")
def refresh(request: AuthRequest, body: RefreshIn) -> Any:
    """Return new tokens; the old refresh token is spent, and showing it again ends the login."""
    tokens = services.refresh(token=body.refresh, tenant=request.tenant, now=datetime.now(UTC))
    return _tokens_json(tokens)


@router.post("/auth/logout", response={204: None}, summary="End this login")
def log_out(request: AuthRequest) -> Any:
    """End the login session of the access token: it and its refresh token stop at once."""
    session = request.identity.session
    if session is None:
        raise Forbidden("An API key has no login to end; delete the key instead.")
    services.log_out(session=session, now=datetime.now(UTC))
    return Status(204, None)


@router.get("/auth/me", summary="Who am I here")
def me(request: AuthRequest) -> Any:
    """Return the person or key behind the credential, its firm, role and scopes."""
    identity, actor = request.identity, request.actor
    user, tenant = identity.membership.user, identity.tenant
    return {
        "kind": actor.kind.value,
        "user": {"id": user.pk, "email": user.email, "name": user.name},
        "tenant": {"slug": tenant.slug, "name": tenant.name},
        "role": identity.membership.role,
        "scopes": sorted(actor.scopes),
        "accounts": None if actor.accounts is None else sorted(actor.accounts),
        "api_key": None if identity.api_key is None else _key_json(identity.api_key),
    }


@router.post("/api-keys", response={201: dict[str, Any]}, summary="Make an API key")
@idempotent(secrets=("key",))
def create_api_key(request: AuthRequest, body: ApiKeyIn) -> Any:
    """Return the new key; its ``key`` is shown in this answer and never again."""
    request.actor.require("admin")
    now = datetime.now(UTC)
    if body.expires_at is not None and body.expires_at <= now:
        row = FieldError("expires_at", "in_the_past", "Must be later than now.")
        raise Invalid("The key would be expired already.", errors=[row])
    beyond = sorted(scope for scope in body.scopes if not request.actor.may(scope))
    if beyond:
        raise Forbidden(f"You do not hold {', '.join(beyond)} yourself.")
    if body.accounts is not None and not all(map(request.actor.reaches, body.accounts)):
        raise Forbidden("The key would reach accounts that you do not.")
    accounts = body.accounts
    if accounts is None and request.actor.accounts is not None:
        accounts = sorted(request.actor.accounts)
    key, text = services.create_api_key(
        membership=request.identity.membership,
        name=body.name,
        scopes=body.scopes,
        accounts=accounts,
        expires_at=body.expires_at,
        ip_allowlist=body.ip_allowlist,
        now=now,
    )
    return Status(201, {**_key_json(key), "key": text})


@router.get("/api-keys", summary="List API keys")
def list_api_keys(request: AuthRequest, filters: Annotated[StrictQuery, Query()]) -> Any:
    """Return the firm's keys that are not revoked, without their secrets."""
    request.actor.require("admin")
    rows, following = page(
        selectors.keys_of(request.tenant), limit=filters.limit, cursor=filters.cursor
    )
    return listing([_key_json(row) for row in rows], following)


@router.delete("/api-keys/{key_id}", response={204: None}, summary="Revoke an API key")
def revoke_api_key(request: AuthRequest, key_id: str) -> Any:
    """End a key at once."""
    request.actor.require("admin")
    key = selectors.key_of(request.tenant, key_id)
    services.revoke_api_key(key=key, now=datetime.now(UTC))
    return Status(204, None)


def _tokens_json(tokens: services.Tokens) -> dict[str, Any]:
    return {
        "access": tokens.access,
        "refresh": tokens.refresh,
        "expires_in": tokens.expires_in,
        "token_type": "Bearer",
    }


def _key_json(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.pk,
        "prefix": credentials.prefix(key.membership.tenant.slug, key.pk),
        "name": key.name,
        "scopes": key.scopes,
        "accounts": key.accounts,
        "ip_allowlist": key.ip_allowlist,
        "expires_at": opt_instant_str(key.expires_at),
        "created_at": opt_instant_str(key.created_at),
        "last_used_at": opt_instant_str(key.last_used_at),
        "created_by": key.membership.user.email,
    }
