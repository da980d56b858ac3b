"""How a page is made: who may open it, with the firm bound, in the frame everybody sees.

A page is also the address of its parts: a request of htmx for the element ``#positions`` of
``/desk`` is answered with that part alone, everything else with the page.
"""

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.messages import constants
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.models import Membership
from common.actor import Actor
from common.errors import NotFound, Refused, Unauthenticated
from common.http.problems import refused_response
from portal.frame.preferences import preferences_of
from portal.frame.shell import ACCOUNT_KEY, Shell, shell_for
from portal.middleware import asked_by_htmx
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
LEVELS = {word: number for number, word in constants.DEFAULT_TAGS.items()}
Make = Callable[[Any], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a page: its template, and what makes the names it needs beside the frame's."""

    template: str
    make: Make


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


def member_data(scope: str) -> Callable[[View], View]:
    """Guard a view that pages' scripts read: as ``member_page``, but refusals are problems."""

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
            try:
                if getattr(request, "actor", None) is None:
                    raise Unauthenticated("Your login has ended; log in again.")
                request.actor.require(scope)
                return view(request, *args, **kwargs)
            except Refused as refusal:
                return refused_response(request, refusal)

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
    make: Make,
    *,
    scope: str,
    status: int = 200,
    parts: Mapping[str, Part] | None = None,
) -> HttpResponse:
    """Render a page in its frame; ``make`` gets the frame and returns the page's own names.

    ``parts`` are the pieces that htmx may ask for, by the id of the element they replace. The
    frame of a part is only read if its template or its ``make`` looks at it. Everything is read in
    one transaction with the firm bound, rendering included.

    :raises NotFound: if htmx asks for a part the page does not have.
    """
    bound = (
        nullcontext() if request.method in ("GET", "HEAD") else tenant_bound(request.actor.schema)
    )
    prefs = preferences_of(request.COOKIES)
    with bound, timezone.override(prefs.shown_zone):
        moment = now()

        def frame() -> Shell:
            chosen = request.session.get(ACCOUNT_KEY)
            return shell_for(request.actor, chosen=chosen, scope=scope, now=moment)

        shell: Any
        if asked_by_htmx(request):
            part = part_asked_for(request, parts or {})
            template, make, shell = part.template, part.make, SimpleLazyObject(frame)
        else:
            shell = frame()
        names = {
            "shell": shell,
            "firm": request.tenant,
            "membership": request.membership,
            "prefs": prefs,
            "now": moment,
            **make(shell),
        }
        return render(request, template, names, status=status)


def told(request: HttpRequest, level: str, text: str, *, to: str, event: str = "") -> HttpResponse:
    """Answer a write that is done (or refused as a whole) with a sentence.

    A form of htmx stays where it is: the sentence becomes a toast, and ``event`` is fired on the
    form. A plain form goes on to ``to``, where the sentence is shown.
    """
    if not asked_by_htmx(request):
        messages.add_message(request, LEVELS[level], text)
        return HttpResponseRedirect(to, status=303)
    status = 422 if level == "error" else 200
    answer = render(request, "portal/components/toast.html", {"level": level, "text": text},
                    status=status)  # fmt: skip
    answer["HX-Retarget"] = "[data-toasts]"
    answer["HX-Reswap"] = "beforeend"
    if event:
        answer["HX-Trigger"] = event
    return answer


def part_asked_for(request: HttpRequest, parts: Mapping[str, Part]) -> Part:
    """Return the part whose element htmx is going to replace.

    :raises NotFound: if there is none.
    """
    element = request.headers.get("HX-Target", "").partition("#")[2]
    if element not in parts:
        raise NotFound(f"This page has no part named {element[:40]!r}; load the page again.")
    return parts[element]


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
