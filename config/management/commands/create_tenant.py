"""``manage.py create_tenant acme --name "Acme Trading" --owner alice@acme.test``."""

import secrets
from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts.models import User, normal_email
from accounts.roles import Role
from accounts.services import add_member, create_user
from common.errors import Refused
from tenants.services import create_tenant


class Command(BaseCommand):
    """Makes a firm, its schema and its owner, all or nothing."""

    help = "Make a tenant with its owner; a new owner's password is printed once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("slug", help="a-z, 0-9 and hyphens; the host is <slug>.<OMS_DOMAIN>")
        parser.add_argument("--name", default="", help="as people write the firm's name")
        parser.add_argument("--owner", required=True, help="e-mail address of the owner")

    def handle(self, *_: Any, **options: Any) -> None:
        """:raises CommandError: with one line that says what to change."""
        try:
            with transaction.atomic():
                tenant = create_tenant(
                    slug=options["slug"], name=options["name"], now=datetime.now(UTC)
                )
                owner, password = self._owner(options["owner"])
                add_member(user=owner, tenant=tenant, role=Role.OWNER)
        except Refused as refusal:
            reasons = [refusal.detail, *(row.message for row in refusal.errors)]
            raise CommandError(" ".join(reasons)) from refusal
        self.stdout.write(f"{tenant.slug}: schema {tenant.schema_name}, owner {owner.email}")
        if password:
            self.stdout.write(f"password of {owner.email} (shown once): {password}")

    def _owner(self, email: str) -> tuple[User, str]:
        known = User.objects.filter(email=normal_email(email)).first()
        if known is not None:
            return known, ""
        password = secrets.token_urlsafe(15)
        return create_user(email=email, password=password), password
