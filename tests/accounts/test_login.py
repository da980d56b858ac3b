"""Logging in, guessing, refreshing, logging out."""

from datetime import UTC, datetime, timedelta
from statistics import median
from time import perf_counter

import pytest
from django.db import IntegrityError, connection, transaction

from accounts import throttle
from accounts.errors import AlreadyMember, PasswordPolicy, TooManyAttempts
from accounts.models import LoginFailures, LoginSession, Membership, NeverDeletedError, User
from accounts.roles import Role
from accounts.services import add_member, check_password_policy, create_user, log_in, refresh
from common.errors import Unauthenticated
from tenants.binding import tenant_bound
from tests.accounts.conftest import PASSWORD

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)


def token(api, email, password=PASSWORD, **extra):
    return api.post("/auth/token", {"email": email, "password": password, **extra})


def test_a_login_names_the_firm_by_host_by_slug_or_by_being_the_only_one(api, member, north, south):
    user = member(north, Role.MANAGER).user
    answer = token(api, user.email.upper())
    assert answer.status == 200
    assert answer.json["expires_in"] == 900
    assert answer.json["token_type"] == "Bearer"
    me = api.with_(answer.json["access"]).get("/auth/me").json
    assert (me["tenant"]["slug"], me["role"]) == ("north-desk", "manager")
    assert "risk:write" in me["scopes"]

    add_member(user=user, tenant=south, role=Role.VIEWER)
    assert token(api, user.email).status == 401
    for named in (
        token(api, user.email, tenant="south-desk"),
        token(api.at("south-desk.localhost"), user.email),
    ):
        me = api.with_(named.json["access"]).get("/auth/me").json
        assert (me["tenant"]["slug"], me["role"]) == ("south-desk", "viewer")
    assert token(api.at("south-desk.localhost"), user.email, tenant="north-desk").status == 401


def test_wrong_password_unknown_person_and_foreign_firm_answer_alike_then_429(
    api, member, north, south
):
    user = member(north).user
    cases = {
        "wrong": (api, user.email, "wrong password!"),
        "unknown": (api, "nobody@north-desk.test", PASSWORD),
        "foreign": (api.at("south-desk.localhost"), user.email, PASSWORD),
    }
    bodies = set()
    for number, (client, email, password) in enumerate(cases.values()):
        client = client.at(client.host)
        for _ in range(6):
            extra = {"REMOTE_ADDR": f"203.0.113.{number}"}
            answer = client.post("/auth/token", {"email": email, "password": password}, **extra)
            assert answer.status == 401
            bodies.add(answer.text.replace(answer.json["request_id"], ""))
        answer = client.post("/auth/token", {"email": email, "password": PASSWORD}, **extra)
        assert (answer.status, answer.json["code"]) == (429, "rate_limited")
        assert 1 <= int(answer.headers["Retry-After"]) <= 900
    assert len(bodies) == 1
    assert token(api, user.email).status == 200  # from its owner's own address


