"""What cannot be shown is a page that says what, why and what to do."""

import re
from html import unescape

import pytest
from django.test import RequestFactory

from portal.views import errors


def text_of(answer):
    return unescape(answer.content.decode())


def test_the_console_is_closed_to_a_trader_by_our_page(window):
    answer = window("alice").get("/admin/")
    assert answer.status_code == 403
    assert "Your role does not open the console" in text_of(answer)
    assert "To the desk" in text_of(answer)


def test_a_form_opened_as_a_page_is_told_so(window):
    answer = window("alice").get("/logout")
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert "It belongs to a form" in text_of(answer)


def test_nothing_is_nothing_for_people_and_for_programs(window):
    browser = window()
    assert "Nothing is here" in text_of(browser.get("/nothing"))
    assert browser.get("/api/v1/nothing")["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("view", "status", "says"),
    [(errors.bad_request, 400, "could not be read"), (errors.server_error, 500, "fault is ours")],
)
def test_each_failure_has_its_sentence(view, status, says):
    answer = view(RequestFactory().get("/desk"))
    assert answer.status_code == status
    assert says in text_of(answer)


@pytest.mark.parametrize("view", [errors.bad_request, errors.permission_denied])
def test_programs_get_theirs_in_json(view):
    answer = view(RequestFactory().get("/api/v1/orders"))
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("status", [403, 404, 409, 429, 500])
def test_a_refusal_of_any_kind_is_a_page_with_its_id(status):
    request = RequestFactory().get("/desk")
    request.request_id = "5d0c2f"
    page = text_of(errors.error_page(request, status, "No", "Because of this. Do that."))
    assert re.search(rf">{status}<", page)
    assert "Because of this. Do that." in page
    assert "5d0c2f" in page
    assert ("Try again" in page) is (status in (429, 500))


def test_a_refusal_where_a_part_was_asked_for_is_a_toast_and_keeps_the_page(at_desk):
    browser = at_desk("bob")
    answer = browser.part("/halt/01J/lift", "halts", "post", reason="long enough a reason")
    assert answer.status_code == 422
    assert "Not lifted" in text_of(answer)
    assert answer["HX-Retarget"] == "[data-toasts]"
    assert "<html" not in text_of(answer)
