"""One effect and one answer per Idempotency-Key, whatever happens in between."""

import json
import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client

from accounts.models import Membership, User
from accounts.roles import Role
from accounts.services import add_member, create_api_key, create_user
from events.models import IdempotentAnswer
from events.services import forget_expired_answers
from tenants.binding import tenant_bound
from tenants.models import Tenant
from tests.events import idempotency_urls
from tests.events.conftest import NOW

pytestmark = pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")


@pytest.fixture(autouse=True)
def _urls(settings):
    settings.ROOT_URLCONF = "tests.events.idempotency_urls"
    idempotency_urls.entered.clear()
    idempotency_urls.may_go_on.clear()


def membership_of(firm) -> Membership:
    tenant = Tenant.objects.get(schema_name=firm.schema)
    found = Membership.objects.filter(tenant=tenant).first()
    if found is not None:
        return found
    email = f"owner@{tenant.slug}.test"
    user = User.objects.filter(email=email).first() or create_user(email=email, password=None)
    return add_member(user=user, tenant=tenant, role=Role.OWNER)


def bearer(firm) -> str:
    _, key = create_api_key(
        membership=membership_of(firm),
        name="idempotency test",
        scopes=["orders:write"],
        accounts=None,
        expires_at=None,
        ip_allowlist=[],
        now=NOW,
    )
    return key


class Program:
    """A client with a credential, which sends notes under idempotency keys."""

    def __init__(self, firm) -> None:
        self._bearer = bearer(firm)

    def post(self, idempotency_key, text="note", mode="well", path="notes", raw=None):
        headers = {"authorization": f"Bearer {self._bearer}", "host": "localhost"}
        if idempotency_key is not None:
            headers["idempotency-key"] = idempotency_key
        body = raw if raw is not None else json.dumps({"text": text, "mode": mode})
        client = Client(raise_request_exception=False)
        return client.post(f"/api/v1/{path}", body, "application/json", headers=headers)


@pytest.fixture
def program(firm) -> Program:
    return Program(firm)


def effects(firm) -> list[str]:
    firm.relay()
    return firm.subjects()


