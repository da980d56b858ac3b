"""What beat wakes: the comparison of every account with its venue."""

from typing import Any

from celery import shared_task
from django.db import connection

from oms.services.reconciliation import RECONCILE_CHANNEL
from tenants.selectors import active_schemas


@shared_task(name="oms.reconcile", ignore_result=True)
def reconcile(**_future: Any) -> None:
    """Ask the gateway, which holds the sessions, to compare every firm's accounts now.

    The gateway also does so by its own timer; a lost wake-up costs nothing.
    """
    for schema in active_schemas():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, %s)", [RECONCILE_CHANNEL, schema])
