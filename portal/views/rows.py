"""Rows of the grids as JSON: what a table reads when it is scrolled, sorted or asked anew."""

from datetime import UTC, datetime
from typing import Any

from django.http import HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from common.errors import FieldError, Forbidden, Invalid, NotFound
from common.ids import is_ulid
from events.selectors import head
from oms import selectors
from portal.frame.preferences import preferences_of
from portal.orders.pages import order_page
from portal.orders.query import NEWEST_FIRST, OrderQuery, matching, read_query, tab_counts, totals
from portal.orders.table import as_json, fresh_row, grid_rows
from portal.views.pages import MemberRequest, member_data, now
from trading.orders.ids import is_valid_cl_ord_id

PER_PAGE = 200
MOST_AT_ONCE = 2000
"""How many orders one dialog lists and ends; more than that nobody has read."""


def hides_amounts(request: MemberRequest) -> bool:
    """Whether this browser hides amounts."""
    return preferences_of(request.COOKIES).hides_amounts


def asked(request: MemberRequest) -> OrderQuery:
    """Return the list a request asks for.

    :raises Invalid: if a parameter cannot be read.
    """
    query = read_query(request.GET, today=midnight(request))
    if query.errors:
        rows = [FieldError(name, "invalid_filter", text) for name, text in query.errors.items()]
        raise Invalid(rows[0].message, errors=rows)
    return query


def midnight(request: MemberRequest) -> datetime:
    """The instant the present day began where the person is."""
    local = now().astimezone(preferences_of(request.COOKIES).shown_zone)
    return local.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)


@require_safe
@member_data("orders:read")
def orders(request: MemberRequest) -> HttpResponse:
    """A page of an order list, and with the first page what the list demands of a row."""
    query, cursor = asked(request), request.GET.get("cursor") or None
    position, _ = head()
    rows = matching(request.actor, query.conditions)
    if after := request.GET.get("after", ""):
        # The browser let go of older rows: it goes on after the last one it kept.
        if query.sort != NEWEST_FIRST or not is_ulid(after):
            raise Invalid("after takes an order's id, in a list that begins with the newest.")
        rows = rows.filter(pk__lt=after)
    found, following = order_page(rows, sort=query.sort, limit=PER_PAGE, cursor=cursor)
    hides = hides_amounts(request)
    told: dict[str, Any] = {
        "p": position,
        "rows": [as_json(one, hides=hides) for one in grid_rows(found)],
        "next": following,
    }
    if cursor is None and not after:
        told |= {
            "sort": query.sort,
            "conditions": [one.as_json() for one in query.conditions],
            **_counted(request, query),
        }
    return JsonResponse(told)


@require_safe
@member_data("orders:read")
def order_counts(request: MemberRequest) -> HttpResponse:
    """What the tabs and the last line of a list say now."""
    return JsonResponse(_counted(request, asked(request)))


def _counted(request: MemberRequest, query: OrderQuery) -> dict[str, Any]:
    sums = totals(request.actor, query)
    if hides_amounts(request):
        sums = [{"currency": one["currency"], "unpriced": one["unpriced"]} for one in sums]
    return {"counts": tab_counts(request.actor, query, midnight(request)), "totals": sums}


@require_safe
@member_data("orders:write")
def open_orders(request: MemberRequest) -> HttpResponse:
    """Every open order of a list, as the dialog that ends them names them.

    :raises Invalid: if there are more than one dialog takes.
    """
    query = asked(request)
    rows = matching(request.actor, query.conditions).filter(is_closed=False)
    found = list(rows.order_by("-id")[: MOST_AT_ONCE + 1])
    if len(found) > MOST_AT_ONCE:
        text = f"More than {MOST_AT_ONCE} open orders match. Narrow the filter, or halt trading."
        raise Invalid(text, errors=[FieldError("q", "too_many", text)])
    hides = hides_amounts(request)
    return JsonResponse({"rows": [as_json(one, hides=hides) for one in grid_rows(found)]})


@require_safe
@member_data("orders:read")
def order(request: MemberRequest, order_id: str) -> HttpResponse:
    """One order's row; with ``request`` also whether that request of it was ever received.

    :raises NotFound: absent or out of reach. :raises Forbidden: to ask without ``orders:write``.
    """
    if not is_ulid(order_id):
        raise NotFound
    row, position = fresh_row(request.actor, order_id)
    told = {"p": position, **as_json(row, hides=hides_amounts(request))}
    named = request.GET.get("request", "")
    if named:
        if not request.actor.may("orders:write"):
            raise Forbidden("Only who may trade can ask for a request.")
        known = is_valid_cl_ord_id(named) and selectors.knows_request(order_id, named)
        told["request"] = "received" if known else "not_received"
    return JsonResponse(told)
