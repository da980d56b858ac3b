"""What the desk's scripts read of the market, and the forms of the watchlist."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.views.decorators.http import require_POST, require_safe

from brokers.models import BrokerAccount
from brokers.selectors import access_account
from common.errors import FieldError, Invalid, Refused
from marketdata import selectors, services
from marketdata.charts import ChartInterval, intervals_of
from marketdata.models import Instrument
from marketdata.symbols import is_symbol
from portal.frame.preferences import preferences_of
from portal.frame.shell import Shell
from portal.market import panels
from portal.templatetags.blotter import HIDDEN, number
from portal.views.pages import MemberRequest, Part, member_data, member_page, now
from portfolio import selectors as books
from portfolio.shapes import position_json

VIEWS = ("chart", "table")
_SHOWN = {
    ChartInterval.SECONDS: "5 seconds of the wall clock, from the quotes still recorded",
    ChartInterval.DAY: "a day of history",
    ChartInterval.WEEK: "a week of history",
    ChartInterval.MONTH: "a month of history",
}


@require_safe
@member_data("marketdata:read")
def bars(request: MemberRequest) -> HttpResponse:
    """The bars of one instrument (``symbol``, ``interval``), as ``panels.chart_json`` has them."""
    one = selectors.instrument(request.GET.get("symbol", ""))
    return JsonResponse(panels.chart_json(one, asked_interval(request, one), now()))


@require_safe
@member_data("orders:read")
def marks(request: MemberRequest) -> HttpResponse:
    """Own fills, working orders and the position of one ``account`` in one instrument."""
    one = selectors.instrument(request.GET.get("symbol", ""))
    account = access_account(request.actor, request.GET.get("account", "")[:64])
    return JsonResponse(marks_of(request, account, one, asked_interval(request, one)))


def marks_of(
    request: MemberRequest, account: BrokerAccount, one: Instrument, interval: ChartInterval
) -> dict[str, Any]:
    """``panels.marks_json`` with the position's average beside."""
    hides = preferences_of(request.COOKIES).hides_amounts
    found = panels.marks_json(request.actor, account.code, one, interval, now(), hides=hides)
    return found | {"position": _position(account, one, hides)}


def _position(account: BrokerAccount, one: Instrument, hides: bool) -> dict[str, Any] | None:
    rows = books.held(books.positions([account]).filter(symbol=one.symbol), as_of=None)
    held = next((position_json(row, None) for row in rows), None)
    if held is None or held["avg_px"] is None:
        return None
    places = panels.places_of(one.tick_size)
    way = "short" if held["qty"].startswith("-") else "long"
    qty = HIDDEN if hides else number(held["qty"].lstrip("-"))
    return {
        "qty": HIDDEN if hides else held["qty"],
        "avg_px": held["avg_px"],
        "label": f"avg {number(held['avg_px'], places)} {way} {qty}",
    }


def asked_interval(request: HttpRequest, one: Instrument) -> ChartInterval:
    """Return the interval the address names, days where it names none.

    :raises Invalid: if there are no bars of that length of this instrument.
    """
    text = request.GET.get("interval") or ChartInterval.DAY.value
    able = {item.value: item for item in intervals_of(one)}
    if text not in able:
        message = f"Of {one.symbol} there are bars of {', '.join(able)}."
        raise Invalid(message, errors=[FieldError("interval", "invalid_choice", message)])
    return able[text]


@require_POST
@member_page("marketdata:read")
def watchlist(request: MemberRequest) -> HttpResponse:
    """Change the person's own list, or go to a symbol; then back to the desk.

    ``act``: show, add, remove, up, down; ``symbol`` in any case; ``next`` the desk's query.
    """
    symbol = request.POST.get("symbol", "").strip().upper()[:64]
    act = request.POST.get("act", "show")
    shown = request.POST.get("shown", "")
    own = request.membership.pk
    try:
        if act == "add":
            services.watch(membership_id=own, symbol=symbol)
        elif act == "remove":
            services.unwatch(membership_id=own, symbol=symbol)
        elif act in ("up", "down"):
            places = 1 if act == "down" else -1
            services.move_watched(membership_id=own, symbol=symbol, places=places)
        else:
            selectors.instrument(symbol)
    except Refused as refusal:
        said = refusal.detail
        if refusal.http_status == 404:
            said = f"There is no instrument {symbol}."
        messages.error(request, said)
        return _to_desk(shown)
    return _to_desk(symbol if act in ("add", "show") else shown)


def _to_desk(symbol: str) -> HttpResponse:
    query = f"?{urlencode({'symbol': symbol})}" if is_symbol(symbol) else ""
    return HttpResponseRedirect(f"/desk{query}", status=303)


def market_panels(request: MemberRequest, shell: Shell) -> dict[str, Any]:
    """Return what the watchlist, the instrument panel and the chart of the desk show."""
    moment = now()
    watched = selectors.watched(request.membership.pk)
    chosen = _chosen(request, watched, shell)
    wanted = [*watched, *([chosen] if chosen and chosen not in watched else [])]
    history = selectors.recent_bars(wanted, moment, count=panels.YEAR_BARS)
    names: dict[str, Any] = {
        "watch": panels.watch_rows(watched, shell.market, history, chosen.symbol if chosen else ""),
        "instruments_known": Instrument.objects.order_by("symbol").values_list("symbol", "name"),
        "chosen": chosen,
        "chosen_symbol": chosen.symbol if chosen else "",
    }
    if chosen is None:
        return names
    able = intervals_of(chosen)
    interval = next((i for i in able if i.value == request.GET.get("interval")), ChartInterval.DAY)
    view = "table" if request.GET.get("view") == "table" else "chart"
    names |= {
        "facts": panels.facts_of(chosen, shell.market.get(chosen.symbol), history[chosen.symbol]),
        "chart_view": view,
        "interval": interval.value,
        "intervals": [(item.value, _SHOWN[item]) for item in able],
    }
    if view == "table":
        drawn = panels.chart_json(chosen, interval, moment)
        today = drawn["today"] or {}
        cells = (("open", "open"), ("high", "high"), ("low", "low"), ("last", "close"))
        names["chart"] = drawn
        names["chart_today"] = [(cell, today.get(name)) for cell, name in cells]
        if shell.account is not None:
            names["chart_marks"] = marks_of(request, shell.account, chosen, interval)
    return names


def market_parts(request: MemberRequest) -> dict[str, Part]:
    """Return the desk's parts of the market."""

    def make(shell: Shell) -> dict[str, Any]:
        return market_panels(request, shell)

    names = {"watchlist": "_watchlist", "facts": "_facts", "chart": "_chart"}
    return {name: Part(f"portal/desk/{file}.html", make) for name, file in names.items()}


def _chosen(request: MemberRequest, watched: list[Instrument], shell: Shell) -> Instrument | None:
    """Return the instrument the address names, else the first of the list, else any to trade."""
    asked = request.GET.get("symbol", "").strip().upper()
    listed = [*watched, *shell.instruments]
    if is_symbol(asked):
        found = (
            next((one for one in listed if one.symbol == asked), None)
            or Instrument.objects.filter(symbol=asked).first()
        )
        if found is not None:
            return found
    return next(iter(listed), None)
