"""Who may open which console, and that nothing of one firm shows at another."""

import os
import subprocess
import sys

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.test import Client

from accounts.models import Membership, User
from accounts.roles import Role
from accounts.services import add_member
from oms.models import Order
from tenants.binding import tenant_bound
from tenants.models import Tenant
from tests.console.tables import FIRM, PLATFORM, list_url, row_url


@pytest.mark.parametrize("role", [Role.VIEWER, Role.TRADER, Role.MANAGER])
@pytest.mark.parametrize("url", ["/admin/", "/admin/oms/order/", "/admin/search/?s=o"])
def test_others_than_owners_and_admins_get_403(person_with, role, url):
    assert person_with(role).get(url).status_code == 403


def test_recent_actions_of_anybody_show_nowhere_in_a_firm(owner, quay):
    user = User.objects.get(email="olivia@quay.test")
    with tenant_bound(quay.schema):
        order = Order.objects.order_by("pk").last()
    LogEntry.objects.create(
        user=user, action_flag=CHANGE, object_id=order.pk, object_repr="seen elsewhere"
    )
    for url in ("/admin/", "/admin/oms/", row_url(order)):
        assert "seen elsewhere" not in owner.get(url).content.decode()


@pytest.mark.parametrize("role", [Role.OWNER, Role.ADMIN])
def test_owners_and_admins_come_in(person_with, role):
    client = person_with(role)
    assert client.get("/admin/").status_code == 200
    assert client.get("/admin/oms/order/").status_code == 200


def test_the_role_counts_at_each_request(person_with):
    client = person_with(Role.ADMIN)
    assert client.get("/admin/").status_code == 200
    Membership.objects.filter(user=client.session["_auth_user_id"]).update(role=Role.VIEWER)
    assert client.get("/admin/").status_code == 403


@pytest.mark.parametrize("host", ["localhost", "quay.localhost"])
@pytest.mark.parametrize("path", ["/admin/", "/admin/login/?next=/admin/"])
def test_strangers_are_sent_to_the_shared_login(quay, host, path):
    answer = Client(headers={"host": host}).get(path)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/login?next=/admin/")


def test_an_owner_of_one_firm_is_nobody_at_another_and_at_the_platform(browser, quay, mesa):
    alone = User.objects.create_user("alone@quay.test", "correct horse battery staple")
    add_member(user=alone, tenant=Tenant.objects.get(slug="quay"), role=Role.OWNER)
    assert browser(alone, "quay").get("/admin/").status_code == 200
    assert browser(alone, "mesa").get("/admin/").status_code in {302, 403}
    assert browser(alone).get("/admin/").status_code == 403


def test_platform_staff_have_no_way_into_a_firm(browser, staff, quay):
    user = User.objects.get(pk=staff.session["_auth_user_id"])
    assert browser(user, "quay").get("/admin/").status_code in {302, 403}


def test_no_table_of_a_firm_at_the_bare_host(staff):
    for model in FIRM:
        assert staff.get(list_url(model)).status_code == 404, model


def test_no_shared_table_at_a_firms_host(owner):
    for model in PLATFORM:
        assert owner.get(list_url(model)).status_code == 404, model


def test_rows_of_one_firm_do_not_open_at_another(browser, quay, mesa):
    olivia = User.objects.get(email="olivia@quay.test")
    add_member(user=olivia, tenant=Tenant.objects.get(slug="mesa"), role=Role.OWNER)
    there = browser(olivia, "mesa")
    with tenant_bound(quay.schema):
        order = Order.objects.order_by("pk").last()
    assert browser(olivia, "quay").get(row_url(order)).status_code == 200
    assert there.get(row_url(order)).status_code == 302  # "does not exist", back to the home
    listed = there.get("/admin/oms/order/").content.decode()
    assert mesa.desk.code in listed
    assert quay.desk.code not in listed


def test_the_palette_remembers_nothing_of_another_firm(browser, quay, mesa):
    olivia = User.objects.get(email="olivia@quay.test")
    add_member(user=olivia, tenant=Tenant.objects.get(slug="mesa"), role=Role.OWNER)
    word = "/admin/search/?extended&s=P-"
    here = browser(olivia, "quay").get(word).content.decode()
    there = browser(olivia, "mesa").get(word).content.decode()
    assert quay.desk.code in here
    assert mesa.desk.code in there
    assert quay.desk.code not in there


def test_djangos_log_is_not_shown_for_business(owner, quay):
    with tenant_bound(quay.schema):
        order = Order.objects.order_by("pk").last()
    assert owner.get(row_url(order, "history")).status_code == 404
    assert "/history/" not in owner.get(row_url(order)).content.decode()
    assert f"subject__exact={order.pk}" in owner.get(row_url(order)).content.decode()


def test_only_the_web_process_loads_the_consoles():
    """The gateway and its like start without the theme and without the tables."""
    code = (
        "import django, sys; django.setup(); from oms.gateway import process; "
        "print([name for name in sys.modules if name.startswith('unfold.') or '.admin' in name"
        " and name.split('.')[0] in {'oms', 'risk', 'accounts'}])"
    )
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings.typecheck"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
