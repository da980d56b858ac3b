"""Tenants and the hosts they answer at. Both lie in ``public``."""

import re
from typing import ClassVar

from django.db import models
from django.db.models import Q
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


class Domain(DomainMixin):  # type: ignore[misc]
    """A host name of a tenant besides ``<slug>.<OMS_DOMAIN>``, in lower case without port."""

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(domain__regex=r"^[a-z0-9.-]+$"), name="domain_normalised"
            )
        ]
