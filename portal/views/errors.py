"""Pages for what cannot be shown: each says what happened and where to go next."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from common.errors import Forbidden, Refused
from common.http.middleware import for_machines
from common.http.problems import not_found_response, refused_response
from portal.frame.preferences import preferences_of
from portal.middleware import asked_by_htmx


def error_page(request: HttpRequest, status: int, title: str, detail: str) -> HttpResponse:
    """Answer with the one error page there is; where a part was asked for, with a toast."""
    names = {
        "status": status,
        "title": title,
        "detail": detail,
        "request_id": getattr(request, "request_id", ""),
        "prefs": preferences_of(request.COOKIES),
        "member": getattr(request, "actor", None) is not None,
    }
    if asked_by_htmx(request):
        answer = render(request, "errors/_toast.html", names, status=status)
        answer["HX-Retarget"] = "[data-toasts]"
        answer["HX-Reswap"] = "beforeend"
        return answer
    return render(request, "errors/error.html", names, status=status)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without its token: the page was open too long, or another site sent it."""
    del reason
    detail = "This form came without its token. Go back, load the page again and send it anew."
    return error_page(request, 403, "The form was not accepted", detail)


class BadRequest(Refused):
    """What was sent is no request we can read."""

    code = "bad_request"
    http_status = 400
    title = "The request could not be read"


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """What came was too large or broken."""
    del exception
    return _refused(request, BadRequest("The browser sent something that is no form of this page."))


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Logged in, but the role does not reach this far: the console, for most."""
    del exception
    place = "the console" if request.path.startswith("/admin/") else "this page"
    detail = f"Your role does not open {place}. An owner or admin of the firm can change it."
    return _refused(request, Forbidden(detail))


def _refused(request: HttpRequest, refusal: Refused) -> HttpResponse:
    if for_machines(request.path):
        return refused_response(request, refusal)
    return error_page(request, refusal.http_status, refusal.title, refusal.detail)


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Nothing at this address; programs get theirs in JSON."""
    del exception
    if for_machines(request.path):
        return not_found_response(request)
    return error_page(request, 404, "Nothing is here", "The address leads to no page of this host.")


def server_error(request: Any) -> HttpResponse:
    """We failed; the id finds the reason in the log."""
    detail = "The fault is ours and has been logged under the id below. Nothing was half done."
    return error_page(request, 500, "Something went wrong", detail)


class MethodPageMiddleware:
    """Say in words what Django answers with nothing: the address takes no such request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request."""
        response = self.get_response(request)
        bare = response.status_code == 405 and not getattr(response, "content", b"-")
        if not bare or for_machines(request.path) or request.method == "HEAD":
            return response
        page = error_page(
            request,
            405,
            "This address takes no such request",
            "It belongs to a form: open the page the form is on, and send it from there.",
        )
        page["Allow"] = response["Allow"]
        return page
