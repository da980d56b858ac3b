"""Cancel one, cancel many, amend: plain forms, and the same addresses for the grid's scripts.

A script asks for JSON (``Accept``) and gets the row as it is after the deed, or the problem the
API would answer; a browser without scripts gets pages. Each write is one call of the service.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.views.decorators.http import require_http_methods, require_POST

from common.errors import Invalid, NotFound, Refused, StateConflict
from common.ids import is_ulid
from oms import selectors
from oms.models import Order
from oms.services.cancel import request_cancel
from oms.services.replace import request_replace
from oms.services.requests import Requested
from portal.orders.amendment import Amendment, opened, posted
from portal.orders.table import as_json, fresh_row, grid_rows, listed, price_steps
from portal.views.pages import (
    MemberRequest,
    member_data,
    member_page,
    member_render,
    now,
    safe_next,
)
from portal.views.rows import MOST_AT_ONCE, hides_amounts
from tenants.binding import tenant_bound

MOST_BY_SCRIPT = 200


class ConfirmLive(StateConflict):
    """Real money is named once more before it is put at more risk."""

    code = "confirm_live"
    title = "Real money"


def wants_json(request: MemberRequest) -> bool:
    """Whether a script calls."""
    return request.headers.get("Accept", "").startswith("application/json")


# --- cancel one -------------------------------------------------------------------------------


@require_POST
def cancel(request: MemberRequest, order_id: str) -> HttpResponse:
    """Ask for the end of one order."""
    return (_cancel_json if wants_json(request) else _cancel_form)(request, order_id)


@member_data("orders:write")
def _cancel_json(request: MemberRequest, order_id: str) -> HttpResponse:
    return _row_after(request, order_id, _cancelled(_ask_cancel(request, order_id)))


@member_page("orders:write")
def _cancel_form(request: MemberRequest, order_id: str) -> HttpResponse:
    back = HttpResponseRedirect(safe_next(request, "/orders"), status=303)
    try:
        answer = _ask_cancel(request, order_id)
    except Refused as refusal:
        if refusal.http_status == 404:
            raise
        messages.error(request, f"Not cancelled: {refusal.detail}")
        return back
    messages.success(request, f"{answer.order}: {_cancelled(answer)}")
    return back


def _ask_cancel(request: MemberRequest, order_id: str) -> Requested:
    return request_cancel(
        schema=request.actor.schema,
        order_id=order_id if is_ulid(order_id) else "",
        actor=request.actor,
        cl_ord_id=request.POST.get("cl_ord_id") or None,
        now=now(),
    )


def _cancelled(answer: Requested) -> str:
    if answer.order.is_closed:
        return "withdrawn; it had not been sent."
    if answer.replay:
        return "a cancel is on its way already."
    return "the cancel is on its way."


def _row_after(request: MemberRequest, order_id: str, says: str, status: int = 200) -> HttpResponse:
    with tenant_bound(request.actor.schema):
        row, position = fresh_row(request.actor, order_id)
    told = {"p": position, "says": says, **as_json(row, hides=hides_amounts(request))}
    return JsonResponse(told, status=status)


# --- cancel many ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of one cancel of many: ``code`` is empty where it was taken."""

    id: str
    title: str
    says: str
    code: str = ""


@require_POST
def cancel_many(request: MemberRequest) -> HttpResponse:
    """Ask for the end of the orders named: by ``id`` each, or by ``ids`` with commas between."""
    return (_many_json if wants_json(request) else _many_form)(request)


def _named(request: MemberRequest, most: int) -> list[str]:
    """:raises Invalid: for none, for too many, for what is no id."""
    given = [*request.POST.getlist("id"), *request.POST.get("ids", "").split(",")]
    ids = list(dict.fromkeys(one for one in given if one))
    if not ids:
        raise Invalid("No order was named: tick the orders to cancel, then send the form.")
    if len(ids) > most:
        raise Invalid(f"At most {most} orders at a time; {len(ids)} were named.")
    if not all(is_ulid(one) for one in ids):
        raise Invalid("One of these is no order of ours; load the list again.")
    return ids


@member_data("orders:write")
def _many_json(request: MemberRequest) -> HttpResponse:
    ended = _end(request, _named(request, MOST_BY_SCRIPT))
    with tenant_bound(request.actor.schema):
        orders = list(selectors.list_orders(actor=request.actor, ids=[one.id for one in ended]))
        rows = grid_rows(orders)
    hides = hides_amounts(request)
    items = [
        {"id": one.id, "title": one.title, "says": one.says, "code": one.code} for one in ended
    ]
    return JsonResponse({"items": items, "rows": [as_json(row, hides=hides) for row in rows]})


