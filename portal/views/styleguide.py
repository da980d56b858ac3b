"""Every component in every state, for whoever builds pages. Not served in production."""

import re
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.contrib.messages import constants
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from common.actor import system_actor
from portal.badges import Badge, status_badge
from portal.frame.halting import Effect, halting_of
from portal.frame.health import MARKS, Light
from portal.frame.keys import KEYS
from portal.frame.preferences import CHOICES
from portal.frame.shell import Banner
from portal.views.errors import page_not_found
from portal.views.pages import bare_render
from trading.vocabulary import OrdStatus

DIRECTIONS = ("ltr", "rtl")
ICONS = re.compile(r'<symbol id="(\w+)"')
MOMENT = datetime(2026, 11, 20, 14, 2, 11, 482_000, tzinfo=UTC)
_SAMPLE = system_actor("", "styleguide")
PANEL_STATES = ("loading", "ready", "empty", "stale", "offline", "error", "forbidden")


@require_safe
def styleguide(request: HttpRequest) -> HttpResponse:
    """Show the components; ``?theme=``, ``?density=`` and ``?dir=`` count for this page alone."""
    if not (settings.DEBUG or settings.OMS_STYLEGUIDE):
        return page_not_found(request)
    for name, words in CHOICES.items():
        if request.GET.get(name) in words:
            request.COOKIES[f"bl_{name}"] = request.GET[name]
    asked = request.GET.get("dir")
    names = _samples() | {"dir": asked if asked in DIRECTIONS else DIRECTIONS[0]}
    return bare_render(request, "portal/styleguide.html", names)


def _effect() -> Effect:
    return Effect(
        where="account P-1", halted=True, working=12, unknown=1, cancels=False, present=None
    )


def _health() -> dict[str, Any]:
    def row(state: str, **names: Any) -> dict[str, Any]:
        return {"state": state, "mark": MARKS[state], **names}

    return {
        "position": 18442,
        "feeds": [
            row("ok", symbol="SPX", feed="replay", simulated=True, says="live", at=MOMENT),
            row("off", symbol="IXIC", feed="none", simulated=False, says="no price yet", at=None),
        ],
        "brokers": [
            row("warn", account="P-1", connection="paper", says="connecting", since=MOMENT,
                reason="the session is new"),
        ],
    }  # fmt: skip


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
        "directions": DIRECTIONS,
        "moment": MOMENT,
        "amounts": [("a gain", "1234.5"), ("a loss", "-1234.5"), ("nothing", "0")],
        "halting": halting_of(_SAMPLE, None, (), ()) | {"effect": _effect()},
        "health": _health(),
        "keys": KEYS[:6],
        "icons": ICONS.findall((settings.BASE_DIR / "static/icons/sheet.svg").read_text()),
        "levels": constants.DEFAULT_TAGS.values(),
        "choices": CHOICES,
        "styleguide": True,
    }
