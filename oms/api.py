"""The order doors of the HTTP API: each translates once and calls one verb."""

from datetime import UTC, datetime
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import Path, Query, Router
from pydantic import ValidationError

from common.errors import Refused
from common.http.pagination import listing, page
from common.http.problems import problem_object, refused_object
from common.http.ranges import check_range
from common.http.routes import ApiRequest
from common.http.schema import UlidIn
from common.http.validation import field_errors
from oms import selectors
from oms.answers import (
    BatchOut,
    BreakPage,
    CancelAllOut,
    ExecutionPage,
    OrderEventsOut,
    OrderOut,
    OrderPage,
    PreviewOut,
    RequestedOut,
)
from oms.errors import RiskRejected
from oms.present import break_json, event_json, execution_json, order_json
from oms.schemas import (
    BatchIn,
    BreakQuery,
    CancelAllIn,
    CancelIn,
    ExecutionQuery,
    OrderIn,
    OrderQuery,
    ReplaceIn,
)
from oms.services import accept
from oms.services import preview as order_preview
from oms.services.cancel import cancel_all, request_cancel
from oms.services.replace import ReplaceTerms, request_replace
from oms.services.requests import Requested
from trading.orders import wire
from trading.orders.intent import OrderIntent

router = Router(tags=["orders"])


OrderId = Annotated[UlidIn, Path(description="Our order id, a ULID.")]


def now() -> datetime:
    """The edge reads the clock, once per request."""
    return datetime.now(UTC)


def etag(version: int) -> str:
    """The order's version as If-Match takes it."""
    return f'"v{version}"'


def answered(acceptance: accept.Acceptance) -> HttpResponse:
    """201, 200 for a replay, 422 with the kept order where our risk said no."""
    shown = order_json(acceptance.order, acceptance.pending, account_code=acceptance.account_code)
    if acceptance.breaches:
        raise RiskRejected(acceptance.breaches, order=shown, replay=acceptance.replay)
    headers = {"ETag": etag(acceptance.order.version)}
    if acceptance.replay:
        headers["Idempotent-Replay"] = "true"
    return JsonResponse(shown, status=200 if acceptance.replay else 201, headers=headers)


@router.post("/orders", response={201: OrderOut, 200: OrderOut}, summary="Send an order")
def post_order(request: ApiRequest, body: OrderIn) -> HttpResponse:
    """Store a risk-checked order and answer once it is safe; its outcome follows as events."""
    request.actor.require("orders:write")
    (answer,) = accept.accept_orders(
        schema=request.actor.schema,
        intents=[body.to_intent("api")],
        actor=request.actor,
        now=now(),
    )
    if isinstance(answer, Refused):
        raise answer
    return answered(answer)


@router.post("/orders/preview", response=PreviewOut, summary="What would become of an order")
def post_preview(request: ApiRequest, body: OrderIn) -> HttpResponse:
    """The verdict and its numbers; 200 even when it is no. Nothing is reserved or stored."""
    request.actor.require("orders:write")
    shown = order_preview.preview_order(
        schema=request.actor.schema,
        intent=body.to_intent("api"),
        actor=request.actor,
        now=now(),
    )
    return JsonResponse(shown)


@router.post("/orders/batch", response=BatchOut, summary="Send up to 200 orders")
def post_batch(request: ApiRequest, body: BatchIn) -> HttpResponse:
    """One result per order, in the order given; a bad one harms no other."""
    request.actor.require("orders:write")
    intents: list[OrderIntent] = []
    results: list[dict[str, Any] | None] = []
    for row in body.orders:
        try:
            intents.append(OrderIn.model_validate(row).to_intent("api"))
            results.append(None)
        except ValidationError as failure:
            results.append(_invalid_row(request, failure))
    answers = iter(
        accept.accept_orders(
            schema=request.actor.schema, intents=intents, actor=request.actor, now=now()
        )
        if intents
        else []
    )
    items = [
        known if known is not None else _batch_row(request, next(answers)) for known in results
    ]
    return JsonResponse({"items": items})


def _invalid_row(request: HttpRequest, failure: ValidationError) -> dict[str, Any]:
    problem = problem_object(
        422,
        "invalid",
        "One or more values are not acceptable.",
        errors=field_errors(failure.errors()),
        request_id=getattr(request, "request_id", ""),
    )
    return {"status": 422, "problem": problem}


def _batch_row(request: HttpRequest, answer: accept.Acceptance | Refused) -> dict[str, Any]:
    try:
        if isinstance(answer, Refused):
            raise answer
        response = answered(answer)
    except Refused as refusal:
        problem = refused_object(refusal, getattr(request, "request_id", ""))
        return {"status": refusal.http_status, "problem": problem}
    shown = order_json(answer.order, answer.pending, account_code=answer.account_code)
    return {"status": response.status_code, "order": shown}


@router.get("/orders", response=OrderPage, summary="List orders, newest first")
def get_orders(request: ApiRequest, query: Query[OrderQuery]) -> dict[str, Any]:
    """``cl_ord_id`` finds an order by any id of its amend chain."""
    request.actor.require("orders:read")
    check_range(query.since, query.until)
    rows = selectors.list_orders(
        actor=request.actor,
        account=query.account,
        symbol=query.symbol,
        side=query.side,
        ord_status=query.statuses(),
        since=query.since,
        until=query.until,
        strategy=query.strategy,
        cl_ord_id=query.cl_ord_id,
    )
    orders, following = page(rows, limit=query.limit, cursor=query.cursor)
    return listing(
        (
            order_json(one, pending, account_code=one.account.code)
            for one, pending in selectors.with_commands(orders)
        ),
        following,
    )


