"""The desk: quotes, the ticket, working orders and positions of the chosen account."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from marketdata import quotes
from portal.books import positions
from portal.frame.shell import Shell
from portal.market.panels import places_of
from portal.orders.query import read_query
from portal.ticket.form import Ticket, blank_ticket, choose
from portal.views.market import market_panels, market_parts
from portal.views.orders import blotter_names, desk_address
from portal.views.pages import MemberRequest, Part, member_page, member_render, now
from portal.views.rows import midnight


@require_safe
@member_page("orders:read")
def desk(request: MemberRequest) -> HttpResponse:
    """Show the desk; the ticket has doors of its own."""
    return show_desk(request, partial(opened_ticket, request), opened=True)


def show_desk(
    request: MemberRequest,
    make_ticket: Callable[[Shell], Ticket],
    *,
    opened: bool,
    status: int = 200,
) -> HttpResponse:
    """Answer with the desk, or the part of it that is asked for.

    ``opened`` is False where the ticket comes back from one of its own doors.
    """

    def names(shell: Shell) -> dict[str, Any]:
        return {
            "ticket": make_ticket(shell),
            "opened": opened,
            **market_panels(request, shell),
            **desk_blotter(request, shell),
            **positions_of(shell),
        }

    def ticket_names(shell: Shell) -> dict[str, Any]:
        return {"ticket": make_ticket(shell), "opened": opened}

    parts = market_parts(request) | {
        "ticket": Part("portal/desk/_ticket.html", ticket_names),
        "ticket-preview": Part("portal/desk/_ticket_preview.html", ticket_names),
        "positions": Part(
            "portal/desk/_positions.html",
            positions_of,
        ),
    }
    return member_render(
        request, "portal/desk/index.html", names, scope="desk", status=status, parts=parts
    )


def opened_ticket(request: MemberRequest, shell: Shell) -> Ticket:
    """Return the ticket of a desk that is opened by its address, which may preset fields."""
    moment = now()
    account = shell.account.code if shell.account else ""
    first = shell.instruments[0].symbol if shell.instruments else ""
    ticket = blank_ticket(account=account, symbol=first, now=moment, given=request.GET)
    wanted = ticket.values["symbol"]
    chosen = next((one for one in shell.instruments if one.symbol == wanted), None)
    if shell.account is not None and chosen is not None:
        choose(ticket, shell.account, chosen, moment)
    return ticket


def desk_blotter(request: MemberRequest, shell: Shell) -> dict[str, Any]:
    """The orders of the chosen account, in the tab the address names."""
    if shell.account is None:
        return {}
    account = shell.account.code
    given = {"account": account, "view": request.GET.get("view", "all")}
    query = read_query(given, today=midnight(request))
    return {
        **blotter_names(request, query, grid="desk"),
        "all_orders": desk_address(account, query.view),
    }


def positions_of(shell: Shell) -> dict[str, Any]:
    """The positions of the chosen account and its money, as the API values both.

    Flat positions come last; ``places`` are those of each instrument's prices.
    """
    if shell.account is None:
        return {"positions": [], "worth": None}
    moment = now()
    book = positions.read_books([shell.account], now=moment)[shell.account.code]
    worth, *rows = positions.cells(book, quotes.latest(book.symbols), moment)
    steps = {one.symbol: one.tick_size for one in shell.instruments}
    shown = [
        row | {"places": places_of(steps[row["symbol"]]) if row["symbol"] in steps else 2}
        for row in rows
    ]
    return {"positions": sorted(shown, key=lambda row: row["way"] == "flat"), "worth": worth}
