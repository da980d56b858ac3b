"""A login counts at one host, is throttled as the API's is, and travels by ticket once."""

import re
import secrets
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
import time_machine
from django.core import signing

from accounts.models import Membership, User
from portal.frame.login import _SALT

PASSWORD = "correct horse battery staple"


def handover_of(browser):
    answer = browser.get("/tenants/acme/open")
    assert answer.status_code == 302
    return urlsplit(answer["location"])


def test_the_desk_opens_after_a_login_at_the_firms_host(window):
    browser = window()
    asked = browser.get("/orders?symbol=SPX")
    assert (asked.status_code, asked["location"]) == (302, "/login?next=%2Forders%3Fsymbol%3DSPX")
    answer = browser.log_in("alice@acme.test", next="/orders?symbol=SPX")
    assert (answer.status_code, answer["location"]) == (302, "/orders?symbol=SPX")
    assert browser.get("/orders?symbol=SPX").status_code == 200
    assert browser.get("/")["location"] == "/desk"


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example/", "javascript:alert"])
def test_a_login_leads_nowhere_else(window, target):
    assert window().log_in("alice@acme.test", next=target)["location"] in ("/desk", "/")


@pytest.mark.parametrize(
    ("email", "password"),
    [("alice@acme.test", "wrong"), ("nobody@acme.test", PASSWORD),
     ("charlie@globex.test", PASSWORD), ("", ""),
     ("alice@acme.test\x01", "wrong"), ("alice@acme.test", "x" * 5000)],
)  # fmt: skip
def test_wrong_people_passwords_and_firms_answer_alike(window, email, password):
    answer = window().log_in(email, password)
    text = answer.content.decode()
    assert answer.status_code == 401
    assert "The e-mail address or the password is not right." in text
    assert password not in text or not password


def test_guessing_is_slowed_down_with_the_counters_of_the_api(window, alice):
    email = f"guessed-{secrets.token_hex(4)}@acme.test"
    browser = window()
    for _ in range(6):
        assert browser.log_in(email, "wrong").status_code == 401
    blocked = browser.log_in(email, "wrong")
    assert blocked.status_code == 429
    assert 0 < int(blocked["Retry-After"]) <= 900
    assert re.search(r"counts in <strong>1?\d min \d+ s</strong>", blocked.content.decode())
    body = {"email": email, "password": "wrong", "tenant": "acme"}
    assert alice.post("/auth/token", body).status == 429


def test_a_form_without_its_token_is_refused_in_words(window):
    browser = window()
    answer = browser.post("/login", email="alice@acme.test", password=PASSWORD)
    assert answer.status_code == 403
    assert "without its token" in answer.content.decode()


def test_a_cookie_of_one_firm_is_nothing_at_another_host(window):
    alice = window("alice")
    for host in ("globex.localhost", "localhost"):
        for path in ("/desk", "/orders", "/tenants"):
            answer = alice.at(host).get(path)
            assert (answer.status_code, answer["location"].partition("?")[0]) in {
                (302, "/login"), (302, "/desk"),
            }  # fmt: skip
        assert alice.at(host).get("/desk")["location"].startswith("/login")
    assert alice.get("/desk").status_code == 200


def test_a_person_of_two_firms_logs_in_at_each(window, firms):
    user = User.objects.get(email="charlie@globex.test")
    acme = Membership.objects.filter(tenant__slug="acme").first().tenant
    place, _ = Membership.objects.get_or_create(user=user, tenant=acme, defaults={"role": "viewer"})
    try:
        browser = window("charlie", "globex")
        assert browser.at("acme.localhost").get("/desk")["location"].startswith("/login")
    finally:
        place.delete()


def test_a_membership_that_ends_ends_the_login(window):
    browser = window("alice")
    place = Membership.objects.get(user__email="alice@acme.test", tenant__slug="acme")
    Membership.objects.filter(pk=place.pk).update(is_active=False)
    try:
        assert browser.get("/desk")["location"].startswith("/login")
    finally:
        Membership.objects.filter(pk=place.pk).update(is_active=True)


def test_logout_ends_the_session(window):
    browser = window("alice")
    stolen = browser.client.cookies["sessionid"].value
    assert browser.post("/logout")["location"] == "/login"
    browser.client.cookies["sessionid"] = stolen
    assert browser.get("/desk")["location"].startswith("/login")


def test_the_bare_host_hands_over_to_the_firm_once(window):
    bare = window(host="localhost")
    assert bare.log_in("alice@acme.test")["location"] == "/tenants"
    chooser = bare.get("/tenants").content.decode()
    assert "/tenants/acme/open" in chooser
    assert "as trader" in chooser
    assert re.search(r"\d+ working orders?", chooser)
    assert "globex" not in chooser.lower()
    link = handover_of(bare)
    assert link.netloc == "acme.localhost"
    firm = window()
    assert firm.get(f"{link.path}?{link.query}")["location"] == "/desk"
    assert firm.get("/desk").status_code == 200
    second = window()
    assert second.get(f"{link.path}?{link.query}").status_code == 401
    assert second.get("/desk")["location"].startswith("/login")


def test_a_ticket_serves_its_own_firm_only_and_is_no_cookie(window):
    bare = window(host="localhost")
    bare.log_in("alice@acme.test")
    link = handover_of(bare)
    assert window(firm="globex").get(f"{link.path}?{link.query}").status_code == 401
    thief = window()
    thief.client.cookies["sessionid"] = signing.loads(link.query.partition("=")[2], salt=_SALT)
    assert thief.get("/desk")["location"].startswith("/login")


@pytest.mark.parametrize("ticket", ["", "x", "InRoaW5nIg:1abc:forged", "\x01"])
def test_forged_tickets_are_refused(window, ticket):
    assert window().get(f"/login/handover?ticket={ticket}").status_code == 401


def test_a_ticket_of_a_minute_ago_is_too_old(window):
    bare = window(host="localhost")
    bare.log_in("alice@acme.test")
    link = handover_of(bare)
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=61)):
        assert window().get(f"{link.path}?{link.query}").status_code == 401


def test_foreign_firms_are_404_at_the_chooser(window):
    bare = window(host="localhost")
    bare.log_in("alice@acme.test")
    assert bare.get("/tenants/globex/open").status_code == 404
