"""The ticket's doors: preview, send, and what became of an order whose answer was lost.

Each answers a script with the part it asks for, and a browser without one with the whole desk.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_POST, require_safe

from brokers.models import BrokerAccount
from brokers.selectors import visible_accounts
from common.errors import FieldError, NotFound, Refused
from common.numbers import dec_str
from marketdata import quotes
from marketdata.models import Instrument
from oms import selectors
from oms.errors import PreviewDrifted, PreviewExpired, TradingHalted, breach_row
from oms.present import order_json
from oms.services import accept
from oms.services.lists.submit import submit_list
from oms.services.preview import preview_order
from portal.frame.preferences import preferences_of
from portal.middleware import asked_by_htmx
from portal.templatetags.blotter import number
from portal.ticket.exits import at_rows
from portal.ticket.form import (
    FIELDS,
    Ticket,
    choose,
    intent_of,
    new_cl_ord_id,
    next_ticket,
    posted_ticket,
    spell_out,
    wish_of,
)
from portal.ticket.outcomes import weigh
from portal.ticket.words import Surroundings
from portal.views.desk import show_desk
from portal.views.pages import MemberRequest, member_page, now
from portfolio import selectors as books
from risk import selectors as risk_selectors
from tenants.binding import tenant_bound
from trading.contingency import ListWish
from trading.orders.intent import OrderIntent
from trading.risk import Breach, RuleId
from trading.vocabulary import Mode, Side

OUTCOME = "X-Ticket-Outcome"
"""What a script may conclude: ``sent``, ``refused``, ``asks`` or ``not_received``."""


@require_POST
@member_page("orders:write")
def preview(request: MemberRequest) -> HttpResponse:
    """Say what would become of the order as it is written; send nothing."""
    ticket = _read(request)
    intent = intent_of(ticket, zone_of(request))
    if intent is None:
        if asked_by_htmx(request):  # people are still typing: no answer to complain about
            return _answer(request, ticket, 200, "incomplete")
        ticket.refuse("There is no preview yet", _FIELDS_SAY, ticket.errors)
        return _answer(request, ticket, 422, "refused")
    _show_preview(request, ticket, intent, now())
    if ticket.values["link"]:
        _weigh_exits(request, ticket)
    return _answer(request, ticket, 200, "previewed")


def _weigh_exits(request: MemberRequest, ticket: Ticket) -> None:
    """Say what the exits would bring, or what is wrong with them, beside the entry's preview."""
    wish = wish_of(ticket, zone_of(request))
    instrument = Instrument.objects.filter(symbol=ticket.values["symbol"]).first()
    if wish is None or instrument is None or ticket.preview is None:
        return
    found, ticket.outcomes = weigh(wish, instrument.rules, ticket.preview)
    ticket.errors = at_rows(found, ticket.values["link"])


@require_POST
@member_page("orders:write")
def fields(request: MemberRequest) -> HttpResponse:
    """Show the form with the fields of the chosen type; for browsers without scripts."""
    return _answer(request, _read(request), 200, "editing")


@require_POST
@member_page("orders:write")
def send(request: MemberRequest) -> HttpResponse:
    """Send the order; what refuses it comes back with the form."""
    ticket = _read(request)
    zone = zone_of(request)
    intent = intent_of(ticket, zone)
    wish = wish_of(ticket, zone) if intent is not None and ticket.values["link"] else None
    if intent is None or ticket.errors:
        ticket.refuse("The order was not sent", _FIELDS_SAY, ticket.errors)
        return _answer(request, ticket, 422, "refused")
    if _asks_first(request, ticket, intent):
        return _answer(request, ticket, 422, "asks")
    if wish is not None:
        return _send_list(request, ticket, intent, wish)
    (answer,) = accept.accept_orders(
        schema=request.actor.schema, intents=[intent], actor=request.actor, now=now()
    )
    if isinstance(answer, Refused):
        if answer.http_status == 404:
            raise answer
        return _refused(request, ticket, intent, answer)
    if answer.breaches:
        return _denied(
            request, ticket, answer.order.id, _with_used(request, intent, answer.breaches)
        )
    shown = order_json(answer.order, answer.pending, account_code=answer.account_code)
    return _sent(request, ticket, shown, replay=answer.replay)


