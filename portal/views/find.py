"""What the palette finds on the server: orders by the beginning of any id, symbols, accounts."""

from typing import Any
from urllib.parse import urlencode

from django.db.models import Q
from django.http import HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_safe

from brokers.selectors import visible_accounts
from common.actor import Actor
from common.numbers import dec_str
from marketdata.models import Instrument
from oms.selectors import find_orders
from portal.middleware import asked_by_htmx
from portal.views.pages import MemberRequest, Part, member_page, member_render

MOST = 6
SHORTEST = 2
LONGEST = 64


@require_safe
@member_page("orders:read")
def find(request: MemberRequest) -> HttpResponse:
    """Answer the options that match ``q``; without htmx the list of orders with that id."""
    text = request.GET.get("q", "").strip().replace("\x00", "")[:LONGEST]
    if not asked_by_htmx(request):
        return HttpResponseRedirect("/orders?" + urlencode({"cl_ord_id": text[:36]}))

    def names(_: Any) -> dict[str, Any]:
        return {"found": found_by(request.actor, text), "asked": text}

    parts = {"palette-found": Part("portal/components/palette_found.html", names)}
    return member_render(request, "portal/base.html", names, scope="everywhere", parts=parts)


def found_by(actor: Actor, text: str) -> list[dict[str, str]]:
    """Return rows of ``icon``, ``says``, ``hint`` and either ``go`` or ``do``."""
    if len(text) < SHORTEST:
        return []
    instruments = Instrument.objects.filter(tradable=True).filter(
        Q(symbol__istartswith=text) | Q(name__icontains=text)
    )
    accounts = visible_accounts(actor).filter(Q(code__icontains=text) | Q(name__icontains=text))
    return [
        *(
            {
                "icon": "orders",
                "says": f"{one.side} {dec_str(one.order_qty)} {one.symbol} {one.ord_type}",
                "hint": f"{one.ord_status} \u00b7 {one.cl_ord_id}",
                "go": "/orders?" + urlencode({"cl_ord_id": one.cl_ord_id}),
            }
            for one in find_orders(actor=actor, text=text, most=MOST)
        ),
        *(
            {
                "icon": "desk",
                "says": one.symbol,
                "hint": one.name,
                "go": "/desk?" + urlencode({"symbol": one.symbol}),
            }
            for one in instruments.order_by("symbol")[:MOST]
        ),
        *(
            {
                "icon": "check",
                "says": f"Account {one.code}",
                "hint": f"{one.name} \u00b7 {one.mode}",
                "do": f"account:{one.code}",
            }
            for one in accounts[:MOST]
        ),
    ]
