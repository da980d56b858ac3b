"""How the two consoles under /admin/ look: the brand's colours, their names and their menus."""

from typing import Any

_BASE = {
    "50": "#f4f6f9",
    "100": "#eef2f7",
    "200": "#dfe5ec",
    "300": "#a3b0bf",
    "400": "#8391a3",
    "500": "#5b6878",
    "600": "#475465",
    "700": "#334154",
    "800": "#243040",
    "900": "#11171f",
    "950": "#0b0f14",
}
_PRIMARY = {
    "50": "#eef6ff",
    "100": "#dcebfd",
    "200": "#bcdafb",
    "300": "#94c6ff",
    "400": "#6cb2ff",
    "500": "#2f86ea",
    "600": "#0b5fcc",
    "700": "#0a51ad",
    "800": "#0c4389",
    "900": "#0d376d",
    "950": "#0a2344",
}

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "config.console.frame.title",
    "SITE_HEADER": "config.console.frame.title",
    "SITE_SUBHEADER": "config.console.frame.subtitle",
    "STYLES": ["config.console.frame.styles"],
    "SITE_URL": "/",
    "SITE_ICON": "config.console.frame.logo",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": "config.console.frame.logo"}
    ],
    "SHOW_HISTORY": "config.console.frame.keeps_history",
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "ENVIRONMENT": "config.console.frame.environment",
    "DASHBOARD_CALLBACK": "config.console.dashboard.dashboard",
    "BORDER_RADIUS": "6px",
    "COLORS": {
        "base": _BASE,
        "primary": _PRIMARY,
        "font": {
            "subtle-light": "var(--color-base-500)",
            "subtle-dark": "var(--color-base-400)",
            "default-light": "var(--color-base-600)",
            "default-dark": "var(--color-base-300)",
            "important-light": "#121922",
            "important-dark": "#e6ebf1",
        },
    },
    "COMMAND": {
        "search_models": "config.console.frame.searched",
        "show_history": False,
    },
    "SIDEBAR": {
        "show_search": True,
        "command_search": True,
        "show_all_applications": False,
        "navigation": "config.console.frame.navigation",
    },
}