def test_unknown_people_take_as_long_as_wrong_passwords(member, north, settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    user = member(north).user

    def seconds(email):
        begun = perf_counter()
        with pytest.raises(Unauthenticated):
            log_in(email=email, password="guess", tenant=None, slug=None, remote_addr="", now=NOW)
        LoginFailures.objects.all().delete()
        return perf_counter() - begun

    known = median(seconds(user.email) for _ in range(3))
    unknown = median(seconds("nobody@x.test") for _ in range(3))
    assert 0.4 < known / unknown < 2.5


def test_the_window_ends_and_a_success_clears_the_pair(member, north):
    user = member(north).user

    def attempt(password, now, address="198.51.100.1"):
        return log_in(
            email=user.email, password=password, tenant=None, slug=None,
            remote_addr=address, now=now,
        )  # fmt: skip

    def fail(now, **where):
        with pytest.raises(Unauthenticated):
            attempt("wrong", now, **where)

    for _ in range(5):
        fail(NOW)
    attempt(PASSWORD, NOW)
    for _ in range(6):
        fail(NOW)
    with pytest.raises(TooManyAttempts):
        attempt(PASSWORD, NOW + throttle.WINDOW - timedelta(seconds=1))
    attempt(PASSWORD, NOW + throttle.WINDOW)


def test_a_swarm_of_addresses_is_stopped_by_name_and_one_address_by_itself(member, north):
    user = member(north).user
    for number in range(throttle.LIMITS["name"]):
        throttle.record_failure(throttle.subjects(user.email, f"10.0.0.{number}"), now=NOW)
    with pytest.raises(TooManyAttempts):
        throttle.check(throttle.subjects(user.email, "198.51.100.1"), now=NOW)
    for number in range(throttle.LIMITS["address"]):
        throttle.record_failure(throttle.subjects(f"n{number}@x.test", "10.9.9.9"), now=NOW)
    with pytest.raises(TooManyAttempts):
        throttle.check(throttle.subjects("new@x.test", "10.9.9.9"), now=NOW)
    assert throttle.forget_old(now=NOW + throttle.WINDOW) > 100
    throttle.check(throttle.subjects(user.email, "10.9.9.9"), now=NOW)


def test_names_of_failed_logins_are_not_kept(api, member, north):
    token(api, "someone@north-desk.test", "wrong")
    with connection.cursor() as cursor:
        cursor.execute("SELECT subject FROM accounts_loginfailures")
        assert "someone" not in str(cursor.fetchall())


def test_a_refresh_token_serves_once_and_its_reuse_ends_the_login(api, member, north, south):
    first = token(api, member(north).user.email).json
    second = api.with_("stale").post("/auth/refresh", {"refresh": first["refresh"]})
    assert second.status == 200
    assert second.json["refresh"] != first["refresh"]
    assert api.with_(second.json["access"]).get("/auth/me").status == 200
    elsewhere = api.at("south-desk.localhost")
    assert elsewhere.post("/auth/refresh", {"refresh": second.json["refresh"]}).status == 401

    assert api.post("/auth/refresh", {"refresh": first["refresh"]}).status == 401
    assert api.post("/auth/refresh", {"refresh": second.json["refresh"]}).status == 401
    assert api.with_(second.json["access"]).get("/auth/me").status == 401


def test_a_refresh_token_ends_with_time_membership_and_logout(api, member, north):
    place = member(north)
    tokens = log_in(
        email=place.user.email, password=PASSWORD, tenant=north, slug=None, remote_addr="",
        now=NOW,
    )  # fmt: skip
    with pytest.raises(Unauthenticated):
        refresh(token=tokens.refresh, tenant=None, now=NOW + timedelta(days=14))
    Membership.objects.filter(pk=place.pk).update(is_active=False)
    with pytest.raises(Unauthenticated):
        refresh(token=tokens.refresh, tenant=None, now=NOW)
    Membership.objects.filter(pk=place.pk).update(is_active=True)

    fresh = token(api, place.user.email).json
    mine = api.with_(fresh["access"])
    assert mine.post("/auth/logout").status == 204
    assert mine.get("/auth/me").status == 401
    assert api.post("/auth/refresh", {"refresh": fresh["refresh"]}).status == 401
    assert LoginSession.objects.filter(revoked_at=None).count() == 1


def test_users_stay(member, north):
    user = member(north).user
    with pytest.raises(NeverDeletedError):
        user.delete()
    with pytest.raises(NeverDeletedError):
        User.objects.all().delete()
    loner = create_user(email="loner@x.test", password=None)
    with (
        pytest.raises(IntegrityError, match="never deleted"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("DELETE FROM accounts_user WHERE id = %s", [loner.pk])
    with pytest.raises(AlreadyMember):
        create_user(email="LONER@x.test", password=None)


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("7 chars", "password_too_short"),
        ("x" * 5000, "too_long"),
        ("password1234", "password_too_common"),
        ("someone@firm.test", "equals_email"),
        ("someone@firm", "password_too_similar"),
    ],
)
def test_the_password_policy_names_what_is_wrong(password, code):
    with pytest.raises(PasswordPolicy) as refusal:
        check_password_policy(password, email="someone@firm.test")
    assert code in {row.code for row in refusal.value.errors}


def test_permissions_follow_the_membership_of_the_bound_firm(member, north, south):
    user = member(north, Role.ADMIN).user
    add_member(user=user, tenant=south, role=Role.TRADER)
    view = "events.view_event"
    assert not user.has_perm(view)
    assert not user.is_staff
    with tenant_bound(north.schema_name):
        assert user.is_staff
        assert user.has_perm(view)
        assert not user.has_perm("events.change_event")
        assert not user.has_perm("accounts.view_user")
        assert user.has_module_perms("events")
    with tenant_bound(south.schema_name):
        assert not user.is_staff
        assert not user.has_perm(view)
