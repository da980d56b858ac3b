"""The bare tables of the live connection: quotes and the newest orders."""

from typing import Any

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from common.numbers import dec_str
from marketdata.models import Instrument
from marketdata.quotes import latest, quote_json
from oms import selectors
from oms.present import order_json
from portal.frame.shell import Shell
from portal.rows import order_row, quote_cells
from portal.views.pages import MemberRequest, member_page, member_render

MOST_ORDERS = 100


@require_safe
@member_page("orders:read")
def quotes(request: MemberRequest) -> HttpResponse:
    """Show every quoted instrument and the newest orders, both kept up to date."""

    def tables(_: Shell) -> dict[str, Any]:
        instruments = list(Instrument.objects.exclude(feed="").order_by("symbol"))
        known = latest(one.symbol for one in instruments)
        newest = list(selectors.list_orders(actor=request.actor).order_by("-id")[:MOST_ORDERS])
        return {
            "quotes": [
                {
                    "instrument": one,
                    "tick": dec_str(one.tick_size),
                    "cells": quote_cells(quote_json(known[one.symbol]))
                    if one.symbol in known
                    else {},
                }
                for one in instruments
            ],
            "orders": [
                order_row(order_json(order, commands, account_code=order.account.code))
                for order, commands in selectors.with_commands(newest)
            ],
            "most_orders": MOST_ORDERS,
        }

    return member_render(request, "portal/quotes/index.html", tables, scope="desk")
