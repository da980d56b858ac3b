"""The HTTP door of risk: halts, limits, and why orders were refused."""

from datetime import UTC, datetime
from typing import Annotated, Any

from ninja import Field, Query, Router, Schema, Status
from pydantic import AfterValidator, BeforeValidator, ConfigDict
from pydantic_core import PydanticCustomError

from common.http.pagination import listing, page
from common.http.query import StrictQuery
from common.http.routes import ApiRequest
from common.http.schema import EnumIn, PositiveDecimalIn, StrictSchema, Text
from events.idempotency import idempotent
from risk import selectors, services
from risk.shapes import breach_json, halt_json, limit_json
from tenants.binding import tenant_bound
from trading.risk import HaltScope, HaltState, LimitScope, RuleId

router = Router(tags=["risk"])

READ, WRITE = "risk:read", "risk:write"


def _yes_or_no(value: Any) -> bool:
    if value not in {"true", "false", True, False}:
        raise PydanticCustomError("invalid_choice", "Not one of true, false.")
    return value in {"true", True}


def _filled(value: str) -> str:
    if not value.strip():
        raise PydanticCustomError("required", "Say why, in words.")
    return value


YesNo = Annotated[bool, BeforeValidator(_yes_or_no)]
Reason = Annotated[Text, AfterValidator(_filled)]
Target = Annotated[Text, Field(max_length=64)]

HALT_EXAMPLE: dict[str, Any] = {
    "id": "01KAGX4Z8N6Q3T2V5W7Y9B1C3D",
    "scope": "instrument",
    "target": "SPX",
    "state": "HALTED",
    "reason": "prices look wrong",
    "since": "2026-03-02T15:00:00Z",
    "set_by": "user:manager@acme.test",
    "lifted_at": None,
    "lifted_by": None,
    "lift_reason": None,
}
HALT_IN_EXAMPLE: dict[str, Any] = {
    name: HALT_EXAMPLE[name] for name in ("scope", "target", "state", "reason")
}
LIMIT_IN_EXAMPLE: dict[str, Any] = {
    "scope": "account",
    "target": "PAPER-1",
    "rule": "max_order_qty",
    "value": "500",
    "enabled": True,
}


class HaltIn(StrictSchema):
    """Where to stop trading, how firmly, and why."""

    scope: EnumIn[HaltScope]
    target: Target | None = Field(
        None,
        description="An account code, strategy, symbol or connection; null for the whole firm.",
    )
    state: EnumIn[HaltState]
    reason: Reason

    model_config = ConfigDict(json_schema_extra={"example": HALT_IN_EXAMPLE})


class LiftIn(StrictSchema):
    """Why trading may resume."""

    reason: Reason


class HaltOut(Schema):
    """A halt; the lift fields are null while it is in force."""

    id: str
    scope: str
    target: str | None
    state: str
    reason: str
    since: str
    set_by: str
    lifted_at: str | None
    lifted_by: str | None
    lift_reason: str | None

    model_config = ConfigDict(json_schema_extra={"example": HALT_EXAMPLE})


class HaltPage(Schema):
    """A page of halts, newest first."""

    items: list[HaltOut]
    next: str | None


class HaltFilters(StrictQuery):
    """Which halts: those in force, or with ``active=false`` those lifted."""

    active: YesNo = True


class LimitIn(StrictSchema):
    """One limit of the firm or of an account."""

    scope: EnumIn[LimitScope]
    target: Target | None = Field(None, description="An account code; null for the whole firm.")
    rule: EnumIn[RuleId]
    value: PositiveDecimalIn
    enabled: bool = True

    model_config = ConfigDict(json_schema_extra={"example": LIMIT_IN_EXAMPLE})


class LimitOut(Schema):
    """A limit; ``unit`` says what its value is counted in."""

    scope: str
    target: str | None
    rule: str
    value: str
    unit: str
    enabled: bool
    updated_at: str
    updated_by: str


class LimitPage(Schema):
    """A page of limits."""

    items: list[LimitOut]
    next: str | None


class BreachOut(Schema):
    """One rule one refused order broke, with the numbers of that moment."""

    id: int
    order_id: str
    account: str
    code: str
    rule: str
    value: str
    limit: str
    unit: str
    message: str
    at: str


