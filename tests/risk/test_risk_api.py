"""The door of risk over HTTP: API keys, strict bodies, problems, events."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.test import Client

from accounts.roles import Role
from accounts.services import add_member, create_api_key, create_user
from events.models import Event
from risk.services import lock_accounts, record_breaches
from tenants.models import Tenant

HALTS, LIMITS, BREACHES = "/api/v1/risk/halts", "/api/v1/risk/limits", "/api/v1/risk/breaches"
STOP = {"scope": "instrument", "target": "SPX", "state": "HALTED", "reason": "prices look wrong"}


class Caller:
    """A program with an API key."""

    def __init__(self, key):
        self.client = Client(headers={"Authorization": f"Bearer {key}", "Host": "localhost"})

    def get(self, path, **query):
        return self.client.get(path, query)

    def post(self, path, body, **headers):
        return self.client.post(path, body, content_type="application/json", headers=headers)

    def put(self, path, body):
        return self.client.put(path, body, content_type="application/json")


@pytest.fixture
def caller(desk):
    """Make a caller whose key holds these scopes, under a manager of the firm."""
    user = create_user(email="mia@desk.test", password=None)
    member = add_member(user=user, tenant=Tenant.objects.get(slug="risk-desk"), role=Role.MANAGER)

    def _caller(*scopes, accounts=None):
        _, text = create_api_key(
            membership=member,
            name="program",
            scopes=list(scopes),
            accounts=accounts,
            expires_at=None,
            ip_allowlist=[],
            now=datetime.now(UTC),
        )
        return Caller(text)

    return _caller


@pytest.fixture
def manager(caller):
    return caller("risk:write")


def codes(response):
    assert response["Content-Type"] == "application/problem+json"
    return {row["field"]: row["code"] for row in response.json()["errors"]}


class TestHalts:
    def test_a_halt_is_set_shown_lifted_and_gone_from_the_list(self, manager):
        answer = manager.post(HALTS, STOP)
        assert answer.status_code == 201
        halt = answer.json()
        assert STOP.items() <= halt.items()
        assert halt["set_by"].startswith("api_key:program")
        assert manager.get(HALTS).json() == {"items": [halt], "next": None}

        lift = f"{HALTS}/{halt['id']}/lift"
        answer = manager.post(lift, {"reason": "prices are right"})
        assert answer.status_code == 200
        lifted = answer.json()
        assert lifted["lift_reason"] == "prices are right"
        assert manager.get(HALTS).json()["items"] == []
        assert manager.get(HALTS, active="false").json()["items"] == [lifted]

        again = manager.post(lift, {"reason": "once more"})
        assert again.status_code == 409
        assert again.json()["code"] == "state_conflict"
        assert again.json()["halt"] == lifted

        told = {event.type: event.data for event in Event.objects.all()}
        assert told == {"halt.set": halt, "halt.lifted": lifted}

    def test_the_event_names_the_request(self, manager):
        manager.post(HALTS, STOP, **{"X-Request-Id": "drill-7"})
        assert Event.objects.get().correlation_id == "drill-7"

    def test_the_same_halt_twice_conflicts_and_under_one_key_replays(self, manager):
        first = manager.post(HALTS, STOP, **{"Idempotency-Key": "k-1"})
        replay = manager.post(HALTS, STOP, **{"Idempotency-Key": "k-1"})
        assert (replay.status_code, replay.json()) == (201, first.json())
        assert replay["Idempotent-Replay"] == "true"
        clash = manager.post(HALTS, STOP)
        assert clash.status_code == 409
        assert clash.json()["halt"]["id"] == first.json()["id"]
        assert Event.objects.count() == 1

    def test_the_whole_firm_needs_no_target(self, manager):
        body = {"scope": "tenant", "state": "REDUCING", "reason": "end of day"}
        assert manager.post(HALTS, body).json()["target"] is None

    @pytest.mark.parametrize(
        ("change", "field", "code"),
        [
            ({"scope": "planet"}, "scope", "invalid_choice"),
            ({"state": "halted"}, "state", "invalid_choice"),
            ({"state": "ACTIVE"}, "state", "invalid_choice"),
            ({"target": "NOPE"}, "target", "unknown_target"),
            ({"target": None}, "target", "unknown_target"),
            ({"scope": "account", "target": "OTHER-FIRM-1"}, "target", "unknown_target"),
            ({"scope": "tenant", "target": "SPX"}, "target", "unknown_target"),
            ({"reason": "  "}, "reason", "required"),
            ({"reason": None}, "reason", "invalid_type"),
            ({"id": "x"}, "id", "unknown_field"),
        ],
    )
    def test_bad_fields_are_named_and_nothing_is_halted(self, manager, change, field, code):
        answer = manager.post(HALTS, {**STOP, **change})
        assert answer.status_code == 422
        assert codes(answer) == {field: code}
        assert manager.get(HALTS).json()["items"] == []

    @pytest.mark.parametrize("halt_id", ["01JNB3V0000000000000000000", "nonsense", "%00"])
    def test_an_unknown_halt_is_not_found(self, manager, halt_id):
        answer = manager.post(f"{HALTS}/{halt_id}/lift", {"reason": "why not"})
        assert answer.status_code == 404
        assert answer.json()["code"] == "not_found"

    def test_lists_page_newest_first(self, manager):
        ids = [
            manager.post(HALTS, {**STOP, "scope": "strategy", "target": name}).json()["id"]
            for name in ("a", "b", "c")
        ]
        first = manager.get(HALTS, limit="2").json()
        rest = manager.get(HALTS, limit="2", cursor=first["next"]).json()
        listed = [halt["id"] for halt in first["items"] + rest["items"]]
        assert sorted(listed) == sorted(ids)
        assert listed == sorted(listed, reverse=True)
        assert rest["next"] is None

    def test_reading_takes_no_scope_of_its_own_and_writing_does(self, caller):
        reader = caller("orders:read")
        assert reader.get(HALTS).status_code == 200
        for answer in (reader.post(HALTS, STOP), reader.put(LIMITS, {})):
            assert answer.status_code in {403, 422}
        refused = reader.post(HALTS, STOP)
        assert (refused.status_code, refused.json()["code"]) == (403, "insufficient_scope")

    def test_a_key_confined_to_an_account_halts_that_account_only(self, caller):
        key = caller("risk:write", accounts=["DESK-1"])
        account = {**STOP, "scope": "account"}
        assert key.post(HALTS, {**account, "target": "DESK-1"}).status_code == 201
        assert key.post(HALTS, {**account, "target": "DESK-2"}).status_code == 422
        assert key.post(HALTS, STOP).status_code == 403

    def test_without_a_credential_nothing_is_shown(self, desk):
        answer = Client(headers={"Host": "localhost"}).get(HALTS)
        assert answer.status_code == 401


class TestLimits:
    BODY = {
        "scope": "account",
        "target": "DESK-1",
        "rule": "max_order_qty",
        "value": "500.50",
        "enabled": True,
    }

    def test_a_firm_sees_the_limits_it_started_with(self, manager):
        listed = {row["rule"]: row for row in manager.get(LIMITS).json()["items"]}
        assert listed["max_order_qty"]["value"] == "100000"
        assert listed["max_order_notional"]["value"] == "5000000"
        assert listed["price_collar"]["value"] == "0.1"
        units = {"quantity", "currency", "fraction", "seconds"}
        assert {row["unit"] for row in listed.values()} == units

    def test_a_limit_is_set_and_set_again(self, manager):
        answer = manager.put(LIMITS, self.BODY)
        assert answer.status_code == 200
        assert answer.json()["value"] == "500.5"
        assert manager.put(LIMITS, {**self.BODY, "value": "7"}).json()["value"] == "7"
        rows = [row for row in manager.get(LIMITS).json()["items"] if row["scope"] == "account"]
        assert [row["value"] for row in rows] == ["7"]
        assert [event.data["previous"] for event in Event.objects.order_by("seq")] == [
            None,
            {"value": "500.5", "enabled": True},
        ]

    @pytest.mark.parametrize(
        ("change", "field", "code"),
        [
            ({"value": 500}, "value", "use_string"),
            ({"value": "0"}, "value", "not_positive"),
            ({"value": "NaN"}, "value", "not_finite"),
            ({"rule": "price_collar", "value": "1.5"}, "value", "out_of_range"),
            ({"rule": "max_moon_phase"}, "rule", "invalid_choice"),
            ({"target": "DESK-9"}, "target", "unknown_target"),
            ({"scope": "tenant"}, "target", "unknown_target"),
            ({"enabled": "yes"}, "enabled", "invalid_type"),
        ],
    )
    def test_bad_values_are_named(self, manager, change, field, code):
        answer = manager.put(LIMITS, {**self.BODY, **change})
        assert answer.status_code == 422
        assert codes(answer) == {field: code}
        assert not Event.objects.exists()


def test_breaches_are_listed_for_the_accounts_in_reach(desk, wish, quote, now, caller):
    book = lock_accounts([desk.one.id, desk.two.id])
    for account, order_id in ((desk.one, "A" * 26), (desk.two, "B" * 26)):
        judged = book.judge(
            account=account,
            intent=wish(order_qty=Decimal(200_000), price=Decimal(1)),
            instrument=desk.spx,
            quote=quote(),
            now=now,
        )
        record_breaches(order_id=order_id, account=account, breaches=judged, now=now)

    everything = caller("orders:read").get(BREACHES).json()["items"]
    assert [row["account"] for row in everything] == ["DESK-2", "DESK-1"]
    assert everything[0] == {
        "id": everything[0]["id"],
        "order_id": "B" * 26,
        "account": "DESK-2",
        "code": "QUANTITY_EXCEEDS_MAXIMUM",
        "rule": "max_order_qty",
        "value": "200000",
        "limit": "100000",
        "unit": "quantity",
        "message": everything[0]["message"],
        "at": "2026-03-02T15:00:00Z",
    }
    confined = caller("orders:read", accounts=["DESK-1"])
    assert [row["account"] for row in confined.get(BREACHES).json()["items"]] == ["DESK-1"]
    assert confined.get(BREACHES, account="DESK-2").json()["items"] == []
    assert len(caller("orders:read").get(BREACHES, order_id="A" * 26).json()["items"]) == 1
    assert confined.get(BREACHES, rule="nonsense").status_code == 422