@member_page("orders:write")
def _many_form(request: MemberRequest) -> HttpResponse:
    """The first press lists the orders, the second ends them and says what became of each."""
    back = safe_next(request, "/orders")
    try:
        ids = _named(request, MOST_AT_ONCE)
    except Invalid as refusal:
        messages.error(request, f"Nothing was cancelled. {refusal.detail}")
        return HttpResponseRedirect(back, status=303)
    ended = _end(request, ids) if request.POST.get("confirmed") == "yes" else None

    def names(_: Any) -> dict[str, Any]:
        rows = grid_rows(list(selectors.list_orders(actor=request.actor, ids=ids)))
        return {
            "rows": listed(rows, price_steps()),
            "ended": ended,
            "ids": ",".join(ids),
            "back": back,
        }

    return member_render(request, "portal/orders/cancel_many.html", names, scope="orders")


def _end(request: MemberRequest, ids: Sequence[str]) -> list[Ended]:
    """Each is its own transaction: one that cannot be cancelled holds up no other."""
    ended = []
    for order_id in ids:
        try:
            answer = _ask_cancel(request, order_id)
        except NotFound as absent:
            ended.append(Ended(order_id, order_id, absent.detail, absent.code))
        except Refused as refusal:
            code = refusal.errors[0].code if refusal.errors else refusal.code
            ended.append(Ended(order_id, _title(request, order_id), refusal.detail, code))
        else:
            ended.append(Ended(order_id, str(answer.order), _cancelled(answer)))
    return ended


def _title(request: MemberRequest, order_id: str) -> str:
    with tenant_bound(request.actor.schema):
        return str(selectors.access_order(actor=request.actor, order_id=order_id))


# --- amend ------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
def amend(request: MemberRequest, order_id: str) -> HttpResponse:
    """Show the form that amends an order; a POST sends it."""
    return (_amend_json if wants_json(request) else _amend_form)(request, order_id)


def _order(request: MemberRequest, order_id: str) -> Order:
    """:raises NotFound: absent or out of reach."""
    if not is_ulid(order_id):
        raise NotFound
    with tenant_bound(request.actor.schema):
        return selectors.access_order(actor=request.actor, order_id=order_id)


def _send(request: MemberRequest, form: Amendment) -> Requested:
    """:raises Refused: by the form, by risk, by the order's state; ConfirmLive comes first."""
    terms = form.terms()
    if form.needs_confirming(terms) and request.POST.get("confirmed") != "yes":
        raise ConfirmLive(
            f"This changes an order of {form.order.account.code}, which trades real money. "
            "Read the change once more; sending it again sends it to the market."
        )
    return request_replace(
        schema=request.actor.schema,
        order_id=form.order.id,
        actor=request.actor,
        terms=terms,
        cl_ord_id=form.values["cl_ord_id"] or None,
        orig_cl_ord_id=form.values["orig_cl_ord_id"] or None,
        now=now(),
    )


@member_data("orders:write")
def _amend_json(request: MemberRequest, order_id: str) -> HttpResponse:
    order = _order(request, order_id)
    if request.method != "POST":
        with tenant_bound(request.actor.schema):
            row, position = fresh_row(request.actor, order_id)
        told = {"p": position, **as_json(row, hides=hides_amounts(request))}
        return JsonResponse({**told, "form": opened(order, now()).as_json()})
    answer = _send(request, posted(order, request.POST.dict()))
    return _row_after(request, order_id, _amended(answer))


@member_page("orders:write")
def _amend_form(request: MemberRequest, order_id: str) -> HttpResponse:
    order, back = _order(request, order_id), safe_next(request, "/orders")
    if request.method != "POST":
        return _amend_page(request, opened(order, now()), back)
    form = posted(order, request.POST.dict())
    try:
        answer = _send(request, form)
    except Refused as refusal:
        return _amend_page(request, form, back, refusal)
    messages.success(request, f"{answer.order}: {_amended(answer)}")
    return HttpResponseRedirect(back, status=303)


def _amended(answer: Requested) -> str:
    if answer.replay:
        return "this amendment had been taken already; nothing was sent twice."
    if answer.pending and any(one.kind == "REPLACE" for one in answer.pending):
        return "the amendment is on its way; the old terms hold until the venue answers."
    return "amended before it was sent."


def _amend_page(
    request: MemberRequest, form: Amendment, back: str, refusal: Refused | None = None
) -> HttpResponse:
    by_field = {one.field: one.message for one in refusal.errors} if refusal else {}

    def names(_: Any) -> dict[str, Any]:
        row = grid_rows([selectors.access_order(actor=request.actor, order_id=form.order.id)])[0]
        return {
            "form": form,
            "row": row.row,
            "back": back,
            "refusal": refusal,
            "confirms": isinstance(refusal, ConfirmLive),
            "fields": form.rows(by_field),
        }

    status = refusal.http_status if refusal else 200
    return member_render(request, "portal/orders/amend.html", names, scope="orders", status=status)
