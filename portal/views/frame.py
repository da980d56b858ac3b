"""Parts of the frame that change while a page stays open, and the state of the system."""

from typing import Any

from django.http import HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_safe

from portal.frame.health import health_of
from portal.frame.shell import Shell
from portal.middleware import asked_by_htmx
from portal.views.pages import MemberRequest, Part, member_page, member_render, now


@require_safe
@member_page("orders:read")
def frame(request: MemberRequest) -> HttpResponse:
    """Answer a part of the frame; it is no page of its own."""
    if not asked_by_htmx(request):
        return HttpResponseRedirect("/")

    def banner(shell: Shell) -> dict[str, Any]:
        return {"banner": shell.banner, "halts": shell.halts, "live": True}

    parts = {"banner": Part("portal/components/banner.html", banner)}
    return member_render(request, "portal/base.html", banner, scope="everywhere", parts=parts)


@require_safe
@member_page("orders:read")
def status(request: MemberRequest) -> HttpResponse:
    """Show the state of events, prices and broker sessions; the lights open it as a drawer."""

    def names(shell: Shell) -> dict[str, Any]:
        health = health_of(
            position=shell.cursor,
            instruments=shell.instruments,
            market=shell.market,
            accounts=shell.accounts,
            now=now(),
        )
        return {"health": health}

    parts = {"health-detail": Part("portal/status/_health.html", names)}
    return member_render(
        request, "portal/status/index.html", names, scope="everywhere", parts=parts
    )
