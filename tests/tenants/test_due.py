"""Jobs of the clock go where something happens; a quiet firm costs next to nothing."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from config import tasks
from events.relay import give_positions
from events.services import publish
from tenants.binding import tenant_bound
from tenants.celery import HEADER
from tenants.due import QUIET_FOR, claim_due, rest, wake
from tenants.models import DueWork, FirmStanding
from tenants.selectors import tenant_by_schema
from tenants.services import set_active
from tests.tenants.conftest import NOW

JOB = "sweep"
EVERY = timedelta(seconds=15)
LATER = NOW + timedelta(hours=1)


@pytest.fixture(autouse=True)
def nothing_due(firms):
    DueWork.objects.all().delete()
    FirmStanding.objects.all().delete()


def due(now, job=JOB):
    return claim_due(job, every=EVERY, now=now)


def ours(schemas, firms):
    return [schema for schema in schemas if schema in (firms.one, firms.two)]


def test_a_firm_is_due_from_its_first_day_and_once_in_a_period(firms):
    assert ours(due(NOW), firms) == [firms.one, firms.two]
    assert due(NOW + EVERY / 3) == []
    assert ours(due(NOW + EVERY), firms) == [firms.one, firms.two]


def test_a_suspended_firm_is_never_due(firms):
    tenant = tenant_by_schema(firms.two)
    set_active(tenant=tenant, active=False)
    try:
        assert ours(due(NOW), firms) == [firms.one]
        set_active(tenant=tenant, active=True)
        assert due(NOW + EVERY / 3) == [firms.two]
    finally:
        set_active(tenant=tenant, active=True)


def test_a_quiet_firm_rests_and_is_looked_at_again_in_the_end(firms):
    due(NOW)
    begun = NOW + QUIET_FOR * 2
    assert rest(firms.one, JOB, begun=begun, until=LATER)
    assert firms.one not in due(LATER - EVERY)
    assert firms.one in due(LATER)


def test_a_firm_woken_just_before_or_during_the_work_does_not_rest(firms):
    due(NOW)
    begun = NOW + QUIET_FOR * 2
    wake(firms.one, now=begun - QUIET_FOR / 2)
    wake(firms.two, now=begun + QUIET_FOR)
    for schema in (firms.one, firms.two):
        assert not rest(schema, JOB, begun=begun, until=LATER)


def test_an_event_wakes_its_firm_and_no_other(firms):
    long_ago = timezone.now() - timedelta(hours=1)
    due(long_ago)
    for schema in (firms.one, firms.two):
        rest(schema, JOB, begun=long_ago + QUIET_FOR * 2, until=timezone.now() + EVERY * 99)
    assert ours(due(timezone.now()), firms) == []

    with tenant_bound(firms.one):
        publish(type="a.b", subject="c-1", actor="system:test", data={}, now=timezone.now())
    assert give_positions(firms.one) == 1
    assert ours(due(timezone.now()), firms) == [firms.one]


def test_of_two_clocks_at_once_each_firm_goes_to_one(firms):
    found = []
    together = threading.Barrier(4)

    def clock():
        together.wait(30)
        found.extend(due(NOW))
        connection.close()

    clocks = [threading.Thread(target=clock) for _ in range(4)]
    for one in clocks:
        one.start()
    for one in clocks:
        one.join(30)
    assert sorted(ours(found, firms)) == [firms.one, firms.two]


def test_beat_neither_reads_nor_sends_anything_for_a_resting_firm(firms, monkeypatch):
    now = timezone.now()
    wake_up = now - timedelta(hours=1)
    claim_due("standings", every=EVERY, now=wake_up)
    sent = []
    monkeypatch.setattr(tasks, "send", lambda task, schema: sent.append((task, schema)))
    task = tasks.keep_standing_of_firm
    task.apply(headers={HEADER: firms.two}).get()
    standing = FirmStanding.objects.get(tenant__schema_name=firms.two)
    assert standing.next_at - standing.at == tasks.QUIET_STANDING_EVERY

    sent.clear()
    with CaptureQueriesContext(connection) as queries:
        tasks.keep_standings()
    assert (task, firms.one) in sent
    assert (task, firms.two) not in sent
    assert not [row["sql"] for row in queries if firms.two in row["sql"]]

    wake(firms.two, now=timezone.now())
    tasks.keep_standings()
    assert sent[-1] == (task, firms.two)
    standing.refresh_from_db()
    assert standing.next_at < now + QUIET_FOR * 2
