"""``manage.py rotate_keys``: encrypts every firm's data keys by the newest master key, online."""

from typing import Any

from django.core.management.base import BaseCommand

from brokers.credentials import master_keys, rotate_keys
from tenants.models import Tenant


class Command(BaseCommand):
    """After it has run the older master keys may be taken out of ``OMS_MASTER_KEYS``."""

    help = "Encrypt the credentials' data keys of every firm by the current master key."

    def handle(self, *_: Any, **__: Any) -> None:
        """Print one line per firm."""
        for firm in Tenant.objects.order_by("slug"):
            rotated = rotate_keys(schema=firm.schema_name)
            self.stdout.write(f"{firm.slug}: {rotated} keys are now under {master_keys().current}")
