"""The frame without a mouse and on a phone: focus, combobox, targets, nothing too wide."""

import pytest

from tests.e2e.conftest import WINDOW, playwright_api
from tests.e2e.test_shell import is_live

expect = playwright_api.expect

pytestmark = pytest.mark.timeout(300)

PHONE = {"width": 390, "height": 844}


@pytest.mark.parametrize("path", ["/desk", "/orders", "/halt", "/status"])
def test_on_a_phone_everything_is_within_the_thumb_and_nothing_is_wider_than_the_page(
    running, log_in, path
):
    person = log_in("olivia@acme.test")
    tab = person.open(path)
    tab.set_viewport_size(PHONE)
    is_live(tab)
    halt = tab.locator(".bl-top [data-act=halt]")
    expect(halt).to_be_in_viewport()
    for target in (halt, tab.locator(".bl-rail__more"), tab.locator(".bl-rail a:visible").first):
        box = target.bounding_box()
        assert min(box["width"], box["height"]) >= 44, box
    tab.locator(".bl-rail__more").click()
    expect(tab.locator("#more")).to_be_visible()
    expect(tab.locator("#more a", has_text="Halts")).to_be_in_viewport()
    tab.keyboard.press("Escape")
    for width in (PHONE["width"], 320):
        tab.set_viewport_size({"width": width, "height": 844})
        wide = tab.evaluate("document.scrollingElement.scrollWidth")
        assert wide <= width, (width, wide)


def test_the_focus_is_always_seen_and_never_under_the_frame(running, log_in):
    """Walk the page by Tab: each stop shows its outline, and is not covered (2.4.11)."""
    tab = log_in("alice@acme.test").open("/halt")
    tab.set_viewport_size(WINDOW)
    is_live(tab)
    names = []
    for _ in range(24):
        tab.keyboard.press("Tab")
        told = tab.evaluate(
            """() => {
              const it = document.activeElement;
              if (it === document.body) return null;
              const box = it.getBoundingClientRect();
              const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
              const drawn = (one) => getComputedStyle(one).outlineStyle !== "none"
                || getComputedStyle(one).boxShadow !== "none";
              return {
                name: it.getAttribute("aria-label") || it.innerText || it.name || it.id,
                seen: drawn(it) || (it.nextElementSibling && drawn(it.nextElementSibling)),
                covered: !(top && (it.contains(top) || top.contains(it))),
              };
            }"""
        )
        if told is None:
            break
        names.append(told["name"])
        assert told["seen"], told
        assert not told["covered"], told
    assert names[0] == "Skip to the page"
    assert "Halt trading" in names, names


def test_the_whole_halt_is_made_with_keys_alone(running, log_in):
    """Up to the last press: the dialog opens, is walked and left, and nothing is halted."""
    tab = log_in("alice@acme.test").open("/desk")
    is_live(tab)
    tab.keyboard.press("Shift+H")
    tab.keyboard.press("Shift+H")
    expect(tab.locator("#halt button[type=submit]")).to_be_focused()
    tab.keyboard.press("Shift+Tab")
    expect(tab.locator("#halt button", has_text="Keep trading")).to_be_focused()
    tab.keyboard.press("Enter")
    expect(tab.locator("#halt")).to_be_hidden()
    assert running.client("acme").get("/risk/halts").body["items"] == []


def test_the_palette_is_a_combobox(running, log_in):
    tab = log_in("alice@acme.test").open("/orders")
    is_live(tab)
    tab.keyboard.press("Control+k")
    field = tab.get_by_role("combobox", name="Symbol, order id, page or command")
    expect(field).to_be_focused()
    first = field.get_attribute("aria-activedescendant")
    tab.keyboard.press("ArrowDown")
    assert field.get_attribute("aria-activedescendant") != first
    expect(tab.locator("#palette [aria-selected=true]")).to_have_count(1)
    tab.keyboard.type("spx")
    expect(tab.locator("#palette-found [role=option]")).to_have_text(["SPXS&P 500"])
    tab.locator("#palette-found [role=option]").click()
    tab.wait_for_url("**/desk?symbol=SPX")
    is_live(tab)
    tab.keyboard.press("Control+k")
    expect(tab.locator("[data-group=recent] [role=option]").first).to_have_text("SPX")
    tab.keyboard.type("light")
    tab.keyboard.press("Enter")
    expect(tab.locator("html")).to_have_attribute("data-theme", "light")
