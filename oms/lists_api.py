"""The doors of order lists: each translates once and calls one verb."""

from collections.abc import Iterable
from typing import Annotated, Any

from django.http import HttpResponse, JsonResponse
from ninja import Path, Query, Router

from common.http.pagination import listing, page
from common.http.ranges import check_range
from common.http.routes import ApiRequest
from common.http.schema import EmptyBody, UlidIn
from events.idempotency import idempotent
from oms import selectors
from oms.answers import OrderOut
from oms.api import answered, etag, now
from oms.errors import RiskRejected
from oms.lists_present import list_json
from oms.lists_schemas import ListIn, ListOut, ListPage, ListQuery, ListReplaceIn
from oms.models import Order, OrderList
from oms.services.lists import requests
from oms.services.lists.submit import ListAnswer, submit_list

router = Router(tags=["order lists"])

ListId = Annotated[UlidIn, Path(description="Our id of the list, a ULID.")]


def lists_shown(rows: Iterable[OrderList]) -> list[dict[str, Any]]:
    """Lists as the API shows them, with their orders and what is on its way for these.

    Commands are read before orders and these before the list's own row: what is shown of a list
    is never older than what is shown of its legs.
    """
    orders: dict[str, list[Order]] = {row.id: [] for row in rows}
    legs = Order.objects.filter(list_id__in=orders)
    pending = selectors.open_commands_of(legs.values_list("id", flat=True))
    for order in legs.order_by("leg_no"):
        orders[order.list_id or ""].append(order)
    found = OrderList.objects.select_related("account").in_bulk(list(orders))
    return [
        list_json(found[list_id], [(one, pending.get(one.id, [])) for one in many])
        for list_id, many in orders.items()
    ]


@router.post("/order-lists", response={201: ListOut, 200: ListOut}, summary="Send an order list")
def post_list(request: ApiRequest, body: ListIn) -> HttpResponse:
    """Take orders that depend on each other, whole or not at all; OTOCO is the bracket."""
    request.actor.require("orders:write")
    answer = submit_list(
        schema=request.actor.schema, wish=body.to_wish(), actor=request.actor, now=now()
    )
    return list_answered(answer)


def list_answered(answer: ListAnswer) -> HttpResponse:
    """201, 200 for a replay, 422 with the kept list where our risk said no."""
    shown = answer.order_list
    if answer.breaches:
        raise RiskRejected(answer.breaches, order=shown, replay=answer.replay, kept_as="order_list")
    headers = {"ETag": etag(shown["version"])}
    if answer.replay:
        headers["Idempotent-Replay"] = "true"
    return JsonResponse(shown, status=200 if answer.replay else 201, headers=headers)


@router.get("/order-lists", response=ListPage, summary="Order lists, newest first")
def get_lists(request: ApiRequest, query: Query[ListQuery]) -> dict[str, Any]:
    """The lists the caller may see; filters narrow them."""
    request.actor.require("orders:read")
    check_range(query.since, query.until)
    wanted = {
        "account__code": query.account,
        "symbol": query.symbol,
        "list_order_status": query.list_order_status,
        "cl_ord_id": query.cl_ord_id,
        "created_at__gte": query.since,
        "created_at__lt": query.until,
    }
    rows = requests.visible_lists(request.actor).filter(
        **{name: value for name, value in wanted.items() if value is not None}
    )
    found, following = page(rows, limit=query.limit, cursor=query.cursor)
    return listing(lists_shown(found), following)


@router.get("/order-lists/{list_id}", response=ListOut, summary="One order list")
def get_list(request: ApiRequest, list_id: ListId) -> HttpResponse:
    """The list as it is now, with every order that serves a leg of it."""
    request.actor.require("orders:read")
    row = requests.access_list(request.actor, list_id)
    (shown,) = lists_shown([row])
    return JsonResponse(shown, headers={"ETag": etag(row.version)})


@router.post("/order-lists/{list_id}/cancel", response={202: ListOut}, summary="Cancel a list")
@idempotent
def post_list_cancel(
    request: ApiRequest,
    list_id: ListId,
    body: EmptyBody,  # noqa: ARG001 - nothing may be in it
) -> HttpResponse:
    """202: every open leg is asked to end, legs that wait here end at once."""
    request.actor.require("orders:write")
    shown = requests.cancel_list(
        schema=request.actor.schema, list_id=list_id, actor=request.actor, now=now()
    )
    return _asked(shown)


@router.post(
    "/order-lists/{list_id}/replace", response={202: ListOut}, summary="Give exits other prices"
)
@idempotent
def post_list_replace(request: ApiRequest, list_id: ListId, body: ListReplaceIn) -> HttpResponse:
    """202: prices of exits only, all or none; quantities follow the entry by themselves."""
    request.actor.require("orders:write")
    shown = requests.replace_exits(
        schema=request.actor.schema,
        list_id=list_id,
        actor=request.actor,
        wanted=body.to_terms(),
        now=now(),
    )
    return _asked(shown)


@router.post(
    "/order-lists/{list_id}/flatten",
    response={201: OrderOut, 200: OrderOut},
    summary="Take back what both exits executed",
)
def post_list_flatten(
    request: ApiRequest,
    list_id: ListId,
    body: EmptyBody,  # noqa: ARG001 - nothing may be in it
) -> HttpResponse:
    """Send the order the list proposes; 409 where it proposes none."""
    request.actor.require("orders:write")
    return answered(
        requests.flatten_list(
            schema=request.actor.schema, list_id=list_id, actor=request.actor, now=now()
        )
    )


def _asked(shown: dict[str, Any]) -> HttpResponse:
    return JsonResponse(shown, status=202, headers={"ETag": etag(shown["version"])})
