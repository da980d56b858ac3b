"""Access tokens and API keys: where they hold, and how far."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import jwt
import pytest
from django.test import Client

from accounts import credentials
from accounts.errors import IpNotAllowed
from accounts.models import ApiKey, Membership
from accounts.roles import SCOPES_OF_ROLE, Role
from accounts.services import authenticate, open_session, revoke_api_key
from common.errors import Unauthenticated
from tenants.services import set_active

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)


def who(bearer, *, host=None, address="203.0.113.9", now=NOW):
    return authenticate(bearer, host_tenant=host, remote_addr=address, now=now)


@pytest.fixture
def trader(member, north) -> Membership:
    return member(north, Role.TRADER)


def test_a_key_names_its_tenant_and_is_stored_as_a_keyed_hash(trader, key_of, north):
    text = key_of(trader, "orders:write")
    row = ApiKey.objects.get()
    assert text.startswith(f"bk_north-desk_{row.pk}_")
    assert text.count("_") == 3
    secret = text.rpartition("_")[2]
    assert secret not in str(ApiKey.objects.values().get())
    assert row.digest != credentials.digest("refresh", row.pk, secret)
    actor = who(text)
    assert (actor.kind, actor.schema, actor.id) == ("api_key", north.schema_name, row.pk)
    assert actor.scopes == {"orders:write", "orders:read", "risk:read"}


@pytest.mark.parametrize(
    "broken",
    [
        "bk_", "bk_north-desk_x", "", "x", "a.b.c", "bk_north-desk_aaaaaaaaaaaa_" + "A" * 43,
        "rt_01J00000000000000000000000_" + "A" * 43, "é" * 60, "\x00",
    ],
)  # fmt: skip
@pytest.mark.django_db
def test_what_is_no_credential_is_401(broken):
    with pytest.raises(Unauthenticated):
        who(broken)


def test_a_key_with_one_wrong_character_or_another_slug_is_401(trader, key_of, member, south):
    text = key_of(trader)
    member(south)
    last = "A" if text[-1] != "A" else "B"
    for wrong in (text[:-1] + last, text + "A", text[:-1], text.replace("north", "south")):
        with pytest.raises(Unauthenticated):
            who(wrong)


def test_revoked_expired_and_orphaned_keys_are_401(trader, key_of):
    text = key_of(trader, expires_at=NOW)
    assert who(text, now=NOW - timedelta(seconds=1))
    with pytest.raises(Unauthenticated):
        who(text, now=NOW)

    live = key_of(trader)
    assert who(live)
    revoke_api_key(key=ApiKey.objects.get(pk=live.split("_")[2]), now=NOW)
    with pytest.raises(Unauthenticated):
        who(live)

    orphan = key_of(trader)
    Membership.objects.filter(pk=trader.pk).update(is_active=False)
    with pytest.raises(Unauthenticated):
        who(orphan)


def test_a_key_serves_only_the_networks_it_lists(trader, key_of):
    text = key_of(trader, ip_allowlist=["203.0.113.0/24", "2001:db8::/32"])
    for address in ("203.0.113.200", "2001:db8::1", "::ffff:203.0.113.5"):
        assert who(text, address=address)
    for address in ("203.0.114.1", "198.51.100.7", "2001:db9::1", "", "nonsense"):
        with pytest.raises(IpNotAllowed):
            who(text, address=address)


def test_a_key_reaches_no_further_than_its_maker(member, north, key_of):
    viewer = member(north, Role.VIEWER)
    text = key_of(viewer, "orders:write", "admin")
    actor = who(text)
    assert actor.scopes == {"orders:read", "risk:read"}
    assert not actor.may("orders:write")


def test_a_key_may_be_held_to_some_accounts(trader, key_of):
    actor = who(key_of(trader, accounts=["PAPER-1"]))
    assert actor.reaches("PAPER-1")
    assert not actor.reaches("PAPER-2")
    assert who(key_of(trader)).reaches("PAPER-2")


def test_roles_grow_from_viewer_to_owner():
    ladder = [SCOPES_OF_ROLE[role] for role in reversed(list(Role))]
    for lower, higher in pairwise(ladder):
        assert lower <= higher
    assert "orders:write" not in SCOPES_OF_ROLE[Role.VIEWER]
    assert "risk:write" not in SCOPES_OF_ROLE[Role.TRADER]
    assert "admin" not in SCOPES_OF_ROLE[Role.MANAGER]


def test_an_access_token_holds_for_its_time_and_its_firm(trader, north, south):
    tokens = open_session(membership=trader, remote_addr="", now=NOW)
    actor = who(tokens.access)
    assert (actor.label, actor.role) == (f"user:{trader.user.email}", "trader")
    assert who(tokens.access, host=north) == actor
    with pytest.raises(Unauthenticated):
        who(tokens.access, host=south)
    assert who(tokens.access, now=NOW + timedelta(minutes=14, seconds=59))
    with pytest.raises(Unauthenticated, match="expired"):
        who(tokens.access, now=NOW + timedelta(minutes=15))


def test_forged_tokens_are_401(trader, north, south):
    tokens = open_session(membership=trader, remote_addr="", now=NOW)
    claims = jwt.decode(tokens.access, options={"verify_signature": False})
    key = credentials._derived("another secret", "access")
    ours = credentials._derived(__import__("django.conf").conf.settings.SECRET_KEY, "access")
    forged = [
        jwt.encode(claims, key, algorithm="HS256"),
        jwt.encode(claims, "", algorithm="none"),
        jwt.encode(claims | {"aud": "other"}, ours, algorithm="HS256"),
        jwt.encode(claims | {"ten": south.schema_name}, ours, algorithm="HS256"),
        jwt.encode(claims | {"sub": "999999"}, ours, algorithm="HS256"),
        jwt.encode(claims | {"sid": "0" * 26}, ours, algorithm="HS256"),
        jwt.encode({k: v for k, v in claims.items() if k != "exp"}, ours, algorithm="HS256"),
    ]
    for text in forged:
        with pytest.raises(Unauthenticated):
            who(text)


def test_a_key_or_token_at_another_firms_host_is_401_and_at_the_bare_host_serves(
    api, trader, key_of, north, south, member
):
    key = key_of(trader)
    for bearer in (
        key,
        open_session(membership=trader, remote_addr="", now=datetime.now(UTC)).access,
    ):
        mine = api.with_(bearer)
        assert mine.get("/auth/me").json["tenant"]["slug"] == "north-desk"
        assert mine.at("north-desk.localhost:8000").get("/auth/me").status == 200
        other = mine.at("south-desk.localhost").get("/auth/me")
        assert (other.status, other.json["code"]) == (401, "unauthenticated")
        assert other.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_suspended_firm_is_403_at_its_host_and_with_its_keys(api, trader, key_of, north):
    key = key_of(trader)
    set_active(tenant=north, active=False)
    for answer in (
        api.at("north-desk.localhost").get("/auth/me"),
        api.with_(key).get("/auth/me"),
    ):
        assert (answer.status, answer.json["code"]) == (403, "tenant_suspended")


@pytest.mark.django_db
def test_authorization_headers_that_cannot_be_read(api, trader, key_of):
    key = key_of(trader)

    def sent(header):
        return api.call("GET", "/auth/me", headers={"authorization": header})

    for header in ("Bearer", "Bearer ", "Basic abc", f"Bearer {key} {key}", key, ""):
        answer = sent(header)
        assert (answer.status, answer.json["code"]) == (401, "unauthenticated"), header
    assert api.get("/auth/me").status == 401
    for header in ("Bearer " + "a" * 10_000, f"Bearer {key},Bearer {key}"):
        assert sent(header).status == 400
    assert sent(f"bearer {key}").status == 200


def test_last_use_is_kept_to_the_minute(trader, key_of):
    text = key_of(trader)

    def used():
        return ApiKey.objects.get().last_used_at

    who(text)
    who(text, now=NOW + timedelta(seconds=59))
    assert used() == NOW
    who(text, now=NOW + timedelta(seconds=61))
    assert used() == NOW + timedelta(seconds=61)


@pytest.mark.django_db
def test_consoles_want_a_login_and_the_platforms_wants_staff(trader, north):
    at_the_firm = Client().get("/admin/", headers={"host": "north-desk.localhost"})
    assert at_the_firm.status_code == 302
    assert at_the_firm["Location"] == "/login?next=/admin/"
    trader.user.is_platform_staff = True
    trader.user.save()
    client = Client(headers={"host": "localhost"})
    client.force_login(trader.user)
    session = client.session
    session["firm"] = None
    session.save()
    for page in (
        "",
        "tenants/tenant/",
        "accounts/user/",
        "accounts/membership/",
        "accounts/apikey/",
    ):
        assert client.get(f"/admin/{page}").status_code == 200, page
    assert client.get("/admin/tenants/tenant/add/").status_code == 403
    assert client.post(f"/admin/accounts/user/{trader.user.pk}/delete/").status_code == 403
    trader.user.is_platform_staff = False
    trader.user.save()
    assert client.get("/admin/tenants/tenant/").status_code == 403
