"""Every page of both consoles answers, with rows, in a bounded number of queries."""

import re

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from tenants.binding import tenant_bound
from tenants.models import Tenant
from tests.console.tables import FIRM, PLATFORM, label, list_url, row_url, tenant_models

MOST_QUERIES = 15
# Schedules nobody made; the tables themselves still have to answer.
MAY_BE_EMPTY = {
    "django_celery_beat.ClockedSchedule",
    "django_celery_beat.SolarSchedule",
    "django_celery_beat.CrontabSchedule",
    "django_celery_beat.IntervalSchedule",
    "django_celery_beat.PeriodicTask",
}
PADDED = re.compile(r">\s*-?\d+\.\d*0{6,}\s*<")


def counted(client, url):
    with CaptureQueriesContext(
        connection,
    ) as queries:
        answer = client.get(url)
    return answer, len(queries)


@pytest.mark.parametrize("model", FIRM, ids=label)
def test_every_list_of_a_firm_shows_rows_in_few_queries(owner, quay, model):
    answer, queries = counted(owner, list_url(model))
    assert answer.status_code == 200
    html = answer.content.decode()
    assert answer.context["cl"].result_count > 0, "nothing to look at: the test would prove nothing"
    assert queries <= MOST_QUERIES
    assert not PADDED.search(html)
    assert "Recent actions" not in html


@pytest.mark.parametrize("model", FIRM, ids=label)
def test_every_row_of_a_firm_opens(owner, quay, model):
    with tenant_bound(quay.schema):
        row = model.objects.order_by("pk").last()
    answer = owner.get(row_url(row))
    assert answer.status_code == 200
    html = answer.content.decode()
    assert not PADDED.search(html)
    assert 'name="_save"' not in html


@pytest.mark.parametrize("model", PLATFORM, ids=label)
def test_every_list_of_the_platform_answers_in_few_queries(staff, model):
    answer, queries = counted(staff, list_url(model))
    assert answer.status_code == 200
    assert queries <= MOST_QUERIES
    if label(model) not in MAY_BE_EMPTY:
        assert answer.context["cl"].result_count > 0


@pytest.mark.parametrize("model", PLATFORM, ids=label)
def test_every_row_of_the_platform_opens(staff, model):
    row = model.objects.order_by("pk").last()
    if row is None:
        assert label(model) in MAY_BE_EMPTY
        return
    assert staff.get(row_url(row)).status_code == 200


def test_people_and_places_are_made_by_the_platforms_staff(staff):
    made = staff.post("/admin/accounts/user/add/", {"email": "Dora@Quay.Test", "is_active": "on"})
    assert made.status_code == 302
    dora = User.objects.get(email="dora@quay.test")
    assert not dora.has_usable_password()
    firm = Tenant.objects.get(slug="quay")
    place = {"user": dora.pk, "tenant": firm.pk, "role": "viewer", "is_active": "on"}
    assert staff.get("/admin/accounts/membership/add/").status_code == 200
    assert staff.post("/admin/accounts/membership/add/", place).status_code == 302
    assert dora.memberships.get().role == "viewer"
    assert staff.post("/admin/accounts/user/", {"action": "delete_selected"}).status_code == 403
    assert staff.post(row_url(dora, "delete"), {"post": "yes"}).status_code == 403


def test_every_model_of_a_firm_is_in_its_console():
    assert set(FIRM) == tenant_models()


@pytest.mark.parametrize("url", ["/admin/oms/", "/admin/search/?s=order&extended"])
def test_the_frame_of_a_firm_answers(owner, url):
    answer, queries = counted(owner, url)
    assert answer.status_code == 200
    assert queries <= 30


def test_the_home_of_a_firm_says_what_hurts_first(owner, quay):
    html = owner.get("/admin/").content.decode()
    assert html.index("Halts") < html.index("Breaches, 24 h")
    for link in (
        "/admin/risk/halt/?in_force=yes",
        "/admin/oms/break/?closed_at__isempty=1",
        "/admin/oms/parkedreport/?resolved_at__isempty=1",
        "/admin/oms/order/?ord_status__exact=NEW&amp;is_closed__exact=0",
    ):
        assert link in html
        assert owner.get(link.replace("&amp;", "&")).context["cl"].result_count > 0
    for link in ("/admin/oms/order/?outcome=unknown", "/admin/oms/command/?state__exact=QUEUED"):
        assert link in html
        assert owner.get(link).status_code == 200


def test_the_platform_has_a_home_without_business(staff):
    html = staff.get("/admin/").content.decode()
    assert "Failed logins" in html
    assert "/admin/oms/" not in html
    assert "/admin/portfolio/" not in html


def test_the_platforms_own_edits_are_logged(staff):
    tenant = Tenant.objects.get(slug="quay")
    answer = staff.post(row_url(tenant), {"name": "Quay Renamed", "is_active": "on"})
    assert answer.status_code == 302
    assert Tenant.objects.get(pk=tenant.pk).name == "Quay Renamed"
    assert LogEntry.objects.filter(object_id=str(tenant.pk)).exists()


def test_lists_can_be_searched_and_sorted(owner, quay):
    for model in FIRM:
        assert owner.get(f"{list_url(model)}?q=SPX").status_code == 200, model
        assert owner.get(f"{list_url(model)}?o=2").status_code == 200, model


def test_bad_filters_are_no_errors(owner):
    assert owner.get("/admin/oms/order/?ord_status__exact=NONE").status_code == 200
    assert owner.get("/admin/oms/order/?nonsense=1").status_code == 302
