"""A page is the address of its parts: what htmx is answered, and what a browser is."""

import re

import pytest


@pytest.mark.parametrize(("path", "element"), [("/desk", "positions")])
def test_a_part_is_what_the_page_holds(at_desk, alice, market, path, element):
    market.show("100", "101")
    alice.placed(price="90", tif="GTC")
    browser = at_desk("alice")
    part = browser.part(path, element).content.decode()
    page = browser.get(path).content.decode()
    assert part.lstrip().startswith("<section")
    assert "<html" not in part
    assert f'id="{element}"' in part
    assert bare(part) in bare(page)


def bare(text):
    """Without the token of each form, which differs every time, and without indents."""
    return re.sub(r"\s+", " ", re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", text)).strip()


def test_pages_and_parts_are_kept_apart_by_caches(at_desk):
    browser = at_desk("alice")
    assert {"HX-Request", "HX-Target"} <= set(browser.get("/desk")["Vary"].split(", "))
    assert browser.part("/desk", "positions")["Cache-Control"] == "no-store"


def test_a_part_nobody_knows_is_told_in_a_toast(at_desk):
    answer = at_desk("alice").part("/desk", "nothing<b>")
    text = answer.content.decode()
    assert (answer.status_code, answer["HX-Retarget"]) == (404, "[data-toasts]")
    assert "no part named" in text
    assert "<b>" not in text
    assert "<html" not in text


def test_a_redirect_is_followed_by_the_page_and_not_by_the_panel(window, at_desk):
    gone = window().part("/desk", "positions")
    assert (gone.status_code, gone["HX-Redirect"]) == (204, "/login?next=%2Fdesk")
    alice = at_desk("alice")
    out = alice.part("/logout", "positions", method="post")
    assert (out.status_code, out["HX-Redirect"]) == (204, "/login")
    assert alice.get("/desk").status_code == 302


def test_the_token_in_the_head_of_a_request_is_enough_and_needed(at_desk):
    browser = at_desk("alice")
    assert browser.part("/preferences", "x", method="post", theme="light").status_code == 204
    browser.client.cookies.pop("csrftoken")
    assert browser.part("/preferences", "x", method="post", theme="light").status_code == 403
