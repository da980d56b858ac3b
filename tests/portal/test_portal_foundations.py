"""Policy, templates, contrast and vendored files: what every later page stands on."""

import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.template.loader import render_to_string

from portal.badges import status_badge
from portal.frame.keys import KEYS
from portal.frame.navigation import PLACES
from portal.middleware import policy_of
from trading.vocabulary import OrdStatus

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted(
    path
    for path in (ROOT / "templates").rglob("*.html")
    if "admin" not in path.relative_to(ROOT).parts
)
VENDOR = ROOT / "static" / "vendor"


# --- policy


def test_pages_run_their_own_scripts_and_styles_only(window):
    for answer in (window().get("/login"), window("alice").get("/desk"), window().get("/nothing")):
        policy = answer["Content-Security-Policy"]
        assert "script-src 'self'" in policy
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer["Referrer-Policy"] == "same-origin"


def test_the_admin_alone_is_looser():
    assert "'unsafe-eval'" in policy_of("/admin/oms/order/", secure=False)
    assert "unsafe" not in policy_of("/administration", secure=False)
    assert "upgrade-insecure-requests" in policy_of("/desk", secure=True)


# --- vendored files


def test_vendored_files_are_those_of_the_manifest():
    manifest = json.loads((VENDOR / "manifest.json").read_text())
    listed = {path: one["sha256"] for entry in manifest for path, one in entry["files"].items()}
    assert all(entry["licence"] and entry["version"] for entry in manifest)
    present = {
        str(path.relative_to(VENDOR)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.glob("*/*")
        if path.is_file() and path.parent.name != "__pycache__"
    }
    assert present == listed


# --- contrast

GROUNDS = ("bg", "surface", "raised", "overlay")
TEXT = ("text", "muted", "faint", "accent", "up", "down", "buy", "sell", "warn", "unknown", "live",
        "paper")  # fmt: skip
PAIRS = [("on-up", "up"), ("on-down", "down"), ("on-accent", "accent"), ("on-live", "live"),
         ("on-halt", "halt"), ("on-paper", "paper"), ("up", "up-soft"), ("down", "down-soft"),
         ("warn", "warn-soft"), ("unknown", "unknown-soft"), ("accent", "info-soft"),
         ("text", "up-soft"), ("text", "down-soft"), ("text", "warn-soft"),
         ("muted", "down-soft")]  # fmt: skip


def themes():
    """Token values by (theme, palette of money)."""
    text = (ROOT / "static/css/tokens.css").read_text()
    blocks = re.findall(r"((?::root(?:\[[^\]]+\])*))\s*\{([^}]*)\}", text)
    found = {}
    for selector, body in blocks:
        colours = dict(re.findall(r"--([\w-]+):\s*(#[0-9a-f]{6})", body))
        theme = re.search(r'data-theme="(\w+)"', selector)
        money = re.search(r'data-money="([\w-]+)"', selector)
        if theme:
            key = (theme[1], money[1] if money else "green-red")
            found[key] = {**found.get((theme[1], "green-red"), {}), **colours}
    return found


def luminance(colour):
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_the_formula_is_that_of_wcag():
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_all_themes_and_palettes_are_read():
    assert set(themes()) == {
        (theme, money)
        for theme in ("dark", "light")
        for money in ("green-red", "blue-orange", "red-green")
    }


@pytest.mark.parametrize("key", list(themes()), ids="-".join)
def test_text_is_readable_on_every_ground(key):
    tokens = themes()[key]
    pairs = [(text, ground) for text in TEXT for ground in GROUNDS] + PAIRS
    pairs += [(text, row) for text in TEXT if text != "faint" for row in ("sel", "hover", "flash")]
    weak = {
        f"{text} on {ground}": round(ratio, 2)
        for text, ground in pairs
        if (ratio := contrast(tokens[text], tokens[ground])) < 4.5
    }
    assert weak == {}


@pytest.mark.parametrize("key", list(themes()), ids="-".join)
def test_borders_of_fields_are_visible(key):
    tokens = themes()[key]
    for ground in ("surface", "raised", "bg"):
        assert contrast(tokens["line-strong"], tokens[ground]) >= 3.0, ground


# --- templates

FORBIDDEN = {
    "inline style": r"\sstyle=",
    "style element": r"<style\b",
    "handler": r"\son[a-z]+=",
    "script body": r"<script(?![^>]*\ssrc=)[^>]*>",
    "javascript address": r"javascript:",
    "html from data": r"autoescape off|x-html",
    "htmx code": r"hx-on|hx-[\w:-]+=['\"]\s*(?:js|javascript):|js:|hx-trigger=\"[^\"]*\[",
    "htmx stream of its own": r"hx-sse|hx-ws|sse-connect",
    # A link that is followed on purpose, which the licence of the chart library asks for.
    "other origin": r"(?:src|href)=\"(?!https://www\.tradingview\.com/\")(?:https?:)?//",
    "emoji": "[\U0001f000-\U0001faff\u2600-\u263d\u263f-\u27bf\ufe0f]",
}


@pytest.mark.parametrize(
    "path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates"))
)
def test_templates_keep_the_rules(path):
    text = path.read_text()
    markup = re.sub(r"\{[%{].*?[%}]\}", "", text) + text.partition("autoescape off")[1]
    broken = {name: hit[0] for name, rule in FORBIDDEN.items() if (hit := re.search(rule, markup))}
    assert broken == {}
    assert "|safe" not in text
    if path.parent.name == "components":
        assert re.match(r"\{% comment %\}\w+: ", text), "a component says its parameters first"


