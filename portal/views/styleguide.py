"""Every component in every state, for whoever builds pages. Not served in production."""

from typing import Any

from django.conf import settings
from django.contrib.messages import constants
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from portal.badges import Badge, status_badge
from portal.health import Light
from portal.preferences import CHOICES
from portal.shell import Banner
from portal.views.errors import page_not_found
from portal.views.pages import bare_render
from trading.vocabulary import OrdStatus

PANEL_STATES = ("loading", "ready", "empty", "stale", "offline", "error", "forbidden")


@require_safe
def styleguide(request: HttpRequest) -> HttpResponse:
    """Show the components; ``?theme=`` and ``?density=`` override the cookies for this page."""
    if not (settings.DEBUG or settings.OMS_STYLEGUIDE):
        return page_not_found(request)
    for name, words in CHOICES.items():
        if request.GET.get(name) in words:
            request.COOKIES[f"bl_{name}"] = request.GET[name]
    return bare_render(request, "portal/styleguide.html", _samples())


def _samples() -> dict[str, Any]:
    order = {"cum_qty": "40", "order_qty": "100", "text": "", "ord_rej_reason": "RISK"}
    return {
        "panel_states": PANEL_STATES,
        "badges": [status_badge({**order, "ord_status": one.value}) for one in OrdStatus]
        + [Badge("?", "unknown", "unknown", "the outcome is unknown")],
        "banners": [
            Banner("paper", "PAPER P-1", "orders stay in the simulated venue"),
            Banner("live", "LIVE U7", "orders go to the market"),
            Banner("halted", "HALTED", "the whole firm by olivia: prices look wrong"),
            Banner("none", "NO ACCOUNT", "an admin of the firm opens one"),
        ],
        "lights": [
            Light("app", "App", "ok", "live", "in step"),
            Light("feed", "Feed", "warn", "reconnecting 3 s", "a pause"),
            Light("broker", "Broker", "off", "down since 14:02:11", "no session"),
        ],
        "levels": constants.DEFAULT_TAGS.values(),
        "choices": CHOICES,
        "styleguide": True,
    }
