"""What a browser may load from our pages, how parts of them travel, whose login counts where."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_cache_control, patch_vary_headers

from accounts.services import actor_of
from accounts.sessions import membership_at, opened_here
from common.http.middleware import for_machines

_COMMON = (
    "default-src 'none'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; "
    "worker-src 'self'; manifest-src 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'self'"
)
STRICT = f"{_COMMON}; script-src 'self'; style-src 'self'"
# The admin's theme compiles expressions and sets styles: it gets that much more, and it alone.
ADMIN = f"{_COMMON}; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'"
_ABILITIES = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


def policy_of(path: str, *, secure: bool) -> str:
    """Return the Content-Security-Policy of a page."""
    policy = ADMIN if path.startswith("/admin/") else STRICT
    return f"{policy}; upgrade-insecure-requests" if secure else policy


class ContentPolicyMiddleware:
    """Set the content policy on every answer that people read."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request; an answer that brings its own policy keeps it."""
        response = self.get_response(request)
        if not for_machines(request.path):
            policy = policy_of(request.path, secure=request.is_secure())
            response.headers.setdefault("Content-Security-Policy", policy)
            response.headers.setdefault("Permissions-Policy", _ABILITIES)
        return response


class WholeTextMiddleware:
    """Refuse forms and addresses with NUL characters: no keyboard types one, no database keeps one.

    The API's doors say so field by field; a page answers that this is no form of its own.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request. :raises BadRequest: for a text with a NUL."""
        if not for_machines(request.path):
            said = [request.path]
            for given in (request.GET, request.POST):
                said += [text for name, texts in given.lists() for text in (name, *texts)]
            if any("\x00" in text for text in said):
                raise BadRequest("a NUL character")
        return self.get_response(request)


class PartMiddleware:
    """Let htmx follow a redirect as a browser does, and keep parts apart from pages in caches.

    A redirect that ``fetch`` follows would put a whole page into a panel. To htmx it becomes an
    empty answer that names the place, so every view may redirect without asking who calls.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request."""
        response = self.get_response(request)
        if for_machines(request.path):
            return response
        if asked_by_htmx(request) and "Location" in response.headers:
            to = HttpResponse(status=204, headers={"HX-Redirect": response.headers["Location"]})
            to.cookies = response.cookies
            response = to
        if response.headers.get("Content-Type", "").startswith("text/html"):
            patch_vary_headers(response, ["HX-Request", "HX-Target"])
        if asked_by_htmx(request):
            patch_cache_control(response, no_store=True)
        return response


def asked_by_htmx(request: HttpRequest) -> bool:
    """Whether htmx asks for a part of a page. When it replaces the whole of one, it does not."""
    return (
        request.headers.get("HX-Request") == "true"
        and request.headers.get("HX-Request-Type") == "partial"
    )


class FirmLoginMiddleware:
    """Make a login count only at the host it was made at, and say who it is there.

    A session cookie that turns up at another firm's host is nobody's. At a firm's host the person
    must still be an active member; ``request.actor`` is then what the services take.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponseBase:
        """Answer the request as the person who is logged in here, or as nobody."""
        if for_machines(request.path):
            return self.get_response(request)
        request.membership = None
        if request.user.is_authenticated:
            self._recognise(request)
        return self.get_response(request)

    def _recognise(self, request: Any) -> None:
        tenant = getattr(request, "tenant", None)
        here = opened_here(request.session, tenant)
        if here and tenant is not None:
            request.membership = membership_at(request.user, tenant)
            here = request.membership is not None
        if not here:
            request.user = AnonymousUser()
            return
        if request.membership is not None:
            request.actor = actor_of(request.membership)
