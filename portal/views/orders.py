"""Every order the person may see: tabs, filters and sequence in the address, export, columns."""

import csv
import json
from collections.abc import Iterator, Sequence
from io import StringIO
from typing import Any
from urllib.parse import urlencode

from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.views.decorators.http import require_POST, require_safe

from common.actor import Actor
from oms import selectors
from oms.answers import OrderOut
from oms.models import Order
from oms.present import order_json
from portal.orders.columns import COLUMNS, MAX_AGE_S, PUT_AWAY, allowed, cookie_of
from portal.orders.filter import KEYS
from portal.orders.pages import order_page
from portal.orders.query import VIEWS, OrderQuery, matching, read_query, tab_counts, totals
from portal.orders.table import (
    away,
    grid_rows,
    headings,
    listed,
    price_steps,
    steps_attribute,
)
from portal.views.pages import MemberRequest, member_page, member_render, now, safe_next
from portal.views.rows import midnight
from tenants.binding import tenant_bound
from trading.vocabulary import OrdStatus, Side

PER_PAGE = 100
EXPORT_PAGE = 500


@require_safe
@member_page("orders:read")
def orders(request: MemberRequest) -> HttpResponse:
    """List orders; an address that cannot be read lists nothing and says why."""
    query = read_query(request.GET, today=midnight(request))

    def names(_: Any) -> dict[str, Any]:
        return {
            **blotter_names(request, query, grid="orders"),
            "sides": [side.value for side in Side],
            "statuses": [status.value for status in OrdStatus],
            "filter_keys": KEYS,
            "here": request.get_full_path(),
        }

    status = 422 if query.errors else 200
    return member_render(request, "portal/orders/index.html", names, scope="orders", status=status)


def blotter_names(request: MemberRequest, query: OrderQuery, *, grid: str) -> dict[str, Any]:
    """Return what components/orders_table.html and the tabs over it need."""
    steps = price_steps()
    found: Sequence[Order] = []
    following = None
    if not query.errors:
        rows, cursor = matching(request.actor, query.conditions), request.GET.get("cursor") or None
        found, following = order_page(rows, sort=query.sort, limit=PER_PAGE, cursor=cursor)
    counts = tab_counts(request.actor, query, midnight(request)) if not query.errors else {}
    return {
        "grid": grid,
        "query": query,
        "rows": listed(grid_rows(found), steps),
        "views": [
            {
                "name": name,
                "label": label,
                "count": counts.get(name),
                "query": query.address(view=name),
            }
            for name, label in VIEWS
        ],
        "headings": headings(query),
        "columns": [one for one in COLUMNS if not one.fixed],
        "away": away(grid, request.COOKIES),
        "steps": steps_attribute(steps),
        "totals": totals(request.actor, query) if not query.errors else [],
        "conditions": json.dumps([one.as_json() for one in query.conditions]),
        "base": query.address(),
        "following": following or "",
        "next_query": query.address(cursor=following) if following else "",
        "first_query": query.address() if request.GET.get("cursor") else "",
    }


# --- export -----------------------------------------------------------------------------------

FIELDS = tuple(OrderOut.model_fields)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_TEXTS = frozenset({"strategy", "text", "cl_ord_id", "orig_cl_ord_id", "order_id"})


@require_safe
@member_page("orders:read")
def export(request: MemberRequest) -> Any:
    """Every order of the list as CSV: the fields of the API's order, in the list's sequence."""
    query = read_query(request.GET, today=midnight(request))
    if query.errors:
        return HttpResponseRedirect(f"/orders?{query.address()}")
    name = f"orders-{query.view}-{now():%Y%m%dT%H%M%SZ}.csv"
    answer: HttpResponseBase = StreamingHttpResponse(
        _lines(request.actor, query), content_type="text/csv; charset=utf-8"
    )
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["Cache-Control"] = "no-store"
    return answer


def _lines(actor: Actor, query: OrderQuery) -> Iterator[str]:
    """The file piece by piece; each is a transaction of its own, after the view's has ended."""
    yield _csv([FIELDS])
    cursor = None
    while True:
        with tenant_bound(actor.schema):
            rows = matching(actor, query.conditions)
            found, cursor = order_page(rows, sort=query.sort, limit=EXPORT_PAGE, cursor=cursor)
            orders = [
                order_json(one, commands, account_code=one.account.code)
                for one, commands in selectors.with_commands(found)
            ]
        yield _csv([_cells(order) for order in orders])
        if cursor is None:
            return


def _cells(order: dict[str, Any]) -> list[str]:
    return [_cell(name, order[name]) for name in FIELDS]


def _cell(name: str, value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    # A spreadsheet would run what a client wrote; the quotation mark makes it text there.
    return f"'{value}" if name in _TEXTS and value.startswith(_FORMULA) else value


def _csv(rows: Sequence[Sequence[str]]) -> str:
    out = StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()


# --- columns ----------------------------------------------------------------------------------


@require_POST
@member_page("orders:read")
def columns(request: HttpRequest) -> HttpResponse:
    """Keep which columns a list shows; what is not ticked is put away."""
    answer = HttpResponseRedirect(safe_next(request, "/orders"), status=303)
    grid = request.POST.get("grid", "")
    if grid in PUT_AWAY:
        shown = set(request.POST.getlist("show"))
        hidden = allowed([one.name for one in COLUMNS if one.name not in shown])
        answer.set_cookie(
            cookie_of(grid),
            ".".join(hidden) or "none",
            max_age=MAX_AGE_S,
            samesite="Lax",
            secure=request.is_secure(),
        )
    return answer


def desk_address(account: str, view: str) -> str:
    """Return the address of the page that shows what the desk's list shows."""
    return "/orders?" + urlencode({"account": account, "view": view})
