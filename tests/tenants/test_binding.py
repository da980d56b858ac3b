"""What is bound reads its own firm; what is not bound reads nothing."""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import ProgrammingError, connection, transaction
from django.db.models import F

from accounts.models import User
from events.models import SubscriberCursor
from tenants.binding import bound_schema, require_bound, tenant_bound
from tenants.errors import OtherTenantBound, TenantNotBound, UnknownTenant
from tests.tenants.conftest import NOW, names


def refused_as_missing() -> None:
    with pytest.raises(ProgrammingError, match=r"events_subscribercursor.* does not exist"):
        names()


def write_and_fail() -> None:
    SubscriberCursor.objects.create(name="lost", updated_at=NOW)
    raise ZeroDivisionError


def current_path() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW search_path")
        return cursor.fetchone()[0]


def test_unbound_reads_people_but_no_business(firms):
    assert User.objects.count() >= 0
    refused_as_missing()
    assert bound_schema() is None
    with pytest.raises(TenantNotBound):
        require_bound()


def test_bound_reads_its_own_firm_and_the_path_goes_with_the_transaction(firms):
    with tenant_bound(firms.one):
        assert names() == [firms.one]
        assert require_bound() == bound_schema() == firms.one
    assert current_path() == "public"
    with tenant_bound(firms.two):
        assert names() == [firms.two]
    refused_as_missing()


def test_a_tenant_set_without_a_transaction_is_refused(firms):
    connection.set_schema(firms.one)
    try:
        with pytest.raises(TenantNotBound):
            names()
        with pytest.raises(TenantNotBound):
            require_bound()
    finally:
        connection.set_schema_to_public()


def test_on_commit_runs_unbound(firms):
    seen = []

    def after_commit():
        with pytest.raises((TenantNotBound, ProgrammingError)) as failure:
            names()
        seen.append(failure.type)

    with tenant_bound(firms.one):
        transaction.on_commit(after_commit)
        assert seen == []
    assert seen == [TenantNotBound]


def test_an_exception_unbinds_and_rolls_back(firms):
    with pytest.raises(ZeroDivisionError), tenant_bound(firms.one):
        write_and_fail()
    refused_as_missing()
    with tenant_bound(firms.one):
        assert names() == [firms.one]


def test_a_lazy_queryset_read_later_fails(firms):
    with tenant_bound(firms.one):
        lazy = SubscriberCursor.objects.all()
    with pytest.raises(ProgrammingError):
        list(lazy)


def test_a_rolled_back_savepoint_leaves_the_binding(firms):
    with tenant_bound(firms.one):
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            write_and_fail()
        assert names() == [firms.one]


def test_a_failed_statement_in_a_savepoint_leaves_the_binding(firms):
    with tenant_bound(firms.one):
        with pytest.raises(ProgrammingError), transaction.atomic():
            connection.cursor().execute("SELECT * FROM nowhere")
        assert names() == [firms.one]


def test_the_same_tenant_may_be_bound_again_and_its_failure_takes_back_only_itself(firms):
    with tenant_bound(firms.one):
        SubscriberCursor.objects.create(name="a-kept", updated_at=NOW)
        with pytest.raises(ZeroDivisionError), tenant_bound(firms.one):
            write_and_fail()
        assert bound_schema() == firms.one
        assert names() == ["a-kept", firms.one]


def test_another_tenant_is_refused_inside(firms):
    with tenant_bound(firms.one):
        with pytest.raises(OtherTenantBound), tenant_bound(firms.two):
            pytest.fail("reached")
        assert names() == [firms.one]


def test_inside_an_outer_transaction_the_path_follows_each_binding(firms):
    with transaction.atomic():
        with tenant_bound(firms.one):
            assert names() == [firms.one]
        assert current_path() == "public"
        with tenant_bound(firms.two):
            assert names() == [firms.two]
        with pytest.raises(ZeroDivisionError), tenant_bound(firms.one):
            write_and_fail()
        assert current_path() == "public"
        with pytest.raises(ProgrammingError), transaction.atomic():
            names()


def test_iterator_reads_by_a_server_side_cursor_inside_and_fails_outside(firms):
    with tenant_bound(firms.one):
        rows = [f"row-{number:04}" for number in range(300)]
        SubscriberCursor.objects.bulk_create(
            SubscriberCursor(name=name, updated_at=NOW) for name in rows
        )
        reader = SubscriberCursor.objects.order_by("name").iterator(chunk_size=50)
        begun = [next(reader).name, next(reader).name]
        assert begun == rows[:2]
        assert SubscriberCursor.objects.count() == 301
        assert [row.name for row in reader] == [*rows[2:], firms.one]
        left_open = SubscriberCursor.objects.iterator(chunk_size=10)
        next(left_open)
    # 9 rows are here already; the next chunk would come from the finished transaction.
    with pytest.raises(Exception, match=r"cursor|does not exist"):
        list(left_open)
    with pytest.raises(ProgrammingError):
        list(SubscriberCursor.objects.iterator())


def test_a_new_connection_starts_in_public(firms):
    with tenant_bound(firms.one):
        names()
    connection.close()
    refused_as_missing()
    assert current_path() == "public"


def test_a_schema_that_does_not_exist_is_refused(firms):
    with pytest.raises(UnknownTenant), tenant_bound("t_nobody"):
        pytest.fail("reached")
    with pytest.raises(ValueError, match="public"), tenant_bound("public"):
        pytest.fail("reached")


def test_threads_with_failures_and_lost_connections_never_read_another_firm(firms):
    wrong, right, refused = [], [], []

    def work(seed: int) -> None:
        dice = random.Random(seed)
        for _ in range(60):
            schema = dice.choice((firms.one, firms.two))
            try:
                with tenant_bound(schema):
                    SubscriberCursor.objects.update(position=F("position") + 1)
                    (right if names() == [schema] else wrong).append(schema)
                    if dice.random() < 0.2:
                        raise ZeroDivisionError
            except ZeroDivisionError:
                pass
            if dice.random() < 0.2:
                try:
                    wrong.append(names())
                except ProgrammingError:
                    refused.append(seed)
            if dice.random() < 0.1:
                connection.close()
        connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert wrong == []
    assert len(right) == 8 * 60
    assert len(refused) > 20
