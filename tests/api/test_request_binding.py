"""Reads run bound to the firm of the request, and nothing of it is left afterwards."""

import pytest
from django.db import ProgrammingError, transaction
from django.http import HttpResponse, StreamingHttpResponse
from django.test import RequestFactory

from accounts.middleware import TenantRequestMiddleware
from events.models import SubscriberCursor
from tenants.binding import bound_schema, tenant_bound
from tests.tenants.conftest import NOW


@pytest.fixture
def ask(north):
    """Send a request through the middleware to a view given by the test."""

    def send(method: str, view, path: str = "/page", host: str = "north-desk.localhost"):
        request = RequestFactory().generic(method, path, headers={"host": host})
        return TenantRequestMiddleware(view)(request)

    return send


@pytest.mark.parametrize(
    ("method", "path", "bound"),
    [
        ("GET", "/page", True), ("HEAD", "/page", True), ("POST", "/page", False),
        ("DELETE", "/page", False), ("GET", "/api/v1/x", True), ("POST", "/api/v1/x", False),
    ],
)  # fmt: skip
def test_reads_are_bound_and_writes_are_not(ask, north, method, path, bound):
    seen = []

    def view(request):
        assert request.tenant == north
        seen.append(bound_schema())
        return HttpResponse()

    assert ask(method, view, path).status_code == 200
    assert seen == [north.schema_name if bound else None]
    assert bound_schema() is None


def test_at_the_bare_host_nothing_is_bound(ask):
    assert ask("GET", lambda _: HttpResponse(str(bound_schema())), host="localhost").content == (
        b"None"
    )


@pytest.mark.parametrize(("status", "kept"), [(200, True), (404, True), (500, False), (503, False)])
def test_a_failed_read_leaves_nothing_behind(ask, north, status, kept):
    def view(request):
        SubscriberCursor.objects.create(name="left", updated_at=NOW)
        return HttpResponse(status=status)

    assert ask("GET", view).status_code == status
    with tenant_bound(north.schema_name):
        assert SubscriberCursor.objects.filter(name="left").exists() is kept


def test_what_streams_after_the_answer_is_unbound(ask):
    def body():
        yield str(bound_schema()).encode()
        with pytest.raises(ProgrammingError), transaction.atomic():
            SubscriberCursor.objects.count()
        yield b"refused"

    answer = ask("GET", lambda _: StreamingHttpResponse(body()))
    assert list(answer) == [b"None", b"refused"]
