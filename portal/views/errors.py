"""Pages for what cannot be shown: each says what happened and where to go next."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from common.http.middleware import for_machines
from common.http.problems import not_found_response
from portal.middleware import asked_by_htmx
from portal.preferences import preferences_of


def error_page(request: HttpRequest, status: int, title: str, detail: str) -> HttpResponse:
    """Answer with the one error page there is; where a part was asked for, with a toast."""
    names = {
        "status": status,
        "title": title,
        "detail": detail,
        "request_id": getattr(request, "request_id", ""),
        "prefs": preferences_of(request.COOKIES),
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
