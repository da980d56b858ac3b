"""The desk: quotes, the ticket, working orders and positions of the chosen account."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_http_methods

from brokers.models import BrokerAccount
from brokers.selectors import visible_accounts
from common.errors import Refused
from common.numbers import dec_str
from oms import selectors
from oms.errors import breach_row
from oms.present import order_json
from oms.services import accept
from portal.badges import status_badge, unknown_badge
from portal.shell import Shell
from portal.ticket import Ticket, blank_ticket, intent_of, new_cl_ord_id, posted_ticket
from portal.views.market import market_panels, market_parts
from portal.views.pages import MemberRequest, Part, member_page, member_render, now
from portfolio import selectors as books
from portfolio.shapes import position_json
from tenants.binding import tenant_bound
from trading.vocabulary import Mode

RECENT = 25


@require_http_methods(["GET", "HEAD", "POST"])
@member_page("orders:read")
def desk(request: MemberRequest) -> HttpResponse:
    """Show the desk; a POST is an order from the ticket."""
    if request.method != "POST":
        return _show(request, None, lambda shell: _opened(request, shell))
    request.actor.require("orders:write")
    ticket = posted_ticket(request.POST)
    answer = _send(request, ticket)
    if answer is not None:
        return answer
    return _show(request, ticket, lambda _: ticket, status=422)


def _opened(request: MemberRequest, shell: Shell) -> Ticket:
    account = shell.account.code if shell.account else ""
    first = shell.instruments[0].symbol if shell.instruments else ""
    return blank_ticket(account=account, symbol=first, now=now(), given=request.GET)


def _send(request: MemberRequest, ticket: Ticket) -> HttpResponse | None:
    """Send the order; None where the form has to come back with its errors."""
    intent = intent_of(ticket)
    if intent is None:
        return None
    if _asks_again(request, ticket):
        return None
    (answer,) = accept.accept_orders(
        schema=request.actor.schema, intents=[intent], actor=request.actor, now=now()
    )
    if isinstance(answer, Refused):
        ticket.title, ticket.detail, ticket.errors = answer.title, answer.detail, answer.errors
        return None
    if answer.breaches:
        ticket.title = "Denied by the firm's limits; kept as a rejected order"
        ticket.errors = [breach_row(breach) for breach in answer.breaches]
        ticket.kept = answer.order.cl_ord_id
        ticket.values["cl_ord_id"] = new_cl_ord_id(now())  # the old one names the rejected order
        return None
    order = answer.order
    said = f"{order.side} {dec_str(order.order_qty)} {order.symbol} {order.ord_type}"
    if answer.replay:
        messages.info(request, f"{said} had been taken already; nothing was sent twice.")
    else:
        messages.success(request, f"{said} taken. Its outcome follows in the blotter.")
    return HttpResponseRedirect("/desk", status=303)


def _asks_again(request: MemberRequest, ticket: Ticket) -> bool:
    """Real money is named once more before it leaves: the second press sends."""
    with tenant_bound(request.actor.schema):
        account = account_named(request, ticket.values["account"])
    if account is None or account.mode != Mode.LIVE or request.POST.get("confirmed") == "yes":
        return False
    ticket.confirm = True
    ticket.title = f"Real money: {account.code}"
    ticket.detail = "Read the order once more. Sending again sends it to the market."
    return True


def account_named(request: MemberRequest, code: str) -> BrokerAccount | None:
    """Return an account the person reaches, None where there is none of this code."""
    return visible_accounts(request.actor).filter(code=code).first()


def _show(
    request: MemberRequest,
    sent: Ticket | None,
    make_ticket: Callable[[Shell], Ticket],
    *,
    status: int = 200,
) -> HttpResponse:
    def names(shell: Shell) -> dict[str, Any]:
        return {
            "ticket": make_ticket(shell),
            "opened": sent is None,
            **market_panels(request, shell),
            "orders": recent_orders(request, shell),
            "positions": position_rows(shell),
            "balance": balance_row(shell),
        }

    parts = market_parts(request) | {
        "blotter": Part(
            "portal/desk/_blotter.html", lambda shell: {"orders": recent_orders(request, shell)}
        ),
        "positions": Part(
            "portal/desk/_positions.html",
            lambda shell: {"positions": position_rows(shell), "balance": balance_row(shell)},
        ),
    }
    return member_render(
        request, "portal/desk/index.html", names, scope="desk", status=status, parts=parts
    )


def order_rows(orders: Any) -> list[dict[str, Any]]:
    """The order objects of the API with their badges."""
    rows = []
    for one, commands in selectors.with_commands(orders):
        order = order_json(one, commands, account_code=one.account.code)
        rows.append(
            {
                "order": order,
                "status": status_badge(order),
                "unknown": unknown_badge(order["pending"]),
                "open": not one.is_closed,
            }
        )
    return rows


def recent_orders(request: MemberRequest, shell: Shell) -> list[dict[str, Any]]:
    """The newest orders of the chosen account."""
    if shell.account is None:
        return []
    rows = selectors.list_orders(actor=request.actor, account=shell.account.code)
    return order_rows(list(rows.order_by("-id")[:RECENT]))


def position_rows(shell: Shell) -> list[dict[str, Any]]:
    """The positions of the chosen account as the API values them."""
    if shell.account is None:
        return []
    held = books.held(books.positions([shell.account]).order_by("symbol"), as_of=None)
    marks = books.marks(one.symbol for one in held)
    return [position_json(one, marks.get(one.symbol)) for one in held]


def balance_row(shell: Shell) -> dict[str, Any] | None:
    """Cash and buying power of the chosen account in its currency."""
    if shell.account is None:
        return None
    one, currency = shell.account, shell.account.currency
    return {
        "currency": currency,
        "cash": dec_str(books.cash(one.pk, currency)),
        "buying_power": dec_str(books.buying_power(one.pk, currency)),
    }
