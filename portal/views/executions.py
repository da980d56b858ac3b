"""Every fill the person may see: filters in the address, totals, pages, a file of the filter."""

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from io import StringIO
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpResponse
from django.views.decorators.http import require_safe

from common.errors import FieldError, Invalid
from common.http.pagination import page
from common.instants import instant_str
from common.numbers import dec_str, opt_dec_str
from oms import selectors
from oms.models import Execution
from oms.present import execution_json
from oms.totals import Total, totals_of, uncounted
from portal.frame.preferences import preferences_of
from portal.frame.shell import Shell
from portal.rows import execution_row
from portal.views.pages import MemberRequest, Part, member_page, member_render, now
from trading import exact
from trading.vocabulary import Side

PER_PAGE = 100
MOST_EXPORTED = 100_000
FILTERS = ("account", "symbol", "side", "since", "until")
_COLUMNS = (
    "transact_time", "received_at", "account", "exec_id", "exec_type", "exec_ref_id", "counts",
    "order_id", "broker_order_id", "symbol", "side", "last_qty", "last_px", "fee", "fee_currency",
    "liquidity", "late", "source",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the address asks for, as typed and as understood. ``errors`` name what was not."""

    typed: Mapping[str, str]
    side: Side | None
    since: datetime | None
    until: datetime | None
    errors: Mapping[str, str]

    @property
    def conditions(self) -> list[dict[str, Any]]:
        """What a new row must be like to join the list, as grid-model.js reads it."""
        fields = {
            "account": self.typed["account"],
            "symbol": self.typed["symbol"].upper(),
            "side": self.typed["side"],
        }
        found = [
            {"field": name, "op": "in", "values": [value]}
            for name, value in fields.items()
            if value
        ]
        if self.since is not None:
            since = instant_str(self.since)
            found.append({"field": "transact_time", "op": "since", "values": [since]})
        return found

    @property
    def kept(self) -> dict[str, str]:
        """The filters that are set."""
        return {name: value for name, value in self.typed.items() if value}


def wanted_of(given: Mapping[str, str], zone: tzinfo) -> Wanted:
    """Read the filters of a query. Days are those of ``zone``, the last one included."""
    typed = {name: given.get(name, "").strip()[:64] for name in FILTERS}
    errors: dict[str, str] = {}
    side = Side(typed["side"]) if typed["side"] in Side.__members__ else None
    if typed["side"] and side is None:
        errors["side"] = "Not a side: BUY, SELL or SELL_SHORT."
    since, until = _day(typed, "since", zone, errors), _day(typed, "until", zone, errors)
    if since and until and since > until:
        errors["until"] = "The last day lies before the first."
    last = None if until is None else until + timedelta(days=1)
    return Wanted(typed, side, since, last, errors)


def _day(
    typed: Mapping[str, str], name: str, zone: tzinfo, errors: dict[str, str]
) -> datetime | None:
    if not typed[name]:
        return None
    try:
        day = date.fromisoformat(typed[name])
    except ValueError:
        errors[name] = "A day such as 2026-01-31."
        return None
    if not 1900 <= day.year <= 9000:
        errors[name] = "A day between the years 1900 and 9000."
        return None
    return datetime.combine(day, time(), tzinfo=zone)


def rows_of(request: MemberRequest, wanted: Wanted) -> QuerySet[Execution]:
    """The ledger as far as the person may see it and the filters ask for it.

    A filter that was not understood matches nothing: never more than was asked for.
    """
    typed = wanted.typed
    rows = selectors.list_executions(
        actor=request.actor,
        account=typed["account"] or None,
        symbol=typed["symbol"].upper() or None,
        side=wanted.side,
        since=wanted.since,
        until=wanted.until,
    )
    return rows.none() if wanted.errors else rows.select_related("order__instrument")


@require_safe
@member_page("orders:read")
def executions(request: MemberRequest) -> HttpResponse:
    """List executions, newest first, with what they come to."""
    wanted = wanted_of(request.GET, preferences_of(request.COOKIES).shown_zone)

    def totals(_: Shell) -> dict[str, Any]:
        found = totals_of(rows_of(request, wanted))
        return {**_address(request, wanted), "totals": [total_row(one) for one in found]}

    def names(shell: Shell) -> dict[str, Any]:
        return {**totals(shell), **_page(request, wanted, shell)}

    return member_render(
        request,
        "portal/executions/index.html",
        names,
        scope="executions",
        status=422 if wanted.errors else 200,
        parts={"totals": Part("portal/executions/_totals.html", totals)},
    )


def _address(request: MemberRequest, wanted: Wanted) -> dict[str, Any]:
    return {
        "chosen": wanted.typed,
        "errors": wanted.errors,
        "filtered": bool(wanted.kept),
        "query": urlencode(wanted.kept),
        "here": request.get_full_path(),
    }


def _page(request: MemberRequest, wanted: Wanted, shell: Shell) -> dict[str, Any]:
    cursor = request.GET.get("cursor") or None
    ledger = rows_of(request, wanted)
    found, following = page(ledger, limit=PER_PAGE, cursor=cursor)
    overtaken = uncounted(found)
    is_newest = cursor is None and wanted.until is None
    return {
        "rows": [
            {
                "cells": execution_row(
                    execution_json(one, broker_order_id=one.order.order_id),
                    account=one.account.code,
                ),
                "ref": one.exec_ref_id,
                "struck": one.id in overtaken,
            }
            for one in found
        ],
        "live": is_newest and not wanted.errors,
        "conditions": json.dumps(wanted.conditions),
        "most": max(PER_PAGE * 2, len(found)),
        "steps": {one.symbol: dec_str(one.tick_size) for one in shell.instruments}
        | {row.symbol: dec_str(row.order.instrument.tick_size) for row in found},
        "sides": [side.value for side in Side],
        "next_query": urlencode({**wanted.kept, "cursor": following}) if following else "",
        "first_query": urlencode(wanted.kept) if cursor else None,
    }


def total_row(total: Total) -> dict[str, Any]:
    """One total as strings of the API's form; the average is exact to 12 digits."""
    average = exact.price(total.gross, total.qty) if total.qty else None
    return {
        "symbol": total.symbol,
        "side": total.side,
        "currency": total.currency,
        "trades": total.trades,
        "qty": dec_str(total.qty),
        "notional": dec_str(total.notional),
        "avg_px": opt_dec_str(average),
        "fees": [(currency, dec_str(fee)) for currency, fee in sorted(total.fees.items())],
    }


@require_safe
@member_page("orders:read")
def export(request: MemberRequest) -> HttpResponse:
    """Give every row of the filter as a file, newest first.

    :raises Invalid: for a filter that is not understood, or more rows than one file takes.
    """
    wanted = wanted_of(request.GET, preferences_of(request.COOKIES).shown_zone)
    if wanted.errors:
        raise Invalid(
            " ".join(wanted.errors.values()),
            errors=[FieldError(name, "invalid", text) for name, text in wanted.errors.items()],
        )
    ledger = rows_of(request, wanted)
    rows = list(ledger.order_by("-id")[: MOST_EXPORTED + 1])
    if len(rows) > MOST_EXPORTED:
        raise Invalid(f"The filter matches more than {MOST_EXPORTED} rows; narrow it by days.")
    overtaken = uncounted(rows)
    text = StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    writer.writerows(_line(row, overtaken) for row in rows)
    name = f"executions-{now():%Y%m%dT%H%M%SZ}.csv"
    return HttpResponse(
        text.getvalue(),
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
        },
    )


def _line(row: Execution, overtaken: frozenset[str]) -> list[str]:
    content = execution_json(row, broker_order_id=row.order.order_id)
    content |= {
        "account": row.account.code,
        "received_at": instant_str(row.received_at),
        "exec_ref_id": row.exec_ref_id,
        "counts": row.id not in overtaken,
        "source": row.source,
    }
    return [_cell(content[name]) for name in _COLUMNS]


def _cell(value: Any) -> str:
    """Text as a spreadsheet may read it: what would begin a formula is quoted."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(value)
    is_number = text.lstrip("-").replace(".", "", 1).isdigit()
    return f"'{text}" if text[:1] in "=+-@\t\r" and text and not is_number else text
