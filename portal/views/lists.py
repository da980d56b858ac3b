"""The page of an order list: its legs together, and what may be asked of all of them."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_http_methods, require_safe

from common.errors import Invalid, NotFound, Refused
from common.ids import is_ulid
from oms.selectors import access_order
from oms.services.lists.requests import cancel_list, flatten_list, replace_exits
from portal.frame.shell import Shell
from portal.orders.lists import KINDS, exit_terms, legs_of, shown_list
from portal.views.pages import MemberRequest, Part, member_page, member_render, now
from tenants.binding import tenant_bound


@require_safe
@member_page("orders:read")
def of_order(request: MemberRequest, order_id: str) -> HttpResponse:
    """Go to the list an order belongs to."""
    if not is_ulid(order_id):
        raise NotFound
    order = access_order(actor=request.actor, order_id=order_id)
    if order.list_id is None:
        raise NotFound
    return HttpResponseRedirect(f"/lists/{order.list_id}")


@require_http_methods(["GET", "HEAD", "POST"])
@member_page("orders:read")
def order_list(request: MemberRequest, list_id: str) -> HttpResponse:
    """Show a list; a POST asks something of it."""
    if not is_ulid(list_id):
        raise NotFound
    if request.method != "POST":
        return _show(request, list_id)
    request.actor.require("orders:write")
    verb = _VERBS.get(request.POST.get("verb", ""))
    if verb is None:
        raise Invalid("This is none of the verbs of a list: cancel, exits, flatten.")
    try:
        messages.success(request, verb(request, list_id))
    except Refused as refusal:
        if refusal.http_status == 404:
            raise
        return _show(request, list_id, refusal)
    return HttpResponseRedirect(f"/lists/{list_id}", status=303)


def _cancel(request: MemberRequest, list_id: str) -> str:
    cancel_list(schema=request.actor.schema, list_id=list_id, actor=request.actor, now=now())
    return "Every open leg is asked to end; legs that waited here have ended."


def _exits(request: MemberRequest, list_id: str) -> str:
    with tenant_bound(request.actor.schema):
        legs = legs_of(shown_list(request.actor, list_id), {})
    wanted = exit_terms(legs, request.POST.dict())
    replace_exits(
        schema=request.actor.schema,
        list_id=list_id,
        actor=request.actor,
        wanted=wanted,
        now=now(),
    )
    return "The exits are asked for their new prices; the old ones hold until the venue answers."


def _flatten(request: MemberRequest, list_id: str) -> str:
    answer = flatten_list(
        schema=request.actor.schema, list_id=list_id, actor=request.actor, now=now()
    )
    return f"{answer.order} takes back what was executed too much."


_VERBS = {"cancel": _cancel, "exits": _exits, "flatten": _flatten}


def _show(request: MemberRequest, list_id: str, refusal: Refused | None = None) -> HttpResponse:
    typed = request.POST.dict() if refusal is not None else {}

    def names(_: Shell) -> dict[str, Any]:
        shown = shown_list(request.actor, list_id)
        legs = legs_of(shown, typed)
        return {
            "list": shown,
            "kind": KINDS[shown["contingency_type"]],
            "legs": legs,
            "is_open": shown["list_order_status"] == "EXECUTING",
            "moves": [one for one in legs if one.prices],
            "may_trade": request.actor.may("orders:write"),
            "refusal": refusal,
        }

    return member_render(
        request,
        "portal/lists/index.html",
        names,
        scope="orders",
        status=refusal.http_status if refusal else 200,
        parts={"order-list": Part("portal/lists/_list.html", names)},
    )
