"""Which firms a job of the clock has work in, so that it need not look into every firm.

A firm is due for a job by ``DueWork.due_at``. Whoever fans a job out claims the firms that are due
until the next round. A task that finds its firm quiet lets it rest; the next event wakes it. A
resting firm is still visited now and then, because a rest is an economy and never a proof.
"""

from datetime import datetime, timedelta

from django.db import connection

QUIET_FOR = timedelta(minutes=1)
"""A firm rests when nothing has woken it for so long, before the work and during it."""

# A firm that is awake is not woken again at once: one write in so many seconds is enough.
_WAKE_EVERY = QUIET_FOR / 4


def claim_due(job: str, *, every: timedelta, now: datetime) -> list[str]:
    """Return the active firms in which ``job`` is due, in order, and make each due in ``every``.

    A firm the job has not seen yet is due. Of two callers at once each firm goes to one.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO public.tenants_duework (schema_name, job, due_at, woken_at)"
            " SELECT schema_name, %s, %s, %s FROM public.tenants_tenant WHERE is_active"
            " ON CONFLICT (schema_name, job) DO NOTHING",
            [job, now, now],
        )
        cursor.execute(
            "UPDATE public.tenants_duework AS due SET due_at = %s"
            " FROM public.tenants_tenant AS firm"
            " WHERE firm.schema_name = due.schema_name AND firm.is_active"
            " AND due.job = %s AND due.due_at <= %s RETURNING due.schema_name",
            [now + every, job, now],
        )
        return sorted(schema for (schema,) in cursor.fetchall())


def rest(schema: str, job: str, *, begun: datetime, until: datetime) -> bool:
    """Let a quiet firm rest ``until`` then; return whether it does.

    ``begun`` is when the job began to look: a firm woken since, or just before, does not rest.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE public.tenants_duework SET due_at = %s"
            " WHERE schema_name = %s AND job = %s AND woken_at < %s",
            [until, schema, job, begun - QUIET_FOR],
        )
        return bool(cursor.rowcount)


def wake(schema: str, *, now: datetime) -> None:
    """Make every job due in a firm in which something happened. Cheap where it is awake."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE public.tenants_duework SET woken_at = %s, due_at = LEAST(due_at, %s)"
            " WHERE schema_name = %s AND woken_at < %s",
            [now, now, schema, now - _WAKE_EVERY],
        )
        cursor.execute(
            "UPDATE public.tenants_firmstanding AS standing SET next_at = %s"
            " FROM public.tenants_tenant AS firm WHERE firm.id = standing.tenant_id"
            " AND firm.schema_name = %s AND standing.next_at > %s",
            [now + QUIET_FOR, schema, now + QUIET_FOR],
        )
