"""The two consoles: the platform's at the bare host, a firm's at its own host.

Both answer under /admin/ and both call their URLs ``admin:...``; which one a request meets is
decided by the URL configuration of its host, so a page of one cannot even be named at the other.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST
from unfold.sites import UnfoldAdminSite

from common.console.verbs import Verb

_SEARCH_RESULTS = 50
_SEARCH_SHORTEST = 2


class ConsoleSite(UnfoldAdminSite):  # type: ignore[misc]
    """An admin site whose permission is asked once per request and whose search keeps nothing."""

    enable_nav_sidebar = True

    def __init__(self, kind: str) -> None:
        super().__init__("admin")
        self.kind = kind
        self.verbs: dict[type[Model], list[Verb]] = {}
        self.pages: list[tuple[str, Callable[..., HttpResponse], str]] = []

    def offer(self, model: type[Model], *verbs: Verb) -> None:
        """Offer verbs on a model, which may be registered by an app further down."""
        self.verbs.setdefault(model, []).extend(verbs)

    def add_page(self, route: str, view: Callable[..., HttpResponse], name: str) -> None:
        """Add a page of the console's own, behind its permission."""
        self.pages.append((route, view, name))

    def get_urls(self) -> list[Any]:
        """Return the pages of the tables and the console's own."""
        own = [path(route, self.admin_view(view), name=name) for route, view, name in self.pages]
        return [*own, *super().get_urls()]

    def has_permission(self, request: HttpRequest) -> bool:
        """Whether the console opens; one look-up per request, however many tables ask."""
        known: dict[str, bool] = request.__dict__.setdefault("_console_opens", {})
        if self.kind not in known:
            known[self.kind] = bool(super().has_permission(request))
        return known[self.kind]

    def admin_view(
        self, view: Callable[..., HttpResponse], cacheable: bool = False
    ) -> Callable[..., HttpResponse]:
        """Guard a page: who is not logged in is sent to the shared login, others get a 403."""
        guarded = super().admin_view(view, cacheable)

        @wraps(view)
        def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not self.has_permission(request):
                if request.user.is_authenticated:
                    raise PermissionDenied
                return redirect_to_login(request.get_full_path(), settings.LOGIN_URL)
            return guarded(request, *args, **kwargs)  # type: ignore[no-any-return]

        return answer

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Send to the login page the portal and the consoles share."""
        return redirect_to_login(request.GET.get("next", self._home()), settings.LOGIN_URL)

    @method_decorator(require_POST)
    def logout(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """End the login and show the shared login page."""
        logout(request)
        return HttpResponseRedirect(settings.LOGIN_URL)

    def _home(self) -> str:
        return reverse("admin:index")

    def search(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Answer the palette.

        The library keeps results by person and word in a cache of the process; a person of two
        firms would be shown one firm's rows at the other. Here every answer is read anew.
        """
        word = request.GET.get("s", "").strip().lower()
        if not word:
            return HttpResponse()
        apps = self.get_app_list(request)
        results = self._search_apps([{**app, "models": list(app["models"])} for app in apps], word)
        extended = "extended" in request.GET
        if extended and len(word) >= _SEARCH_SHORTEST:
            option = (self._get_config("COMMAND", request) or {}).get("search_models")
            names = (self._get_value(option, request) or {}).get(self.kind, [])
            results += self._search_models(request, apps, word, names)
        page = Paginator(results[:_SEARCH_RESULTS], _SEARCH_RESULTS)
        return TemplateResponse(
            request,
            f"unfold/helpers/{'command' if extended else 'search'}_results.html",
            {
                "page_obj": page,
                "results": page.page(1),
                "page_counter": 0,
                "execution_time": 0,
                "command_show_history": False,
            },
            headers={"HX-Trigger": "search"},
        )


platform_console = ConsoleSite("platform")
firm_console = ConsoleSite("firm")