@router.post(
    "/orders/cancel-all",
    response={202: CancelAllOut},
    summary="Cancel every open order in a scope",
)
def post_cancel_all(request: ApiRequest, body: CancelAllIn) -> HttpResponse:
    """202 with a row per order; nothing holds a cancel up."""
    request.actor.require("orders:write")
    answers = cancel_all(
        schema=request.actor.schema,
        actor=request.actor,
        account=body.account,
        symbol=body.symbol,
        strategy=body.strategy,
        side=body.side,
        now=now(),
    )
    items: list[dict[str, Any]] = []
    for answer in answers:
        if isinstance(answer, Requested):
            shown = order_json(answer.order, answer.pending, account_code=answer.account_code)
            status = 200 if answer.replay else 202
            items.append({"status": status, "id": answer.order.id, "order": shown})
        else:
            order, refusal = answer
            items.append(
                {
                    "status": refusal.http_status,
                    "id": order.id,
                    "problem": refused_object(refusal, request.request_id),
                }
            )
    return JsonResponse({"items": items}, status=202)


@router.get("/orders/{order_id}", response=OrderOut, summary="One order")
def get_order(request: ApiRequest, order_id: OrderId) -> HttpResponse:
    """The order as it is now, with its version as ETag."""
    request.actor.require("orders:read")
    pending = selectors.open_commands_of([order_id])[order_id]
    order = selectors.access_order(actor=request.actor, order_id=order_id)
    return JsonResponse(
        order_json(order, pending, account_code=order.account.code),
        headers={"ETag": etag(order.version)},
    )


@router.post(
    "/orders/{order_id}/cancel",
    response={202: RequestedOut, 200: RequestedOut},
    summary="Cancel an order",
)
def post_cancel(request: ApiRequest, order_id: OrderId, body: CancelIn) -> HttpResponse:
    """202 with the order; 200 where the same cancel is already on its way."""
    request.actor.require("orders:write")
    answer = request_cancel(
        schema=request.actor.schema,
        order_id=order_id,
        actor=request.actor,
        cl_ord_id=body.cl_ord_id,
        scope=body.scope,
        now=now(),
    )
    return _requested(answer)


@router.post(
    "/orders/{order_id}/replace",
    response={202: RequestedOut, 200: RequestedOut},
    summary="Give an order new terms",
)
def post_replace(request: ApiRequest, order_id: OrderId, body: ReplaceIn) -> HttpResponse:
    """202 with the order, whose ``pending`` shows the command; the result comes as an event."""
    request.actor.require("orders:write")
    answer = request_replace(
        schema=request.actor.schema,
        order_id=order_id,
        actor=request.actor,
        terms=ReplaceTerms(**wire.values(body, wire.TERMS)),
        cl_ord_id=body.cl_ord_id,
        orig_cl_ord_id=body.orig_cl_ord_id,
        expected_version=request.headers.get("If-Match"),
        now=now(),
    )
    return _requested(answer)


def _requested(answer: Requested) -> HttpResponse:
    shown = order_json(answer.order, answer.pending, account_code=answer.account_code)
    shown["warnings"] = [{"code": code, "message": text} for code, text in answer.warnings]
    headers = {"ETag": etag(answer.order.version)}
    if answer.replay:
        headers["Idempotent-Replay"] = "true"
    return JsonResponse(shown, status=200 if answer.replay else 202, headers=headers)


@router.get("/orders/{order_id}/events", response=OrderEventsOut, summary="The life of an order")
def get_order_events(request: ApiRequest, order_id: OrderId) -> dict[str, Any]:
    """Every report as it was applied, with the venue's raw message for those who may trade."""
    request.actor.require("orders:read")
    order = selectors.access_order(actor=request.actor, order_id=order_id)
    sees_raw = request.actor.may("orders:write")
    return {
        "items": [
            event_json(event, raw if sees_raw else None)
            for event, raw in selectors.events_of(order)
        ]
    }


@router.get(
    "/executions",
    response=ExecutionPage,
    tags=["books"],
    summary="The trade ledger, newest first",
)
def get_executions(request: ApiRequest, query: Query[ExecutionQuery]) -> dict[str, Any]:
    """Every fill as booked; ``order_id`` is our order's id, ``broker_order_id`` the venue's."""
    request.actor.require("orders:read")
    check_range(query.since, query.until)
    rows = selectors.list_executions(
        actor=request.actor,
        account=query.account,
        symbol=query.symbol,
        order_id=query.order_id,
        since=query.since,
        until=query.until,
    )
    found, following = page(rows, limit=query.limit, cursor=query.cursor)
    return listing(
        (execution_json(one, broker_order_id=one.order.order_id) for one in found), following
    )


@router.get("/breaks", response=BreakPage, tags=["books"], summary="Differences to the venue")
def get_breaks(request: ApiRequest, query: Query[BreakQuery]) -> dict[str, Any]:
    """Where our books and the venue's differ: open ones, or all with ``state=ALL``."""
    request.actor.require("positions:read")
    rows = selectors.list_breaks(actor=request.actor, account=query.account, state=query.state)
    found, following = page(rows, limit=query.limit, cursor=query.cursor)
    return listing((break_json(one) for one in found), following)