def test_the_same_key_and_body_has_one_effect_and_the_same_answer(firm, program):
    first, again = program.post("k1"), program.post("k1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again["Content-Type"] == first["Content-Type"]
    assert "Idempotent-Replay" not in first
    assert again["Idempotent-Replay"] == "true"
    assert effects(firm) == ["note"]


def test_without_a_key_every_request_has_its_effect(firm, program):
    program.post(None)
    program.post(None)
    assert effects(firm) == ["note", "note"]


def test_how_the_json_is_spaced_and_ordered_makes_no_difference(firm, program):
    program.post("k1", raw='{"text": "a", "mode": "well"}')
    again = program.post("k1", raw='{ "mode":"well","text":"a" }')
    assert again["Idempotent-Replay"] == "true"
    assert effects(firm) == ["a"]


def test_another_body_or_another_path_under_the_key_is_refused(firm, program):
    program.post("k1")
    for answer in (program.post("k1", text="other"), program.post("k1", path="secrets")):
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert effects(firm) == ["note"]


def test_secrets_are_shown_once(firm, program):
    first, again = program.post("k1", path="secrets"), program.post("k1", path="secrets")
    assert first.json()["secret"] == "s3cret"
    assert again.json() == {"id": first.json()["id"], "text": "note"}
    with tenant_bound(firm.schema):
        stored = IdempotentAnswer.objects.order_by("-id")[0]
    assert "s3cret" not in stored.body


def test_a_refused_request_is_executed_afresh(firm, program):
    assert program.post("k1", mode="refused").status_code == 422
    assert program.post("k1", text="now right").status_code == 201
    assert effects(firm) == ["now right"]


def test_a_body_that_fails_validation_leaves_the_key_free(firm, program):
    assert program.post("k1", raw='{"text": 5}').status_code == 422
    assert program.post("k1", raw='{"text": ').status_code == 400
    assert program.post("k1").status_code == 201
    assert effects(firm) == ["note"]


def test_what_a_refusing_verb_committed_on_purpose_stays(firm, program):
    assert program.post("k1", mode="denied but kept").status_code == 403
    assert effects(firm) == ["note"]


@pytest.mark.parametrize("mode", ["broken", "broken afterwards"])
def test_a_failure_leaves_neither_effect_nor_answer(firm, program, mode):
    assert program.post("k1", mode=mode).status_code == 500
    assert effects(firm) == []
    assert program.post("k1", mode=mode).status_code == 500


def test_while_the_first_runs_a_second_is_told_so_and_later_gets_its_answer(firm, program):
    answers = []

    def first() -> None:
        try:
            answers.append(program.post("k1", mode="slow"))
        finally:
            connection.close()

    thread = threading.Thread(target=first)
    thread.start()
    assert idempotency_urls.entered.wait(10)
    meanwhile = program.post("k1", mode="slow")
    assert (meanwhile.status_code, meanwhile.json()["code"]) == (409, "idempotency_in_progress")
    assert int(meanwhile["Retry-After"]) > 0
    idempotency_urls.may_go_on.set()
    thread.join()
    assert program.post("k1", mode="slow").json() == answers[0].json()
    assert effects(firm) == ["note"]


def test_a_process_that_dies_in_the_middle_leaves_the_key_free(firm, program):
    """Its connection is cut before the commit, which is all that Postgres sees of a kill -9."""
    statuses = []

    def doomed() -> None:
        try:
            statuses.append(program.post("k1", mode="slow").status_code)
        finally:
            connection.close()

    thread = threading.Thread(target=doomed)
    thread.start()
    assert idempotency_urls.entered.wait(10)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
            " AND datname = current_database() AND state = 'idle in transaction'"
        )
    idempotency_urls.may_go_on.set()
    thread.join()
    assert statuses[0] >= 500
    assert program.post("k1", mode="slow").status_code == 201
    assert effects(firm) == ["note"]


def test_many_at_once_have_one_effect(firm, program):
    answers = []

    def send() -> None:
        try:
            answers.append(program.post("k1"))
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1
    assert effects(firm) == ["note"]


def test_another_credential_with_the_same_key_has_its_own_answer(firm, program):
    other = Program(firm)
    assert program.post("k1").json() != other.post("k1").json()
    assert effects(firm) == ["note", "note"]


def test_firms_do_not_share_keys(firms):
    one, other = firms("events-desk"), firms("events-other")
    assert Program(one).post("shared").status_code == 201
    answer = Program(other).post("shared", text="other")
    assert answer.status_code == 201
    assert "Idempotent-Replay" not in answer


def test_an_answer_is_kept_for_a_day(firm, program):
    first = program.post("k1").json()
    with tenant_bound(firm.schema):
        row = IdempotentAnswer.objects.order_by("-id")[0]
        assert timedelta(hours=24) == row.expires_at - row.created_at
        IdempotentAnswer.objects.filter(pk=row.pk).update(
            expires_at=datetime.now(UTC) - timedelta(seconds=1)
        )
    assert program.post("k1").json() != first
    assert effects(firm) == ["note", "note"]


def test_expired_answers_are_forgotten(firm, program):
    program.post("k1")
    with tenant_bound(firm.schema):
        assert forget_expired_answers(now=datetime.now(UTC)) == 0
        assert forget_expired_answers(now=datetime.now(UTC) + timedelta(hours=25)) >= 1


@pytest.mark.parametrize("bad", ["", "x" * 256, "schlüssel", "tab\there"])
def test_a_key_that_is_none_is_refused(firm, program, bad):
    answer = program.post(bad)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["code"] == "invalid_idempotency_key"
    assert effects(firm) == []


def test_without_credentials_the_header_gets_nobody_in(firm):
    answer = Client().post(
        "/api/v1/notes",
        "{}",
        "application/json",
        headers={"idempotency-key": "k1", "host": "localhost"},
    )
    assert answer.status_code == 401
