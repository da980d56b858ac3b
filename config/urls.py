"""Every path of the web process. /stream/ is served by the stream process."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import include, path, re_path
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import RedirectView

from common.http.problems import not_found_response
from config import health, metrics
from config.api import api
from config.console.registry import platform_console


@csrf_exempt
def nothing_here(request: HttpRequest, *_: Any) -> HttpResponse:
    """Answer a path for programs that does not exist, in JSON whatever the method."""
    return not_found_response(request)


handler400 = "portal.views.errors.bad_request"
handler403 = "portal.views.errors.permission_denied"
handler404 = "portal.views.errors.page_not_found"
handler500 = "portal.views.errors.server_error"

urlpatterns = [
    path("", include("portal.urls")),
    path("api/v1/", api.urls),
    path("health/live", health.live),
    path("health/ready", health.ready),
    path("health/startup", health.startup),
    path("metrics", metrics.scrape),
    path("admin/login/", RedirectView.as_view(url="/login", query_string=True)),
    path("admin/", platform_console.urls),
    re_path(r"^(api|stream|health|hooks)(/|$)", nothing_here),
]