class Outline(HTMLParser):
    """What the rules of a whole page are about."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.labels, self.controls, self.tags, self.html = [], set(), [], [], {}
        self.in_label = 0
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.tags.append(tag)
        if tag == "html":
            self.html = given
        if "id" in given:
            self.ids.append(given["id"])
        if tag == "label":
            self.in_label += 1
            self.labels.add(given.get("for"))
        if tag in {"input", "select", "textarea"} and given.get("type") != "hidden":
            named = bool(self.in_label) or "aria-label" in given
            self.controls.append((given.get("name") or given.get("id"), given.get("id"), named))

    def handle_endtag(self, tag):
        self.in_label -= tag == "label"


def pages(window, settings):
    settings.OMS_STYLEGUIDE = True
    owner, bare = window("olivia"), window(host="localhost")
    yield "login", window().get("/login")
    yield "landing", bare.get("/")
    bare.log_in("alice@acme.test")
    yield "tenants", bare.get("/tenants")
    for path in ("/desk", "/orders", "/halt", "/status", "/styleguide", "/nothing"):
        yield path, owner.get(path)


def test_whole_pages_have_one_heading_labels_and_a_language(window, desk, settings):
    for name, answer in pages(window, settings):
        outline = Outline(answer.content.decode())
        assert outline.html.get("lang") == "en", name
        assert outline.tags.count("h1") == 1, name
        assert outline.tags.count("main") == 1, name
        assert len(outline.ids) == len(set(outline.ids)), (name, outline.ids)
        unlabelled = [c for c in outline.controls if not c[2] and c[1] not in outline.labels]
        assert unlabelled == [], name


def test_the_styleguide_is_no_page_of_production(window, settings):
    settings.OMS_STYLEGUIDE = settings.DEBUG = False
    assert window().get("/styleguide").status_code == 404
    settings.OMS_STYLEGUIDE = True
    for theme in ("dark", "light"):
        for density in ("compact", "normal", "roomy"):
            page = window().get(f"/styleguide?theme={theme}&density={density}").content.decode()
            assert f'data-theme="{theme}"' in page
            assert f'data-density="{density}"' in page


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
def test_the_styleguide_shows_every_component_in_both_directions(window, settings, direction):
    settings.OMS_STYLEGUIDE = True
    page = window().get(f"/styleguide?dir={direction}").content.decode()
    assert f'dir="{direction}"' in page
    for state in ("loading", "ready", "empty", "stale", "offline", "error", "forbidden"):
        assert f'class="bl-panel" data-state="{state}"' in page
    for block in ("badge", "banner", "field", "light", "bar", "palette__item", "keys", "state",
                  "input", "summary", "toast", "tabs", "timeline", "diff", "halt", "health", "time",
                  "choice", "table", "side", "skeleton", "icon", "dialog"):  # fmt: skip
        assert f"bl-{block}" in page, block


def state_of(**names):
    return render_to_string("portal/components/panel_state.html", names)


def test_a_panel_says_what_why_and_what_next_in_each_state():
    empty = state_of(state="empty", title="No order", says="None came.", href="/desk", next="Desk")
    assert '<a href="/desk">Desk</a>' in empty
    assert 'role="status"' in state_of(state="loading")
    error = state_of(state="error", title="Not read", says="Late.", code="timeout", request_id="r1")
    assert 'role="alert"' in error
    assert "timeout \u00b7 request r1" in error
    forbidden = state_of(state="forbidden", title="No", says="Not yours.", role="trader")
    assert "needs the role trader: ask an owner or admin" in forbidden
    assert "<b>" not in state_of(state="empty", title="<b>", says="<b>")


def test_a_status_is_told_by_shape_and_word_alone():
    order = {"cum_qty": "40", "order_qty": "100", "text": "", "ord_rej_reason": None}
    told = [status_badge({**order, "ord_status": one.value}) for one in OrdStatus]
    seen = {(badge.mark, badge.word) for badge in told}
    assert len(seen) == len(told)
    assert len({badge.mark for badge in told}) == len(told), "a grey print tells them apart"
    assert all(badge.mark and badge.word for badge in told)


# --- keys and places


def test_no_scope_binds_a_key_twice():
    for scope in {key.scope for key in KEYS}:
        bound = [key.keys for key in KEYS if key.scope in (scope, "everywhere")]
        assert len(bound) == len(set(bound)), scope
        starts = [key.split()[0] for key in bound if " " in key]
        assert not set(starts) & set(bound), "a key alone would hide its sequences"


def test_places_lead_to_pages(window, desk):
    owner = window("olivia")
    for place in PLACES:
        if place.path != "/admin/":
            assert owner.get(place.path).status_code == 200, place
