"""Making firms, and what must be true of every table."""

import threading
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.conf import settings
from django.core import checks
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, models, transaction
from django.db.migrations.loader import MigrationLoader

from config.migrate import migrate_all
from tenants import checks as ours
from tenants.errors import InvalidSlug, SlugTaken
from tenants.models import Tenant
from tenants.schemas import applied, pending
from tenants.selectors import active_schemas, all_schemas, tenant_by_slug
from tenants.services import create_tenant, set_active
from tests.tenants.conftest import NOW


def tables(schema: str) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [schema])
        return {name for (name,) in cursor.fetchall()}


def test_public_holds_no_business_table_and_a_firm_holds_all_of_them(firms):
    business = {model._meta.db_table for model in ours.tenant_models()}
    assert business
    assert tables("public") & business == set()
    assert business <= tables(firms.one)
    assert tables(firms.one) - business == {"django_migrations"}


def test_no_constraint_reaches_from_a_firm_to_public(firms):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conname FROM pg_constraint JOIN pg_class there ON there.oid = confrelid "
            "JOIN pg_class here ON here.oid = conrelid "
            "WHERE contype = 'f' AND here.relnamespace <> there.relnamespace"
        )
        assert cursor.fetchall() == []


@pytest.mark.django_db
def test_system_checks_hold():
    assert checks.run_checks(tags=["tenants"]) == []


def test_a_constrained_key_to_public_is_found(monkeypatch):
    class Leaky(models.Model):
        owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)

        class Meta:
            app_label = "events"

    try:
        assert [message.id for message in ours.check_foreign_keys()] == ["tenants.E002"]
    finally:
        del apps.all_models["events"]["leaky"]
        apps.clear_cache()
    assert ours.check_foreign_keys() == []


def test_an_app_in_both_lists_and_a_misplaced_middleware_are_found(settings, monkeypatch):
    settings.TENANT_APPS = [*settings.TENANT_APPS, "accounts"]
    assert [message.id for message in ours.check_app_lists()] == ["tenants.E001"]
    settings.MIDDLEWARE = list(reversed(settings.MIDDLEWARE))
    assert [message.id for message in ours.check_middleware()] == ["tenants.E003"]
    engine = {"ENGINE": "django.db.backends.postgresql"}
    monkeypatch.setattr(ours, "settings", SimpleNamespace(DATABASES={"default": engine}))
    assert [message.id for message in ours.check_engine()] == ["tenants.E004"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "slug",
    ["", "a", "A", "Acme", "1st", "-a", "acme-", "ac--me", "a_b", "acme.eu", "a" * 32, "ácme",
     "public", "platform", "www", "api", "admin", "acme\n"],
)  # fmt: skip
def test_slugs_that_cannot_be(slug):
    with pytest.raises(InvalidSlug):
        create_tenant(slug=slug, name="x", now=NOW)
    assert tenant_by_slug(slug) is None


@pytest.mark.django_db
def test_a_tenant_and_its_schema_come_together_or_not_at_all(monkeypatch):
    made = create_tenant(slug="made-here", name="Made Here", now=NOW)
    assert made.schema_name == "t_made_here"
    assert "django_migrations" in tables("t_made_here")
    with pytest.raises(SlugTaken):
        create_tenant(slug="made-here", name="again", now=NOW)

    def fail(schema: str) -> None:
        raise RuntimeError

    monkeypatch.setattr("tenants.services.fill_schema", fail)
    with pytest.raises(RuntimeError), transaction.atomic():
        create_tenant(slug="half-made", name="x", now=NOW)
    assert tenant_by_slug("half-made") is None
    assert tables("t_half_made") == set()


@pytest.mark.django_db
def test_the_database_itself_refuses_odd_schemas():
    for schema in ("public", "acme", "t_A", 't_"x'):
        with pytest.raises(IntegrityError), transaction.atomic():
            Tenant.objects.create(slug="odd-one", schema_name=schema, name="x", created_at=NOW)


@pytest.mark.django_db
def test_a_suspended_tenant_is_listed_but_not_active():
    tenant = create_tenant(slug="sleeper", name="Sleeper", now=NOW)
    set_active(tenant=tenant, active=False)
    assert "t_sleeper" in all_schemas()
    assert "t_sleeper" not in active_schemas()


def test_migrating_twice_changes_nothing_and_a_lost_record_is_noticed(firms):
    assert migrate_all() is False
    assert pending(["public", firms.one]) == []
    on_disk = MigrationLoader(None).disk_migrations  # other tests have recorded some of their own
    app, name = max(key for key in applied(firms.one) if key[0] == "events" and key in on_disk)
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {firms.one}.django_migrations WHERE name = %s", [name])
        try:
            assert pending(["public", firms.one, firms.two]) == [firms.one]
            with pytest.raises(CommandError, match="1 schema"):
                call_command("migrate", "--check")
        finally:
            cursor.execute(
                f"INSERT INTO {firms.one}.django_migrations (app, name, applied) "
                "VALUES (%s, %s, now())",
                [app, name],
            )


def test_two_processes_that_migrate_at_once_wait_for_each_other(firms):
    done = []

    def migrate() -> None:
        done.append(migrate_all())
        connection.close()

    workers = [threading.Thread(target=migrate) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert done == [False, False, False]
