"""The paths at a firm's host while /admin/ is asked for: the firm's console in place of ours."""

from django.urls import URLResolver, path

from config import urls
from config.console.registry import firm_console


def _is_console(entry: object) -> bool:
    return isinstance(entry, URLResolver) and entry.app_name == "admin"


handler400 = urls.handler400
handler403 = urls.handler403
handler404 = urls.handler404
handler500 = urls.handler500

urlpatterns = [
    path("admin/", firm_console.urls),
    *(entry for entry in urls.urlpatterns if not _is_console(entry)),
]
