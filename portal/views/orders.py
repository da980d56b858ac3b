"""Every order the person may see: filters in the address, pages, and cancel as a plain form."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_POST, require_safe

from common.errors import Refused
from common.http.pagination import page
from common.ids import is_ulid
from oms import selectors
from oms.models import Command
from oms.services.cancel import request_cancel
from portal.views.desk import order_rows
from portal.views.pages import MemberRequest, Part, member_page, member_render, now, safe_next
from trading.vocabulary import CommandState, OrdStatus, Side

PER_PAGE = 100
FILTERS = ("account", "symbol", "side", "ord_status", "strategy", "cl_ord_id")
VIEWS = (("all", "All"), ("working", "Working"), ("unknown", "Unknown"), ("today", "Today"))


@require_safe
@member_page("orders:read")
def orders(request: MemberRequest) -> HttpResponse:
    """List orders, newest first."""

    def names(_: Any) -> dict[str, Any]:
        return _names(request)

    parts = {"orders": Part("portal/orders/_orders.html", names)}
    return member_render(request, "portal/orders/index.html", names, scope="orders", parts=parts)


def _names(request: MemberRequest) -> dict[str, Any]:
    chosen = {name: request.GET.get(name, "").strip()[:64] for name in FILTERS}
    view = request.GET.get("view", "all")
    found, following = page(
        _matching(request, chosen, view), limit=PER_PAGE, cursor=request.GET.get("cursor") or None
    )
    kept = {name: value for name, value in chosen.items() if value}
    return {
        "rows": order_rows(found),
        "chosen": chosen,
        "view": view,
        "views": [
            {"name": name, "label": label, "query": urlencode({**kept, "view": name})}
            for name, label in VIEWS
        ],
        "filtered": bool(kept),
        "sides": [side.value for side in Side],
        "statuses": [status.value for status in OrdStatus],
        "next_query": urlencode({**kept, "view": view, "cursor": following}) if following else "",
        "first_query": urlencode({**kept, "view": view}) if request.GET.get("cursor") else "",
        "here": request.get_full_path(),
    }


def _matching(request: MemberRequest, chosen: dict[str, str], view: str) -> Any:
    side, status = chosen["side"], chosen["ord_status"]
    rows = selectors.list_orders(
        actor=request.actor,
        account=chosen["account"] or None,
        symbol=chosen["symbol"].upper() or None,
        side=Side(side) if side in Side.__members__ else None,
        ord_status=[status] if status in OrdStatus.__members__ else None,
        since=now().replace(hour=0, minute=0, second=0, microsecond=0) if view == "today" else None,
        strategy=chosen["strategy"] or None,
        cl_ord_id=chosen["cl_ord_id"] or None,
    )
    if view == "working":
        rows = rows.filter(is_closed=False)
    if view == "unknown":
        unknown = Command.objects.filter(state=CommandState.UNKNOWN).values("order_id")
        rows = rows.filter(pk__in=unknown)
    return rows


@require_POST
@member_page("orders:write")
def cancel(request: MemberRequest, order_id: str) -> HttpResponse:
    """Ask for the end of one order and go back to where the button was."""
    back = HttpResponseRedirect(safe_next(request, "/orders"), status=303)
    try:
        answer = request_cancel(
            schema=request.actor.schema,
            order_id=order_id if is_ulid(order_id) else "",
            actor=request.actor,
            now=now(),
        )
    except Refused as refusal:
        if refusal.http_status == 404:
            raise
        messages.error(request, f"Not cancelled: {refusal.detail}")
        return back
    order = answer.order
    if order.is_closed:
        messages.success(request, f"{order} is withdrawn; it had not been sent.")
    elif answer.replay:
        messages.info(request, f"The cancel of {order} is on its way already.")
    else:
        messages.success(request, f"Cancel of {order} is on its way.")
    return back