class BreachPage(Schema):
    """A page of breaches, newest first."""

    items: list[BreachOut]
    next: str | None


class BreachFilters(StrictQuery):
    """Which breaches."""

    account: Annotated[Text | None, Field(max_length=32)] = None
    order_id: Annotated[Text | None, Field(max_length=26)] = None
    rule: EnumIn[RuleId] | None = None


@router.get("/risk/halts", response=HaltPage, summary="Halts in force, newest first")
def list_halts(request: ApiRequest, filters: Annotated[HaltFilters, Query(...)]) -> dict[str, Any]:
    """List the halts in force, or with ``active=false`` the lifted ones.

    :raises Forbidden: without the scope ``risk:read``.
    """
    request.actor.require(READ)
    found = selectors.halts(in_force=filters.active)
    items, following = page(found, limit=filters.limit, cursor=filters.cursor)
    return listing(map(halt_json, items), following)


@router.post("/risk/halts", response={201: HaltOut}, summary="Stop trading somewhere")
@idempotent
def post_halt(request: ApiRequest, body: HaltIn) -> Any:
    """Stop new orders of a firm, account, strategy, instrument or venue; cancels still pass.

    REDUCING lets orders through that can only make a position smaller. The same halt twice is
    409 ``state_conflict`` with the one in force; a target the firm does not have is 422
    ``unknown_target``. Needs ``risk:write``; a person who may trade halts single accounts too.
    """
    actor = request.actor
    with tenant_bound(actor.schema):
        halt = services.set_halt(
            scope=body.scope,
            target=body.target,
            state=body.state,
            reason=body.reason,
            actor=actor,
            now=datetime.now(UTC),
            correlation_id=request.request_id[:64],
        )
    return Status(201, halt_json(halt))


@router.post("/risk/halts/{halt_id}/lift", response=HaltOut, summary="Let trading resume")
@idempotent
def post_lift(request: ApiRequest, halt_id: str, body: LiftIn) -> dict[str, Any]:
    """Lift a halt; the row stays with who lifted it and why. Lifted before: 409.

    The person who set it (or whose key did) is refused with 403 ``four_eyes`` while somebody else
    of the firm could lift it.
    """
    actor = request.actor
    with tenant_bound(actor.schema):
        halt = services.lift_halt(
            halt_id=halt_id,
            reason=body.reason,
            actor=actor,
            now=datetime.now(UTC),
            correlation_id=request.request_id[:64],
        )
    return halt_json(halt)


@router.get("/risk/limits", response=LimitPage, summary="The limits orders are judged by")
def list_limits(request: ApiRequest, filters: Annotated[StrictQuery, Query(...)]) -> dict[str, Any]:
    """List the limits of the firm and of the accounts in reach; the tighter of two applies."""
    request.actor.require(READ)
    found = selectors.visible_limits(request.actor)
    items, following = page(found, limit=filters.limit, cursor=filters.cursor, descending=False)
    return listing(map(limit_json, items), following)


@router.put("/risk/limits", response=LimitOut, summary="Set one limit")
def put_limit(request: ApiRequest, body: LimitIn) -> dict[str, Any]:
    """Set a limit, new or changed; the event ``limit.changed`` keeps the value before.

    Sending it again changes nothing more. ``enabled=false`` switches the row off.
    """
    actor = request.actor
    actor.require(WRITE)
    with tenant_bound(actor.schema):
        limit = services.set_limit(
            scope=body.scope,
            target=body.target,
            rule=body.rule,
            value=body.value,
            enabled=body.enabled,
            actor=actor,
            now=datetime.now(UTC),
            correlation_id=request.request_id[:64],
        )
    return limit_json(limit)


@router.get("/risk/breaches", response=BreachPage, summary="Why orders were refused")
def list_breaches(
    request: ApiRequest, filters: Annotated[BreachFilters, Query(...)]
) -> dict[str, Any]:
    """List breaches of refused orders, newest first."""
    request.actor.require(READ)
    found = selectors.breaches(request.actor)
    if filters.account is not None:
        found = found.filter(account__code=filters.account)
    if filters.order_id is not None:
        found = found.filter(order_id=filters.order_id)
    if filters.rule is not None:
        found = found.filter(rule=filters.rule.value)
    items, following = page(found, limit=filters.limit, cursor=filters.cursor)
    return listing(map(breach_json, items), following)