def _send_list(
    request: MemberRequest, ticket: Ticket, intent: OrderIntent, wish: ListWish
) -> HttpResponse:
    """Send an order with its exits: all of them, or none."""
    try:
        answer = submit_list(schema=request.actor.schema, wish=wish, actor=request.actor, now=now())
    except Refused as refusal:
        if refusal.http_status == 404:
            raise
        refusal.errors = tuple(at_rows(refusal.errors, ticket.values["link"]))
        return _refused(request, ticket, intent, refusal)
    first = answer.order_list["legs"][0]["order"]
    if answer.breaches:
        return _denied(request, ticket, first["id"], [breach_row(one) for one in answer.breaches])
    return _sent(request, ticket, first, replay=answer.replay)


@require_safe
@member_page("orders:write")
def sent(request: MemberRequest) -> HttpResponse:
    """Tell what became of an order by its client id; only this may say that none was received."""
    account, cl_ord_id = request.GET.get("account", ""), request.GET.get("cl_ord_id", "")
    rows = selectors.list_orders(actor=request.actor, account=account, cl_ord_id=cl_ord_id)
    found = rows.first() if account and cl_ord_id else None
    if found is None:
        answer = HttpResponse(status=204)
        answer[OUTCOME] = "not_received"
        return answer
    ticket = Ticket(
        {
            **dict.fromkeys(FIELDS, ""),
            "account": account,
            "cl_ord_id": cl_ord_id,
            "symbol": found.symbol,
            "side": found.side,
            "ord_type": found.ord_type,
            "time_in_force": found.time_in_force,
            "order_qty": dec_str(found.order_qty),
            "strategy": found.strategy or "",
        }
    )
    _set_choices(request, ticket)
    breaches = risk_selectors.breaches_of(found.id)
    if breaches:
        return _denied(request, ticket, found.id, [breach_row(one) for one in breaches])
    commands = selectors.open_commands_of([found.id])[found.id]
    return _sent(request, ticket, order_json(found, commands, account_code=account), replay=True)


_FIELDS_SAY = "Some fields need another value."


# --- reading the form -----------------------------------------------------------------------------


def zone_of(request: MemberRequest) -> ZoneInfo:
    """The zone in which the person reads and types times."""
    return preferences_of(request.COOKIES).shown_zone


def _read(request: MemberRequest) -> Ticket:
    """The form with its words spelled out.

    :raises NotFound: for an account out of reach.
    """
    ticket = posted_ticket(request.POST)
    with tenant_bound(request.actor.schema):
        account, instrument = _set_choices(request, ticket)
        side = ticket.values["side"]
        if instrument is not None and side in Side.__members__:
            spell_out(ticket, _surroundings(account, instrument, Side(side)))
    return ticket


def _set_choices(request: MemberRequest, ticket: Ticket) -> tuple[BrokerAccount, Instrument | None]:
    """:raises NotFound: for an account out of reach."""
    account = account_named(request, ticket.values["account"])
    if account is None:
        raise NotFound
    instrument = Instrument.objects.filter(symbol=ticket.values["symbol"], tradable=True).first()
    if instrument is not None:
        typed = ticket.values["time_in_force"]
        choose(ticket, account, instrument, now())
        ticket.values["time_in_force"] = typed or ticket.values["time_in_force"]
    return account, instrument


def account_named(request: MemberRequest, code: str) -> BrokerAccount | None:
    """Return an account the person reaches, None where there is none of this code."""
    return visible_accounts(request.actor).filter(code=code).first()


