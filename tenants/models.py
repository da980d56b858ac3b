"""Tenants and the hosts they answer at. Both lie in ``public``."""

import re
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django_tenants.models import DomainMixin, TenantMixin

SLUG = re.compile(r"[a-z][a-z0-9-]{1,30}")
RESERVED_SLUGS = frozenset(
    {
        "public", "platform", "www", "api", "admin", "app", "auth", "account", "accounts", "static",
        "media", "mail", "smtp", "ftp", "ns", "ns1", "ns2", "mx", "health", "metrics", "status",
        "stream", "hooks", "docs", "help", "support", "blog", "root", "system", "internal",
        "localhost", "postgres", "redis", "demo-host", "test-host", "blotter", "cdn", "assets",
    }
)  # fmt: skip


def schema_of(slug: str) -> str:
    """Return the schema of a slug: ``acme-eu`` lives in ``t_acme_eu``."""
    return "t_" + slug.replace("-", "_")


class Tenant(TenantMixin):  # type: ignore[misc]
    """A firm. Its schema is made by ``tenants.services.create_tenant``, never by ``save``."""

    auto_create_schema = False
    auto_drop_schema = False

    slug = models.CharField(max_length=31, unique=True)
    name = models.CharField(max_length=120)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(slug__regex=r"^[a-z][a-z0-9-]{1,30}$"), name="tenant_slug_form"
            ),
            models.CheckConstraint(
                condition=Q(schema_name__regex=r"^t_[a-z][a-z0-9_]{1,30}$"),
                name="tenant_schema_form",
            ),
        ]

    def __str__(self) -> str:
        return self.slug


class DueWork(models.Model):
    """When a job of the clock is next due in a firm; see ``tenants.due``."""

    schema_name = models.CharField(max_length=63)
    job = models.CharField(max_length=32)
    due_at = models.DateTimeField()
    woken_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["schema_name", "job"], name="tenants_duework_once")
        ]

    def __str__(self) -> str:
        return f"{self.job} of {self.schema_name}"


class FirmStanding(models.Model):
    """How a firm was at its last round, for the platform's staff: counts and words, no rows.

    ``level`` is 0 fine, 1 watch or 2 act; ``figures`` is a list of
    ``{code, title, figure, level}``; ``next_at`` is when the next round is due.
    """

    tenant = models.OneToOneField(
        Tenant, primary_key=True, on_delete=models.CASCADE, related_name="standing"
    )
    at = models.DateTimeField()
    next_at = models.DateTimeField(db_default=Now())
    level = models.SmallIntegerField()
    worst = models.CharField(max_length=120, blank=True)
    figures = models.JSONField(default=list)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(level__gte=0, level__lte=2), name="firm_standing_level_known"
            )
        ]

    def __str__(self) -> str:
        return f"{self.tenant}: {self.worst or 'fine'}"


class SchemaTemplate(models.Model):
    """The SQL that makes an empty schema a firm's, for the migrations with the digest ``code``.

    See ``tenants.templates``. Kept until newer ones push it out; made again when it is missing.
    ``made_from`` has the digest of each migration's file.
    """

    code = models.CharField(max_length=64, primary_key=True)
    statements = models.TextField(blank=True)
    structure = models.CharField(max_length=32)
    made_from = models.JSONField(default=dict, blank=True)
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.code[:12]


class Domain(DomainMixin):  # type: ignore[misc]
    """A host name of a tenant besides ``<slug>.<OMS_DOMAIN>``, in lower case without port."""

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(domain__regex=r"^[a-z0-9.-]+$"), name="domain_normalised"
            )
        ]
