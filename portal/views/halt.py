"""Stop trading, see what is stopped and by whom, and lift it with a reason."""

from typing import Any

from django.http import HttpResponse
from django.views.decorators.http import require_http_methods, require_POST

from common.errors import Refused
from oms.services.cancel import cancel_halted
from portal.frame.halting import HaltForm, blank_halt, effect_of, posted_halt, reason_error
from portal.frame.shell import Shell
from portal.views.pages import MemberRequest, Part, member_page, member_render, now, told
from risk import selectors, services
from risk.models import Halt
from tenants.binding import tenant_bound

LIFTED = 20
"""How many halts that are over the page lists."""


@require_http_methods(["GET", "HEAD", "POST"])
@member_page("risk:read")
def halt(request: MemberRequest) -> HttpResponse:
    """Show halts in force and the form; a POST sets one."""
    if request.method != "POST":
        asked = posted_halt(request.GET) if "where" in request.GET else None
        return _show(request, asked)
    form = posted_halt(request.POST)
    if not form.check():
        return _show(request, form, status=422)
    try:
        said = _set(request, form)
    except Refused as refusal:
        form.title = refusal.title
        form.errors = {"form": refusal.detail}
        return _show(request, form, status=refusal.http_status)
    return told(request, "warning", said, to="/halt", event="halt:set")


def _set(request: MemberRequest, form: HaltForm) -> str:
    """Set the halt, cancel what is wanted; return what happened in words."""
    actor, moment = request.actor, now()
    assert form.scope is not None
    assert form.state is not None
    with tenant_bound(actor.schema):
        stop = services.set_halt(
            scope=form.scope,
            target=form.target,
            state=form.state,
            reason=form.reason,
            actor=actor,
            now=moment,
            correlation_id=request.request_id[:64],
        )
    said = f"{stop} since {stop.since:%H:%M:%S} UTC. Cancels still pass."
    if not form.cancels:
        return said
    actor.require("orders:write")
    answers = cancel_halted(
        schema=actor.schema, scope=form.scope, target=form.target, actor=actor, now=moment
    )
    refused = sum(isinstance(one, tuple) for one in answers)
    asked = len(answers) - refused
    return f"{said} {asked} cancelled or on their way" + (
        f", {refused} could not be: see Orders." if refused else "."
    )


@require_POST
@member_page("risk:read")
def lift(request: MemberRequest, halt_id: str) -> HttpResponse:
    """Let trading resume where one halt was."""
    reason = request.POST.get("reason", "").strip()
    message = reason_error(reason)
    if not message:
        try:
            with tenant_bound(request.actor.schema):
                services.lift_halt(
                    halt_id=halt_id,
                    reason=reason,
                    actor=request.actor,
                    now=now(),
                    correlation_id=request.request_id[:64],
                )
            return told(request, "success", "The halt is lifted; orders pass there.", to="/halt")
        except Refused as refusal:
            if refusal.http_status == 404:
                raise
            message = refusal.detail
    return told(request, "error", f"Not lifted: {message}", to="/halt")


def _show(request: MemberRequest, sent: HaltForm | None, *, status: int = 200) -> HttpResponse:
    def form_names(shell: Shell) -> dict[str, Any]:
        form = sent or blank_halt(shell.account)
        halting = dict(shell.halting, form=form)
        halting["effect"] = effect_of(form, request.actor, shell.halts)
        return {"halting": halting}

    def effect_name(shell: Shell) -> dict[str, Any]:
        return {"effect": form_names(shell)["halting"]["effect"]}

    def list_names(shell: Shell) -> dict[str, Any]:
        over = selectors.halts(in_force=False).order_by("-lifted_at")[:LIFTED]
        return {"rows": [_row(request, one) for one in shell.halts], "over": list(over)}

    def names(shell: Shell) -> dict[str, Any]:
        return {**form_names(shell), **list_names(shell)}

    parts = {
        "halt-form": Part("portal/halt/_form.html", form_names),
        "halt-effect": Part("portal/halt/_effect.html", effect_name),
        "halts": Part("portal/halt/_in_force.html", list_names),
    }
    return member_render(
        request, "portal/halt/index.html", names, scope="halt", status=status, parts=parts
    )


def _row(request: MemberRequest, one: Halt) -> dict[str, Any]:
    """A halt in force, and why this person cannot lift it, if so."""
    why_not = ""
    if not request.actor.may(services.WRITE):
        why_not = "A manager, admin or owner of the firm lifts it."
    elif services.must_not_lift_alone(one, request.actor):
        why_not = "You set it: another manager, admin or owner lifts it."
    return {"halt": one, "why_not": why_not}