def _surroundings(account: BrokerAccount, instrument: Instrument, side: Side) -> Surroundings:
    symbol, currency = instrument.symbol, instrument.currency

    def position() -> Decimal:
        return books.position_qty(account.pk, symbol)

    def free_cash() -> Decimal:
        return books.buying_power(account.pk, currency)

    return Surroundings(
        side=side,
        symbol=symbol,
        lot_size=instrument.lot_size,
        tick_size=instrument.tick_size,
        multiplier=instrument.multiplier,
        quote=quotes.fresh([symbol], now=now()).get(symbol),
        position=position,
        free_cash=free_cash,
    )


# --- answers --------------------------------------------------------------------------------------


def _show_preview(
    request: MemberRequest, ticket: Ticket, intent: OrderIntent, moment: datetime
) -> None:
    ticket.preview = preview_order(
        schema=request.actor.schema, intent=intent, actor=request.actor, now=moment
    )
    ticket.values["preview_id"] = ticket.preview["preview_id"] or ""


def _asks_first(request: MemberRequest, ticket: Ticket, intent: OrderIntent) -> bool:
    """Real money leaves only on the strength of a preview: the second press sends."""
    with tenant_bound(request.actor.schema):
        account = account_named(request, ticket.values["account"])
    if account is None or account.mode != Mode.LIVE or intent.preview_id:
        return False
    _show_preview(request, ticket, intent, now())
    ticket.confirm = True
    ticket.refuse(
        f"Real money: {account.code}",
        "Read the preview. Sending again sends the order to the market.",
    )
    return True


def _refused(
    request: MemberRequest, ticket: Ticket, intent: OrderIntent, refusal: Refused
) -> HttpResponse:
    ticket.refuse(refusal.title, refusal.detail, refusal.errors)
    if isinstance(refusal, TradingHalted):
        ticket.halt = refusal.extra
    if isinstance(refusal, PreviewExpired | PreviewDrifted):
        _show_preview(request, ticket, replace(intent, preview_id=None), now())
        ticket.confirm = True
    return _answer(request, ticket, refusal.http_status, "refused")


def _with_used(
    request: MemberRequest, intent: OrderIntent, breaches: Sequence[Breach]
) -> list[FieldError]:
    """The breaches with what was used before the order, where nothing has moved since."""
    again = replace(intent, cl_ord_id=None, preview_id=None)
    shown = preview_order(schema=request.actor.schema, intent=again, actor=request.actor, now=now())
    before = {(row["rule"], row["value"]): row["before"] for row in shown["verdicts"]}
    rows = []
    for one in breaches:
        row = breach_row(one)
        used = before.get((one.rule, row.extra["value"]))
        is_counted = used is not None and one.rule != RuleId.PRICE_COLLAR
        rows.append(replace(row, extra={**row.extra, "before": used}) if is_counted else row)
    return rows


def _denied(
    request: MemberRequest, ticket: Ticket, order_id: str, errors: list[FieldError]
) -> HttpResponse:
    ticket.refuse("Denied by the firm's limits; kept as a rejected order", "", errors)
    ticket.kept = order_id
    ticket.values["cl_ord_id"] = new_cl_ord_id(now())  # the old one names the rejected order
    ticket.values["preview_id"] = ""
    return _answer(request, ticket, 422, "refused")


def _sent(
    request: MemberRequest, ticket: Ticket, order: dict[str, Any], *, replay: bool
) -> HttpResponse:
    said = f"{order['side']} {number(order['order_qty'])} {order['symbol']} {order['ord_type']}"
    if not asked_by_htmx(request):
        if replay:
            messages.info(request, f"{said} had been taken already; nothing was sent twice.")
        else:
            messages.success(request, f"{said} taken. Its outcome follows in the blotter.")
        return HttpResponseRedirect("/desk", status=303)
    fresh = next_ticket(ticket, now=now())
    fresh.sent = order
    fresh.sent_says = (
        f"{said} had been taken already; nothing was sent twice." if replay else f"{said} taken."
    )
    return _answer(request, fresh, 200, "sent")


def _answer(request: MemberRequest, ticket: Ticket, status: int, outcome: str) -> HttpResponse:
    answer = show_desk(request, lambda _: ticket, opened=False, status=status)
    answer[OUTCOME] = outcome
    return answer
