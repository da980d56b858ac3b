"""The page at the root: what this is and where to go, until the trader's desk lives here."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe


@require_safe
def landing(request: HttpRequest) -> HttpResponse:
    """Show the firm of the host, or the platform."""
    return render(request, "landing.html", {"firm": getattr(request, "tenant", None)})
