"""The life of one order: its page, the same content for the drawer, its verbs and its file."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.views.decorators.http import require_http_methods, require_safe

from common.errors import Invalid, NotFound, Refused
from common.ids import is_ulid
from oms import audit
from oms.export import document_of
from oms.life import OrderLife, life_of
from oms.present import order_json
from oms.selectors import access_order, neighbours_of, open_commands_of
from oms.services.abilities import abilities_of
from oms.services.by_hand import ask_venue
from oms.services.cancel import request_cancel
from oms.services.replace import request_replace
from portal import kinds
from portal.badges import Badge, status_badge, unknown_badge, word_badge
from portal.frame.preferences import preferences_of
from portal.frame.shell import Shell
from portal.life import amend, limits, rows
from portal.life.instructed import told_of
from portal.life.steps import steps_of
from portal.middleware import asked_by_htmx
from portal.ticket.form import new_cl_ord_id
from portal.views.pages import MemberRequest, Part, member_page, member_render, now, safe_next
from tenants.binding import tenant_bound
from trading.vocabulary import Mode

TABS = (
    ("timeline", "Timeline"),
    ("messages", "Messages"),
    ("risk", "Risk"),
    ("fills", "Fills"),
    ("postings", "Postings and lots"),
    ("changes", "Changes"),
)
LAST_EVENTS = 6
ASKED_HERE = "asked from the page of the order"


@dataclass(slots=True)
class Said:
    """What became of a verb: shown where it was pressed."""

    level: str
    text: str


@require_http_methods(["GET", "HEAD", "POST"])
@member_page("orders:read")
def order(request: MemberRequest, order_id: str) -> HttpResponse:
    """Show the life of an order; a POST is one of its verbs."""
    if not is_ulid(order_id):
        raise NotFound
    if request.method != "POST":
        return _show(request, order_id)
    request.actor.require("orders:write")
    verb = request.POST.get("verb", "")
    if verb == "amend":
        return _amend(request, order_id)
    if verb not in _VERBS:
        raise Invalid("This is none of the verbs of an order: amend, cancel, ask.")
    try:
        said = _VERBS[verb](request, order_id)
    except Refused as refusal:
        if refusal.http_status == 404:
            raise
        said = Said("error", refusal.detail)
    return _answer(request, order_id, said)


def _cancel(request: MemberRequest, order_id: str) -> Said:
    answer = request_cancel(
        schema=request.actor.schema, order_id=order_id, actor=request.actor, now=now()
    )
    if answer.order.is_closed:
        return Said("success", f"{answer.order} is withdrawn; it had not been sent.")
    if answer.replay:
        return Said("info", f"The cancel of {answer.order} is on its way already.")
    return Said("success", f"Cancel of {answer.order} is on its way.")


def _ask(request: MemberRequest, order_id: str) -> Said:
    due = ask_venue(
        schema=request.actor.schema,
        order_id=order_id,
        reason=ASKED_HERE,
        actor=request.actor,
        now=now(),
        correlation_id=request.request_id[:64],
    )
    if due:
        return Said("success", "The venue is being asked. Only what it answers counts.")
    return Said("info", "Nothing of this order is unknown; its account is being compared.")


_VERBS = {"cancel": _cancel, "ask": _ask}


def _amend(request: MemberRequest, order_id: str) -> HttpResponse:
    with tenant_bound(request.actor.schema):
        pending = open_commands_of([order_id])[order_id]
        row = access_order(actor=request.actor, order_id=order_id)
        shown = order_json(row, pending, account_code=row.account.code)
        mode = row.mode
    form = amend.posted(shown, request.POST)
    wanted = amend.terms_of(form)
    if wanted is None:
        return _show(request, order_id, form=form, status=422)
    if mode == Mode.LIVE and request.POST.get("confirmed") != "yes":
        form.confirm = True
        form.title = f"Real money: {shown['account']}"
        form.detail = "Read the change once more. Sending again sends it to the market."
        return _show(request, order_id, form=form, status=422)
    terms, cl_ord_id, orig_cl_ord_id = wanted
    try:
        answer = request_replace(
            schema=request.actor.schema,
            order_id=order_id,
            actor=request.actor,
            terms=terms,
            cl_ord_id=cl_ord_id,
            orig_cl_ord_id=orig_cl_ord_id,
            now=now(),
        )
    except Refused as refusal:
        if refusal.http_status == 404:
            raise
        form.refuse(refusal)
        return _show(request, order_id, form=form, status=refusal.http_status)
    changes = ", ".join(f"{one['name']} {one['before']} to {one['after']}" for one in form.diffs)
    if answer.replay:
        said = Said("info", "This change had been asked for already; nothing was sent twice.")
    elif not answer.pending or answer.pending[0].kind == "NEW":
        said = Said("success", f"Changed before it was sent: {changes}.")
    else:
        said = Said("success", f"Asked the venue for {changes}.")
    return _answer(request, order_id, said)


def _answer(request: MemberRequest, order_id: str, said: Said) -> HttpResponse:
    """The part anew for htmx; for a plain form the page it came from, with a toast."""
    if asked_by_htmx(request):
        return _show(request, order_id, said=said)
    messages.add_message(request, messages.constants.DEFAULT_LEVELS[said.level.upper()], said.text)
    return HttpResponseRedirect(safe_next(request, f"/orders/{order_id}"), status=303)


def _show(
    request: MemberRequest,
    order_id: str,
    *,
    form: amend.AmendForm | None = None,
    said: Said | None = None,
    status: int = 200,
) -> HttpResponse:
    def whole(_: Shell) -> dict[str, Any]:
        return _names(request, order_id, form, said, root="life")

    def drawer(_: Shell) -> dict[str, Any]:
        return _names(request, order_id, form, said, root="drawer-life")

    parts = {
        "life": Part("portal/order/_life.html", whole),
        "drawer-life": Part("portal/order/_drawer.html", drawer),
    }
    return member_render(
        request, "portal/order/index.html", whole, scope="order", status=status, parts=parts
    )


def _names(
    request: MemberRequest,
    order_id: str,
    form: amend.AmendForm | None,
    said: Said | None,
    *,
    root: str,
) -> dict[str, Any]:
    life = life_of(actor=request.actor, order_id=order_id)
    tab = request.GET.get("tab", "timeline")
    tab = tab if tab in dict(TABS) else "timeline"
    pending = [one for one in life.commands if one.state in one.OPEN_STATES]
    may_trade = request.actor.may("orders:write")
    if form is None and may_trade and "amend" in request.GET:
        form = amend.opened(life.shown, cl_ord_id=new_cl_ord_id(now()))
    commands = rows.commands(life)
    timeline = rows.timeline(life)
    return {
        "root": root,
        "path": f"/orders/{order_id}",
        "back": request.get_full_path() if root == "life" else f"/orders/{order_id}",
        "here": f"/orders/{order_id}?{urlencode({'tab': tab})}",
        "order": life.shown,
        "terms": _terms(life),
        "status": _status(request, life),
        "unknown": unknown_badge(life.shown["pending"]),
        "unknown_requests": rows.unknown_requests(commands),
        "quantity_live": life.shown["leaves_qty"],
        "steps": steps_of(life),
        "figures": _figures(life),
        "can": abilities_of(life.order, pending),
        "may_trade": may_trade,
        "may_resolve": request.actor.may("admin"),
        "form": form,
        "said": said,
        "tab": tab,
        "tabs": _tabs(life, tab),
        "timeline": timeline,
        "last_events": timeline[-LAST_EVENTS:],
        "hidden_events": max(len(timeline) - LAST_EVENTS, 0),
        "parked": life.parked,
        "denied_by": len(life.breaches),
        **_tab_names(life, tab, commands),
        **_beside(request, life, root),
    }


def _status(request: MemberRequest, life: OrderLife) -> Badge:
    """The badge; one that counts what is filled says less to somebody who hides amounts."""
    if preferences_of(request.COOKIES).hides_amounts:
        return word_badge(life.shown["ord_status"])
    return status_badge(life.shown)


def _terms(life: OrderLife) -> dict[str, Any]:
    return {
        "places": life.places,
        "currency": life.order.instrument.currency,
        "by": life.order.created_by.partition(":")[2],
        "connection": life.order.account.connection.name,
        "type": kinds.TYPE_WORDS[life.order.ord_type],
        "instructed": told_of(life),
    }


def _figures(life: OrderLife) -> dict[str, Any]:
    order, instrument = life.order, life.order.instrument
    return {
        "notional": rows.executed_notional(order.gross_trade_amt, instrument.multiplier),
        "fees": rows.fees(life),
        "reserved": limits.reserved(order),
        "orig": life.shown["orig_cl_ord_id"],
    }


def _tabs(life: OrderLife, current: str) -> list[dict[str, Any]]:
    counts: Mapping[str, int | None] = {
        "timeline": len(life.events),
        "messages": None if life.messages is None else len(rows.messages(life) or ()),
        "risk": len(life.breaches) or None,
        "fills": len(life.executions),
        "postings": None if life.postings is None else len(life.postings.entries),
        "changes": len(life.versions) - 1 or None,
    }
    return [
        {"name": name, "label": label, "count": counts[name], "current": name == current}
        for name, label in TABS
    ]


def _tab_names(life: OrderLife, tab: str, commands: Any) -> dict[str, Any]:
    """What the open tab alone shows."""
    if tab == "messages":
        return {"messages_shown": rows.messages(life)}
    if tab == "risk":
        return {"breaches": life.breaches, "limits": limits.limits_over(life.order)}
    if tab == "fills":
        return {"fills": rows.fills(life)}
    if tab == "postings":
        return {"postings": rows.postings(life)}
    if tab == "changes":
        return {"versions": rows.versions(life), "commands": commands}
    return {}


def _beside(request: MemberRequest, life: OrderLife, root: str) -> dict[str, Any]:
    """What only the page shows: the orders beside this one, and a replay that was asked for."""
    if root != "life":
        return {}
    replay = audit.replay(life.order.id) if "replay" in request.GET else None
    linked = [one for one in life.chain if one.hash is not None]
    return {
        "beside": neighbours_of(life.order, actor=request.actor),
        "replay": replay,
        "proof": linked[-1] if linked else None,
    }


@require_safe
@member_page("orders:read")
def download(request: MemberRequest, order_id: str) -> HttpResponse:
    """Give the whole life as a file whose hashes prove it."""
    if not is_ulid(order_id):
        raise NotFound
    life = life_of(actor=request.actor, order_id=order_id)
    document = document_of(life, actor=request.actor, now=now())
    return JsonResponse(
        document,
        json_dumps_params={"indent": 1, "ensure_ascii": False},
        headers={
            "Content-Disposition": f'attachment; filename="order-{order_id}.json"',
            "Cache-Control": "no-store",
        },
    )
