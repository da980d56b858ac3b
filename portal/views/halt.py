"""Stop trading, see what is stopped and by whom, and lift it with a reason."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_http_methods, require_POST

from common.errors import Refused
from portal.shell import Shell
from portal.views.pages import MemberRequest, member_page, member_render, now
from risk import services
from tenants.binding import tenant_bound
from trading.risk import HaltScope, HaltState

MIN_REASON = 10
MAX_REASON = 500
SCOPES = {
    HaltScope.TENANT: "the whole firm",
    HaltScope.ACCOUNT: "one account",
    HaltScope.INSTRUMENT: "one instrument",
    HaltScope.STRATEGY: "one strategy",
    HaltScope.VENUE: "one connection",
}


@require_http_methods(["GET", "HEAD", "POST"])
@member_page("risk:write")
def halt(request: MemberRequest) -> HttpResponse:
    """Show halts in force and the form; a POST sets one."""
    form = {
        name: request.POST.get(name, "").strip() for name in ("scope", "target", "state", "reason")
    }
    if request.method != "POST":
        return _show(request, {"scope": "tenant", "target": "", "state": "HALTED", "reason": ""})
    errors = _errors(form)
    if errors:
        return _show(request, form, errors, status=422)
    try:
        with tenant_bound(request.actor.schema):
            services.set_halt(
                scope=HaltScope(form["scope"]),
                target=form["target"] or None,
                state=HaltState(form["state"]),
                reason=form["reason"],
                actor=request.actor,
                now=now(),
                correlation_id=request.request_id[:64],
            )
    except Refused as refusal:
        return _show(request, form, {"form": refusal.detail}, status=refusal.http_status)
    messages.warning(request, "Trading is stopped there. Cancels still pass.")
    return HttpResponseRedirect("/halt", status=303)


def _errors(form: dict[str, str]) -> dict[str, str]:
    errors = {}
    if form["scope"] not in {scope.value for scope in HaltScope}:
        errors["scope"] = "Choose what to stop."
    if form["state"] not in {state.value for state in HaltState}:
        errors["state"] = "Choose how firmly."
    if message := _reason_error(form["reason"]):
        errors["reason"] = message
    if len(form["target"]) > 64 or "\x00" in form["target"]:
        errors["target"] = "At most 64 characters."
    return errors


def _reason_error(reason: str) -> str:
    if len(reason) < MIN_REASON:
        return f"Say why in at least {MIN_REASON} characters; {len(reason)} are given."
    if len(reason) > MAX_REASON or "\x00" in reason:
        return f"At most {MAX_REASON} characters."
    return ""


@require_POST
@member_page("risk:write")
def lift(request: MemberRequest, halt_id: str) -> HttpResponse:
    """Let trading resume where one halt was."""
    reason = request.POST.get("reason", "").strip()
    message = _reason_error(reason)
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
            messages.success(request, "The halt is lifted; orders pass there again.")
        except Refused as refusal:
            if refusal.http_status == 404:
                raise
            message = refusal.detail
    if message:
        messages.error(request, f"Not lifted: {message}")
    return HttpResponseRedirect("/halt", status=303)


def _show(
    request: MemberRequest,
    form: dict[str, str],
    errors: dict[str, str] | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    def names(_: Shell) -> dict[str, Any]:
        return {
            "form": form,
            "errors": errors or {},
            "scopes": [(scope.value, label) for scope, label in SCOPES.items()],
            "states": [
                (HaltState.HALTED.value, "HALTED: no new order"),
                (HaltState.REDUCING.value, "REDUCING: only what makes a position smaller"),
            ],
        }

    return member_render(request, "portal/halt/index.html", names, scope="halt", status=status)
