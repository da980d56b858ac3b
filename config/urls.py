"""Every path of the web process. /stream/ is served by the stream process."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import path, re_path
from django.views.decorators.csrf import csrf_exempt

from common.http.problems import not_found_response
from config import health, metrics
from config.api import api
from config.landing import landing


@csrf_exempt
def nothing_here(request: HttpRequest, *_: Any) -> HttpResponse:
    """Answer a path for programs that does not exist, in JSON whatever the method."""
    return not_found_response(request)


admin.site.site_header = "Blotter platform"
admin.site.site_title = "Blotter platform"
admin.site.index_title = "Firms, people and schedules"

urlpatterns = [
    path("", landing),
    path("api/v1/", api.urls),
    path("health/live", health.live),
    path("health/ready", health.ready),
    path("health/startup", health.startup),
    path("metrics", metrics.scrape),
    path("admin/", admin.site.urls),
    re_path(r"^(api|stream|health|hooks)(/|$)", nothing_here),
]
