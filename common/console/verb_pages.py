"""The page between a verb's button and its deed, and the one that tells what came of it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import quote
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from common.console.verbs import ROWS_AT_ONCE, Verb, carry_out, reason_form


def on_ticked_rows(
    verb: Verb, table: Any, request: HttpRequest, rows: QuerySet[Model]
) -> HttpResponse | None:
    """Do a verb with the ticked rows; None, with a message, if they are too many."""
    found = list(rows[: ROWS_AT_ONCE + 1])
    if len(found) > ROWS_AT_ONCE:
        messages.error(request, f"At most {ROWS_AT_ONCE} rows at once; narrow the list first.")
        return None
    return verb_page(table, request, verb, found)


def verb_page(
    table: Any, request: HttpRequest, verb: Verb, rows: Sequence[Model | None]
) -> HttpResponse:
    """Show what would happen and ask why; once that is answered do it and say what came of it."""
    asked = request.method == "POST" and "confirmed" in request.POST
    form = reason_form(verb, request.POST if asked else None)
    fitting = [row for row in rows if row is None or verb.fits(row)]
    context = {
        **table.admin_site.each_context(request),
        "opts": table.opts,
        "title": verb.label,
        "verb": verb,
        "form": form,
        "rows": fitting,
        "effect": verb.effect_on(fitting),
        "left_out": len(rows) - len(fitting),
        "ticked": request.POST.getlist("_selected_action"),
        "list_url": reverse(table.url_name("changelist")),
    }
    request.current_app = table.admin_site.name
    if not (asked and form.is_valid() and fitting):
        return TemplateResponse(request, "admin/console/reason.html", context)
    outcomes = [
        replace(outcome, url=_row_url(table, outcome.row))
        for outcome in carry_out(verb, request, fitting, form.cleaned_data)
    ]
    if len(outcomes) > 1:
        return TemplateResponse(
            request, "admin/console/outcomes.html", {**context, "outcomes": outcomes}
        )
    one = outcomes[0]
    level = messages.SUCCESS if one.done else messages.ERROR
    messages.add_message(request, level, f"{one.subject}: {one.text}")
    return HttpResponseRedirect(one.url or context["list_url"])


def _row_url(table: Any, row: Model | None) -> str:
    return "" if row is None else reverse(table.url_name("change"), args=[quote(row.pk)])
