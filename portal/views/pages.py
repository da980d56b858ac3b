"""How a page is made: who may open it, with the firm bound, in the frame everybody sees."""

from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime
from functools import wraps
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.models import Membership
from common.actor import Actor
from common.errors import Refused
from portal.preferences import preferences_of
from portal.shell import ACCOUNT_KEY, shell_for
from portal.views.errors import error_page
from tenants.binding import tenant_bound
from tenants.models import Tenant

if TYPE_CHECKING:

    class MemberRequest(HttpRequest):
        """A request of somebody who is logged in at their firm's host."""

        actor: Actor
        tenant: Tenant
        membership: Membership
        request_id: str

else:
    MemberRequest = HttpRequest

View = Callable[..., HttpResponse]


def now() -> datetime:
    """The edge reads the clock."""
    return datetime.now(UTC)


def member_page(scope: str) -> Callable[[View], View]:
    """Guard a view: logged in at this firm's host, holding ``scope``; refusals become pages."""

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
            if getattr(request, "actor", None) is None:
                return to_login(request)
            try:
                request.actor.require(scope)
                return view(request, *args, **kwargs)
            except Refused as refusal:
                return error_page(request, refusal.http_status, refusal.title, refusal.detail)

        return guarded

    return guard


def to_login(request: HttpRequest) -> HttpResponse:
    """Send somebody to the login; after it they come back to a page, never to a write."""
    target = request.get_full_path() if request.method in ("GET", "HEAD") else "/"
    return HttpResponseRedirect("/login?" + urlencode({"next": target}))


def safe_next(request: HttpRequest, default: str = "/") -> str:
    """Return the path a form asked to go to next, if it lies on this host."""
    target = request.POST.get("next") or request.GET.get("next") or default
    safe = url_has_allowed_host_and_scheme(target, allowed_hosts=None)
    return target if safe and target.startswith("/") else default


def member_render(
    request: MemberRequest,
    template: str,
    make: Callable[[Any], dict[str, Any]],
    *,
    scope: str,
    status: int = 200,
) -> HttpResponse:
    """Render a page in its frame; ``make`` gets the frame and returns the page's own names.

    Everything is read in one transaction with the firm bound, rendering included.
    """
    bound = (
        nullcontext() if request.method in ("GET", "HEAD") else tenant_bound(request.actor.schema)
    )
    with bound:
        moment = now()
        shell = shell_for(
            request.actor, chosen=request.session.get(ACCOUNT_KEY), scope=scope, now=moment
        )
        names = {
            "shell": shell,
            "firm": request.tenant,
            "membership": request.membership,
            "prefs": preferences_of(request.COOKIES),
            "now": moment,
            **make(shell),
        }
        return render(request, template, names, status=status)


def bare_render(
    request: HttpRequest, template: str, names: dict[str, Any], status: int = 200
) -> HttpResponse:
    """Render a page without a frame: login, chooser, landing."""
    names = {
        "prefs": preferences_of(request.COOKIES),
        "firm": getattr(request, "tenant", None),
        **names,
    }
    return render(request, template, names, status=status)
