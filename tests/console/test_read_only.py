"""Business rows cannot be edited in a console, however the request is forged."""

import pytest

from config.console.registry import firm_console, platform_console
from tenants.binding import tenant_bound
from tests.console.tables import FIRM, PLATFORM, SHARED_EDITABLE, label, list_url, row_url

REFUSED = {403, 405}
RECORDS = [model for model in PLATFORM if label(model) not in SHARED_EDITABLE]


def forged(client, row):
    """The answers to every way of writing a row through Django's admin."""
    model = type(row)
    fields = {field.name: "1" for field in model._meta.concrete_fields}
    ticked = {"_selected_action": str(row.pk), "post": "yes", "index": "0"}
    yield "add page", client.get(f"{list_url(model)}add/")
    yield "add", client.post(f"{list_url(model)}add/", fields)
    yield "change", client.post(row_url(row), fields)
    yield "save as new", client.post(row_url(row), {**fields, "_saveasnew": "1"})
    yield "delete page", client.get(row_url(row, "delete"))
    yield "delete", client.post(row_url(row, "delete"), {"post": "yes"})
    yield "delete ticked", client.post(list_url(model), {**ticked, "action": "delete_selected"})
    yield "edit in list", client.post(list_url(model), {**fields, "_save": "1"})


@pytest.mark.parametrize("model", FIRM, ids=label)
def test_no_row_of_a_firm_is_written(owner, quay, model):
    with tenant_bound(quay.schema):
        row = model.objects.order_by("pk").last()
        before = list(model.objects.order_by("pk").values())
    for way, answer in forged(owner, row):
        assert answer.status_code in REFUSED, way
    with tenant_bound(quay.schema):
        assert list(model.objects.order_by("pk").values()) == before


@pytest.mark.parametrize("model", RECORDS, ids=label)
def test_no_shared_record_is_written(staff, model):
    row = model.objects.order_by("pk").last()
    if row is None:
        assert staff.post(f"{list_url(model)}add/", {}).status_code in REFUSED
        return
    for way, answer in forged(staff, row):
        assert answer.status_code in REFUSED, way


def test_the_whole_registry_says_so(rf, traded):
    request = rf.get("/admin/")
    for site, models in ((firm_console, FIRM), (platform_console, RECORDS)):
        for model in models:
            table = site._registry[model]
            for right in ("add", "change", "delete"):
                assert not getattr(table, f"has_{right}_permission")(request), (model, right)
