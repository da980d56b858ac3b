"""What axe-core finds on every page of the frame: nothing, in either theme.

axe-core (MPL-2.0) comes inside the package axe-playwright-python and serves these tests alone.
"""

import pytest

from tests.e2e.conftest import playwright_api
from tests.e2e.test_shell import is_live, nobody

axe_api = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="axe is not installed: run `make e2e`"
)
expect = playwright_api.expect

pytestmark = pytest.mark.timeout(300)

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
PAGES = ("/desk", "/orders", "/halt", "/status", "/nothing")


def faults(tab, where: str) -> list[str]:
    """One line per broken rule."""
    found = axe_api.Axe().run(tab, options={"runOnly": RULES}).response["violations"]
    return [f"{where}: {one['id']} {one['nodes'][0]['html'][:160]}" for one in found]


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_pages_and_dialogs_break_no_rule(running, log_in, theme):
    person = log_in("olivia@acme.test")
    person.watch.is_cut = True  # the page that is not there writes a line into the console
    person.context.add_cookies([{"name": "bl_theme", "value": theme, "url": person.url}])
    broken = []
    tab = person.open("/orders")
    for path in PAGES:
        tab.goto(f"{person.url}{path}", wait_until="load")
        if path != "/nothing":
            is_live(tab)
        broken += faults(tab, path)
    tab.goto(f"{person.url}/status")
    is_live(tab)
    for key, dialog in (("Control+k", "palette"), ("?", "keys"), ("Shift+H", "halt")):
        tab.keyboard.press(key)
        if dialog == "halt":
            tab.keyboard.press(key)
        expect(tab.locator(f"#{dialog}")).to_be_visible()
        broken += faults(tab, dialog)
        tab.keyboard.press("Escape")
        expect(tab.locator(f"#{dialog}")).to_be_hidden()
    person.watch.complaints = [one for one in person.watch.complaints if "404" not in one]
    assert broken == []


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_login_breaks_no_rule(running, chrome, line, theme):
    with nobody(chrome, line) as tab:
        tab.context.add_cookies([{"name": "bl_theme", "value": theme, "url": tab.url}])
        tab.reload()
        assert faults(tab, "login") == []
