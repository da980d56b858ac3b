"""A Celery task runs with the tenant its message names, through a real worker and broker."""

import pytest
from celery import Celery
from celery.contrib.testing.worker import start_worker
from django.conf import settings
from django.db import ProgrammingError, connection

from tenants import celery as tenant_celery
from tenants.binding import bound_schema, tenant_bound
from tenants.errors import OtherTenantBound
from tests.tenants.conftest import names


@pytest.fixture
def app(firms):
    url = settings.REDIS_URL.replace("unix://", "redis+socket://", 1).replace(
        "?db=", "?virtual_host="
    )
    app = Celery("tests", broker=url, backend=url, set_as_current=True)
    app.conf.task_default_queue = "tests-tenants"

    @tenant_celery.tenant_task(name="tests.read")
    def read(schema, mark):
        return [schema, bound_schema(), names(), mark]

    @tenant_celery.tenant_task(bind=False, name="tests.own")
    def own(schema):
        return [schema, bound_schema()]

    @app.task(name="tests.bare")
    def bare():
        try:
            return names()
        except ProgrammingError:
            return "refused"

    with start_worker(app, perform_ping_check=False, pool="solo", shutdown_timeout=20):
        yield app
    app.close()
    connection.close()


def result(sent):
    return sent.get(timeout=20, disable_sync_subtasks=False)


def test_tasks_see_the_tenant_of_their_message_and_nothing_else(app, firms):
    read, own, bare = (app.tasks[f"tests.{name}"] for name in ("read", "own", "bare"))
    with tenant_bound(firms.one):
        from_bound = read.delay("bound")
    assert result(from_bound) == [firms.one, firms.one, [firms.one], "bound"]
    assert result(tenant_celery.send(read, firms.two, "named")) == [
        firms.two, firms.two, [firms.two], "named",
    ]  # fmt: skip
    assert result(tenant_celery.send(own, firms.one)) == [firms.one, None]
    assert result(bare.delay()) == "refused"
    with pytest.raises(Exception, match="without a tenant"):
        result(read.delay("nobody"))

    with tenant_bound(firms.one), pytest.raises(OtherTenantBound):
        tenant_celery.send(read, firms.two, "x")
